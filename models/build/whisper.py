"""Turns Whisper weights in CTranslate2's format into the ggml file that whisper.cpp reads.

The tensors keep their fp16 bits. The ggml file (little-endian) is: twelve i32 of sizes, the mel
filters, the vocabulary as bytes, then each tensor as i32 rank, name length, type (0 fp32, 1 fp16),
sizes from the innermost, name and data. Norms, biases and positions are fp32, as whisper.cpp's own
converter writes them.
"""
import io
import json
import math
import struct

import numpy as np

from ctranslate2 import read_tensors

GGML_MAGIC = 0x67676D6C
F32, F16 = 0, 1
FIRST_SPECIAL = "<|endoftext|>"
SAMPLE_RATE, FFT = 16_000, 400


def whisper_ggml(weights, tokenizer):
    """The bytes of the ggml file, from those of `model.bin` and `tokenizer.json`."""
    source = read_tensors(weights, "WhisperSpec")
    out = io.BytesIO()
    _write_header(out, source)
    _write_filters(out, mel_filters(source["encoder/conv1/weight"].shape[1]))
    _write_tokens(out, _tokens(tokenizer))
    for name, tensor in _named_for_ggml(source):
        _write_tensor(out, name, tensor)
    return out.getvalue()


def _write_header(out, source):
    tokens, width = source["decoder/embeddings/weight"].shape
    audio_positions = source["encoder/position_encodings/encodings"].shape[0]
    text_positions = source["decoder/position_encodings/encodings"].shape[0]
    mels = source["encoder/conv1/weight"].shape[1]
    sizes = (
        tokens,
        audio_positions, width, int(source["encoder/num_heads"]), _layers(source, "encoder"),
        text_positions, width, int(source["decoder/num_heads"]), _layers(source, "decoder"),
        mels, F16,
    )
    out.write(struct.pack("<12i", GGML_MAGIC, *sizes))


def _write_filters(out, filters):
    out.write(struct.pack("<2i", *filters.shape) + filters.astype("<f4").tobytes())


def _write_tokens(out, tokens):
    out.write(struct.pack("<i", len(tokens)))
    for token in tokens:
        out.write(struct.pack("<i", len(token)) + token)


def _write_tensor(out, name, tensor):
    single = tensor.ndim < 2 or "positional" in name or name.endswith(".bias")
    data = np.ascontiguousarray(tensor, np.float32 if single else np.float16)
    label = name.encode()
    out.write(struct.pack("<3i", data.ndim, len(label), F32 if single else F16))
    out.write(struct.pack(f"<{data.ndim}i", *data.shape[::-1]) + label + data.tobytes())


def _layers(source, side):
    prefix = f"{side}/layer_"
    numbers = (name[len(prefix):].split("/")[0] for name in source if name.startswith(prefix))
    return 1 + max(int(n) for n in numbers if n.isdigit())


def _named_for_ggml(source):
    """Every tensor, under the name that whisper.cpp looks for."""
    yield "encoder.positional_embedding", source["encoder/position_encodings/encodings"]
    yield "decoder.positional_embedding", source["decoder/position_encodings/encodings"]
    yield "decoder.token_embedding.weight", source["decoder/embeddings/weight"]
    for conv in ("conv1", "conv2"):
        yield f"encoder.{conv}.weight", source[f"encoder/{conv}/weight"]
        yield f"encoder.{conv}.bias", source[f"encoder/{conv}/bias"].reshape(-1, 1)
    yield from _norm(source, "encoder.ln_post", "encoder/layer_norm")
    yield from _norm(source, "decoder.ln", "decoder/layer_norm")
    for side in ("encoder", "decoder"):
        for i in range(_layers(source, side)):
            yield from _block(source, side, f"{side}.blocks.{i}", f"{side}/layer_{i}")


def _block(source, side, to, of):
    own = f"{of}/self_attention"
    yield from _norm(source, f"{to}.attn_ln", f"{own}/layer_norm")
    yield from _split(source, f"{to}.attn", ("query", "key", "value"), f"{own}/linear_0")
    yield from _split(source, f"{to}.attn", ("out",), f"{own}/linear_1")
    if side == "decoder":
        cross = f"{of}/attention"
        yield from _norm(source, f"{to}.cross_attn_ln", f"{cross}/layer_norm")
        yield from _split(source, f"{to}.cross_attn", ("query",), f"{cross}/linear_0")
        yield from _split(source, f"{to}.cross_attn", ("key", "value"), f"{cross}/linear_1")
        yield from _split(source, f"{to}.cross_attn", ("out",), f"{cross}/linear_2")
    yield from _norm(source, f"{to}.mlp_ln", f"{of}/ffn/layer_norm")
    yield from _split(source, f"{to}.mlp", ("0",), f"{of}/ffn/linear_0")
    yield from _split(source, f"{to}.mlp", ("2",), f"{of}/ffn/linear_1")


def _norm(source, to, of):
    yield f"{to}.weight", source[f"{of}/gamma"]
    yield f"{to}.bias", source[f"{of}/beta"]


def _split(source, to, parts, of):
    """CTranslate2 stacks the rows of query, key and value in one matrix; whisper.cpp wants each
    alone, and a key without its bias, which Whisper does not have."""
    weights = np.split(source[f"{of}/weight"], len(parts))
    biases = np.split(source[f"{of}/bias"], len(parts))
    for part, weight, bias in zip(parts, weights, biases):
        yield f"{to}.{part}.weight", weight
        if part != "key":
            yield f"{to}.{part}.bias", bias
        elif np.any(bias):
            raise ValueError(f"{of} has a bias on its keys, which whisper.cpp cannot hold")


def _tokens(tokenizer):
    """The ordinary tokens in order of id, as bytes; whisper.cpp knows the special ones."""
    ids = json.loads(tokenizer)["model"]["vocab"]
    byte = {char: value for value, char in _byte_alphabet().items()}
    ordinary = sorted(ids, key=ids.get)
    if FIRST_SPECIAL in ids:
        ordinary = ordinary[: ids[FIRST_SPECIAL]]
    return [bytes(byte[char] for char in token) for token in ordinary]


def _byte_alphabet():
    """GPT-2's printable stand-in for each byte."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(256 + i) for i, b in enumerate(hidden)}}


def mel_filters(mels):
    """Slaney's mel filters, area-normalised, fp32 [mels, 201], as Whisper was trained with.

    Python's own `log` and `exp`, for numpy's differ in the last bit between processors."""
    low, high = _mel(0.0), _mel(SAMPLE_RATE / 2)
    edges = np.array([_hertz(m) for m in np.linspace(low, high, mels + 2)])
    bins = np.linspace(0, SAMPLE_RATE / 2, 1 + FFT // 2)
    widths, ramps = np.diff(edges), edges[:, None] - bins[None]
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    area = 2.0 / (edges[2:] - edges[:-2])
    return (np.maximum(0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)


# Slaney's scale is linear up to 1 kHz (15 mel), then logarithmic with 27 steps to a factor of 6.4.
LINEAR_HERTZ, KNEE_HERTZ, KNEE_MEL = 200 / 3, 1000.0, 15.0
LOG_STEP = math.log(6.4) / 27.0


def _mel(hertz):
    return hertz / LINEAR_HERTZ if hertz < KNEE_HERTZ else KNEE_MEL + math.log(hertz / KNEE_HERTZ) / LOG_STEP


def _hertz(mel):
    return mel * LINEAR_HERTZ if mel < KNEE_MEL else KNEE_HERTZ * math.exp(LOG_STEP * (mel - KNEE_MEL))
