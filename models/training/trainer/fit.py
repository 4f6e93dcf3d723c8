"""Trains the network: dialogues, another rendering of each in every pass; lines that it knows are drawn less often."""
import mmap
import multiprocessing
import random
import threading
import time
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

import torch

from network import lines, loss, losses, politer
from renderings import RENDERINGS

SEED = 20
# Utterances in a batch, as far as whole dialogues allow.
BATCH = 80
# Processes that take a part of each batch, on a processor each: what lies between the products is hardly
# faster on two.
WORKERS = 2
# Seconds that a worker waits for another before it takes it for dead; a batch takes one or two.
PATIENCE = 600
STEP = 2e-4
# A layer learns this much slower than the one above it.
BELOW = 0.9
HEAD_STEP = 1e-3
SOUND_STEP = 1e-3
DECAY = 0.01
LONGEST_GRADIENT = 1.0
WARM_UP = 0.06
LEAST = 0.02
# How often a rendering is drawn: a recogniser's text is what counts.
SHARES = {"written": 0.22, "bare": 0.15, "slipped": 0.4, "joined": 0.1, "cut": 0.09, "repeated": 0.04}
# What was really heard is drawn so many times a pass: there is little of it.
HEARD_TIMES = 3
# Pairs of requests in a batch, half of them for each worker, and how much they count beside the labels.
PAIRS = 2
PAIRS_WEIGHT = 0.5
# Of lines, how many lose what came before them, so that words count by themselves too.
FORGOTTEN = 0.15
# A line is drawn with a probability of its last loss (`network.losses`) over `UNKNOWN`, but at least of `LEAST_SHARE`.
UNKNOWN = 0.6
LEAST_SHARE = 0.2


class TrainingError(Exception):
    pass


@dataclass(frozen=True)
class Plan:
    tuned: int   # upper layers of the encoder that learn; 0: the frozen encoder with heads
    epochs: float  # lines that are read, in multiples of all there are; what is known being passed over, passes are more


def fit(network, dialogues, requests, plan, report=print):
    """Trains in place."""
    dialogues = [d for d in dialogues for _ in range(HEARD_TIMES if d.was_heard else 1)]
    total = max(1, round(sum(len(d.utterances) for d in dialogues) / BATCH * plan.epochs))
    network.train()
    shared = Shared(network, 1 + max(u.number for d in dialogues for u in d.utterances))
    fork = multiprocessing.get_context("fork")
    meeting = fork.Barrier(WORKERS, timeout=PATIENCE)
    common = (network, dialogues, requests, total, shared)
    others = [fork.Process(target=_work, args=(rank, meeting, *common, None), daemon=True)
              for rank in range(1, WORKERS)]
    for other in others:
        other.start()
    try:
        _work(0, meeting, *common, report)
    except threading.BrokenBarrierError as error:
        raise TrainingError("a worker died: is there memory enough?") from error
    for other in others:
        other.join()
        if other.exitcode:
            raise TrainingError(f"a worker ended with {other.exitcode}")
    network.eval()


