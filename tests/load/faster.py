"""faster-whisper on a list of recordings, channel by channel: `faster.py plain|batched THREADS WEIGHTS LIST`.

Its own defaults but for these: the language is told, and it decodes greedily, which costs least.
"""
import json
import resource
import sys
import time
import wave

import numpy as np
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.vad import get_vad_model

mode, threads, weights, listed = sys.argv[1:]
model = WhisperModel(weights, device="cpu", compute_type="int8", cpu_threads=int(threads))
pipeline = BatchedInferencePipeline(model) if mode == "batched" else model
options = {"beam_size": 1, "vad_filter": True} | ({"batch_size": 8} if mode == "batched" else {})
get_vad_model()  # opened before the clock runs, as the other models are

wall, cpu, audio = time.monotonic(), time.process_time(), 0.0
for line in open(listed, encoding="utf-8"):
    language, path = line.rstrip("\n").split("\t")
    with wave.open(path) as file:
        count = file.getnchannels()
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, count)
    for channel in range(count):
        sound = np.ascontiguousarray(samples[:, channel], np.float32) / 32768
        segments, _ = pipeline.transcribe(sound, language=language, **options)
        print(json.dumps({"file": path, "channel": channel, "text": " ".join(s.text for s in segments)}))
        audio += len(sound) / 16000
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.monotonic() - wall, "peak_mib": peak, "audio": audio}))
