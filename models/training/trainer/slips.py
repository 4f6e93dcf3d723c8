"""What whisper makes of words on a telephone line, learned from pairs of written and heard text.

Pairs come from models/training/hear. A character (Mandarin) or word (English) that was misheard in
a pair is misheard again in the same way; a character that was never seen becomes another of the
same sound, as most of the seen ones did."""
import json
import re
from collections import Counter, defaultdict
from difflib import SequenceMatcher
from pathlib import Path

from pypinyin import Style, lazy_pinyin

DATA = Path(__file__).resolve().parent.parent / "data"
HEARD = "heard-*.jsonl"
HAN = re.compile("[\u4e00-\u9fff]")
MARK = re.compile(r"(\[\w+\])")
# Of Mandarin slips on a character with known ones, how many repeat a known one; the rest go by sound.
KNOWN_SHARE = 0.5
# Digits that are read out one by one are mostly written as figures.
FIGURES = str.maketrans("零幺一二三四五六七八九", "01123456789")


class Slips:
    def __init__(self, pairs, characters):
        """`pairs`: (language, written, heard); `characters`: Han characters by how often they are used."""
        self.known = {"zh": defaultdict(Counter), "en": defaultdict(Counter)}
        wrong, of = Counter(), Counter()
        for lang, written, heard in pairs:
            before, after = units(written, lang), units(heard, lang)
            of[lang] += len(before)
            for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
                if kind == "equal":
                    continue
                wrong[lang] += max(b - a, d - c)
                if kind == "replace" and b - a == d - c:
                    for was, now in zip(before[a:b], after[c:d]):
                        self.known[lang][was][now] += 1
                elif kind == "replace" and lang == "en" and b - a == 1:
                    self.known[lang][before[a]][" ".join(after[c:d])] += 1
                elif kind == "delete" and b - a == 1:
                    self.known[lang][before[a]][""] += 1
        self.rate = {lang: wrong[lang] / of[lang] if of[lang] else 0.0 for lang in self.known}
        self.same_sound = defaultdict(Counter)
        for character, count in characters.items():
            self.same_sound[lazy_pinyin(character, style=Style.NORMAL)[0]][character] = count

    @classmethod
    def learned(cls, data=DATA):
        """From the pairs of the data folder."""
        rows = [json.loads(line) for file in sorted(data.glob(HEARD)) for line in file.read_text("utf-8").splitlines()]
        written = (json.loads(line)["text"] for file in sorted(data.glob("zh-*.jsonl"))
                   for line in file.read_text("utf-8").splitlines())
        characters = Counter(c for text in written for c in text if HAN.match(c))
        return cls([(row["lang"], row["written"], row["text"]) for row in rows], characters)

    def mandarin(self, text, worse, dice):
        parts = MARK.split(text)
        text = "".join(part if MARK.match(part) else self._characters(part, worse, dice) for part in parts)
        text = re.sub("[零幺一二三四五六七八九]{3,}", lambda run: run.group().translate(FIGURES), text)
        return re.sub(r"(?<=[^\x00-\x7f]) (?=[^\x00-\x7f])", "", text) if dice.random() < 0.5 else text

    def english(self, text, worse, dice):
        words = []
        for word in text.split():
            slips = self.known["en"].get(word)
            # Words that were never misheard seldom are.
            slip = slips and dice.random() < worse * self.rate["en"] * 3
            words.append(drawn(slips, dice) if slip else word)
        return " ".join(filter(None, words))

    def _characters(self, text, worse, dice):
        changed = []
        for character in text:
            if not HAN.match(character) or dice.random() >= worse * self.rate["zh"]:
                changed.append(character)
            elif character in self.known["zh"] and dice.random() < KNOWN_SHARE:
                changed.append(drawn(self.known["zh"][character], dice))
            else:
                sound = lazy_pinyin(character, style=Style.NORMAL)[0]
                changed.append(drawn(self.same_sound[sound] or Counter([character]), dice))
        return "".join(changed)


def units(text, lang):
    """Characters or words, without punctuation."""
    plain = re.sub(r"[^\w\s']", " ", text.lower())
    return [c for c in plain if not c.isspace()] if lang == "zh" else plain.split()


def drawn(counts, dice):
    return dice.choices(list(counts), list(counts.values()))[0]
