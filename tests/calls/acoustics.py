"""What a stop-watch says of a rendered call, by the published definitions (tests/calls/README.md).

It reads the voices before noise is added, so it knows the truth and needs no voice activity detector.
"""
import re

import numpy as np

FRAME_MS = 10
# Kokoro is silent to the last bit between words; 45 dB under a normal voice is no voice.
FLOOR = 10 ** (-66 / 20)
JOIN_MS = 300
SILENCE_MS = 3_000
OVERLAP_MS = 500
INTERRUPTION_AFTER_MS = 1_000


def measure(track, rate, scripted, turns):
    agent, customer = (spans(channel, rate) for channel in track)
    return {
        "agent_speech_ms": total(agent),
        "customer_speech_ms": total(customer),
        "agent_pace_per_min": pace(scripted, agent),
        "silences_ms": silences(agent, customer),
        "interruptions_by_agent_ms": interruptions(agent, customer),
        "interruptions_by_customer_ms": interruptions(customer, agent),
    }


def spans(channel, rate):
    size = rate * FRAME_MS // 1000
    frames = channel[: len(channel) // size * size].reshape(-1, size)
    voiced = np.sqrt((frames**2).mean(axis=1)) > FLOOR
    found = []
    for at in np.flatnonzero(voiced):
        start = int(at) * FRAME_MS
        if found and start - found[-1][1] < JOIN_MS:
            found[-1][1] = start + FRAME_MS
        else:
            found.append([start, start + FRAME_MS])
    return found


def total(found):
    return sum(end - start for start, end in found)


def pace(scripted, agent):
    """Han characters (or words) a minute of the agent's own speech."""
    said = "".join(t["text"] + " " for t in scripted if t["speaker"] == "agent")
    units = len(re.findall(r"[\u4e00-\u9fff]", said)) or len(said.split())
    return round(units * 60_000 / total(agent))


def silences(agent, customer):
    gaps, end = [], 0
    for start, stop in sorted(agent + customer):
        if start - end >= SILENCE_MS:
            gaps.append([end, start])
        end = max(end, stop)
    return gaps


def interruptions(who, other):
    """Starts of `who` at least 1 s into a span of `other`, with both speaking for 0.5 s or more."""
    return [start for start, stop in who for begin, end in other
            if begin + INTERRUPTION_AFTER_MS <= start < end and min(stop, end) - start >= OVERLAP_MS]
