"""The shipped encoder, run as the worker runs it: one row an utterance."""
import hashlib
import platform
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

from encoder import PAD_ID, WIDTH
from network import FEATURES

# As the worker: a row is padded to a length that it has by itself, and never alone in a batch, so
# that its numbers are the same to the last bit whatever stands beside it.
LENGTHS = (8, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192)
BATCH = 8
THREADS = 2


class Shipped:
    """Both parts of the encoder: `alone` reads a text by itself, `together` an utterance with what came before."""

    def __init__(self, alone, together, texts):
        self.sha256 = hashlib.sha256(alone).hexdigest()
        self.context_sha256 = hashlib.sha256(together).hexdigest()
        self.texts = texts
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        if not _multiplies_int8_exactly():
            options.add_session_config_entry("session.x64quantprecision", "1")
        open_ = lambda data: onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self.alone, self.together = open_(alone), open_(together)

    def features(self, lines):
        """[n, FEATURES] float32."""
        states = self._states({text for line in lines for text in line.texts()})
        rows = [self.texts.tokens(line) for line in lines]
        found = np.zeros((len(lines), FEATURES), np.float32)

        def embed(batch):
            length, places = batch
            inputs = np.zeros((len(places), length, WIDTH), np.float32)
            segments, mask = np.zeros((2, len(places), length), np.int64)
            for place, number in enumerate(places):
                for token, (text, i, which) in enumerate(rows[number]):
                    inputs[place, token], segments[place, token], mask[place, token] = states[text][i], which, 1
            fed = {"states": inputs, "segments": segments, "attention_mask": mask}
            (found[places],) = self.together.run(["utterance_embedding"], fed)

        self._each(embed, _batches([len(row) for row in rows]))
        return found

    def _states(self, texts):
        """Each text's [tokens, WIDTH]."""
        texts, states = sorted(texts), {}
        ids = [self.texts.ids(text) for text in texts]

        def read(batch):
            length, places = batch
            padded, mask = np.full((len(places), length), PAD_ID, np.int64), np.zeros((len(places), length), np.int64)
            for place, number in enumerate(places):
                padded[place, :len(ids[number])], mask[place, :len(ids[number])] = ids[number], 1
            (made,) = self.alone.run(["states"], {"input_ids": padded, "attention_mask": mask})
            states.update((texts[number], made[place, :len(ids[number])]) for place, number in enumerate(places))

        self._each(read, _batches([len(row) for row in ids]))
        return states

    @staticmethod
    def _each(work, batches):
        """Batches are independent: the order in which they are done changes nothing."""
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(work, batches):
                pass


def _multiplies_int8_exactly():
    """As the worker asks its processor (models/src/onnx.rs): without VNNI, x86-64 adds products in pairs in 16 bits."""
    return platform.machine() != "x86_64" or "vnni" in Path("/proc/cpuinfo").read_text()


def _batches(lengths):
    """(padded length, places) of each batch; a single row stands twice."""
    by_length = {}
    for place, own in enumerate(lengths):
        by_length.setdefault(next(length for length in LENGTHS if own <= length), []).append(place)
    for length, places in sorted(by_length.items()):
        for start in range(0, len(places), BATCH):
            batch = places[start:start + BATCH]
            yield length, batch if len(batch) > 1 else batch * 2
