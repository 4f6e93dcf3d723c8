"""Requests whose politeness people judged (TyDiP @ dfc63068, CC BY 4.0; English, by editors and programmers).

Half of them, by a hash of the words, teach which of two is politer; tests/eval measures on the rest."""
import csv
from pathlib import Path

from dialogues import FormatError
from network import Line
from tydip_half import is_learned

# Of two requests that are compared: in TyDiP's scores, whose standard deviation is 0.8.
APART = 0.7


class Requests:
    """`rows`: (politeness, text). None of them: no pairs."""

    def __init__(self, rows=()):
        self.rows = list(rows)

    @classmethod
    def read(cls, path: Path):
        with path.open(encoding="utf-8", newline="") as file:
            try:
                rows = sorted((float(row["score"]), row["sentence"]) for row in csv.DictReader(file))
            except (KeyError, TypeError, ValueError) as error:
                raise FormatError(f"{path}: no table of `sentence` and `score` as TyDiP has it") from error
        rows = [row for row in rows if is_learned(row[1])]
        if not rows or rows[-1][0] - rows[0][0] < APART:
            raise FormatError(f"{path}: no two requests of which one is clearly politer")
        return cls(rows)

    def described(self):
        """For the cards."""
        if not self.rows:
            return "No public set."
        return (f"{len(self.rows)} English requests of TyDiP (dfc63068, CC BY 4.0) taught the encoder and the politeness head which "
                "of two is politer.")

    def draw(self, count, dice):
        """Pairs of lines, the politer one first."""
        pairs = []
        while self.rows and len(pairs) < count:
            less, more = sorted(dice.sample(self.rows, 2))
            if more[0] - less[0] >= APART:
                pairs.append([Line("agent", text, frozenset(), (None, None)) for _, text in (more, less)])
        return pairs
