"""Public sets, of which nothing that is measured here was trained on. They are not part of the project: see the docstrings."""
import csv
import gzip
import json
import math
import sys
from pathlib import Path

from measures import auc

# At the end: the trainer has modules of the same names as those here.
sys.path.append(str(Path(__file__).resolve().parents[3] / "models" / "training" / "trainer"))
from tydip_half import is_learned

# Annotators disagree: only dialogues with a mean of at least this, either way, count.
CLEAR = 0.5
# Requests in the top and the bottom quarter of politeness.
QUARTER = 4


def sections(shared, run):
    yield stc3(shared / "evaluation-only" / "zh_helpdesk_stc3", run)
    yield tydip(shared / "train" / "en_politeness_tydip", run)


def stc3(folder, run):
    """STC-3 helpdesk dialogues (stc3-dataset @ 90da5277): the outcome against "task accomplished", 19 annotators."""
    lines = ["## STC-3: outcome against \"task accomplished\"\n",
             f"Customer-helpdesk dialogues of a social network; mean of 19 annotators at least {CLEAR} either way. The score is the probability of `resolved` plus half of that of `partially_resolved`. Written text, not calls; never trained on.\n",
             "| language | accomplished | not | AUC |", "|---|---|---|---|"]
    for lang, name in (("zh", "stc3_cn_open"), ("en", "stc3_en_open")):
        path = folder / f"{name}.json.gz"
        if not path.exists():
            lines.append(f"| {lang} | – | – | skipped: {path.name} is not there |")
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
        said = run("judge", rows)
        score = [expected(s["outcome_probabilities"]) for s in said]
        lines.append(f"| {lang} | {sum(truth)} | {len(truth) - sum(truth)} | {auc(truth, score):.3f} |")
    return "\n".join(lines) + "\n"


def expected(probabilities):
    return probabilities["resolved"] + probabilities["partially_resolved"] / 2 if probabilities else 0.5


def tydip(folder, run):
    """TyDiP's English requests (TyDiP @ dfc63068): politeness, top against bottom quarter of all, without the half
    that may be trained on."""
    path = folder / "en_train.csv"
    if not path.exists():
        return f"## TyDiP\n\nSkipped: {path.name} is not there.\n"
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(((float(row["score"]), row["sentence"]) for row in csv.DictReader(file)))
    cut = len(rows) // QUARTER
    chosen = [(polite, text) for polite, part in enumerate((rows[:cut], rows[-cut:])) for _, text in part if not is_learned(text)]
    said = run("classify", [{"id": str(i), "lang": "en", "speaker": "agent", "context": [], "text": text} for i, (_, text) in enumerate(chosen)])
    score = [manner(s["politeness"]) for s in said]
    truth = [polite == 1 for polite, _ in chosen]
    return ("## TyDiP: English politeness\n\nRequests of editors and programmers to each other, top against bottom quarter of politeness; the score is the logarithm of how much likelier `courteous` is than `dismissive` or `rude`. "
            f"The other half of the set, by a hash of the text, was trained on. AUC over {len(chosen)} requests: {auc(truth, score):.3f}.\n")


def manner(politeness):
    least = 1e-4  # published probabilities have four places
    return math.log((politeness["courteous"] + least) / (politeness["dismissive"] + politeness["rude"] + least))
