"""Builds the two parts of the text encoder as ONNX files: the package's word table, and our tuned layers.

`alone`, the word table, what training learned of how words sound (`sounds`), and the lower layers, reads a
text by itself: `input_ids` and `attention_mask`, int64 [batch, length <= 512], to `states`, fp32 [batch,
length, 384].

`together`, the upper layers, reads an utterance with what was said before it: `states`, fp32
[batch, length, 384], of all these tokens one after the other; `segments`, int64 [batch, length], what
each belongs to (0 and 1: the utterance, an agent's or a customer's; 2 and 3: the turn before; 4 and 5:
the one before that); `attention_mask`, int64 [batch, length]. `utterance_embedding`, fp32 [batch, 384],
is the mean of the last layer over the utterance's own tokens, of length 1.

Layers that models/training tuned hold int8 weights with a scale for each row of the matrix, and
take what they are given as int8 by rows, too (graph.py): an embedding does not move with the batch that
it is computed in. The package's own layers stay 4-bit (`MatMulNBits`, block 32), multiplied in fp32.

    python encoder.py WEIGHTS LAYERS PART OUT     # as models/training does
"""
import io
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto

from graph import Graph
from q4_0 import BLOCK, read_e5
from vocabulary import kept_ids

NAME = "multilingual-e5-small"
# The first ONNX version with int4 tensors.
OPSET = 21
# Layers that read a text by itself; models/training/trainer/encoder.py says the same.
ALONE = 8
# Segments of the utterance itself.
OWN_SEGMENTS = 2
EXACT_FP32 = 0
# A padding row may have no token at all; dividing by 1 keeps it at zero instead of NaN.
LEAST_TOKENS = 1.0


class _Graph(Graph):
    def int4(self, name, blocks):
        """A tensor [rows, columns] of nibble - 8, two to a byte; 8 to 0 and back flips one bit."""
        rows, count, _ = blocks.nibbles.shape
        signed = blocks.packed() ^ 0x88
        self.constants.append(
            TensorProto(name=name, data_type=TensorProto.INT4, dims=[rows, count * BLOCK], raw_data=signed.tobytes())
        )
        return name

    def linear_4bit(self, x, blocks, bias, out):
        rows, count, _ = blocks.nibbles.shape
        inputs = [
            x,
            self.constant(f"{out}.weight", blocks.packed(), np.uint8),
            self.constant(f"{out}.scales", blocks.scales.reshape(-1)),
            "", "",
            self.constant(f"{out}.bias", bias),
        ]
        return self.runtime(
            "MatMulNBits", inputs, out, K=count * BLOCK, N=rows, bits=4, block_size=BLOCK, accuracy_level=EXACT_FP32,
        )


def encoder_onnx(weights, layers, part):
    """The bytes of one part's ONNX file, from the bytes of the package's weights and of our tuned layers."""
    e5, tuned = read_e5(weights), dict(np.load(io.BytesIO(layers)))
    return PARTS[part](e5, tuned)


def _alone(e5, tuned):
    g = _Graph()
    g.constant("place.first", 0, np.int64), g.constant("place.step", 1, np.int64), g.constant("length.axis", 1, np.int64)
    x = _embeddings(g, e5, tuned)
    g.node("Cast", ["attention_mask"], "mask.int32", to=TensorProto.INT32)
    for layer in range(ALONE):
        x = _layer(g, e5, tuned, f"l{layer}", x)
    g.node("Identity", [x], "states")
    inputs = [(name, TensorProto.INT64, ["batch", "length"]) for name in ("input_ids", "attention_mask")]
    states = ("states", TensorProto.FLOAT, ["batch", "length", e5.hidden])
    return g.serialised(NAME, inputs, [states], OPSET)


def _together(e5, tuned):
    g = _Graph()
    g.constant("column.axis", [2], np.int64)
    which = g.node("Gather", [g.constant("segment", tuned["segments"]), "segments"], "segment.rows", axis=0)
    x = g.node("Add", ["states", which], "begun")
    g.node("Cast", ["attention_mask"], "mask.int32", to=TensorProto.INT32)
    for layer in range(ALONE, e5.layers):
        x = _layer(g, e5, tuned, f"l{layer}", x)
    own = g.node("Less", ["segments", g.constant("own.segments", OWN_SEGMENTS, np.int64)], "own")
    own = g.node("Cast", [own], "own.fp32", to=TensorProto.FLOAT)
    mask = g.node("Cast", ["attention_mask"], "mask.fp32", to=TensorProto.FLOAT)
    _pooled(g, x, g.node("Mul", [own, mask], "pooled"))
    states = ("states", TensorProto.FLOAT, ["batch", "length", e5.hidden])
    inputs = [(name, TensorProto.INT64, ["batch", "length"]) for name in ("segments", "attention_mask")]
    embedding = ("utterance_embedding", TensorProto.FLOAT, ["batch", e5.hidden])
    return g.serialised(NAME, [states, *inputs], [embedding], OPSET)


