"""Labelled dialogues: reading, splitting into parts, and the turns before an utterance."""
import hashlib
import json
from dataclasses import dataclass, replace

from contract import LABELS, is_back_channel

# Of 100 dialogues: how many are kept for the test, by a hash of the id, so that a dialogue stays
# on its side of the line when others are added.
TEST_PERCENT = 18
FOLDS = 5
# Dialogues of plain, formulaic speech that were written to teach, after the rest: too easy for a test.
TAUGHT_ONLY = "-extra-"
# How much of a turn stands as context, as the worker's classifier takes it.
CONTEXT_UTTERANCES = 2
KNOWN = {name: speaker for name, _, speaker in LABELS}


@dataclass(frozen=True)
class Utterance:
    speaker: str
    text: str
    labels: frozenset


@dataclass(frozen=True)
class Dialogue:
    id: str
    lang: str
    utterances: tuple

    def with_texts(self, change):
        """The same dialogue with every text changed by `change(text)`."""
        return replace(self, utterances=tuple(replace(u, text=change(u.text) or u.text) for u in self.utterances))


class FormatError(Exception):
    pass


def read(paths):
    """All dialogues of some JSONL files, in the order of their first lines."""
    rows = {}
    for path in paths:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            row = json.loads(line)
            labels = frozenset(filter(None, [row["politeness"], *row["resolution"], *row["script"]]))
            if wrong := sorted(label for label in labels if KNOWN.get(label) != row["speaker"]):
                raise FormatError(f"{path.name}:{number}: no label of a {row['speaker']}: {', '.join(wrong)}")
            lang, utterances = rows.setdefault(row["dialogue"], (row["lang"], []))
            utterances.append(Utterance(row["speaker"], row["text"], labels))
    return [Dialogue(name, lang, tuple(utterances)) for name, (lang, utterances) in rows.items()]


def bucket(name, salt, of):
    return int.from_bytes(hashlib.sha256(f"{salt}:{name}".encode()).digest()[:8], "big") % of


def is_test(name):
    return TAUGHT_ONLY not in name and bucket(name, "test", 100) < TEST_PERCENT


def fold(name):
    return bucket(name, "fold", FOLDS)


def turns(utterances):
    """Lists of indices, as `turns` in services/domain/src/turn.rs."""
    found, waiting = [], []
    for index, utterance in enumerate(utterances):
        same = bool(found) and utterances[found[-1][-1]].speaker == utterance.speaker
        if found and not same and is_back_channel(utterance.text):
            waiting.append(index)
        elif same:
            waiting = []
            found[-1].append(index)
        else:
            found.append([*waiting, index])
            waiting = []
    return found


def contexts(utterances):
    """For each utterance the turn before it and the one before that: (text, speaker) or None.

    A back-channel that belongs to no turn answers the turn that it falls into, as far as that had
    come."""
    cut = turns(utterances)
    own = {index: number for number, turn in enumerate(cut) for index in turn}
    result, heard = [], 0
    for index, utterance in enumerate(utterances):
        while heard < len(cut) and cut[heard][0] <= index:
            heard += 1
        before = own.get(index, heard)
        result.append([_context(utterances, cut, before - back, index) for back in (1, 2)])
    return result


def _context(utterances, cut, turn, now):
    if turn < 0:
        return None
    indices = [index for index in cut[turn] if index < now][-CONTEXT_UTTERANCES:]
    return " ".join(utterances[index].text for index in indices), utterances[indices[0]].speaker
