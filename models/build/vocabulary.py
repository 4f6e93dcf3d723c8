"""Which pieces of the encoder's vocabulary we keep: Latin without accents, Han, digits, punctuation.

Other scripts are three fifths of the word table and never come out of a transcript in Mandarin or
English. The rule looks at a piece alone, so that the encoder's rows and the tokenizer's list, which
come from two packages, are pruned alike.
"""
import json
import unicodedata

# <s>, <pad>, </s>, <unk>: the first four ids in every XLM-R vocabulary.
SPECIAL = 4
MASK = "<mask>"
WORD_START = "\u2581"

# First and last code point of what may stand in a piece of any length.
KEPT_RANGES = (
    (0x0020, 0x007E),  # ASCII
    (0x2000, 0x206F),  # general punctuation
    (0x20A0, 0x20CF),  # currency signs
    (0x3000, 0x303F),  # CJK punctuation
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xFF00, 0xFFEF),  # full-width forms
)


def kept_ids(pieces):
    """Old ids, in order, of the pieces that stay; a piece's new id is its place in the list."""
    return [i for i, piece in enumerate(pieces) if i < SPECIAL or piece == MASK or _stays(piece)]


def _stays(piece):
    text = piece.replace(WORD_START, "")
    if all(any(first <= ord(c) <= last for first, last in KEPT_RANGES) for c in text):
        return True
    # A lone sign or accented letter costs one row and saves an <unk> in a name or an amount.
    return len(text) == 1 and (unicodedata.category(text)[0] in "PSN" or 0xC0 <= ord(text) <= 0x24F)


def pruned_tokenizer(source):
    """The bytes of a `tokenizer.json` with only the kept pieces, from the bytes of the whole one."""
    tokenizer = json.loads(source)
    vocab = tokenizer["model"]["vocab"]
    kept = kept_ids([piece for piece, _score in vocab])
    tokenizer["model"]["vocab"] = [vocab[i] for i in kept]
    new_id = {old: new for new, old in enumerate(kept)}
    for token in tokenizer["added_tokens"]:
        token["id"] = new_id[token["id"]]
    return json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")).encode()
