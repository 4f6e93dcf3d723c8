"""How far two labellers agree: python3 models/training/agreement.py [--disagreements]

The second labels of data/second/*.tsv were given blind, by somebody who knew the definitions of
the labels alone and saw neither the first labels nor the rules of data/README.md. Prints Cohen's
kappa of each label as a Markdown table, or every line on which the two differ.
"""
import csv
import json
import sys
from collections import Counter
from pathlib import Path

from count_labels import BY_AGENT, BY_CUSTOMER, POLITENESS, SCRIPT

HERE = Path(__file__).resolve().parent
HELD_OUT = HERE.parents[1] / "tests" / "eval" / "data"


def first_labels():
    rows = {}
    for path in [*HERE.glob("data/*.jsonl"), *HELD_OUT.glob("*.jsonl")]:
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            rows[row["dialogue"], row["turn"]] = row
    return rows


def pairs(lang, first):
    """(row, first labels, second labels) of each utterance that has both."""
    with (HERE / "data" / "second" / f"{lang}.tsv").open(encoding="utf-8", newline="") as file:
        for dialogue, turn, politeness, labels in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            row = first.get((dialogue, int(turn)))
            if row:
                given = {row["politeness"], *row["resolution"], *row["script"]} - {None}
                yield row, given, ({politeness} | set(labels.split(","))) - {"-"}


def kappa(one, other):
    """Cohen's: agreement beyond what chance would give."""
    count = len(one)
    observed = sum(a == b for a, b in zip(one, other)) / count
    shares = Counter(one), Counter(other)
    chance = sum(shares[0][value] * shares[1][value] for value in shares[0]) / count**2
    return (observed - chance) / (1 - chance) if chance < 1 else float("nan")


def cells(label, some):
    theirs = [(a, b) for row, a, b in some if (row["speaker"] == "customer") == (label in BY_CUSTOMER)]
    one, other = [label in a for a, _ in theirs], [label in b for _, b in theirs]
    return [str(sum(one)), str(sum(other)), f"{kappa(one, other):.2f}"]


def main():
    first = first_labels()
    some = {lang: list(pairs(lang, first)) for lang in ("zh", "en")}
    if "--disagreements" in sys.argv:
        for lang in some:
            for row, a, b in some[lang]:
                if a != b:
                    print(f"{row['dialogue']}/{row['turn']} {row['speaker']}: {row['text']}\n"
                          f"  first only: {', '.join(sorted(a - b)) or '-'}; second only: {', '.join(sorted(b - a)) or '-'}")
        return
    print(f"{len(some['zh'])} utterances in zh, {len(some['en'])} in en.\n")
    print("| label | zh first | second | κ | en first | second | κ |\n|---|---|---|---|---|---|---|")
    for lang_labels in (POLITENESS, BY_CUSTOMER, BY_AGENT, SCRIPT):
        for label in lang_labels:
            print(f"| {label} | {' | '.join(cells(label, some['zh']) + cells(label, some['en']))} |")


if __name__ == "__main__":
    main()
