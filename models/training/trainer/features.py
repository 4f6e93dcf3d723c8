"""The shipped encoder, and the matrix that a head sees: one row an utterance, laid out as in the worker."""
import hashlib

import numpy as np
import onnxruntime

from encoder import PAD_ID, WIDTH
from network import FEATURES

# As the worker: a text is padded to a length that it has by itself, and never alone in a batch, so
# that its embedding is the same to the last bit whatever stands beside it.
LENGTHS = (8, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128)
BATCH = 8


class Shipped:
    """The encoder as the worker runs it."""

    def __init__(self, data, texts):
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.texts, self.known = texts, {}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def features(self, lines):
        """[n, FEATURES] float32."""
        self._learn({text for line in lines for text in line.texts()})
        rows = np.zeros((len(lines), FEATURES), np.float32)
        for row, line in zip(rows, lines):
            row[:WIDTH] = self.known[line.text]
            for place, context in enumerate(line.before, 1):
                if context:
                    row[place * WIDTH:(place + 1) * WIDTH] = self.known[context[0]]
            row[3 * WIDTH:] = line.flags()
        return rows

    def _learn(self, texts):
        by_length = {}
        for text in sorted(texts - self.known.keys()):
            ids = self.texts.ids(text)
            by_length.setdefault(next(length for length in LENGTHS if len(ids) <= length), []).append((text, ids))
        for length, rows in sorted(by_length.items()):
            for start in range(0, len(rows), BATCH):
                self._embed(rows[start:start + BATCH], length)

    def _embed(self, rows, length):
        count = max(2, len(rows))
        ids, mask = np.full((count, length), PAD_ID, np.int64), np.zeros((count, length), np.int64)
        for place in range(count):
            tokens = rows[place % len(rows)][1]
            ids[place, :len(tokens)], mask[place, :len(tokens)] = tokens, 1
        (points,) = self.session.run(["sentence_embedding"], {"input_ids": ids, "attention_mask": mask})
        self.known.update(zip((text for text, _ in rows), points))
