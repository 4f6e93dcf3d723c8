"""Trains the heads: reads the dialogues, makes the features, and writes models and cards.
Started by models/training/train."""
import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

import card
import export
from contract import TASKS, labels_of
from dialogues import FormatError, is_test, read
from encoder import Encoder
from features import stacked, table, without_context
from groups import groups, train
from renderings import RENDERINGS

TRAINING = Path(__file__).resolve().parent.parent
VERSION = "1"
# Rows on which a written head is run against the network it was made from.
SAMPLE = 256


def main(arguments):
    options = _options(arguments)
    started = time.monotonic()
    try:
        dialogues = read(sorted(options.data.glob("*.jsonl")))
        encoder = Encoder(Path(os.environ["CALLQA_MODELS"]), options.cache)
        seen = _tables([d for d in dialogues if not is_test(d.id)], encoder)
        test = [table([d for d in dialogues if is_test(d.id)], pair, encoder) for pair in RENDERINGS.items()]
        trained = [_announced(group, seen) for group in groups()]
        options.out.mkdir(parents=True, exist_ok=True)
        for task in TASKS:
            _write(task, [t for t in trained if t.group.task == task], stacked(test), encoder, dialogues, options.out)
    except (FormatError, OSError, export.ExportError) as error:
        print(f"models/training/train: {error}", file=sys.stderr)
        return 1
    print(f"done in {time.monotonic() - started:.0f} s")
    return 0


def _options(arguments):
    parser = argparse.ArgumentParser(prog="models/training/train", description="Trains the three heads.")
    parser.add_argument("--data", type=Path, default=TRAINING / "data", help="folder of labelled dialogues (*.jsonl)")
    parser.add_argument("--out", type=Path, default=TRAINING.parent / "heads", help="where models and cards go")
    parser.add_argument("--cache", type=Path, required=True, help="folder that remembers embeddings")
    return parser.parse_args(arguments)


def _tables(dialogues, encoder):
    tables = [table(dialogues, pair, encoder) for pair in RENDERINGS.items()]
    bare = tables[list(RENDERINGS).index("bare")]
    return stacked([*tables, without_context(bare)])


def _announced(group, seen):
    started = time.monotonic()
    trained = train(group, seen)
    merits = ", ".join(f"{merit:.3f}" for _, merit in trained.trials)
    print(f"{group}: {trained.shape} (of {merits}), {time.monotonic() - started:.0f} s", flush=True)
    return trained


def _write(task, trained, test, encoder, dialogues, out):
    labels = labels_of(task)
    thresholds = {label: pair for part in trained for label, pair in part.thresholds.items()}
    metadata = {
        "callqa.version": VERSION,
        "callqa.labels": ",".join(labels),
        "callqa.thresholds": export.thresholds_json(labels, thresholds),
        "callqa.encoder_sha256": encoder.sha256,
    }
    data = export.head_bytes(task, labels, trained, metadata, test.features[:SAMPLE])
    (out / f"{task}.onnx").write_bytes(data)
    (out / f"{task}.md").write_text(card.page(task, labels, trained, test, dialogues, encoder.sha256), "utf-8")
    print(f"{task}.onnx, {len(data):,} bytes", flush=True)


if __name__ == "__main__":
    np.seterr(over="raise", invalid="raise", divide="raise")
    sys.exit(main(sys.argv[1:]))