PARTS = {"alone": _alone, "together": _together}


def _embeddings(g, e5, tuned):
    kept = kept_ids(e5.pieces)
    if len(tuned["sounds_of_pieces"]) != len(kept):
        raise ValueError("the learned sounds are of another vocabulary: train anew")
    words = e5.matrices["emb.word"].rows(kept)
    lookup = [g.int4("word", words), "input_ids", g.constant("word.scales", words.scales)]
    word = g.runtime(
        "GatherBlockQuantized", lookup, "word.rows", gather_axis=0, quantize_axis=1, block_size=BLOCK,
    )
    # There is one token type, so its row joins the positions'.
    first_type = e5.vectors["emb.type"].reshape(-1, e5.hidden)[0]
    g.constant("position", e5.vectors["emb.pos"].reshape(-1, e5.hidden) + first_type)
    length = g.node("Gather", [g.node("Shape", ["input_ids"], "shape"), "length.axis"], "length", axis=0)
    places = g.node("Range", ["place.first", length, "place.step"], "places")
    x = g.node("Add", [word, g.node("Gather", ["position", places], "position.rows")], "placed")
    x = _sounding(g, x, tuned)
    return g.norm(x, e5.vectors["emb.ln.w"], e5.vectors["emb.ln.b"], "embedding.norm", e5.epsilon)


def _sounding(g, x, tuned):
    """With the sum of the sounds of each piece."""
    g.constant("slots", [2], np.int64)
    which = g.node("Gather", [g.constant("sounds.of", tuned["sounds_of_pieces"], np.int32), "input_ids"], "sound.places", axis=0)
    rows = g.node("Gather", [g.constant("sounds", tuned["sounds"]), which], "sound.rows", axis=0)
    return g.node("Add", [x, g.node("ReduceSum", [rows, "slots"], "heard", keepdims=0)], "embedded")


def _layer(g, e5, tuned, layer, x):
    vector = lambda n: tuned.get(f"{layer}.{n}", e5.vectors[f"{layer}.{n}"])

    def linear(x, name, out):
        key, bias, out = f"{layer}.{name}", vector(f"{name}.b"), f"{layer}.{out}"
        if f"{key}.w" in tuned:
            return g.linear_int8(x, tuned[f"{key}.w"], tuned[f"{key}.scales"], bias, out)
        return g.linear_4bit(x, e5.matrices[f"{key}.w"], bias, out)

    q, k, v = (linear(x, n, n) for n in "qkv")
    attended = g.runtime("MultiHeadAttention", [q, k, v, "", "mask.int32"], f"{layer}.attended", num_heads=e5.heads)
    x = g.node("Add", [linear(attended, "ao", "projected"), x], f"{layer}.attention.sum")
    x = g.norm(x, vector("aln.w"), vector("aln.b"), f"{layer}.attention.norm", e5.epsilon)
    wide = g.node("Gelu", [linear(x, "fi", "wide")], f"{layer}.gelu")
    x = g.node("Add", [linear(wide, "fo", "narrow"), x], f"{layer}.sum")
    return g.norm(x, vector("oln.w"), vector("oln.b"), f"{layer}.norm", e5.epsilon)


def _pooled(g, x, mask):
    column = g.node("Unsqueeze", [mask, "column.axis"], "mask.column")
    axis = g.constant("tokens", [1], np.int64)
    total = g.node("ReduceSum", [g.node("Mul", [x, column], "unmasked"), axis], "total", keepdims=0)
    tokens = g.node("ReduceSum", [column, axis], "count", keepdims=0)
    tokens = g.node("Max", [tokens, g.constant("least", LEAST_TOKENS)], "count.least")
    g.node("LpNormalization", [g.node("Div", [total, tokens], "mean")], "utterance_embedding", axis=-1, p=2)


if __name__ == "__main__":
    given, learned, part, made = sys.argv[1:]
    Path(made).write_bytes(encoder_onnx(Path(given).read_bytes(), Path(learned).read_bytes(), part))
