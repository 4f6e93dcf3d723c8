"""What whisper makes of words on a telephone line, learned from pairs of written and heard text.

Pairs come from models/training/hear. How much of a line is misheard is drawn from what was misheard of
the lines of the pairs: a third of them hardly, a tenth mostly. Which characters (Mandarin) or words
(English) are misheard, and as what, goes by the pairs where they tell, else by sound."""
import json
import re
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from jellyfish import metaphone
from pypinyin import Style, lazy_pinyin

from dialogues import is_validation

DATA = Path(__file__).resolve().parent.parent / "data"
HEARD = "heard-*.jsonl"
HAN = re.compile("[\u4e00-\u9fff]")
MARK = re.compile(r"(\[\w+\])")
# Of slips on something with known ones, how many repeat a known one; the rest go by sound.
KNOWN_SHARE = 0.5
# Of English slips by sound, how many leave the word out.
LOST_SHARE = 0.2
# Times that something must have been heard until its own share of slips counts as much as the general one.
FEW = 10
# A line of which more is misheard says nothing, so its labels teach nothing.
WORST = 0.7
# Lines with fewer units tell little of how much is misheard of one.
SHORT = 4
# Digits that are read out one by one are mostly written as figures.
FIGURES = str.maketrans("零幺一二三四五六七八九", "01123456789")


class Slips:
    def __init__(self, pairs, used):
        """`pairs`: (language, written, heard); `used`: by language how often characters (Han) and words are used."""
        self.known = {lang: defaultdict(Counter) for lang in used}
        # How much of each line was misheard, and how much likelier than others a character or word is.
        self.shares = {lang: [] for lang in used}
        self.odds = {lang: {} for lang in used}
        # Of misheard syllables: as which they were heard.
        self.heard_as = defaultdict(Counter)
        self.same_sound = defaultdict(Counter)
        seen, wrong = defaultdict(Counter), defaultdict(Counter)
        for lang, written, heard in pairs:
            before, after = units(written, lang), units(heard, lang)
            seen[lang].update(before)
            missed = 0
            for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
                if kind == "equal":
                    continue
                missed += max(b - a, d - c)
                wrong[lang].update(before[a:b])
                self._learn(lang, before[a:b], after[c:d])
            if len(before) >= SHORT:
                self.shares[lang].append(min(WORST, missed / len(before)))
        for lang in used:
            rate = sum(wrong[lang].values()) / max(1, sum(seen[lang].values()))
            for unit, count in seen[lang].items() if rate else ():
                self.odds[lang][unit] = (wrong[lang][unit] / rate + FEW) / (count + FEW)
        for character, count in used["zh"].items():
            self.same_sound[sound(character)][character] = count
        self.words, self.by_code, self.alike = used["en"], defaultdict(set), {}
        for word in self.words:
            for code in _codes(word):
                self.by_code[code].add(word)

    def _learn(self, lang, before, after):
        if len(before) == len(after):
            for was, now in zip(before, after):
                self.known[lang][was][now] += 1
                if HAN.match(was) and HAN.match(now):
                    self.heard_as[sound(was)][sound(now)] += 1
        elif len(before) == 1 and (lang == "en" or not after):
            self.known[lang][before[0]][" ".join(after)] += 1

    @classmethod
    def learned(cls, data=DATA):
        """From the pairs of the data folder."""
        rows = lambda pattern: (json.loads(line) for file in sorted(data.glob(pattern))
                                for line in file.read_text("utf-8").splitlines())
        used = {"zh": Counter(c for row in rows("zh-*.jsonl") for c in row["text"] if HAN.match(c)),
                "en": Counter(word for row in rows("en-*.jsonl") for word in units(row["text"], "en"))}
        learned = (row for row in rows(HEARD) if not is_validation(row["dialogue"]))
        return cls([(row["lang"], row["written"], row["text"]) for row in learned], used)

    def mandarin(self, text, dice):
        share = dice.choice(self.shares["zh"] or [0.0])
        parts = MARK.split(text)
        text = "".join(part if MARK.match(part) else self._characters(part, share, dice) for part in parts)
        text = re.sub("[零幺一二三四五六七八九]{3,}", lambda run: run.group().translate(FIGURES), text)
        return re.sub(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])", "", text) if dice.random() < 0.5 else text

    def english(self, text, dice):
        share = dice.choice(self.shares["en"] or [0.0])
        words = [word if MARK.match(word) or dice.random() >= share * self.odds["en"].get(word, 1.0) else self._word(word, dice)
                 for word in text.split()]
        return " ".join(filter(None, words))

    def _word(self, word, dice):
        if word in self.known["en"] and dice.random() < KNOWN_SHARE:
            return drawn(self.known["en"][word], dice)
        alike = self._alike(word)
        return drawn(alike, dice) if alike and dice.random() >= LOST_SHARE else ""

    def _alike(self, word):
        """Words that sound like this one, but for one sound, by how often they are used."""
        if word not in self.alike:
            near = {other for code in _codes(word) for other in self.by_code.get(code, ())} - {word}
            self.alike[word] = {other: self.words[other] for other in sorted(near)}
        return self.alike[word]

    def _characters(self, text, share, dice):
        changed = []
        for character in text:
            if not HAN.match(character) or dice.random() >= share * self.odds["zh"].get(character, 1.0):
                changed.append(character)
            elif character in self.known["zh"] and dice.random() < KNOWN_SHARE:
                changed.append(drawn(self.known["zh"][character], dice))
            else:
                spoken = sound(character)
                heard = drawn(self.heard_as[spoken], dice) if self.heard_as[spoken] else spoken
                changed.append(drawn(self.same_sound[heard] or Counter([character]), dice))
        return "".join(changed)


@cache
def sound(character):
    """A character's syllable, without its tone."""
    return lazy_pinyin(character, style=Style.NORMAL)[0]


def _codes(word):
    """How an English word sounds, and that without any one of its sounds."""
    code = metaphone(word)
    shorter = {code[:i] + code[i + 1:] for i in range(len(code))} if len(code) > 2 else set()
    return {code, *shorter} if code else set()


def units(text, lang):
    """Characters or words, without punctuation."""
    plain = re.sub(r"[^\w\s']", " ", text.lower())
    return [c for c in plain if not c.isspace()] if lang == "zh" else plain.split()


def drawn(counts, dice):
    return dice.choices(list(counts), list(counts.values()))[0]