class Shared:
    """In memory that all workers see: the parameters that learn, one after the other, each worker's gradients, and what
    was lost on each utterance."""

    def __init__(self, network, utterances):
        layers = network.encoder.layers
        tuned = layers[len(layers) - network.encoder.tuned:]
        groups = [(list(layer.parameters()), STEP * BELOW ** below) for below, layer in enumerate(reversed(tuned))]
        if network.encoder.sounds.requires_grad:
            groups.append(([network.encoder.sounds], SOUND_STEP))
        groups.append(([*network.heads.parameters(), network.encoder.segments], HEAD_STEP))
        self.parameters = [parameter for group, _ in groups for parameter in group]
        values = torch.cat([parameter.detach().flatten() for parameter in self.parameters])
        self.values = _shared(len(values)).copy_(values)
        self.gradients = _shared(WORKERS * len(values)).view(WORKERS, -1)
        for parameter, place in zip(self.parameters, self._places()):
            parameter.data = self.values[place].view_as(parameter)
        self.squares = _shared(WORKERS)
        # By the numbers of utterances; of one that stood in sentences, the last sentence's.
        self.lost = _shared(utterances).fill_(float("inf"))
        self.rates, start = [], 0
        for group, rate in groups:
            stop = start + sum(parameter.numel() for parameter in group)
            self.rates.append((slice(start, stop), rate))
            start = stop

    def _places(self):
        start = 0
        for parameter in self.parameters:
            yield slice(start, start + parameter.numel())
            start += parameter.numel()

    def collect(self, rank):
        """Gradients of this process from here on go where all see them."""
        for parameter, place in zip(self.parameters, self._places()):
            parameter.grad = self.gradients[rank][place].view_as(parameter)

    def mine(self, rank):
        """[(place, rate)] of what this worker updates: its part of each layer."""
        for place, rate in self.rates:
            part = -(-(place.stop - place.start) // WORKERS)
            start = place.start + rank * part
            yield slice(start, min(start + part, place.stop)), rate


def _shared(count):
    """Zeros in memory that forked processes share; /dev/shm may be too small for it."""
    return torch.frombuffer(mmap.mmap(-1, 4 * count), dtype=torch.float32)


def _work(rank, meeting, *rest):
    """One worker; where one fails, the others do not wait for it."""
    try:
        _learn(rank, meeting, *rest)
    except BaseException:
        meeting.abort()
        raise


def _learn(rank, meeting, network, dialogues, requests, total, shared, report):
    """One worker's part of each batch, then of the parameters."""
    # Threads of the products' library do not outlive a fork.
    torch.set_num_threads(1)
    torch.manual_seed(SEED + rank)
    shared.collect(rank)
    mine = list(shared.mine(rank))
    parts = [torch.nn.Parameter(shared.values[place]) for place, _ in mine]
    optimiser = torch.optim.AdamW([{"params": [part], "lr": rate} for part, (_, rate) in zip(parts, mine)], weight_decay=DECAY)
    sum_of_losses, started = 0.0, time.monotonic()
    batches, asked = _batches(dialogues, shared.lost, random.Random(SEED)), random.Random(SEED)
    for step in range(total):
        # Half-precision products: several times as fast where the processor has them, and as good here.
        with torch.autocast("cpu", torch.bfloat16):
            batch, pairs = _part(next(batches), rank, network.encoder.texts), _part(requests.draw(PAIRS, asked), rank)
            logits = network(batch + [line for pair in pairs for line in pair])
            each = losses(batch, [values[:len(batch)] for values in logits])
            value = loss(batch, each)
            if pairs:
                value = value + PAIRS_WEIGHT * politer(logits, len(batch))
        shared.gradients[rank].zero_()
        value.backward()
        # One after the other, once all have their batch: a line may stand in both parts, and who was faster must not count.
        for turn in range(WORKERS):
            meeting.wait()
            if turn == rank:
                shared.lost[[line.number for line in batch]] = each.detach()
        means = [shared.gradients[:, place].mean(0) for place, _ in mine]
        shared.squares[rank] = sum(float(mean.square().sum()) for mean in means)
        meeting.wait()
        scale = min(1.0, LONGEST_GRADIENT / (float(shared.squares.sum()) ** 0.5 + 1e-6))
        pace = min(1.0, (step + 1) / (WARM_UP * total)) * max(LEAST, 1 - step / total)
        for group, part, mean, (_, rate) in zip(optimiser.param_groups, parts, means, mine):
            group["lr"] = rate * pace
            part.grad = mean.mul_(scale)
        optimiser.step()
        meeting.wait()
        sum_of_losses += value.item()
        if report and (step + 1) % 50 == 0:
            report(f"  step {step + 1} of {total}, loss {sum_of_losses / 50:.3f}, {time.monotonic() - started:.0f} s")
            sum_of_losses = 0.0


def _part(rows, rank, texts=None):
    """What of `rows` is this worker's: neighbours, so that turns which are context as well are read once; where `texts`
    can tell, about as many tokens as the others', so that no worker waits long for another."""
    work = list(accumulate(len(texts.tokens(row)) + len(texts.ids(row.text)) if texts else 1 for row in rows))
    ends = [bisect_right(work, work[-1] * part / WORKERS) if work else 0 for part in range(WORKERS + 1)]
    return rows[ends[rank]:ends[rank + 1]]


def _batches(dialogues, lost, dice):
    """Lines without end; what the network knew when it last read it, as `lost` tells, is drawn less often."""
    names, shares = list(SHARES), list(SHARES.values())
    batch = []
    while True:
        for dialogue in dice.sample(dialogues, len(dialogues)):
            # What a recogniser wrote has its slips already.
            drawn = "written" if dialogue.was_heard else dice.choices(names, shares)[0]
            rendered = RENDERINGS[drawn](dialogue, dice)
            chosen = [line for line in lines(rendered) if dice.random() < _share(lost[line.number])]
            batch += [line.alone() if dice.random() < FORGOTTEN else line for line in chosen]
            if len(batch) >= BATCH:
                yield batch
                batch = []


def _share(lost):
    """With which probability a line is drawn on which so much was lost the last time."""
    return min(1.0, max(LEAST_SHARE, float(lost) / UNKNOWN))
