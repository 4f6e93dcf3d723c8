"""Builds the two parts of the text encoder as ONNX files: the package's word table, and our tuned layers.

`alone`, the word table and the lower layers, reads a text by itself: `input_ids` and `attention_mask`,
int64 [batch, length <= 512], to `states`, fp32 [batch, length, 384].

`together`, the upper layers, reads an utterance with what was said before it: `states`, fp32
[batch, length, 384], of all these tokens one after the other; `segments`, int64 [batch, length], what
each belongs to (0 and 1: the utterance, an agent's or a customer's; 2 and 3: the turn before; 4 and 5:
the one before that); `attention_mask`, int64 [batch, length]. `utterance_embedding`, fp32 [batch, 384],
is the mean of the last layer over the utterance's own tokens, of length 1.

Layers that models/training tuned hold int8 weights with a scale for each row of the matrix. The
package's own layers stay 4-bit (`MatMulNBits`, block 32). Both are multiplied in fp32: with
activations in int8 an embedding would move with the batch that it is computed in.

    python encoder.py WEIGHTS LAYERS PART OUT     # as models/training does
"""
import io
import sys
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from q4_0 import BLOCK, read_e5
from vocabulary import kept_ids

# The first ONNX version with int4 tensors, and its file format.
OPSET, IR_VERSION = 21, 10
RUNTIME_OPS = "com.microsoft"
# Layers that read a text by itself; models/training/trainer/encoder.py says the same.
ALONE = 8
# Segments of the utterance itself.
OWN_SEGMENTS = 2
EXACT_FP32 = 0
# A padding row may have no token at all; dividing by 1 keeps it at zero instead of NaN.
LEAST_TOKENS = 1.0


class _Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, value, dtype=np.float32):
        self.constants.append(numpy_helper.from_array(np.array(value, dtype, order="C"), name))
        return name

    def int4(self, name, blocks):
        """A tensor [rows, columns] of nibble - 8, two to a byte; 8 to 0 and back flips one bit."""
        rows, count, _ = blocks.nibbles.shape
        signed = blocks.packed() ^ 0x88
        self.constants.append(
            TensorProto(name=name, data_type=TensorProto.INT4, dims=[rows, count * BLOCK], raw_data=signed.tobytes())
        )
        return name

    def node(self, op, inputs, out, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [out], name=out, **attributes))
        return out

    def linear(self, x, blocks, bias, out):
        rows, count, _ = blocks.nibbles.shape
        inputs = [
            x,
            self.constant(f"{out}.weight", blocks.packed(), np.uint8),
            self.constant(f"{out}.scales", blocks.scales.reshape(-1)),
            "", "",
            self.constant(f"{out}.bias", bias),
        ]
        return self.node(
            "MatMulNBits", inputs, out, domain=RUNTIME_OPS,
            K=count * BLOCK, N=rows, bits=4, block_size=BLOCK, accuracy_level=EXACT_FP32,
        )

    def linear_int8(self, x, matrix, scales, bias, out):
        """`matrix` [rows, columns] int8, `scales` [rows]; ONNX Runtime widens it once, when it loads the file."""
        stored = [self.constant(f"{out}.weight", matrix.T, np.int8), self.constant(f"{out}.scales", scales)]
        widened = self.node("DequantizeLinear", stored, f"{out}.widened", axis=1)
        product = self.node("MatMul", [x, widened], f"{out}.product")
        return self.node("Add", [product, self.constant(f"{out}.bias", bias)], out)

    def layer_norm(self, x, weight, bias, epsilon, out):
        inputs = [x, self.constant(f"{out}.weight", weight), self.constant(f"{out}.bias", bias)]
        return self.node("LayerNormalization", inputs, out, axis=-1, epsilon=epsilon)


def encoder_onnx(weights, layers, part):
    """The bytes of one part's ONNX file, from the bytes of the package's weights and of our tuned layers."""
    e5, tuned = read_e5(weights), dict(np.load(io.BytesIO(layers)))
    return PARTS[part](e5, tuned)


def _alone(e5, tuned):
    g = _Graph()
    g.constant("zero", 0, np.int64), g.constant("one", 1, np.int64)
    x = _embeddings(g, e5)
    g.node("Cast", ["attention_mask"], "mask.int32", to=TensorProto.INT32)
    for layer in range(ALONE):
        x = _layer(g, e5, tuned, f"l{layer}", x)
    g.node("Identity", [x], "states")
    ids = {name: (TensorProto.INT64, ["batch", "length"]) for name in ("input_ids", "attention_mask")}
    return _serialised(g, ids, "states", ["batch", "length", e5.hidden])


