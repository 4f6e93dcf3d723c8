"""A model's card: what it was made from, how well it does, where it fails."""
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np

from dialogues import VALIDATION_PERCENT, is_unseen, is_validation
from measures import average_precision, calibration_error
from network import FEATURES, truth
from outcome import OUTCOMES

MEANINGS = Path(__file__).resolve().parent / "limits.md"
SCORES = {
    "politeness": "exactly one of four labels for an agent's utterance; the four probabilities sum to 1",
    "resolution": "any number of labels; each is open to one speaker only, and means nothing for the other",
    "script": "any number of labels for an agent's utterance",
}
# Mistakes that a card shows of each label: the surest, of short texts.
EXAMPLES = 2
LONGEST_EXAMPLE = 90
# For intervals: 95 %.
Z = 1.96
AGAIN = ("## Make it again\n\n```sh\nmodels/fetch\nmodels/training/train --requests en_train.csv  # of TyDiP\nmodels/fetch --pin-heads\n```\n\n"
         "All draws are seeded; another processor, thread count or version of PyTorch may round otherwise.\n")


def page(task, labels, heads, dialogues, requests, held_out, tested, unseen, shipped):
    parts = [
        f"# Head `{task}`\n",
        f"Judges an utterance with the two turns before it: {SCORES[task]}. "
        "Definitions: `models/training/data/README.md`. Licence: Apache-2.0.\n",
        f"Input `features`, float32 [n, {FEATURES}], the encoder's `utterance_embedding`; output `probabilities`, float32 "
        f"[n, {len(labels)}], in the order of the table below. Encoder: SHA-256 `{shipped.sha256}` and `{shipped.context_sha256}`.\n",
        _made_from(dialogues, requests, held_out),
        _on_test(labels, heads, tested),
        _examples(heads, unseen),
        _limits(task),
        AGAIN,
    ]
    return "\n".join(parts)


