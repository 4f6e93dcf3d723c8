"""Counts the labels of the training dialogues and fails on a line that breaks the format.

Run from anywhere: python3 models/training/count_labels.py
Prints a Markdown table: one row a label, one column a language.
"""

import json
import sys
from collections import Counter
from pathlib import Path

DATA = Path(__file__).parent / "data"
POLITENESS = ["courteous", "neutral", "dismissive", "rude"]
BY_AGENT = ["explains", "offers_solution", "promises_callback", "escalates"]
BY_CUSTOMER = ["states_issue", "repeat_contact", "rejects_explanation", "confirms_resolved", "says_unresolved",
               "dissatisfied", "threatens_escalation", "asks_supervisor", "asks_identification", "nothing_more"]
SCRIPT = ["greeting", "self_identification", "identity_verification", "hold_request", "hold_return",
          "empathy_apology", "anything_else", "survey_invitation", "closing", "discloses_account_data",
          "blame_shifting", "refuses_identification", "improper_promise"]


def fault(line):
    """What is wrong with an utterance, or None."""
    agent = line["speaker"] == "agent"
    if not agent and line["speaker"] != "customer":
        return "unknown speaker"
    if agent != (line["politeness"] in POLITENESS) or not agent and line["politeness"] is not None:
        return "politeness is for agents, and for each of theirs"
    if not set(line["resolution"]) <= set(BY_AGENT if agent else BY_CUSTOMER):
        return "resolution label unknown, or not this speaker's"
    if not set(line["script"]) <= set(SCRIPT if agent else []):
        return "script label unknown, or not an agent's"
    if "threatens_escalation" in line["resolution"] and "dissatisfied" not in line["resolution"]:
        return "a threat implies dissatisfied"
    return None


def main():
    counts, dialogues, next_turn, faults = {}, {}, Counter(), 0
    for path in sorted(DATA.glob("*.jsonl")):
        for number, row in enumerate(path.read_text("utf-8").splitlines(), 1):
            line = json.loads(row)
            # Of a dialogue as it was heard some lines are missing.
            out_of_order = line["turn"] < next_turn[line["dialogue"]] or ("written" not in line and line["turn"] > next_turn[line["dialogue"]])
            wrong = fault(line) or (out_of_order and "turns are not in order")
            if wrong:
                faults += 1
                print(f"{path.name}:{number}: {wrong}", file=sys.stderr)
            next_turn[line["dialogue"]] = line["turn"] + 1
            dialogues.setdefault(line["lang"], set()).add(line["dialogue"])
            labels = [line["politeness"], *line["resolution"], *line["script"], "utterances", line["speaker"]]
            counts.setdefault(line["lang"], Counter()).update(filter(None, labels))
    langs = sorted(counts)
    print(f"| label | {' | '.join(langs)} |\n|---|{'---|' * len(langs)}")
    print(f"| dialogues | {' | '.join(str(len(dialogues[lang])) for lang in langs)} |")
    for label in ["utterances", "agent", "customer", *POLITENESS, *BY_CUSTOMER, *BY_AGENT, *SCRIPT]:
        print(f"| {label} | {' | '.join(str(counts[lang][label]) for lang in langs)} |")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
