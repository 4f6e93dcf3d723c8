"""Turns Whisper weights in CTranslate2's format into a file for ONNX Runtime: an encoder and a decoder
with int8 weights, and what is needed to feed and to read them.

The file (little-endian): `CQWHISPR`, u64 length of a JSON header, the header, then the blobs that its
`blobs` names by offset (from the header's end) and length: `filters` (fp32 [mels, 201]), `encoder` and
`decoder` (ONNX).

Encoder: `mel` fp32 [1, mels, 2 x positions] -> for each decoder layer i `cross_k{i}` [1, heads, size,
positions] and `cross_v{i}` [1, heads, positions, size], the keys and values that the decoder attends to.

Decoder: `tokens` i64 [batch, new], `positions` i64 [new], `mask` fp32 [new, past + new] (0 or -inf),
`cross_mask` fp32 [batch, 1, 1, positions], each layer's `past_k{i}` [batch, heads, size, past], `past_v{i}`
[batch, heads, past, size], `cross_k{i}`, `cross_v{i}` -> `logits` [batch, 1, outputs] of the last token,
`aligned` [batch, alignment heads, new, positions], and the past for the next step, `new_k{i}`, `new_v{i}`.

Tokens are numbered anew: ordinary ones that a transcript in Mandarin or English may hold, the end of the
text, the timestamps, the languages; these are the outputs. The start and the task follow, which are only
ever read.
"""
import json
import struct

import numpy as np
from onnx import TensorProto

from ctranslate2 import read_tensors
from graph import Graph, quantised
from vocabulary import KEPT_RANGES
from whisper import _byte_alphabet, mel_filters

MAGIC = b"CQWHISPR"
VERSION = 1
LANGUAGES = ("en", "zh")
F32, I64 = TensorProto.FLOAT, TensorProto.INT64
# What Whisper writes for sounds; whisper.cpp's list, from OpenAI's `non_speech_tokens`.
SOUNDS = (
    '" # ( ) * + / : ; < = > @ [ \\ ] ^ _ ` { | } ~ 「 」 『 』 << >> <<< >>> -- --- -( -[ (\' (" (( )) ((( ))) '
    "[[ ]] {{ }} ♪♪ ♪♪♪ ♩ ♪ ♫ ♬ ♭ ♮ ♯"
).split()
# Fine inside a word, never at its beginning.
NOT_FIRST = (" -", " '")
# Letters with accents stand in names.
LATIN_ACCENTS = (0x00C0, 0x024F)


def whisper_onnx(weights, tokenizer, alignment_heads):
    """The bytes of the file, from those of `model.bin`, `tokenizer.json` and `config.json`."""
    source = _Source(weights)
    tokens = _Tokens(json.loads(tokenizer), source["decoder/embeddings/weight"].shape[0])
    heads = [tuple(pair) for pair in json.loads(alignment_heads)["alignment_heads"]]
    filters = mel_filters(source["encoder/conv1/weight"].shape[1])
    blobs = {
        "filters": filters.astype("<f4").tobytes(),
        "encoder": _encoder(source),
        "decoder": _decoder(source, tokens, heads),
    }
    places, at = {}, 0
    for name, blob in blobs.items():
        places[name] = [at, len(blob)]
        at += len(blob)
    header = {
        "version": VERSION, "mels": filters.shape[0], "positions": source.positions("encoder"),
        "text_positions": source.positions("decoder"), "layers": source.layers("decoder"),
        "heads": source.heads, "size": source.width // source.heads, "alignment_heads": len(heads),
        **tokens.header(), "blobs": places,
    }
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    return MAGIC + struct.pack("<Q", len(text)) + text + b"".join(blobs.values())


class _Source:
    """The tensors of a CTranslate2 file, as fp32."""

    def __init__(self, weights):
        self._tensors = read_tensors(weights, "WhisperSpec")
        self.heads = int(self._tensors["decoder/num_heads"])
        self.width = self["decoder/embeddings/weight"].shape[1]

    def __getitem__(self, name):
        return np.asarray(self._tensors[name], np.float32)

    def layers(self, side):
        numbers = (name.split("/")[1][6:] for name in self._tensors if name.startswith(f"{side}/layer_"))
        return 1 + max(int(n) for n in numbers if n.isdigit())

    def positions(self, side):
        return self[f"{side}/position_encodings/encodings"].shape[0]

    def norm(self, name):
        return self[f"{name}/gamma"], self[f"{name}/beta"]

    def linear(self, name, part=0, parts=1):
        """One of the matrices that stand on top of each other, with its bias."""
        return tuple(np.split(self[f"{name}/{kind}"], parts)[part] for kind in ("weight", "bias"))


