"""Trains encoder, heads and outcome model, and writes them with their cards. Started by models/training/train."""
import argparse
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

import card
import export
import outcome
from contract import TASKS, labels_of, speaker_of
from dialogues import FormatError, bucket, is_unseen, is_validation, read
from encoder import Encoder, Texts
from features import Shipped
from fit import Plan, TrainingError, fit
from heads import Unseen, finish
from measures import average_precision
from network import GROUPS, Network, truth
from tydip import Requests

TRAINING = Path(__file__).resolve().parent.parent
MODELS = TRAINING.parent
VERSION = "5"
CHOSEN = Plan(tuned=12, epochs=1.55)
# What --compare trains, each for as long, on one of so many dialogues.
COMPARED = (Plan(tuned=0, epochs=3), Plan(tuned=4, epochs=3), Plan(tuned=12, epochs=3))
COMPARED_SHARE = 3
# Lines on which encoder and heads as they are written are held against the network that they were made from.
SAMPLE = 256
# Least cosine of an embedding to that of the trained network: weights and what they multiply became int8, and a mistake in
# the graphs would show.
ALIKE = 0.99


def main(arguments):
    options = _options(arguments)
    started = time.monotonic()
    try:
        dialogues = read(sorted(options.data.glob("*.jsonl")))
        requests = Requests.read(options.requests) if options.requests else Requests()
        if options.compare:
            _compare(dialogues, requests, options)
        else:
            _make(dialogues, requests, options)
    except (FormatError, TrainingError, OSError, export.ExportError, subprocess.CalledProcessError) as error:
        print(f"models/training/train: {error}", file=sys.stderr)
        return 1
    print(f"done in {time.monotonic() - started:.0f} s")
    return 0


def _options(arguments):
    parser = argparse.ArgumentParser(prog="models/training/train", description="Trains encoder, heads and outcome model.")
    parser.add_argument("--data", type=Path, default=TRAINING / "data", help="folder of labelled dialogues (*.jsonl)")
    parser.add_argument("--held-out", type=Path, default=MODELS.parent / "tests" / "eval" / "data",
                        help="folder of dialogues by other hands, for the cards alone")
    parser.add_argument("--out", type=Path, default=MODELS / "heads", help="where models and cards go")
    parser.add_argument("--requests", type=Path,
                        help="TyDiP's en_train.csv: half of its requests teach which of two is politer; the committed models had it")
    parser.add_argument("--compare", action="store_true", help="compare ways to train, and write nothing")
    parser.add_argument("--epochs", type=float, default=CHOSEN.epochs)
    parser.add_argument("--keep", type=Path, help="remember the trained network here, and use it where it is there")
    parser.add_argument("--weights", type=Path, required=True, help="the encoder's weights, from its package")
    parser.add_argument("--build-python", type=Path, required=True, help="Python of models/fetch")
    options = parser.parse_args(arguments)
    if options.compare and options.keep:
        parser.error("--compare trains several networks: leave --keep out")
    return options


def _texts():
    return Texts(Path(os.environ["CALLQA_MODELS"]) / "e5" / "tokenizer.json")


def _trained(dialogues, requests, plan, options):
    learning = [d for d in dialogues if not is_validation(d.id)]
    torch.manual_seed(0)
    network = Network(Encoder(options.weights.read_bytes(), _texts(), plan.tuned))
    print(f"{len(learning)} dialogues, {sum(len(d.utterances) for d in learning)} utterances, "
          f"{plan.tuned} layers of the encoder learn, {plan.epochs:g} epochs", flush=True)
    learned = _digest(learning, requests, plan)
    if options.keep and options.keep.exists():
        kept = torch.load(options.keep)
        if kept["learned"] != learned:
            raise TrainingError(f"{options.keep} was trained on other dialogues, requests or for another time: remove it, or give another --keep")
        network.load_state_dict(kept["network"])
        network.eval()
    else:
        fit(network, learning, requests, plan, lambda line: print(line, flush=True))
        if options.keep:
            torch.save({"network": network.state_dict(), "learned": learned}, options.keep)
    return network


def _digest(dialogues, requests, plan):
    whole = repr(([(d.id, [(u.speaker, u.text, sorted(u.labels)) for u in d.utterances]) for d in dialogues], requests.rows, plan))
    return hashlib.sha256(whole.encode()).hexdigest()


def _shipped(network, options):
    """Both parts of the encoder as models/build/encoder.py makes them from what was learned."""
    folder = options.weights.parent if options.compare else options.out
    folder.mkdir(parents=True, exist_ok=True)
    layers = folder / "encoder-layers.npz"
    np.savez(layers, **network.encoder.tuned_arrays())
    built = []
    for part in ("alone", "together"):
        file = options.weights.with_name(f"encoder-{part}.onnx")
        builder = MODELS / "build" / "encoder.py"
        subprocess.run([options.build_python, builder, options.weights, layers, part, file], check=True)
        built.append(file.read_bytes())
    return Shipped(*built, _texts())


