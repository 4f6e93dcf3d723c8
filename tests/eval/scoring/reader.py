"""What a reader makes of the heard held-out lines: python3 tests/eval/scoring/reader.py

Readers labelled the lines of tests/eval/data/heard-*.jsonl blind (data/heard-readings), some as they
were written, others as whisper base heard them: what these lose is lost with the words.
"""
import json
import sys
from pathlib import Path

from dialogues import POLITENESS, RESOLUTION, SCRIPT, spoken

DATA = Path(__file__).resolve().parent.parent / "data"


def main():
    truth = {}
    for path in sorted(DATA.glob("heard-*.jsonl")):
        for row in map(json.loads, path.read_text("utf-8").splitlines()):
            truth[f"{spoken(row['dialogue'])}/{row['turn']}"] = {row["politeness"], *row["resolution"], *row["script"]} - {None}
    print("| read | lines | politeness macro-F1 | resolution | script |\n|---|---|---|---|---|")
    for kind in ("written", "heard"):
        read = {}
        for path in sorted((DATA / "heard-readings").glob(f"*-{kind}.tsv")):
            for place, politeness, others in (line.split("\t") for line in path.read_text("utf-8").splitlines()):
                read[place] = {politeness, *others.split(",")} - {"-"}
        figures = [macro([(truth[place], read[place]) for place in truth], labels) for labels in (POLITENESS, RESOLUTION, SCRIPT)]
        print(f"| as {kind} | {len(truth)} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    return 0


def macro(pairs, labels):
    """Mean F1 of the labels that any line has."""
    scores = []
    for label in labels:
        given, found = sum(label in true for true, _ in pairs), sum(label in said for _, said in pairs)
        if given:
            scores.append(2 * sum(label in true and label in said for true, said in pairs) / (given + found))
    return sum(scores) / len(scores)


if __name__ == "__main__":
    sys.exit(main())