class _Tokens:
    """Which tokens stay, in their new order, by their old ids."""

    def __init__(self, tokenizer, count):
        byte = {char: value for value, char in _byte_alphabet().items()}
        special = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
        end = special["<|endoftext|>"]
        ordinary = {i: bytes(byte[c] for c in text) for text, i in tokenizer["model"]["vocab"].items() if i < end}
        kept = [i for i in sorted(ordinary) if _stays(ordinary[i])]
        first_time = special["<|notimestamps|>"] + 1
        outputs = [*kept, end, *range(first_time, count), *(special[f"<|{code}|>"] for code in LANGUAGES)]
        self.old = [*outputs, special["<|startoftranscript|>"], special["<|transcribe|>"]]
        self.outputs = len(outputs)
        self._texts, self._times = [ordinary[i] for i in kept], count - first_time

    def header(self):
        end = len(self._texts)
        languages = {code: end + 1 + self._times + i for i, code in enumerate(LANGUAGES)}
        return {
            "texts": [text.hex() for text in self._texts], "end": end, "times": self._times,
            "languages": languages, "start": self.outputs, "transcribe": self.outputs + 1,
        }


def _stays(text):
    """Whether a token may be a part of a transcript in Mandarin or English. Parts of characters may."""
    decoded = text.decode("utf-8", "ignore")
    sound = decoded.strip() in SOUNDS and decoded in (decoded.strip(), " " + decoded.strip())
    kept = lambda c: any(a <= ord(c) <= b for a, b in (*KEPT_RANGES, LATIN_ACCENTS)) or c in "\t\n\r"
    return not sound and decoded not in NOT_FIRST and all(map(kept, decoded))


def _encoder(source):
    g = Graph()
    x = _convolution(g, source, "mel", "conv1", 1)
    x = g.node("Transpose", [_convolution(g, source, x, "conv2", 2)], "rows", perm=[0, 2, 1])
    length = g.node("Shape", [x], "length", start=1, end=2)
    places = [
        g.constant("places", source["encoder/position_encodings/encodings"]), g.constant("from", [0], np.int64), length,
    ]
    x = g.node("Add", [x, g.node("Slice", places, "placed")], "embedded")
    for i in range(source.layers("encoder")):
        of, to = f"encoder/layer_{i}", f"l{i}"
        normed = g.norm(x, *source.norm(f"{of}/self_attention/layer_norm"), f"{to}.norm")
        linear = lambda part: source.linear(f"{of}/self_attention/linear_0", part, 3)
        parts = [g.linear(normed, *linear(p), f"{to}.{'qkv'[p]}") for p in range(3)]
        attended = g.runtime("MultiHeadAttention", parts, f"{to}.attended", num_heads=source.heads)
        x = _added(g, source, x, attended, f"{of}/self_attention/linear_1", f"{to}.attention")
        x = _feed_forward(g, source, x, of, to)
    x = g.norm(x, *source.norm("encoder/layer_norm"), "heard")
    outputs = []
    for i in range(source.layers("decoder")):
        for part, kind in enumerate("kv"):
            flat = g.linear(x, *source.linear(f"decoder/layer_{i}/attention/linear_1", part, 2), f"{kind}{i}")
            _split_heads(g, source, flat, f"cross_{kind}{i}", keys=kind == "k")
            outputs.append((f"cross_{kind}{i}", F32, _attended_shape(source, kind, 1, "positions")))
    mels = source["encoder/conv1/weight"].shape[1]
    return g.serialised("whisper-encoder", [("mel", F32, [1, mels, "frames"])], outputs)


def _convolution(g, source, x, name, stride):
    inputs = [x, *(g.constant(f"{name}.{kind}", source[f"encoder/{name}/{kind}"]) for kind in ("weight", "bias"))]
    heard = g.node("Conv", inputs, f"{name}.heard", kernel_shape=[3], pads=[1, 1], strides=[stride])
    return g.runtime("Gelu", [heard], name)


def _decoder(source, tokens, alignment_heads):
    g, layers = Graph(), source.layers("decoder")
    embeddings = source["decoder/embeddings/weight"][tokens.old]
    x = _embedded(g, source, embeddings)
    inputs = [
        ("tokens", I64, ["batch", "new"]), ("positions", I64, ["new"]), ("mask", F32, ["new", "all"]),
        ("cross_mask", F32, ["batch", 1, 1, "positions"]),
    ]
    outputs, aligned = [], []
    for i in range(layers):
        x = _self_attention(g, source, x, i)
        x, weights = _cross_attention(g, source, x, i)
        if heads := [head for layer, head in alignment_heads if layer == i]:
            aligned.append(g.node("Gather", [weights, g.constant(f"l{i}.heads", heads, np.int64)], f"l{i}.aligned", axis=1))
        x = _feed_forward(g, source, x, f"decoder/layer_{i}", f"l{i}")
        for kind in "kv":
            inputs.append((f"past_{kind}{i}", F32, _attended_shape(source, kind, "batch", "past")))
            inputs.append((f"cross_{kind}{i}", F32, _attended_shape(source, kind, "batch", "positions")))
            outputs.append((f"new_{kind}{i}", F32, _attended_shape(source, kind, "batch", "all")))
    last = [x, *(g.constant(n, [v], np.int64) for n, v in (("last", -1), ("beyond", 1 << 31), ("rows", 1)))]
    x = g.norm(g.node("Slice", last, "last.row"), *source.norm("decoder/layer_norm"), "said")
    g.linear(x, embeddings[: tokens.outputs], None, "logits")
    g.node("Concat", aligned, "aligned", axis=1)
    outputs += [
        ("logits", F32, ["batch", 1, tokens.outputs]), ("aligned", F32, ["batch", len(alignment_heads), "new", "positions"]),
    ]
    return g.serialised("whisper-decoder", inputs, outputs)