def _together(e5, tuned):
    g = _Graph()
    g.constant("last", [2], np.int64)
    which = g.node("Gather", [g.constant("segment", tuned["segments"]), "segments"], "segment.rows", axis=0)
    x = g.node("Add", ["states", which], "begun")
    g.node("Cast", ["attention_mask"], "mask.int32", to=TensorProto.INT32)
    for layer in range(ALONE, e5.layers):
        x = _layer(g, e5, tuned, f"l{layer}", x)
    own = g.node("Less", ["segments", g.constant("own.segments", OWN_SEGMENTS, np.int64)], "own")
    own = g.node("Cast", [own], "own.fp32", to=TensorProto.FLOAT)
    mask = g.node("Cast", ["attention_mask"], "mask.fp32", to=TensorProto.FLOAT)
    _pooled(g, x, g.node("Mul", [own, mask], "pooled"))
    inputs = {"states": (TensorProto.FLOAT, ["batch", "length", e5.hidden])}
    inputs |= {name: (TensorProto.INT64, ["batch", "length"]) for name in ("segments", "attention_mask")}
    return _serialised(g, inputs, "utterance_embedding", ["batch", e5.hidden])


PARTS = {"alone": _alone, "together": _together}


def _embeddings(g, e5):
    words = e5.matrices["emb.word"].rows(kept_ids(e5.pieces))
    lookup = [g.int4("word", words), "input_ids", g.constant("word.scales", words.scales)]
    word = g.node(
        "GatherBlockQuantized", lookup, "word.rows", domain=RUNTIME_OPS,
        gather_axis=0, quantize_axis=1, block_size=BLOCK,
    )
    # There is one token type, so its row joins the positions'.
    first_type = e5.vectors["emb.type"].reshape(-1, e5.hidden)[0]
    g.constant("position", e5.vectors["emb.pos"].reshape(-1, e5.hidden) + first_type)
    length = g.node("Gather", [g.node("Shape", ["input_ids"], "shape"), "one"], "length", axis=0)
    places = g.node("Range", ["zero", length, "one"], "places")
    x = g.node("Add", [word, g.node("Gather", ["position", places], "position.rows")], "embedded")
    return g.layer_norm(x, e5.vectors["emb.ln.w"], e5.vectors["emb.ln.b"], e5.epsilon, "embedding.norm")


def _layer(g, e5, tuned, layer, x):
    vector = lambda n: tuned.get(f"{layer}.{n}", e5.vectors[f"{layer}.{n}"])

    def linear(x, name, out):
        key, bias, out = f"{layer}.{name}", vector(f"{name}.b"), f"{layer}.{out}"
        if f"{key}.w" in tuned:
            return g.linear_int8(x, tuned[f"{key}.w"], tuned[f"{key}.scales"], bias, out)
        return g.linear(x, e5.matrices[f"{key}.w"], bias, out)

    q, k, v = (linear(x, n, n) for n in "qkv")
    attended = g.node(
        "MultiHeadAttention", [q, k, v, "", "mask.int32"], f"{layer}.attended", domain=RUNTIME_OPS, num_heads=e5.heads
    )
    x = g.node("Add", [linear(attended, "ao", "projected"), x], f"{layer}.attention.sum")
    x = g.layer_norm(x, vector("aln.w"), vector("aln.b"), e5.epsilon, f"{layer}.attention.norm")
    wide = g.node("Gelu", [linear(x, "fi", "wide")], f"{layer}.gelu")
    x = g.node("Add", [linear(wide, "fo", "narrow"), x], f"{layer}.sum")
    return g.layer_norm(x, vector("oln.w"), vector("oln.b"), e5.epsilon, f"{layer}.norm")


def _pooled(g, x, mask):
    column = g.node("Unsqueeze", [mask, "last"], "mask.column")
    axis = g.constant("tokens", [1], np.int64)
    total = g.node("ReduceSum", [g.node("Mul", [x, column], "unmasked"), axis], "total", keepdims=0)
    tokens = g.node("ReduceSum", [column, axis], "count", keepdims=0)
    tokens = g.node("Max", [tokens, g.constant("least", LEAST_TOKENS)], "count.least")
    g.node("LpNormalization", [g.node("Div", [total, tokens], "mean")], "utterance_embedding", axis=-1, p=2)


def _serialised(g, inputs, output, shape):
    inputs = [helper.make_tensor_value_info(name, kind, dims) for name, (kind, dims) in inputs.items()]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)]
    graph = helper.make_graph(g.nodes, "multilingual-e5-small", inputs, outputs, g.constants)
    model = helper.make_model(
        graph, producer_name="callqa", ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME_OPS, 1)],
    )
    return model.SerializeToString(deterministic=True)


if __name__ == "__main__":
    given, learned, part, made = sys.argv[1:]
    Path(made).write_bytes(encoder_onnx(Path(given).read_bytes(), Path(learned).read_bytes(), part))
