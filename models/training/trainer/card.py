"""A head's card: what it was made from, how well it does, where it fails."""
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np

from dialogues import FOLDS, TEST_PERCENT, is_test
from groups import ordinary
from measures import average_precision, calibration_error, precision_recall

MEANINGS = Path(__file__).resolve().parent / "limits.md"
SCORES = {
    "politeness": "exactly one of four labels for an agent's utterance; the four probabilities sum to 1",
    "resolution": "any number of labels; each is open to one speaker only, and means nothing for the other",
    "script": "any number of labels for an agent's utterance",
}


def page(task, labels, trained, test, dialogues, encoder_sha256):
    parts = [
        f"# Head `{task}`\n",
        f"Judges an utterance with the two turns before it: {SCORES[task]}. "
        "Definitions: `models/training/data/README.md`. Licence: Apache-2.0.\n",
        f"Input `features`, float32 [n, 1157], as `models/training/README.md` lays it out; output `probabilities`, "
        f"float32 [n, {len(labels)}], in the order of the tables below. Encoder: SHA-256 `{encoder_sha256}`.\n",
        _made_from(trained, dialogues),
        _on_test(labels, trained, test),
        _limits(task),
        "## Make it again\n\n```sh\nmodels/fetch\nmodels/training/train\nmodels/fetch --pin-heads\n```\n\n"
        "All draws are seeded and sums have one order, so that the same data, encoder and processor should give the same bytes "
        "(seen for one network, not yet for a whole run); another processor may round otherwise.\n",
    ]
    return "\n".join(parts)


def _made_from(trained, dialogues):
    rows = []
    for lang in sorted({d.lang for d in dialogues}):
        mine = [d for d in dialogues if d.lang == lang]
        test = [d for d in mine if is_test(d.id)]
        utterances = lambda some: sum(len(d.utterances) for d in some)
        rows.append(f"| {lang} | {len(mine) - len(test)} ({utterances(mine) - utterances(test)}) "
                    f"| {len(test)} ({utterances(test)}) |")
    choices = [f"- {part.group.speaker}: {part.shape} (mean average precision of the candidates: "
               + "; ".join(f"{shape} {merit:.3f}" for shape, merit in part.trials) + ")" for part in trained]
    return (
        "## Made from\n\nThe dialogues of `models/training/data` alone (Apache-2.0, written for this project with the help "
        "of a language model, not transcripts of calls); no public set. Split by dialogue, "
        f"{TEST_PERCENT} % for the test by a hash of the id; the plain ones of `*-extra-*.jsonl` are for training alone, "
        "since they would flatter the test.\n\n"
        "| language | dialogues (utterances) trained on | held out |\n|---|---|---|\n" + "\n".join(rows) + "\n\n"
        "Each training dialogue counts several times: as written, without punctuation, with misheard words, with "
        f"neighbouring utterances joined, unlabelled ones cut into sentences, and without context. Chosen by {FOLDS}-fold cross-validation over dialogues:\n\n"
        + "\n".join(choices) + "\n\nCalibration and thresholds come from the same out-of-fold predictions.\n"
    )


def _on_test(labels, trained, test):
    head = ("## On the held-out dialogues\n\n`n`: utterances with the label. P and R: precision and recall at `holds`, text as "
            "written. AP: average precision. *asr*: the same on text without punctuation and with words misheard. "
            "*false*: share of the utterances without the label that are taken for it, in both languages and both texts; "
            "*ordinary*, *in doubt*: the same in calls without bad conduct or complaint, and how many of these are in doubt "
            "instead. ECE: expected calibration error.\n\n"
            "| label | holds | doubt | zh n | P | R | AP | P asr | R asr | en n | P | R | AP | P asr | R asr | false | ordinary | in doubt | ECE |\n"
            f"|---{'|---' * 18}|\n")
    lines = []
    for part in trained:
        rows = test.rows(test.speaker == part.group.speaker)
        calm = ordinary(rows)
        truth, score = rows.truth(part.group.labels), part.probabilities(rows.features)
        lines += [(label, _line(part.thresholds[label], rows, calm, truth[:, j], score[:, j], label)) for j, label in enumerate(part.group.labels)]
    ordered = [line for _, line in sorted(lines, key=lambda pair: labels.index(pair[0]))]
    return head + "\n".join(ordered) + "\n" + _confusion(trained, test)


def _line(threshold, rows, calm, truth, score, label):
    holds, doubt = threshold
    cells = [f"`{label}`", f"{holds:.3f}", f"{doubt:.3f}"]
    for lang in ("zh", "en"):
        written = (rows.lang == lang) & (rows.rendering == "written")
        heard = (rows.lang == lang) & (rows.rendering == "slipped")
        cells += [str(int(truth[written].sum()))]
        cells += map(_figure, precision_recall(truth[written], score[written] >= holds))
        cells += [_figure(average_precision(truth[written], score[written]))]
        cells += map(_figure, precision_recall(truth[heard], score[heard] >= holds))
    clean = (truth == 0) & np.isin(rows.rendering, ("written", "slipped"))
    written = rows.rendering == "written"
    cells += [f"{100 * (score[clean] >= holds).mean():.2f} %",
              f"{100 * (score[clean & calm] >= holds).mean():.2f} %",
              f"{100 * ((score >= doubt) & (score < holds))[clean & calm].mean():.2f} %",
              _figure(calibration_error(truth[written], score[written]))]
    return f"| {' | '.join(cells)} |"


def _figure(value):
    return "–" if math.isnan(value) else f"{value:.2f}"


def _confusion(trained, test):
    """Which of the labels a politeness head would give, where exactly one holds."""
    if not trained[0].group.exclusive:
        return ""
    part = trained[0]
    rows = test.rows((test.speaker == part.group.speaker) & (test.rendering == "written"))
    truth, found = rows.truth(part.group.labels).argmax(1), part.probabilities(rows.features).argmax(1)
    table = Counter(zip(truth.tolist(), found.tolist()))
    names = part.group.labels
    lines = [f"| `{name}` | " + " | ".join(str(table[i, j]) for j in range(len(names))) + " |" for i, name in enumerate(names)]
    return (f"\nThe likeliest of the four is right for {100 * (truth == found).mean():.0f} % (rows: as labelled; columns: as found):\n\n"
            f"| | {' | '.join(f'`{name}`' for name in names)} |\n|---{'|---' * len(names)}|\n" + "\n".join(lines) + "\n")


def _limits(task):
    """The words of limits.md on all heads and on this one."""
    sections = re.split(r"^# (\w+)\n", MEANINGS.read_text("utf-8"), flags=re.MULTILINE)
    words = dict(zip(sections[1::2], sections[2::2]))
    return "## Limits\n\n" + (words["all"].strip() + "\n" + words.get(task, "").strip()).strip() + "\n"
