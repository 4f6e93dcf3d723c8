"""Texts to embeddings, as the worker makes them, remembered on disk."""
import hashlib

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

PREFIX = "query: "
MAX_TOKENS = 64
WIDTH = 384
PAD_ID = 1
BATCH = 8
# Fixed shapes make a text's embedding the same to the last bit, whatever stands beside it.
LENGTHS = (8, 12, 16, 20, 24, 32, 40, 48, 64)


class Encoder:
    def __init__(self, models, cache):
        weights = (models / "e5" / "encoder.onnx").read_bytes()
        self.sha256 = hashlib.sha256(weights).hexdigest()
        self.tokenizer = Tokenizer.from_file(str(models / "e5" / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        tokenizer = hashlib.sha256((models / "e5" / "tokenizer.json").read_bytes()).hexdigest()
        self.file = cache / f"{self.sha256[:16]}-{tokenizer[:16]}.npz"
        self.known = {}
        if self.file.exists():
            with np.load(self.file) as saved:
                self.known = dict(zip(saved["keys"].tolist(), saved["rows"]))

    def embed(self, texts):
        """Row of each text, [n, 384] float32, of length 1."""
        missing = sorted({text for text in texts if _key(text) not in self.known})
        if missing:
            self._encode(missing)
            self._save()
        return np.stack([self.known[_key(text)] for text in texts])

    def _encode(self, texts):
        by_length = {}
        for text in texts:
            ids = self.tokenizer.encode(PREFIX + text).ids
            length = next(length for length in LENGTHS if len(ids) <= length)
            by_length.setdefault(length, []).append((text, ids))
        print(f"encoding {len(texts)} texts", flush=True)
        for length, rows in sorted(by_length.items()):
            for start in range(0, len(rows), BATCH):
                self._encode_batch(rows[start:start + BATCH], length)

    def _encode_batch(self, rows, length):
        ids = np.full((BATCH, length), PAD_ID, np.int64)
        mask = np.zeros((BATCH, length), np.int64)
        for place, (_, tokens) in enumerate(rows):
            ids[place, :len(tokens)], mask[place, :len(tokens)] = tokens, 1
        (embeddings,) = self.session.run(["sentence_embedding"], {"input_ids": ids, "attention_mask": mask})
        for (text, _), embedding in zip(rows, embeddings):
            self.known[_key(text)] = (embedding / np.linalg.norm(embedding)).astype(np.float32)

    def _save(self):
        self.file.parent.mkdir(parents=True, exist_ok=True)
        draft = self.file.with_suffix(".new.npz")
        keys = sorted(self.known)
        np.savez(draft, keys=np.array(keys), rows=np.stack([self.known[key] for key in keys]))
        draft.replace(self.file)


def _key(text):
    return hashlib.sha256(text.encode()).hexdigest()[:32]
