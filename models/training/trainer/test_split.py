"""Which dialogues are learned and which are not, on those of data/; figures of rows that weigh differently."""
import re
import unittest
from pathlib import Path

import numpy as np

import thresholds
from dialogues import Utterance, is_unseen, is_validation, read, spoken, turns
from measures import f_score, precision_recall

DATA = Path(__file__).resolve().parent.parent / "data"
SCENE = re.compile(r"(..-[a-z]{1,2}-[a-z]?)(\d+)")


class Split(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.names = {dialogue.id for dialogue in read(sorted(DATA.glob("*.jsonl")))}

    def test_nothing_unseen_was_learned_as_it_was_heard(self):
        for name in self.names:
            self.assertEqual(is_validation(name), is_validation(spoken(name)), name)

    def test_the_other_half_of_an_unseen_scene_was_not_learned(self):
        checked = 0
        for name in filter(is_unseen, self.names):
            scene = SCENE.fullmatch(name)
            if not scene or re.match(r"..-[cfovy]-", name):
                continue
            stem, number = scene.groups()
            for beside in (int(number) - 1, int(number) + 1):
                other = f"{stem}{beside:0{len(number)}}"
                if other in self.names:
                    self.assertTrue(is_validation(other), f"{name} is unseen, {other} learned")
                    checked += 1
        self.assertGreater(checked, 1000)

    def test_a_line_without_words_belongs_to_no_turn(self):
        said = [Utterance(speaker, text, frozenset(), 0) for speaker, text in
                (("agent", "您好"), ("customer", "……"), ("agent", "请讲"), ("customer", "网断了"))]
        self.assertEqual(turns(said), [[0, 2], [3]])


class Weights(unittest.TestCase):
    def setUp(self):
        dice = np.random.default_rng(5)
        self.truth = (dice.random(400) < 0.3).astype(float)
        self.score = np.clip(self.truth * 0.4 + dice.random(400) * 0.6, 0, 1)
        self.ordinary = dice.random(400) < 0.5
        self.weight = dice.integers(1, 4, 400).astype(float)
        self.times = np.repeat(np.arange(400), self.weight.astype(int))

    def test_a_row_counts_as_often_as_it_weighs(self):
        found = self.score >= 0.5
        again = self.times
        self.assertEqual(precision_recall(self.truth, found, self.weight), precision_recall(self.truth[again], found[again]))
        self.assertEqual(f_score(self.truth, found, 0.5, self.weight), f_score(self.truth[again], found[again], 0.5))

    def test_thresholds_are_those_of_rows_that_stand_so_often(self):
        again = self.times
        for label in ("rude", "explains", "greeting"):
            self.assertEqual(thresholds.choose(label, self.truth, self.score, self.ordinary, self.weight),
                             thresholds.choose(label, self.truth[again], self.score[again], self.ordinary[again], np.ones(len(again))))


if __name__ == "__main__":
    unittest.main()
