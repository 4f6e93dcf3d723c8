"""Trains the network: whole dialogues, another rendering of each in every epoch."""
import random
import time
from dataclasses import dataclass

import torch

from dialogues import HEARD
from network import lines, loss
from renderings import RENDERINGS

SEED = 20
# Utterances in a batch, as far as whole dialogues allow.
BATCH = 80
STEP = 1e-4
# A layer learns this much slower than the one above it.
BELOW = 0.9
HEAD_STEP = 1e-3
DECAY = 0.01
LONGEST_GRADIENT = 1.0
WARM_UP = 0.06
LEAST = 0.02
# How often a rendering is drawn: a recogniser's text is what counts.
SHARES = {"written": 0.25, "bare": 0.2, "slipped": 0.35, "joined": 0.1, "cut": 0.1}
# Of lines, how many lose what came before them, so that words count by themselves too.
FORGOTTEN = 0.15


@dataclass(frozen=True)
class Plan:
    tuned: int   # upper layers of the encoder that learn; 0: the frozen encoder with heads
    epochs: float


def fit(network, dialogues, plan, report=print):
    """Trains in place."""
    torch.manual_seed(SEED)
    dice = random.Random(SEED)
    total = max(1, round(sum(len(d.utterances) for d in dialogues) / BATCH * plan.epochs))
    optimiser, rates = _optimiser(network)
    network.train()
    step, sum_of_losses, started = 0, 0.0, time.monotonic()
    for batch in _batches(dialogues, dice):
        if step == total:
            break
        pace = min(1.0, (step + 1) / (WARM_UP * total)) * max(LEAST, 1 - step / total)
        for group, rate in zip(optimiser.param_groups, rates):
            group["lr"] = rate * pace
        # Half-precision products: several times as fast where the processor has them, and as good here.
        with torch.autocast("cpu", torch.bfloat16):
            value = loss(batch, network(batch))
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
        optimiser.step()
        step, sum_of_losses = step + 1, sum_of_losses + value.item()
        if step % 50 == 0:
            report(f"  step {step} of {total}, loss {sum_of_losses / 50:.3f}, {time.monotonic() - started:.0f} s")
            sum_of_losses = 0.0
    network.eval()


def _optimiser(network):
    layers = network.encoder.layers
    tuned = layers[len(layers) - network.encoder.tuned:]
    groups = [{"params": list(layer.parameters()), "lr": STEP * BELOW ** below}
              for below, layer in enumerate(reversed(tuned))]
    groups.append({"params": [*network.heads.parameters(), network.encoder.segments], "lr": HEAD_STEP})
    return torch.optim.AdamW(groups, weight_decay=DECAY), [group["lr"] for group in groups]


def _batches(dialogues, dice):
    """Lines without end."""
    names, shares = list(SHARES), list(SHARES.values())
    batch = []
    while True:
        for dialogue in dice.sample(dialogues, len(dialogues)):
            # What a recogniser wrote has its slips already.
            drawn = "written" if dialogue.id.endswith(HEARD) else dice.choices(names, shares)[0]
            rendered = RENDERINGS[drawn](dialogue, dice)
            batch += [line.alone() if dice.random() < FORGOTTEN else line for line in lines(rendered)]
            if len(batch) >= BATCH:
                yield batch
                batch = []
