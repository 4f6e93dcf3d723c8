"""Puts the turns of a call on a timeline and through a telephone line: 300-3400 Hz, 8 kHz, light noise."""
import hashlib
import json
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, resample_poly, sosfilt

import acoustics
import kokoro

RATE = 8_000
CHANNELS = {"agent": 0, "customer": 1}
# Level of speech while it sounds, in dBFS RMS: what lines of today deliver (about -20, less from mobiles).
LEVEL_DB = {"agent": -21.0, "customer": -23.0}
NOISE_DB = -64.0
# Breath between two sentences of one turn: a new utterance for a listener, not a new turn.
SENTENCE_PAUSE_MS = 380
TURN_PAUSE_MS = 550
LEAD_OUT_MS = 900
BAND = butter(4, (300, 3400), "bandpass", fs=RATE, output="sos")
# Speech of two channels at telephone band. Measured at 24, 32 and 40 kbit/s alike: one voice leaks into the
# other's channel at -73 dBFS at most, which is under the line's noise.
OPUS_KBITS = 24


def render(call, speaker):
    script = call.script
    turns, track = [], np.zeros((2, RATE * 240), np.float32)
    clock = 0
    for turn in script["turns"]:
        voice = script["voices"][turn["speaker"]]
        start = clock + ms(turn.get("pause_before_ms", TURN_PAUSE_MS))
        sentences, at = [], start
        for text in split(turn["text"]):
            wave = level(resample_poly(speaker.say(text, voice["id"], voice["speed"]), 1, kokoro.RATE // RATE),
                         LEVEL_DB[turn["speaker"]])
            track[CHANNELS[turn["speaker"]], at:at + len(wave)] += wave
            sentences.append({"text": text, "start_ms": to_ms(at), "end_ms": to_ms(at + len(wave))})
            end = at + len(wave)
            at = end + ms(SENTENCE_PAUSE_MS)
        clock = end
        turns.append({"speaker": turn["speaker"], "start_ms": to_ms(start), "end_ms": to_ms(end),
                      "labels": turn.get("labels", []), "sentences": sentences})
    last = max(t["end_ms"] for t in turns)
    cut = script.get("line_cut_before_end_ms")
    length = ms(last - cut) if cut else ms(last + LEAD_OUT_MS)
    for turn in turns:
        turn["end_ms"] = min(turn["end_ms"], to_ms(length))
    heard = telephone(track[:, :length], seed=int(call.id[:2]))
    write(call, heard)
    document = {
        "id": call.id, "synthetic": True, "audio": call.audio.name,
        "sha256": hashlib.sha256(call.audio.read_bytes()).hexdigest(),
        "duration_ms": to_ms(length), "turns": turns,
        "acoustics": acoustics.measure(track[:, :length], RATE, script["turns"], turns),
    }
    call.timeline.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def split(text):
    return [s.strip() for s in re.findall(r"[^。？！.?!]+(?:[。？！.?!]+|$)", text) if s.strip()]


def level(wave, target_db):
    loud = np.abs(wave) > 0.05 * np.abs(wave).max()
    rms = np.sqrt(np.mean(wave[loud] ** 2))
    return (wave * 10 ** (target_db / 20) / rms).astype(np.float32)


def telephone(track, seed):
    noise = np.random.default_rng(seed).normal(0, 10 ** (NOISE_DB / 20), track.shape)
    heard = sosfilt(BAND, track + noise, axis=1)
    return np.clip(heard, -0.99, 0.99).T


def write(call, heard):
    if call.script["audio"] == "ulaw":
        soundfile.write(call.audio, heard, RATE, subtype="ULAW")
        return
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.wav"
        soundfile.write(plain, heard, RATE, subtype="PCM_16")
        # A fixed stream serial, because a random one would change the file's digest at each making.
        subprocess.run(["opusenc", "--quiet", "--bitrate", str(OPUS_KBITS), "--serial", call.id[:2],
                        "--speech", str(plain), str(call.audio)], check=True)


def ms(milliseconds):
    return round(milliseconds * RATE / 1000)


def to_ms(samples):
    return round(samples * 1000 / RATE)
