"""Labelled dialogues: reading, splitting into parts, and the turns before an utterance."""
import hashlib
import json
import re
from dataclasses import dataclass, replace

from contract import LABELS, is_back_channel

# Of 100 dialogues: how many are kept from the network, for calibration and thresholds; by a hash of
# the id, so that none changes sides when others are added. Scenes are taken by tens, by the id without
# its last digit: many were written as pairs, which have neighbouring numbers, and thresholds chosen on
# a scene whose other half was learned would be too bold. Whole calls, of which some files are full,
# stand alone.
VALIDATION_PERCENT = 12
LAST_DIGIT = 1
WHOLE_CALLS = re.compile(r"..-(\d{4}$|[cfovy]-)")
# Plain, formulaic dialogues that were written to teach: too easy to validate on.
TAUGHT_ONLY = "-extra-"
# A dialogue as it was heard, once or several times, has ids of its own, and the side of the one that was spoken.
HEARD = re.compile(r"-heard\d*$")
# How much of a turn stands as context, as the worker's classifier takes it.
CONTEXT_UTTERANCES = 2
KNOWN = {name: speaker for name, _, speaker in LABELS}


@dataclass(frozen=True)
class Utterance:
    speaker: str
    text: str
    labels: frozenset
    number: int  # its place among all that were read; every rendering of it keeps the number


@dataclass(frozen=True)
class Dialogue:
    id: str
    lang: str
    hand: str
    utterances: tuple
    outcome: str | None = None

    def with_texts(self, change):
        """The same dialogue with every text changed by `change(text)`."""
        return replace(self, utterances=tuple(replace(u, text=change(u.text) or u.text) for u in self.utterances))

    @property
    def was_heard(self):
        return bool(HEARD.search(self.id))


class FormatError(Exception):
    pass


def read(paths):
    """All dialogues of some JSONL files, in the order of their first lines."""
    firsts, utterances, count = {}, {}, 0
    for path in paths:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            row = json.loads(line)
            labels = frozenset(filter(None, [row["politeness"], *row["resolution"], *row["script"]]))
            if wrong := sorted(label for label in labels if KNOWN.get(label) != row["speaker"]):
                raise FormatError(f"{path.name}:{number}: no label of a {row['speaker']}: {', '.join(wrong)}")
            firsts.setdefault(row["dialogue"], row)
            utterances.setdefault(row["dialogue"], []).append(Utterance(row["speaker"], row["text"], labels, count))
            count += 1
    return [Dialogue(name, row["lang"], row["hand"], tuple(utterances[name]), row.get("outcome"))
            for name, row in firsts.items()]


def spoken(name):
    """The id of the dialogue that was heard, once or several times."""
    return HEARD.sub("", name)


def bucket(name, salt, of):
    return int.from_bytes(hashlib.sha256(f"{salt}:{name}".encode()).digest()[:8], "big") % of


def is_validation(name):
    name = spoken(name)
    alike = name if WHOLE_CALLS.match(name) else name[:-LAST_DIGIT]
    return TAUGHT_ONLY not in name and bucket(alike, "validation", 100) < VALIDATION_PERCENT


def is_unseen(name):
    """Whether the other half of a pair was not learned either: that of a scene whose number ends in 0 or 9 stands in
    another ten, which may be on the other side."""
    if not is_validation(name):
        return False
    name = spoken(name)
    place = re.fullmatch(r"(.*?)(\d*[09])", name)
    if WHOLE_CALLS.match(name) or not place:
        return True
    stem, number = place.groups()
    neighbour = int(number) + (1 if number.endswith("9") else -1)
    return is_validation(f"{stem}{neighbour:0{len(number)}}")


def turns(utterances):
    """Lists of indices, as `turns` in services/domain/src/turn.rs."""
    found, waiting = [], []
    for index, utterance in enumerate(utterances):
        if not any(c.isalnum() for c in utterance.text):
            continue
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
    """For each utterance the turn before it and the one before that: (texts, speaker) or None.

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
    return tuple(utterances[index].text for index in indices), utterances[indices[0]].speaker
