"""Reads `models/manifest.toml`, and pins the heads that live in the checkout.

The worker reads the same file and refuses to start on a wrong size or hash. What a `[[file]]` may
hold stands in models/README.md.
"""
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

VERSION = 1
ROLES = ("whisper", "vad", "encoder", "context_encoder", "tokenizer", "onnxruntime", "head")
ARCHES = ("x86_64", "aarch64")
REQUIRED = {"name": str, "role": str, "path": str, "bytes": int, "sha256": str, "licence": str}
OPTIONAL = {"arch": str, "in_tree": bool, "source": list}
# Large enough that Python's part is small, small enough to stay in a processor's cache.
HASH_BLOCK = 1 << 20


class ManifestError(Exception):
    """The manifest has mistakes; the message lists them all."""


@dataclass(frozen=True)
class ModelFile:
    name: str
    role: str
    path: str
    bytes: int
    sha256: str
    licence: str
    arch: str = ""
    in_tree: bool = False
    source: list = field(default_factory=list)

    def __str__(self):
        return self.name


def read(path):
    """All files of the manifest, or ManifestError with every mistake in it."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path.name}: {error}") from error
    tables = document.get("file", [])
    mistakes = [f"unknown key {key}" for key in document if key not in ("version", "file")]
    if document.get("version") != VERSION:
        mistakes.append(f"version is {document.get('version')}, this fetch knows {VERSION}")
    for number, table in enumerate(tables, 1):
        label = table.get("name", f"file {number}")
        mistakes += [f"{label}: {mistake}" for mistake in _mistakes(table)]
    names = [table.get("name") for table in tables]
    mistakes += [f"{name}: the name stands twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    if mistakes:
        raise ManifestError("\n  ".join([f"{path.name}: {len(mistakes)} mistake(s)", *mistakes]))
    return [ModelFile(**table) for table in tables]


def _mistakes(table):
    known = REQUIRED | OPTIONAL
    yield from (f"unknown key {key}" for key in table if key not in known)
    yield from (f"{key} is missing" for key in REQUIRED if key not in table)
    wrong = [key for key in table if key in known and type(table[key]) is not known[key]]
    yield from (f"{key} must be a {known[key].__name__}" for key in wrong)
    if wrong or any(key not in table for key in REQUIRED):
        return
    if table["role"] not in ROLES:
        yield f"role {table['role']} is none of {', '.join(ROLES)}"
    if table.get("arch", ARCHES[0]) not in ARCHES:
        yield f"arch {table['arch']} is none of {', '.join(ARCHES)}"
    path = PurePosixPath(table["path"])
    if path.is_absolute() or ".." in path.parts or path.parts[:1] in ((), (".partial",)):
        yield f"path {path} must lie below the models folder"
    if not re.fullmatch("[0-9a-f]{64}", table["sha256"]):
        yield "sha256 must be 64 lower-case hexadecimal digits"
    for source in table.get("source", []):
        if type(source.get("kind")) is not str:
            yield "every source needs a kind"
        yield from (f"source.{key} must be a string or a list of strings" for key in source if not _textual(source[key]))
    if bool(table.get("source")) == table.get("in_tree", False):
        yield "a file has either sources or in_tree = true"


def _textual(value):
    return all(type(item) is str for item in (value if type(value) is list else [value]))


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def pin(path, name, made):
    """Writes size and hash of a file that was made anew into the manifest."""
    draft = path.with_suffix(".new")
    draft.write_text(_pinned(path.read_text(encoding="utf-8"), name, made.stat().st_size, sha256_of(made)), encoding="utf-8")
    draft.replace(path)


def pin_heads(path):
    """Writes size and hash of each `heads/*.onnx` beside the manifest into it; returns their names.

    A head that is new gets a table at the end. Edits the text, so that comments and order stay."""
    text, known = path.read_text(encoding="utf-8"), {file.name for file in read(path)}
    heads = sorted((path.parent / "heads").glob("*.onnx"))
    for head in heads:
        if head.stem not in known:
            text += HEAD_TABLE.format(name=head.stem)
        text = _pinned(text, head.stem, head.stat().st_size, sha256_of(head))
    draft = path.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return [head.stem for head in heads]


HEAD_TABLE = """
[[file]]
name = "{name}"
role = "head"
path = "heads/{name}.onnx"
bytes = 0
sha256 = ""
licence = "Apache-2.0"
in_tree = true
"""


def _pinned(text, name, size, sha256):
    """The manifest's text with another size and hash in the table of that name."""
    start = re.search(rf'^name *= *"{re.escape(name)}"', text, re.MULTILINE).start()
    end = text.find("[[file]]", start)
    end = len(text) if end < 0 else end
    table = text[start:end]
    for key, value in {"bytes": size, "sha256": f'"{sha256}"'}.items():
        table = re.sub(rf"^{key} *=.*$", f"{key} = {value}", table, count=1, flags=re.MULTILINE)
    return text[:start] + table + text[end:]
