"""The parts of models/fetch that need no package: `python3 -m unittest discover -s models/build`,
with the Python of models/fetch's environment."""
import contextlib
import io
import json
import os
import struct
import tempfile
import unittest
from pathlib import Path

import numpy as np
from onnx import TensorProto, load_model_from_string
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

import encoder
import fetch
import graph
import manifest
from ctranslate2 import read_tensors
from graph import LARGEST, RUNTIME_OPS, Graph, quantised
from q4_0 import Blocks, _blocks
from vocabulary import kept_ids, pruned_tokenizer
from whisper import mel_filters
from whisper_onnx import _stays

MANIFEST = """version = 1
[[file]]
name = "mine"
role = "whisper"
path = "whisper/mine.bin"
bytes = 3
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
licence = "MIT"
source = [{ kind = "local", path = "OWN" }]
"""


class Vocabulary(unittest.TestCase):
    def test_which_pieces_stay(self):
        table = {
            "hello": True, "▁hello": True, "您好": True, "▁您": True, "。": True, "50%": True, "¥": True, "€": True,
            "é": True, "▁": True, "café": False, "привет": False, "カ": False, "한": False, "ह": False,
        }
        pieces = ["<s>", "<pad>", "</s>", "<unk>", *table, "<mask>"]
        kept = [pieces[i] for i in kept_ids(pieces)]
        self.assertEqual(kept, ["<s>", "<pad>", "</s>", "<unk>", *(p for p, stays in table.items() if stays), "<mask>"])

    def test_added_tokens_follow_their_pieces(self):
        pieces = ["<s>", "<pad>", "</s>", "<unk>", "한", "好", "<mask>"]
        whole = {"model": {"vocab": [[p, -1.5] for p in pieces]}, "added_tokens": [{"id": 6, "content": "<mask>"}]}
        pruned = json.loads(pruned_tokenizer(json.dumps(whole)))
        self.assertEqual(pruned["added_tokens"][0]["id"], 5)
        self.assertEqual(pruned["model"]["vocab"][5], ["<mask>", -1.5])


class MatMulIntegerToFloat(OpRun):
    """What ONNX Runtime makes of it, for onnx's own evaluator."""

    op_domain = RUNTIME_OPS

    def _run(self, a, b, a_scale, b_scale, a_zero):
        product = (a.astype(np.int64) - a_zero) @ b.astype(np.int64)
        return ((product * (a_scale * b_scale)).astype(np.float32),)


class Weights(unittest.TestCase):
    def test_a_block_is_read_as_q4_0(self):
        nibbles = [*range(16), *reversed(range(16))]
        raw = np.float16(0.5).tobytes() + bytes(nibbles[i] | nibbles[i + 16] << 4 for i in range(16))
        blocks = _blocks(raw, 32, 0, 18, 32)
        self.assertEqual(blocks.nibbles[0, 0].tolist(), nibbles)
        self.assertEqual(blocks.scales.tolist(), [[0.5]])

    def test_packing_puts_neighbours_in_a_byte_and_loses_nothing(self):
        nibbles = np.random.default_rng(1).integers(0, 16, (5, 3, 32), np.uint8)
        packed = Blocks(np.ones((5, 3), np.float32), nibbles).packed()
        self.assertEqual(packed.shape, (5, 3, 16))
        self.assertTrue((np.stack([packed & 15, packed >> 4], -1).reshape(5, 3, 32) == nibbles).all())

    def test_a_product_of_int8_is_near_that_of_fp32_and_hangs_on_no_other_row(self):
        dice = np.random.default_rng(2)
        matrix, scales = dice.integers(-127, 128, (4, 6), np.int8), dice.random(4, np.float32)
        bias, x = dice.random(4, np.float32), dice.random((2, 3, 6), np.float32) - 0.5
        x[0, 1] = 0
        g = Graph()
        g.linear_int8("x", matrix, scales, bias, "out")
        tensor = lambda name, width: (name, TensorProto.FLOAT, ["batch", "rows", width])
        for opset in (graph.OPSET, encoder.OPSET):
            model = load_model_from_string(g.serialised("linear", [tensor("x", 6)], [tensor("out", 4)], opset))
            evaluator = ReferenceEvaluator(model, new_ops=[MatMulIntegerToFloat])
            (found,) = evaluator.run(None, {"x": x})
            step = np.abs(x).max(-1, keepdims=True) / LARGEST
            steps = np.round(np.divide(x, step, out=np.zeros_like(x), where=step > 0))
            weight = (matrix * scales[:, None]).T
            np.testing.assert_allclose(found, steps * step @ weight + bias, rtol=1e-4, atol=1e-4)
            # Half a step of each of six inputs, which are at most 0.5, beside the largest weight.
            np.testing.assert_allclose(found, x @ weight + bias, atol=6 * 0.5 * (0.5 / LARGEST) * np.abs(weight).max())
            np.testing.assert_array_equal(found[0, 1], bias)
            for row in range(3):
                (alone,) = evaluator.run(None, {"x": x[1:, row:row + 1]})
                np.testing.assert_array_equal(alone[0, 0], found[1, row])

    def test_a_graph_has_one_constant_of_a_name(self):
        g = Graph()
        g.constant("one", 1.0), g.constant("one", 1.0)
        self.assertEqual(len(g.constants), 1)
        with self.assertRaisesRegex(ValueError, "another constant 'one'"):
            g.constant("one", 1, np.int64)

    def test_ctranslate2_tensors(self):
        def name(text):
            return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

        data = struct.pack("<I", 6) + name("WhisperSpec") + struct.pack("<2I", 3, 1)
        data += name("a/b") + struct.pack("<B2IBI", 2, 1, 2, 0, 8) + np.float32([1, 2]).tobytes()
        self.assertEqual(read_tensors(data, "WhisperSpec")["a/b"].tolist(), [[1, 2]])
        for broken, spec in ((data, "OtherSpec"), (data[:-1], "WhisperSpec"), (data[:30], "WhisperSpec")):
            with self.assertRaises(ValueError):
                read_tensors(broken, spec)

    def test_int8_weights_are_within_half_a_step(self):
        weight = np.random.default_rng(3).standard_normal((5, 40)).astype(np.float32)
        weight[2] = 0
        matrix, scales = quantised(weight)
        self.assertTrue((np.abs(matrix * scales[:, None] - weight) <= scales[:, None] * 0.5001).all())
        self.assertEqual(np.abs(matrix).max(), 127)

    def test_which_tokens_of_whisper_stay(self):
        table = {
            " hello": True, "您": True, "，": True, " é": True, " 5": True, "-": True, "'s": True,
            "привет": False, "カ": False, "한": False, " (": False, "♪": False, " -": False,
        }
        self.assertEqual({text: _stays(text.encode()) for text in table}, table)
        self.assertTrue(_stays(b"\xe6\x82"))  # a part of a character

    def test_mel_filters_have_area_one_on_average(self):
        filters = mel_filters(80)
        self.assertEqual(filters.shape, (80, 201))
        self.assertTrue(0.9 < filters[40:].sum(1).mean() * 40 < 1.1)  # bins are 40 Hz apart


