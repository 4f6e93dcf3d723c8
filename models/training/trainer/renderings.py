"""The same dialogue as a recogniser might write it: no punctuation, misheard words, other cuts, loops.

What is misheard, and how often, is learned from pairs of written and heard text (slips.py)."""
import re
from dataclasses import replace

from contract import MARKED
from dialogues import turns
from slips import Slips

JOIN_SHARE = 0.5
# Of a dialogue's utterances; how often each is said at most, and how many characters that may be.
REPEATED_SHARE = 0.4
MOST_TIMES = 8
LONGEST_REPEATED = 240
SLIPS = Slips.learned()


def written(dialogue, _dice):
    return dialogue


def bare(dialogue, _dice):
    """No punctuation, lower case."""
    return dialogue.with_texts(_stripped)


def slipped(dialogue, dice):
    """As `bare`, with words misheard; some lines badly, others hardly."""
    misheard = SLIPS.mandarin if dialogue.lang == "zh" else SLIPS.english
    return dialogue.with_texts(lambda text: misheard(_stripped(text), dice))


def joined(dialogue, dice):
    """Some neighbouring utterances of one turn made one, as where a speaker makes no pause."""
    merged, last = list(dialogue.utterances), {}
    for turn in turns(dialogue.utterances):
        keep = turn[0]
        for index in turn[1:]:
            if index == last.get(keep, keep) + 1 and dice.random() < JOIN_SHARE:
                merged[keep], merged[index] = _one(merged[keep], merged[index]), None
                last[keep] = index
            else:
                keep = index
    return replace(dialogue, utterances=tuple(filter(None, merged)))


def cut(dialogue, _dice):
    """Sentences on their own, as the worker hears them, where nothing is said that has a label: of
    others nobody knows which sentence has it."""
    sentences = []
    for utterance in dialogue.utterances:
        plain = utterance.labels <= {"neutral"}
        parts = re.findall(r"[^。？！.?!]+[。？！.?!]*", utterance.text) if plain else []
        parts = [part.strip() for part in parts if any(c.isalnum() for c in part)]
        sentences += [replace(utterance, text=part) for part in parts or [utterance.text]]
    return replace(dialogue, utterances=tuple(sentences))


def repeated(dialogue, dice):
    """Some utterances said over and over, as by a speaker who gets no answer or a recogniser that loops."""
    def again(text):
        most = min(MOST_TIMES, LONGEST_REPEATED // (len(text) + 1))
        return " ".join([text] * dice.randint(2, most)) if most >= 2 and dice.random() < REPEATED_SHARE else text

    return dialogue.with_texts(again)


RENDERINGS = {"written": written, "bare": bare, "slipped": slipped, "joined": joined, "cut": cut, "repeated": repeated}


def _one(first, second):
    labels = first.labels | second.labels
    manner = max((label for label in labels if label in MARKED), key=MARKED.index, default=None)
    labels = {label for label in labels if label not in MARKED or label == manner}
    return replace(first, text=f"{first.text} {second.text}", labels=frozenset(labels))


def _stripped(text):
    """Marks of redaction (`[phone]`) and apostrophes stay: they are no punctuation of a recogniser's."""
    text = re.sub(r"(?<=\w)['’](?=\w)", "'", text.lower())
    text = re.sub(r"[^\w\s\[\]']|(?<!\w)'|'(?!\w)", " ", text)
    return " ".join(text.split())
