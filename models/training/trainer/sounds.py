"""How the pieces of the vocabulary sound, so that a word misheard as another of the same sound stays near it.

A Mandarin piece has its syllables, without tones; an English one the letters of its Metaphone code, which are
its consonants and the vowel that it begins with; the first is a sound of its own."""
import re

import numpy as np
from jellyfish import metaphone
from pypinyin import Style, lazy_pinyin

# Sounds of a piece that count: longer ones are rarely misheard as a whole.
SLOTS = 4
SILENT = 0
HAN = re.compile("[\u3400-\u9fff]+")
SYLLABLE = re.compile("[a-z]+")
WORD = re.compile("[A-Za-z]{2,}")


def of_pieces(pieces):
    """[pieces, SLOTS] int16: numbers of sounds from 1 on, filled up with SILENT; how many there are, with SILENT."""
    spoken = [_sounds(piece)[:SLOTS] for piece in pieces]
    numbers = {sound: number for number, sound in enumerate(sorted({s for some in spoken for s in some}), SILENT + 1)}
    table = np.full((len(pieces), SLOTS), SILENT, np.int16)
    for row, some in zip(table, spoken):
        row[:len(some)] = [numbers[sound] for sound in some]
    return table, len(numbers) + 1


def _sounds(piece):
    if han := "".join(HAN.findall(piece)):
        # A character without a reading comes back as it is, and makes no sound.
        return [syllable for syllable in lazy_pinyin(han, style=Style.NORMAL) if SYLLABLE.fullmatch(syllable)]
    words = WORD.findall(piece)
    code = metaphone(words[0]).replace(" ", "") if len(words) == 1 else ""
    return [f"^{code[0]}", *(f".{letter}" for letter in code[1:])] if code else []
