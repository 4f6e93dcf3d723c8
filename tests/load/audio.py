"""The recordings of the comparison, as 16 kHz WAV that every system reads, and what is said in them.

Decoding is done once and by neither side: PyAV, in the peers' environment.
"""
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The sample calls, and two more that are heard here alone: for enough Mandarin to tell small differences apart.
CALLS = (HERE.parent / "calls", HERE / "calls")
CACHE = Path(os.environ.get("CALLQA_CACHE", Path.home() / ".cache" / "callqa")) / "bench"
# The agents of these recordings read from scripts, which stand beside them.
SCRIPTED = ("demo_agent", "demo_agent1", "demo_agent2")
# Both channels of one real call; nobody wrote down what they say.
REAL_CALL = ("Auto_Repairs_40_UTC_agent.wav", "Auto_Repairs_40_UTC_caller.wav")

# Runs in the peers' environment: channels in, one 16-bit WAV of them all out.
DECODE = """
import sys, wave
import av, numpy as np
*sources, target = sys.argv[1:]
def channels(path):
    container = av.open(path)
    stream = container.streams.audio[0]
    layout = "stereo" if stream.codec_context.layout.nb_channels > 1 else "mono"
    resampler = av.AudioResampler(format="s16p", layout=layout, rate=16000)
    frames = [f for frame in container.decode(stream) for f in resampler.resample(frame)] + resampler.resample(None)
    return np.concatenate([frame.to_ndarray() for frame in frames], 1)
rows = [channels(source) for source in sources]
rows = rows if len(rows) == 1 else [row[:1] for row in rows]
length = min(row.shape[1] for row in rows)
samples = np.concatenate([row[:, :length] for row in rows])
with wave.open(target, "wb") as out:
    out.setnchannels(len(samples)), out.setsampwidth(2), out.setframerate(16000)
    out.writeframes(samples.T.copy().tobytes())
"""


@dataclass
class Recording:
    name: str
    language: str
    kind: str  # real or synthetic
    path: Path
    sources: list
    # Of each channel, its sentences and whether they are scored; empty where nobody wrote them down.
    sentences: list = field(default_factory=list)


def recordings(python, folder):
    found = [*_sample_calls(), *_real(_folder(folder))]
    CACHE.mkdir(parents=True, exist_ok=True)
    for recording in found:
        if not recording.path.exists():
            draft = recording.path.with_suffix(".new")
            subprocess.run([python, "-c", DECODE, *map(str, recording.sources), str(draft)], check=True)
            draft.replace(recording.path)
    return found


def missing(folder):
    """A sentence for the table where there are no real recordings."""
    folder = _folder(folder)
    return "" if folder else "SKIPPED: real recordings (set CALLQA_TEST_AUDIO to the folder that holds them)"


def _folder(folder):
    given = folder or os.environ.get("CALLQA_TEST_AUDIO")
    folder = Path(given) if given else HERE.parents[2] / "shared" / "data" / "audio"
    if folder.is_dir():
        return folder
    print(f"SKIPPED: no real recordings in {given or 'CALLQA_TEST_AUDIO'}", file=sys.stderr)
    return None


def _sample_calls():
    for timeline in sorted(path for folder in CALLS for path in folder.glob("*.timeline.json")):
        call = json.loads(timeline.read_text("utf-8"))
        said = {"agent": [], "customer": []}
        for turn in call["turns"]:
            said[turn["speaker"]] += [(sentence["text"], True) for sentence in turn["sentences"]]
        yield Recording(
            call["id"], call["id"].split("-")[1], "synthetic", CACHE / f"{call['id']}.wav", [timeline.with_name(call["audio"])],
            [said["agent"], said["customer"]],
        )


def _real(folder):
    if not folder:
        return
    calls, clips = folder / "en_calls", folder / "zh_clips"
    sources = [calls / name for name in REAL_CALL]
    if all(source.exists() for source in sources):
        yield Recording("auto-repairs", "en", "real", CACHE / "auto-repairs.wav", sources)
    departed = json.loads((HERE / "departures.json").read_text("utf-8"))
    for name in SCRIPTED:
        if (calls / f"{name}.wav").exists():
            script = _script(calls / f"{name}.script.md", departed[name])
            yield Recording(name, "en", "real", CACHE / f"{name}.wav", [calls / f"{name}.wav"], [script])
    if (clips / "transcripts.tsv").exists():
        for line in (clips / "transcripts.tsv").read_text("utf-8").splitlines()[1:]:
            name, _, _, text, *_ = line.split("\t")
            yield Recording(name[:-4], "zh", "real", CACHE / name, [clips / name], [[(text, True)]])


def _script(path, departed):
    """The agent's sentences; those that were left out or worded otherwise are aligned and not scored."""
    lines = re.findall(r"^\s*\*\*Agent\*\*:\s*(.+)$", path.read_text("utf-8"), re.MULTILINE)
    lines = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line).replace("*", "") for line in lines)
    sentences = [s for line in lines for s in re.split(r"(?<=[.!?])\s+|\.\.+\s*", line) if re.search(r"\w", s)]
    return [(sentence, i not in departed) for i, sentence in enumerate(sentences)]
