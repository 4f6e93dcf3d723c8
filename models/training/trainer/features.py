"""The matrix that a head sees: one row an utterance, laid out as in the worker.

current embedding (384) | the turn before (384) | the one before that (384) | is_agent |
prev1_present | prev1_is_agent | prev2_present | prev2_is_agent
"""
from dataclasses import dataclass

import numpy as np

from dialogues import contexts
from encoder import WIDTH

FLAGS = 5
FEATURES = 3 * WIDTH + FLAGS


@dataclass
class Table:
    """Utterances with features; all arrays have a row an utterance."""
    features: np.ndarray
    dialogue: np.ndarray
    lang: np.ndarray
    speaker: np.ndarray
    rendering: np.ndarray
    labels: list
    texts: list

    def rows(self, mask):
        picked = np.flatnonzero(mask)
        return Table(self.features[picked], self.dialogue[picked], self.lang[picked], self.speaker[picked],
                     self.rendering[picked], [self.labels[i] for i in picked], [self.texts[i] for i in picked])

    def truth(self, labels):
        """[n, labels] float64 of 0 and 1."""
        return np.array([[label in row for label in labels] for row in self.labels], np.float64)


def table(dialogues, rendering, encoder):
    """The features of dialogues under one rendering of `renderings.RENDERINGS`."""
    name, render = rendering
    lines = []
    for dialogue in map(render, dialogues):
        lines += [(dialogue, u, *c) for u, c in zip(dialogue.utterances, contexts(dialogue.utterances))]
    texts = [text for _, u, *before in lines for text in (u.text, *(b[0] for b in before if b))]
    embeddings = iter(encoder.embed(texts))
    features = np.zeros((len(lines), FEATURES), np.float32)
    for row, (_, utterance, *before) in zip(features, lines):
        row[:WIDTH] = next(embeddings)
        row[3 * WIDTH] = utterance.speaker == "agent"
        for place, context in enumerate(before):
            if context:
                row[(place + 1) * WIDTH:(place + 2) * WIDTH] = next(embeddings)
                row[3 * WIDTH + 1 + 2 * place:3 * WIDTH + 3 + 2 * place] = 1, context[1] == "agent"
    column = lambda values: np.array(list(values))
    return Table(features, column(d.id for d, *_ in lines), column(d.lang for d, *_ in lines),
                 column(u.speaker for _, u, *_ in lines), column(name for _ in lines),
                 [u.labels for _, u, *_ in lines], [u.text for _, u, *_ in lines])


def stacked(tables):
    join = lambda field: np.concatenate([getattr(t, field) for t in tables])
    return Table(join("features"), join("dialogue"), join("lang"), join("speaker"), join("rendering"),
                 sum((t.labels for t in tables), []), sum((t.texts for t in tables), []))


def without_context(rows):
    """The same utterances as if nothing had been said before."""
    features = rows.features.copy()
    features[:, WIDTH:3 * WIDTH] = 0
    features[:, 3 * WIDTH + 1:] = 0
    return Table(features, rows.dialogue, rows.lang, rows.speaker, np.full(len(rows.labels), "alone"),
                 rows.labels, rows.texts)
