"""Held-out dialogues, and the shapes that `callqa classify` and `callqa judge` read."""
import json
import re

POLITENESS = ("courteous", "neutral", "dismissive", "rude")
RESOLUTION = (
    "states_issue", "repeat_contact", "explains", "offers_solution", "rejects_explanation", "confirms_resolved",
    "says_unresolved", "promises_callback", "escalates", "dissatisfied", "threatens_escalation", "asks_supervisor",
    "asks_identification", "nothing_more",
)
SCRIPT = (
    "greeting", "self_identification", "identity_verification", "hold_request", "hold_return", "empathy_apology",
    "anything_else", "survey_invitation", "closing", "discloses_account_data", "blame_shifting",
    "refuses_identification", "improper_promise",
)
BY_AGENT = {"explains", "offers_solution", "promises_callback", "escalates", *POLITENESS, *SCRIPT}
# Utterances that are given as context: more than the classifiers' two turns ever hold.
CONTEXT = 8


def read(folder, pattern):
    """Dialogues with their utterances, in the order of the files."""
    dialogues = {}
    for path in sorted(folder.glob(pattern)):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            name = row["dialogue"]
            dialogue = dialogues.setdefault(name, {"id": name, "lang": row["lang"], "outcome": row.get("outcome"), "utterances": []})
            # A line as it was heard has the place of the line that was written.
            dialogue["utterances"].append(row | {"place": (spoken(name), row["turn"])})
    return list(dialogues.values())


def spoken(name):
    """The id of the dialogue that was heard, once or several times."""
    return re.sub(r"-heard\d*$", "", name)


def by_writers(utterances, folder):
    """The same utterances with the labels that their writers gave."""
    given = _readings(folder, 2)
    return [u | given[u["place"]] for u in utterances]


def by_second_readers(utterances, folder):
    """What the second readers said of utterances, as `callqa classify` would."""
    given = _readings(folder, 4)
    return [{"decided": given[u["place"]]} for u in utterances]


def _readings(folder, column):
    """{place: labels by task}, from the column that holds a reader's politeness, and the one behind it."""
    given = {}
    for path in folder.glob("*.tsv"):
        for line in path.read_text("utf-8").splitlines():
            cells = line.split("\t")
            politeness, others = cells[column], cells[column + 1].split(",")
            pick = lambda labels: [label for label in labels if label in others]
            given[cells[0], int(cells[1])] = {"politeness": politeness if politeness in POLITENESS else None,
                                              "resolution": pick(RESOLUTION), "script": pick(SCRIPT)}
    return given


def questions(dialogues):
    """A line of `callqa classify` for each utterance."""
    for_one = lambda u: {"speaker": u["speaker"], "text": u["text"]}
    return [for_one(u) | {"id": f"{d['id']}/{i}", "lang": d["lang"], "context": [for_one(c) for c in d["utterances"][max(0, i - CONTEXT):i]]}
            for d in dialogues for i, u in enumerate(d["utterances"])]


def transcripts(dialogues, labelled=False):
    """A line of `callqa judge` for each dialogue; with its labels, these take the place of the classifiers."""
    def turn(u):
        labels = {task: u[task] for task in ("politeness", "resolution", "script")}
        return {"speaker": u["speaker"], "text": u["text"]} | ({"labels": labels} if labelled else {})

    return [{"id": d["id"], "lang": d["lang"], "ended_by": "customer", "turns": [turn(u) for u in d["utterances"]]} for d in dialogues]