def _embedded(g, source, embeddings):
    """The rows of the tokens as int8, widened after they are looked up."""
    matrix, scales = quantised(embeddings)
    rows = g.node("Gather", [g.constant("embeddings", matrix, np.int8), "tokens"], "token.rows")
    scales = g.node("Gather", [g.constant("embedding.scales", scales[:, None]), "tokens"], "token.scales")
    rows = g.node("Mul", [g.node("Cast", [rows], "token.wide", to=F32), scales], "token.fp32")
    places = g.constant("places", source["decoder/position_encodings/encodings"])
    return g.node("Add", [rows, g.node("Gather", [places, "positions"], "placed")], "embedded")


def _self_attention(g, source, x, i):
    of, to = f"decoder/layer_{i}/self_attention", f"l{i}.self"
    weight, bias = source.linear(f"{of}/linear_0")
    scale = _query_scale(source)
    flat = g.linear(g.norm(x, *source.norm(f"{of}/layer_norm"), f"{to}.norm"), weight * scale, bias * scale[:, 0], f"{to}.qkv")
    q, k, v = g.node("Split", [flat], [f"{to}.q", f"{to}.k", f"{to}.v"], axis=-1, num_outputs=3)
    for kind, flat, axis in (("k", k, 3), ("v", v, 2)):
        here = _split_heads(g, source, flat, f"{to}.{kind}.here", keys=kind == "k")
        g.node("Concat", [f"past_{kind}{i}", here], f"new_{kind}{i}", axis=axis)
    query = _split_heads(g, source, q, f"{to}.query")
    attended, _ = _attention(g, source, query, f"new_k{i}", f"new_v{i}", "mask", to)
    return _added(g, source, x, attended, f"{of}/linear_1", to)


def _cross_attention(g, source, x, i):
    of, to = f"decoder/layer_{i}/attention", f"l{i}.cross"
    weight, bias = source.linear(f"{of}/linear_0")
    scale = (source.width // source.heads) ** -0.5
    normed = g.norm(x, *source.norm(f"{of}/layer_norm"), f"{to}.norm")
    query = _split_heads(g, source, g.linear(normed, weight * scale, bias * scale, f"{to}.q"), f"{to}.query")
    attended, weights = _attention(g, source, query, f"cross_k{i}", f"cross_v{i}", "cross_mask", to)
    return _added(g, source, x, attended, f"{of}/linear_2", to), weights


def _query_scale(source):
    """The scale of attention, on the rows that make queries."""
    scale = np.ones((3 * source.width, 1), np.float32)
    scale[: source.width] = (source.width // source.heads) ** -0.5
    return scale


def _attention(g, source, query, keys, values, mask, to):
    scores = g.node("Add", [g.node("MatMul", [query, keys], f"{to}.scores"), mask], f"{to}.masked")
    weights = g.node("Softmax", [scores], f"{to}.weights", axis=-1)
    rows = g.node("Transpose", [g.node("MatMul", [weights, values], f"{to}.mixed")], f"{to}.rows", perm=[0, 2, 1, 3])
    return g.node("Reshape", [rows, g.constant("flat", [0, 0, source.width], np.int64)], f"{to}.attended"), weights


def _split_heads(g, source, flat, out, keys=False):
    shape = g.constant("heads", [0, 0, source.heads, source.width // source.heads], np.int64)
    split = g.node("Reshape", [flat, shape], f"{out}.split")
    return g.node("Transpose", [split], out, perm=[0, 2, 3, 1] if keys else [0, 2, 1, 3])


def _attended_shape(source, kind, batch, length):
    size = source.width // source.heads
    return [batch, source.heads, size, length] if kind == "k" else [batch, source.heads, length, size]


def _feed_forward(g, source, x, of, to):
    normed = g.norm(x, *source.norm(f"{of}/ffn/layer_norm"), f"{to}.ffn.norm")
    wide = g.runtime("Gelu", [g.linear(normed, *source.linear(f"{of}/ffn/linear_0"), f"{to}.wide")], f"{to}.gelu")
    return _added(g, source, x, wide, f"{of}/ffn/linear_1", f"{to}.ffn")


def _added(g, source, x, attended, of, to):
    return g.node("Add", [g.linear(attended, *source.linear(of), f"{to}.projected"), x], f"{to}.sum")
