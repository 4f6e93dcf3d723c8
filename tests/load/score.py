"""Error rates on the sentences whose words are known, and whether one system is worse than another.

Whatever systems write differently and say alike is written alike first: case, punctuation, numbers,
Traditional characters. What remains is aligned over a whole channel, word by word in English and character
by character in Mandarin; each error falls on the sentence where it lies.
"""
import json
import random
import re
import subprocess
from dataclasses import dataclass

# Draws of the bootstrap: the 2.5 % quantile of so many is good to about a tenth of the interval's width.
DRAWS = 4000
SEED = 20261127

# Runs in the peers' environment: pairs of word lists in, their edit operations out.
ALIGN = """
import json, sys
from opencc import OpenCC
from rapidfuzz.distance import Levenshtein
asked, simple = json.load(sys.stdin), OpenCC("t2s")
if "simplify" in asked: print(json.dumps([simple.convert(text) for text in asked["simplify"]]))
else: print(json.dumps([[(o.tag, o.src_pos) for o in Levenshtein.editops(*pair)] for pair in asked["pairs"]]))
"""

DIGITS = dict(zip("零〇幺一二两三四五六七八九", (0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9)))
UNITS = {"十": 10, "百": 100, "千": 1000}
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10)))
SAME = {"okay": "ok", "cannot": "can not", "alright": "all right", "e mail": "email", "mr": "mister"}


@dataclass
class Sentence:
    key: tuple
    language: str
    kind: str
    length: int
    errors: dict  # system -> errors


def all(recordings, texts, python):
    """The scored sentences, and the share of words in which each two systems differ where no text is known."""
    texts = {name: _plain(said, recordings, python) for name, said in texts.items()}
    sentences = []
    for recording in recordings:
        for channel, said in enumerate(recording.sentences):
            sentences += _scored(recording, channel, said, texts, python)
    unknown = [(r.name, c) for r in recordings if not r.sentences for c in (0, 1)]
    return sentences, _disagreement(unknown, texts, python)


def _scored(recording, channel, said, texts, python):
    pieces = [words(text, recording.language) for text, _ in said]
    starts = [sum(map(len, pieces[:i])) for i in range(len(pieces) + 1)]
    whole = [word for piece in pieces for word in piece]
    found = [
        Sentence((recording.name, channel, i), recording.language, recording.kind, len(pieces[i]), {})
        for i in range(len(pieces))
    ]
    pairs = [(whole, texts[name][recording.name, channel]) for name in texts]
    for name, operations in zip(texts, _ask(python, {"pairs": pairs})):
        errors = [0] * len(pieces)
        for tag, at in operations:
            i = next(i for i in range(len(pieces)) if at < starts[i + 1] or i == len(pieces) - 1)
            # What is put in between two sentences may belong to one that is not scored.
            beside = {i, i - 1} if tag == "insert" and at == starts[i] and i else {i}
            if tag != "insert" or not any(not said[j][1] for j in beside):
                errors[i] += 1
        for sentence, count in zip(found, errors):
            sentence.errors[name] = count
    return [sentence for sentence, (_, scored) in zip(found, said) if scored and sentence.length]


def _disagreement(channels, texts, python):
    names, shares = list(texts), {}
    for a in names:
        for b in names:
            if a < b and channels:
                pairs = [(texts[a][key], texts[b][key]) for key in channels]
                errors = sum(map(len, _ask(python, {"pairs": pairs})))
                shares[a, b] = errors / max(1, max(sum(len(p[i]) for p in pairs) for i in (0, 1)))
    return shares


def rate(sentences, system):
    return sum(s.errors[system] for s in sentences) / max(1, sum(s.length for s in sentences))


def difference(sentences, ours, other):
    """How much higher our rate is, and the interval that holds 95 % of its draws: sentences are drawn, for
    both systems the same ones."""
    dice, found = random.Random(SEED), []
    for _ in range(DRAWS):
        drawn = dice.choices(sentences, k=len(sentences))
        found.append(rate(drawn, ours) - rate(drawn, other))
    found.sort()
    return rate(sentences, ours) - rate(sentences, other), found[DRAWS // 40], found[-DRAWS // 40]


def _plain(texts, recordings, python):
    language = {r.name: r.language for r in recordings}
    mandarin = [key for key in texts if language[key[0]] == "zh"]
    simplified = _ask(python, {"simplify": [texts[key] for key in mandarin]}) if mandarin else []
    texts = texts | dict(zip(mandarin, simplified))
    return {key: words(text, language[key[0]]) for key, text in texts.items()}


def _ask(python, question):
    out = subprocess.run([python, "-c", ALIGN], input=json.dumps(question).encode(), check=True, stdout=subprocess.PIPE)
    return json.loads(out.stdout)


def words(text, language):
    return _characters(text) if language == "zh" else _english(text)


def _characters(text):
    numerals = "".join([*DIGITS, *UNITS, "万"])
    text = re.sub(f"[{numerals}]+", lambda run: _numeral(run[0]), text)
    return re.findall(r"[\u3400-\u9fff]|[a-z]|\d", text.lower())


def _numeral(run):
    """三千二百 is 3200, 一三七 is 137."""
    if not set(run) & {*UNITS, "万"}:
        return "".join(str(DIGITS[c]) for c in run)
    total = section = digit = 0
    for c in run:
        if c in DIGITS:
            digit = DIGITS[c]
        elif c == "万":
            total, section, digit = (total + section + digit or 1) * 10_000, 0, 0
        else:
            section, digit = section + (digit or 1) * UNITS[c], 0
    return str(total + section + digit)


def _english(text):
    text = text.lower().replace("’", "'").replace("%", " percent ").replace("&", " and ")
    for sign, whole, part in (("$", "dollars", "cents"), ("£", "pounds", "pence")):
        text = re.sub(rf"\{sign}\s?([\d,]*\d)\.(\d\d)\b", rf"\1 {whole} and \2 {part} ", text)
        text = re.sub(rf"\{sign}\s?([\d,.]*\d)", rf"\1 {whole} ", text)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    plain, tens = [], None
    for word in re.findall(r"[a-z]+(?:'[a-z]+)?|\d+", text):
        number = ONES.index(word) if word in ONES else TENS.get(word)
        if number is None:
            plain.append(word)
        elif tens and 0 < number < 10:
            plain[-1] = str(tens + number)
        else:
            plain.append(str(number))
        tens = TENS.get(word)
    spelled = [part for word in plain for part in SAME.get(word, word).split()]
    # Read out or written together, a number is its digits.
    return [part for word in spelled for part in (word if word.isdigit() else [word])]
