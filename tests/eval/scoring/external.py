"""Public sets, of which nothing that is measured here was trained on. They are not part of the project: see the docstrings."""
import ast
import csv
import gzip
import hashlib
import json
import math
import sys
from pathlib import Path

import keywords
from measures import auc

# At the end: the trainer has modules of the same names as those here.
sys.path.append(str(Path(__file__).resolve().parents[3] / "models" / "training" / "trainer"))
from tydip_half import is_learned

# Annotators disagree: only dialogues with a mean of at least this, either way, count.
CLEAR = 0.5
# Requests in the top and the bottom quarter of politeness.
QUARTER = 4
TYDIP_SHA256 = "e35a37499adcae4af71361644666dd696a0f273c78190af103e16fab0f4f1b90"
# What a customer's words say of the outcome by the list of words alone.
GLAD, SORRY = ("confirms_resolved",), ("says_unresolved", "rejects_explanation", "dissatisfied")


def sections(shared, run):
    yield stc3(shared / "evaluation-only" / "zh_helpdesk_stc3", run)
    yield jddc(shared / "evaluation-only" / "zh_jddc_satisfaction", run)
    yield tydip(shared / "train" / "en_politeness_tydip", run)


def stc3(folder, run):
    """STC-3 helpdesk dialogues (stc3-dataset @ 90da5277): the outcome against "task accomplished", 19 annotators."""
    lines = ["## STC-3: outcome against \"task accomplished\"\n",
             f"Customer-helpdesk dialogues of a social network; mean of 19 annotators at least {CLEAR} either way. The score is the probability of `resolved` plus half of that of `partially_resolved`. Written text, not calls; never trained on. Keywords: the customer's lines with a word of success less those with one of failure. Always the most frequent: 0.5.\n",
             "| language | accomplished | not | AUC | keywords |", "|---|---|---|---|---|"]
    for lang, name in (("zh", "stc3_cn_open"), ("en", "stc3_en_open")):
        path = folder / f"{name}.json.gz"
        if not path.exists():
            lines.append(f"| {lang} | – | – | skipped: {path.name} is not there | |")
            continue
        rows, truth = [], []
        for dialogue in json.load(gzip.open(path)):
            marks = [a["quality"]["A"] for a in dialogue["annotations"]]
            mean = sum(marks) / len(marks)
            if abs(mean) < CLEAR:
                continue
            turns = [{"speaker": "agent" if turn["sender"] == "helpdesk" else "customer", "text": text}
                     for turn in dialogue["turns"] for text in turn["utterances"]]
            rows.append({"id": dialogue["id"], "lang": lang, "turns": turns})
            truth.append(mean > 0)
        lines.append(f"| {lang} | {sum(truth)} | {len(truth) - sum(truth)} | {by_outcome(truth, rows, run)} |")
    return "\n".join(lines) + "\n"


def by_outcome(truth, rows, run):
    """AUC of the outcome as it is judged, and of the list of words."""
    judged = [expected(said["outcome_probabilities"]) for said in run("judge", rows)]
    return f"{auc(truth, judged):.3f} | {auc(truth, [by_words(row) for row in rows]):.3f}"


def by_words(row):
    said = [turn["text"] for turn in row["turns"] if turn["speaker"] == "customer"]
    number = lambda labels: sum(any(keywords.found(label, text) for label in labels) for text in said)
    return number(GLAD) - number(SORRY)


def jddc(folder, run):
    """JDDC service chats (smartyfh/ASAP @ f23651c3): how content the customer is at his last turn, of which no answer is given."""
    path = folder / "valid_jddc.txt"
    if not path.exists():
        return f"## JDDC: satisfaction\n\nSkipped: {path.name} is not there.\n"
    # A line holds the last 16 turns up to some turn, the next line one turn more; the last of a chat counts.
    marked = [(ast.literal_eval(said), mark) for said, _, mark in (line.split("\t") for line in path.read_text("utf-8").splitlines())]
    whole = [row for row, after in zip(marked, [*marked[1:], ([], "")]) if len(after[0]) < len(row[0])]
    clear = [(said, mark) for said, mark in whole if mark != "1"]
    rows = [{"id": str(number), "lang": "zh", "turns": [{"speaker": speaker, "text": text} for turn in said
             for speaker, text in zip(("customer", "agent"), turn.split("|||")) if text.strip()]}
            for number, (said, _) in enumerate(clear)]
    truth = [mark == "2" for _, mark in clear]
    return ("## JDDC: satisfaction\n\nService chats of an online shop; the customer's satisfaction at his last turn, content (2) against discontent (0) "
            "as annotators saw it; those in the middle (1) are left out. Of long chats the last 16 turns are there. Few are discontent, so the figure is rough. Scores as for STC-3. Written text, not calls; never trained on.\n\n"
            "| content | discontent | AUC | keywords |\n|---|---|---|---|\n"
            f"| {sum(truth)} | {len(truth) - sum(truth)} | {by_outcome(truth, rows, run)} |\n")


def expected(probabilities):
    return probabilities["resolved"] + probabilities["partially_resolved"] / 2 if probabilities else 0.5


def tydip(folder, run):
    """TyDiP's English requests (TyDiP @ dfc63068): politeness, top against bottom quarter of all, without the half
    that may be trained on."""
    path = folder / "en_train.csv"
    if not path.exists():
        return f"## TyDiP\n\nSkipped: {path.name} is not there.\n"
    if hashlib.sha256(path.read_bytes()).hexdigest() != TYDIP_SHA256:
        return f"## TyDiP\n\nSkipped: this {path.name} is not the one of commit dfc63068.\n"
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(((float(row["score"]), row["sentence"]) for row in csv.DictReader(file)))
    cut = len(rows) // QUARTER
    chosen = [(polite, text) for polite, part in enumerate((rows[:cut], rows[-cut:])) for _, text in part if not is_learned(text)]
    said = run("classify", [{"id": str(i), "lang": "en", "speaker": "agent", "context": [], "text": text} for i, (_, text) in enumerate(chosen)])
    score = [manner(s["politeness"]) for s in said]
    truth = [polite == 1 for polite, _ in chosen]
    words = [keywords.WARMTH[keywords.politeness(text)] for _, text in chosen]
    return ("## TyDiP: English politeness\n\nRequests of editors and programmers to each other, top against bottom quarter of politeness; the score is the logarithm of how much likelier `courteous` is than `dismissive` or `rude`. "
            f"The other half of the set, by a hash of the text, was trained on. AUC over {len(chosen)} requests: {auc(truth, score):.3f}; keywords: {auc(truth, words):.3f}; always the most frequent: 0.5.\n")


def manner(politeness):
    least = 1e-4  # published probabilities have four places
    return math.log((politeness["courteous"] + least) / (politeness["dismissive"] + politeness["rude"] + least))
