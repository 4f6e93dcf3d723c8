"""How far two labellers agree: python3 models/training/agreement.py [--disagreements] [--held-out]

The second labels of data/second/*.tsv were given blind, by somebody who knew the definitions of
the labels alone and saw neither the first labels nor the rules of data/README.md. Prints Cohen's
kappa of each label as a Markdown table, or every line on which the two differ. Lines that were
corrected later (data/corrected/*.tsv) count with the labels that they had first. With --held-out,
the same of the writer and the second reader of tests/eval/data.
"""
import csv
import json
import sys
from collections import Counter
from pathlib import Path

from count_labels import BY_AGENT, BY_CUSTOMER, POLITENESS, SCRIPT

HERE = Path(__file__).resolve().parent
HELD_OUT = HERE.parents[1] / "tests" / "eval" / "data"


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def labels(politeness, others):
    return {politeness, *others.split(",")} - {"-"}


def first_labels():
    """Every row, and with it the labels that its writer gave."""
    rows = {}
    for path in [*HERE.glob("data/*.jsonl"), *HELD_OUT.glob("*.jsonl")]:
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            rows[row["dialogue"], row["turn"]] = row | {"first": {row["politeness"], *row["resolution"], *row["script"]} - {None}}
    for path in HERE.glob("data/corrected/*.tsv"):
        for dialogue, turn, politeness, others in table(path):
            rows[dialogue, int(turn)]["first"] = labels(politeness, others)
    return rows


def pairs(lang, first):
    """(row, first labels, second labels) of each utterance that has both."""
    for dialogue, turn, politeness, others in table(HERE / "data" / "second" / f"{lang}.tsv"):
        if row := first.get((dialogue, int(turn))):
            yield row, row["first"], labels(politeness, others)


def readings(lang, first):
    """The same of the held-out dialogues."""
    for path in sorted((HELD_OUT / "readings").glob(f"{lang}-*.tsv")):
        for dialogue, turn, politeness, others, again, others_again, *_ in table(path):
            yield first[dialogue, int(turn)], labels(politeness, others), labels(again, others_again)


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
    read = readings if "--held-out" in sys.argv else pairs
    some = {lang: list(read(lang, first)) for lang in ("zh", "en")}
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