def _made_from(dialogues, requests, held_out):
    rows = []
    for lang in ("zh", "en"):
        mine = [d for d in dialogues if d.lang == lang]
        sizes = ([d for d in mine if not is_validation(d.id)], [d for d in mine if is_unseen(d.id)],
                 [d for d in held_out if d.lang == lang])
        rows.append(f"| {lang} | " + " | ".join(f"{len(some)} ({sum(len(d.utterances) for d in some)})" for some in sizes) + " |")
    return (
        "## Made from\n\nThe dialogues of `models/training/data` (Apache-2.0, written for this project with the help "
        f"of a language model, not transcripts of calls). {requests.described()} {VALIDATION_PERCENT} % of the dialogues, by a hash "
        "of the id, were not learned from; of these, calibration and thresholds were chosen on those no other half of which was learned. The held-out dialogues of `tests/eval/data` "
        "were written by other hands, from the definitions alone; their labels are what two of three readings say.\n\n"
        "| language | dialogues (utterances) learned | validation | held out |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def _on_test(labels, heads, tested):
    head = ("## On the held-out dialogues, text as written\n\n`n`: utterances with the label. P and R: precision and recall at `holds`, "
            "with 95 % intervals (Wilson). AP: average precision. *false*: share of the utterances without the label that are "
            "taken for it; *ordinary*: the same in calls without bad conduct or complaint; *in doubt*: how many of these are "
            "between `doubt` and `holds`. ECE: expected calibration error.\n\n"
            "| label | holds | doubt | zh n | P | R | AP | en n | P | R | AP | false | ordinary | in doubt | ECE |\n"
            f"|---{'|---' * 14}|\n")
    rows = {}
    langs = np.array(tested.langs)
    for part in heads:
        theirs = tested.speaker == part.group.speaker
        some = [line for line in tested.lines if line.speaker == part.group.speaker]
        given, score = truth(some, part.group.labels), part.probabilities(tested.features[theirs])
        for j, label in enumerate(part.group.labels):
            rows[label] = _row(label, part.thresholds[label], langs[theirs], tested.calm[theirs], given[:, j], score[:, j])
    return head + "\n".join(rows[label] for label in labels) + "\n" + _confusion(heads, tested)


def _examples(heads, unseen):
    """Mistakes on validation dialogues: those on held-out ones stay unread."""
    examples = []
    for part in heads:
        theirs = unseen.written & (unseen.speaker == part.group.speaker)
        some = [line for line, mine in zip(unseen.lines, theirs) if mine]
        given, score = truth(some, part.group.labels), part.probabilities(unseen.features[theirs])
        for j, label in enumerate(part.group.labels):
            examples += _mistakes(label, part.thresholds[label][0], some, given[:, j], score[:, j])
    return "## The surest mistakes of each label, on validation dialogues\n\n" + "\n".join(examples) + "\n"


def _row(label, threshold, langs, calm, given, score):
    holds, doubt, _ = threshold
    cells = [f"`{label}`", f"{holds:.3f}", f"{doubt:.3f}"]
    for lang in ("zh", "en"):
        mine = langs == lang
        found = score[mine] >= holds
        right = int((given[mine] * found).sum())
        cells += [str(int(given[mine].sum())), _share(right, int(found.sum())), _share(right, int(given[mine].sum())),
                  _figure(average_precision(given[mine], score[mine]))]
    clean = given == 0
    cells += [f"{100 * (score[clean] >= holds).mean():.2f} %", f"{100 * (score[clean & calm] >= holds).mean():.2f} %",
              f"{100 * ((score >= doubt) & (score < holds))[clean & calm].mean():.2f} %",
              _figure(calibration_error(given, score))]
    return f"| {' | '.join(cells)} |"


def _share(part, whole):
    """A share with its interval, after Wilson."""
    if not whole:
        return "–"
    p, z2 = part / whole, Z * Z
    middle, half = p + z2 / (2 * whole), Z * math.sqrt(p * (1 - p) / whole + z2 / (4 * whole * whole))
    return f"{p:.2f} ({(middle - half) / (1 + z2 / whole):.2f}–{(middle + half) / (1 + z2 / whole):.2f})"


def _figure(value):
    return "–" if math.isnan(value) else f"{value:.2f}"


def _mistakes(label, holds, some, given, score):
    short = np.array([len(line.text) <= LONGEST_EXAMPLE for line in some])
    false = [i for i in np.argsort(-score) if short[i] and not given[i] and score[i] >= holds][:EXAMPLES]
    missed = [i for i in np.argsort(score) if short[i] and given[i] and score[i] < holds][:EXAMPLES]
    for word, places in (("taken for it", false), ("missed", missed)):
        for i in places:
            yield f"- `{label}` {word} ({score[i]:.2f}): {some[i].text}"


def _confusion(heads, tested):
    """Which of the labels a politeness head would give, where exactly one holds."""
    part = heads[0]
    if not part.group.exclusive:
        return ""
    theirs = tested.speaker == part.group.speaker
    given = truth([line for line in tested.lines if line.speaker == part.group.speaker], part.group.labels).argmax(1)
    found = part.probabilities(tested.features[theirs]).argmax(1)
    table = Counter(zip(given.tolist(), found.tolist()))
    names = part.group.labels
    lines = [f"| `{name}` | " + " | ".join(str(table[i, j]) for j in range(len(names))) + " |" for i, name in enumerate(names)]
    return (f"\nThe likeliest of the four is right for {100 * (given == found).mean():.1f} % (rows: as labelled; columns: as found):\n\n"
            f"| | {' | '.join(f'`{name}`' for name in names)} |\n|---{'|---' * len(names)}|\n" + "\n".join(lines) + "\n")


def outcome_page(given, found, penalty, dialogues, meant, told):
    """Of the outcome model; `found` [n, 3] are predictions for dialogues that it had not seen, and `told` those for the
    held-out calls, whose outcomes are `meant`."""
    errors = ", ".join(f"`{name}` {calibration_error((given == i).astype(float), found[:, i]):.3f}" for i, name in enumerate(OUTCOMES))
    return "\n".join([
        "# Outcome model\n",
        "How a call came out, from the probabilities that the three heads gave its utterances. Input `cues`, float32 "
        f"[n, columns], as `trainer/outcome.py` lays it out; output `probabilities`, float32 [n, 3]: {', '.join(OUTCOMES)}. "
        "Definitions: `models/training/data/README.md`. Licence: Apache-2.0.\n",
        f"## Made from\n\nThe {dialogues} dialogues of `models/training/data` that have an outcome. Each counts several times, "
        "with scores in place of its labels that the heads gave to other utterances, not seen in training, of the same label. "
        f"Multinomial logistic regression, penalty {penalty:g} by cross-validation over dialogues, calibrated by a temperature.\n",
        f"## In cross-validation\n\nRight for {100 * (found.argmax(1) == given).mean():.1f} % (rows: as labelled; columns: as "
        f"found, over all draws). Expected calibration error: {errors}.\n\n" + _outcomes(given, found),
        f"## On the held-out calls\n\n{int((told.argmax(1) == meant).sum())} of {len(meant)} right, from what the heads said "
        "of them as written, among them the ordinary calls. `tests/eval/classifiers.md` has what `callqa judge` says.\n\n" + _outcomes(meant, told),
        _limits("outcome"),
        AGAIN,
    ])


def _outcomes(given, found):
    table = Counter(zip(given.tolist(), found.argmax(1).tolist()))
    lines = [f"| `{name}` | " + " | ".join(str(table[i, j]) for j in range(len(OUTCOMES))) + " |" for i, name in enumerate(OUTCOMES)]
    return f"| | {' | '.join(f'`{name}`' for name in OUTCOMES)} |\n{'|---' * (len(OUTCOMES) + 1)}|\n" + "\n".join(lines) + "\n"


def _limits(task):
    """The words of limits.md on all models and on this one."""
    sections = re.split(r"^# (\w+)\n", MEANINGS.read_text("utf-8"), flags=re.MULTILINE)
    words = dict(zip(sections[1::2], sections[2::2]))
    return "## Limits\n\n" + (words["all"].strip() + "\n" + words.get(task, "").strip()).strip() + "\n"