class Sounds(unittest.TestCase):
    def test_a_piece_is_given_the_sum_of_its_sounds(self):
        g = encoder._Graph()
        learned = {
            # The first is silence; of four pieces one has no sound, and two sound alike.
            "sounds": np.array([[0, 0], [1, 2], [10, 20]], np.float32),
            "sounds_of_pieces": np.array([[0, 0], [1, 2], [2, 0], [1, 2]], np.int16),
        }
        encoder._sounding(g, "x", learned)
        inputs = [("x", TensorProto.FLOAT, [1, 4, 2]), ("input_ids", TensorProto.INT64, [1, 4])]
        model = load_model_from_string(g.serialised("sounds", inputs, [("embedded", TensorProto.FLOAT, [1, 4, 2])], encoder.OPSET))
        x = np.arange(8, dtype=np.float32).reshape(1, 4, 2)
        (made,) = ReferenceEvaluator(model).run(None, {"x": x, "input_ids": np.array([[3, 0, 2, 1]])})
        self.assertEqual((made - x).tolist(), [[[11, 22], [0, 0], [10, 20], [11, 22]]])


class Fetch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.own, self.manifest = self.root / "own.bin", self.root / "manifest.toml"
        self.placed = self.root / "cache/whisper/mine.bin"
        self.manifest.write_text(MANIFEST.replace("OWN", str(self.own)))
        (self.root / "cache").mkdir()
        os.environ["CALLQA_MODELS"] = str(self.root / "cache")

    def fetch(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            return fetch.main(["--manifest", str(self.manifest), *arguments]), said.getvalue()

    def test_a_file_of_ones_own_is_brought_once(self):
        self.own.write_bytes(b"abc")
        self.assertEqual(self.fetch()[0], 0)
        self.own.unlink()
        self.assertEqual(self.fetch()[0], 0)
        self.assertEqual(self.fetch("--verify")[0], 0)
        self.assertEqual(self.placed.read_bytes(), b"abc")

    def test_a_wrong_hash_refuses_and_shows_both(self):
        self.own.write_bytes(b"abd")
        code, said = self.fetch()
        self.assertEqual(code, 1)
        self.assertIn("wanted ba7816bf", said)
        self.assertIn("found  a52d159f", said)
        self.assertFalse(self.placed.exists())

    def test_a_spoilt_file_is_refused_until_it_is_replaced(self):
        self.own.write_bytes(b"abc")
        self.placed.parent.mkdir()
        self.placed.write_bytes(b"abcd")
        self.assertEqual(self.fetch()[0], 1)
        self.assertEqual(self.placed.read_bytes(), b"abcd")
        self.assertEqual(self.fetch("--replace")[0], 0)
        self.assertEqual(self.placed.read_bytes(), b"abc")

    def test_heads_are_pinned_in_place(self):
        (self.root / "heads").mkdir()
        self.own.write_bytes(b"abc")
        head = self.root / "heads/script.onnx"
        for content in (b"one", b"three"):
            head.write_bytes(content)
            self.fetch("--pin-heads")
            self.assertEqual(self.fetch()[0], 0)
        self.assertEqual([f.bytes for f in manifest.read(self.manifest)], [3, 5])
        head.write_bytes(b"other")
        self.assertEqual(self.fetch()[0], 1)

    def test_mistakes_are_told_together(self):
        text = MANIFEST.replace('"whisper"', '"listener"').replace("whisper/mine.bin", "../mine.bin")
        self.manifest.write_text(text.replace("ba78", "BA78"))
        code, said = self.fetch()
        self.assertEqual(code, 1)
        for word in ("3 mistake(s)", "listener", "../mine.bin", "sha256"):
            self.assertIn(word, said)


if __name__ == "__main__":
    unittest.main()