def _make(dialogues, requests, options):
    network = _trained(dialogues, requests, Plan(CHOSEN.tuned, options.epochs), options)
    shipped = _shipped(network, options)
    unseen = Unseen([d for d in dialogues if is_unseen(d.id)], shipped)
    _check(network, unseen)
    heads = [finish(group, network.layers(number), unseen) for number, group in enumerate(GROUPS)]
    held_out = read(sorted(options.held_out.glob("[ez]*.jsonl")))
    tested = Unseen(held_out, shipped, {"written": 1.0})
    for task in TASKS:
        mine = [head for head in heads if head.group.task == task]
        labels = labels_of(task)
        chosen = {label: pair for head in mine for label, pair in head.thresholds.items()}
        metadata = _metadata(labels, shipped) | {"callqa.thresholds": export.thresholds_json(labels, chosen)}
        data = export.head_bytes(task, labels, mine, metadata, unseen.features[:SAMPLE])
        (options.out / f"{task}.onnx").write_bytes(data)
        page = card.page(task, labels, mine, dialogues, requests, held_out, tested, unseen, shipped)
        (options.out / f"{task}.md").write_text(page, "utf-8")
        print(f"{task}.onnx, {len(data):,} bytes", flush=True)
    _make_outcome(dialogues, heads, unseen, _called(heads, held_out, tested), options)


def _check(network, unseen):
    """That the encoder as it is shipped is the one that learned, but for int8."""
    with torch.no_grad():
        ours = network.encoder(unseen.lines[:SAMPLE]).numpy()
    if (least := float((ours * unseen.features[:SAMPLE]).sum(1).min())) < ALIKE:
        raise export.ExportError(f"the encoder that was written differs from the trained one: cosine {least:.4f}, not {ALIKE}")


def _metadata(labels, shipped):
    return {"callqa.version": VERSION, "callqa.labels": ",".join(labels), "callqa.encoder_sha256": shipped.sha256,
            "callqa.context_encoder_sha256": shipped.context_sha256}


def _make_outcome(dialogues, heads, unseen, called, options):
    """From labels, in whose place stand scores that the heads gave to utterances which they had not seen."""
    scores, dice = _scores(heads, unseen), np.random.default_rng(outcome.FOLDS)
    rows, given, group = [], [], []
    # Labels alone count here: a call that was heard besides would only stand twice, on both sides of a fold.
    for number, dialogue in enumerate(d for d in dialogues if d.outcome and not d.was_heard):
        agent = [u.speaker == "agent" for u in dialogue.utterances]
        for _ in range(outcome.DRAWS):
            rows.append(outcome.columns(scores.draw(dialogue, speaker_of, dice), agent))
            given.append(outcome.OUTCOMES.index(dialogue.outcome))
            group.append(number)
    given = np.array(given)
    model, penalty, found = outcome.train(np.array(rows), given, np.array(group))
    data = export.outcome_bytes(model, {"callqa.version": VERSION, "callqa.labels": ",".join(outcome.OUTCOMES),
                                        "callqa.cues": ",".join(outcome.CUES)})
    (options.out / "outcome.onnx").write_bytes(data)
    rows, meant = called
    page = card.outcome_page(given, found, penalty, len(set(group)), meant, model.probabilities(rows))
    (options.out / "outcome.md").write_text(page, "utf-8")
    print(f"outcome.onnx, {len(data):,} bytes; right in cross-validation: {(found.argmax(1) == given).mean():.3f}", flush=True)


def _called(heads, dialogues, tested):
    """(cues [n, COLUMNS], outcomes [n]) of the held-out calls, by what the heads say of their utterances."""
    said = [{} for _ in tested.lines]
    for head in heads:
        places = np.flatnonzero(tested.speaker == head.group.speaker)
        for place, row in zip(places, head.probabilities(tested.features[places])):
            said[place].update(zip(head.group.labels, row))
    rows, meant, start = [], [], 0
    for dialogue in dialogues:
        stop = start + len(dialogue.utterances)
        if dialogue.outcome:
            rows.append(outcome.columns(said[start:stop], [u.speaker == "agent" for u in dialogue.utterances]))
            meant.append(outcome.OUTCOMES.index(dialogue.outcome))
        start = stop
    return np.array(rows).reshape(-1, outcome.COLUMNS), np.array(meant, int)


def _scores(heads, unseen):
    found = {}
    for head in heads:
        theirs = unseen.speaker == head.group.speaker
        some = [line for line in unseen.lines if line.speaker == head.group.speaker]
        score = head.probabilities(unseen.features[theirs])
        given = truth(some, head.group.labels) > 0
        for place, label in enumerate(head.group.labels):
            for holds in (False, True):
                found[label, holds] = score[given[:, place] == holds, place]
    return outcome.Scores(found)


def _compare(dialogues, requests, options):
    validation = [d for d in dialogues if is_unseen(d.id)]
    dialogues = [d for d in dialogues if bucket(d.id, "compare", COMPARED_SHARE) == 0]
    print("| layers that learn | " + " | ".join(f"{g.task}, {g.speaker}" for g in GROUPS) + " | minutes |")
    for plan in COMPARED:
        started = time.monotonic()
        network = _trained(dialogues, requests, plan, options)
        minutes = (time.monotonic() - started) / 60
        unseen = Unseen(validation, _shipped(network, options))
        figures = []
        for number, group in enumerate(GROUPS):
            theirs = unseen.speaker == group.speaker
            given = truth([line for line in unseen.lines if line.speaker == group.speaker], group.labels)
            logits = network.layers(number).logits(unseen.features[theirs])
            figures.append(np.nanmean([average_precision(given[:, j], logits[:, j]) for j in range(given.shape[1])]))
        print(f"| {plan.tuned} | " + " | ".join(f"{figure:.3f}" for figure in figures) + f" | {minutes:.0f} |", flush=True)


if __name__ == "__main__":
    np.seterr(over="raise", invalid="raise", divide="raise")
    sys.exit(main(sys.argv[1:]))
