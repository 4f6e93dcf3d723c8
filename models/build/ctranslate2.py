"""Reads the tensors of a CTranslate2 `model.bin`.

Layout (little-endian): u32 file version; name of the spec; u32 revision; u32 number of tensors;
each tensor as name, u8 rank, u32 sizes, u8 type, u32 bytes, data. A name is a u16 length (with the
closing zero byte) and the characters.
"""
import struct

import numpy as np

TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read_tensors(data, spec):
    """A dict of name to array, which share memory with `data`. Raises ValueError for another spec
    or a file that is cut short."""
    try:
        return dict(_tensors(memoryview(data), spec))
    except struct.error as error:
        raise ValueError("the CTranslate2 weights are cut short") from error


def _tensors(data, spec):
    found, at = _name(data, 4)
    if found != spec:
        raise ValueError(f"the CTranslate2 weights are a {found!r}, not a {spec!r}")
    _revision, count = struct.unpack_from("<2I", data, at)
    at += 8
    for _ in range(count):
        name, at = _name(data, at)
        (rank,) = struct.unpack_from("<B", data, at)
        *shape, kind, size = struct.unpack_from(f"<{rank}IBI", data, at + 1)
        at += 1 + 4 * rank + 5
        if at + size > len(data):
            raise ValueError(f"the CTranslate2 weights are cut short in {name}")
        yield name, np.frombuffer(data[at : at + size], TYPES[kind]).reshape(shape)
        at += size


def _name(data, at):
    (length,) = struct.unpack_from("<H", data, at)
    at += 2
    return bytes(data[at : at + length - 1]).decode(), at + length
