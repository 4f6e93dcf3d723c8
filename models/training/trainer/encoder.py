"""multilingual-e5-small in PyTorch, started from the package's 4-bit weights; its tuned layers in int8.

To each piece of text is added how it sounds (sounds.py), which the package's model does not know.
Its lower layers read each text by itself, so that a text is read once, whatever it stands beside. The upper
ones read an utterance together with the turns before it."""
import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

import sounds
from q4_0 import BLOCK, read_e5
from vocabulary import kept_ids

# Of a text its last ones are read.
MAX_TOKENS = 128
# Of the turn before and the one before that, their last tokens.
CONTEXT_TOKENS = (40, 24)
PAD_ID = 1
WIDTH = 384
# Layers that read a text by itself.
ALONE = 8
# What a token belongs to: the utterance, the turn before, the one before that; each an agent's or a customer's.
SEGMENTS = 6
# Rows of a batch meet in attention in so many parts by length.
PARTS = 3
# The package's name of each matrix, and ours.
LINEAR = {"q": "q", "k": "k", "v": "v", "ao": "projected", "fi": "wide", "fo": "narrow"}
NORMS = {"aln": "attention_norm", "oln": "output_norm"}


def segment(place, speaker):
    """`place` 0: the utterance itself; 1: the turn before; 2: the one before that."""
    return 2 * place + (speaker != "agent")


class Texts:
    """Texts to token ids, remembered."""

    def __init__(self, path):
        self.tokenizer = Tokenizer.from_file(str(path))
        self.tokenizer.enable_truncation(MAX_TOKENS, direction="left")
        self.tokenizer.no_padding()
        self.known = {}

    def ids(self, text):
        if text not in self.known:
            self.known[text] = self.tokenizer.encode(text).ids
        return self.known[text]

    def tokens(self, line):
        """[(text, place of the token in it, segment)] of what the upper layers read of a line: the whole
        utterance, and the ends of the turns before it."""
        found = [(line.text, i, segment(0, line.speaker)) for i in range(len(self.ids(line.text)))]
        for place, (before, most) in enumerate(zip(line.before, CONTEXT_TOKENS), 1):
            if before:
                said, speaker = before
                tokens = [(text, i, segment(place, speaker))
                          for text in said for i in range(1, len(self.ids(text)))]  # without the beginning's mark
                found += tokens[-most:]
        return found


class Layer(nn.Module):
    def __init__(self, e5, name):
        super().__init__()
        self.heads = e5.heads
        self.linear = nn.ModuleDict({short: _linear(e5, f"{name}.{short}") for short in LINEAR})
        self.norms = nn.ModuleDict({short: _norm(e5, f"{name}.{short}") for short in NORMS})

    def forward(self, x, grids):
        """`x` [tokens, width], rows one after the other as `grids` have them."""
        # One product in place of three.
        weight, bias = (torch.cat([getattr(self.linear[short], name) for short in "qkv"]) for name in ("weight", "bias"))
        qkv = functional.linear(x, weight, bias)
        attended = torch.cat([self._attended(qkv, grid) for grid in grids])
        x = self.norms["aln"](x + self.linear["ao"](attended))
        wide = functional.gelu(self.linear["fi"](x))
        return self.norms["oln"](x + self.linear["fo"](wide))

    def _attended(self, qkv, grid):
        rows, length = grid.tokens.shape
        q, k, v = functional.embedding(grid.tokens, qkv).view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-1, -2)).float() / q.shape[-1] ** 0.5
        attended = (torch.softmax(scores + grid.hidden, -1) @ v).transpose(1, 2).reshape(rows * length, -1)
        return functional.embedding(grid.filled, attended)


class Grid:
    """Some rows of tokens as attention needs them, all of one length; everything else takes tokens one by one."""

    def __init__(self, lengths, first):
        """Rows of these lengths whose tokens lie one after the other from `first`."""
        lengths = torch.tensor(lengths)
        column = torch.arange(int(lengths.max()))
        there = column < lengths[:, None]
        begins = first + lengths.cumsum(0) - lengths
        self.tokens = torch.where(there, begins[:, None] + column, first)
        self.hidden = torch.where(there, 0.0, -1e9)[:, None, None, :]
        self.filled = there.flatten().nonzero().flatten()


def grids(lengths):
    """Grids of rows of these lengths, short rows with short ones; the rows' order in them."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    size = -(-len(order) // PARTS)
    found, first = [], 0
    for start in range(0, len(order), size):
        part = [lengths[i] for i in order[start:start + size]]
        found.append(Grid(part, first))
        first += sum(part)
    return found, order


class Encoder(nn.Module):
    """Lines to embeddings of length 1. The word table stays as it is; the upper `tuned` layers learn."""

    def __init__(self, weights, texts, tuned):
        super().__init__()
        e5 = read_e5(weights)
        self.texts = texts
        kept = kept_ids(e5.pieces)
        words = _dense(e5.matrices["emb.word"].rows(kept))
        self.words = nn.Embedding.from_pretrained(words, freeze=True)
        first_type = e5.vectors["emb.type"].reshape(-1, e5.hidden)[0]
        self.register_buffer("places", torch.from_numpy(e5.vectors["emb.pos"].reshape(-1, e5.hidden) + first_type))
        self.norm = _norm(e5, "emb.ln")
        self.layers = nn.ModuleList(Layer(e5, f"l{i}") for i in range(e5.layers))
        self.segments = nn.Parameter(torch.zeros(SEGMENTS, WIDTH))
        of_pieces, count = sounds.of_pieces([e5.pieces[i] for i in kept])
        self.register_buffer("sounds_of_pieces", torch.from_numpy(of_pieces).long())
        # Learned with the whole encoder or not at all.
        self.sounds = nn.Parameter(torch.zeros(count, WIDTH), requires_grad=tuned == e5.layers)
        self.tuned = tuned
        for frozen in [self.norm, *self.layers[:e5.layers - tuned]]:
            for parameter in frozen.parameters():
                parameter.requires_grad = False

    def forward(self, lines):
        """[n, WIDTH] of n lines."""
        states, first = self._alone(list(dict.fromkeys(text for line in lines for text in line.texts())))
        return self._together([self.texts.tokens(line) for line in lines], states, first)

    def _alone(self, texts):
        """States [tokens, WIDTH] of all texts one after the other; where each text begins."""
        ids = [self.texts.ids(text) for text in texts]
        some, order = grids([len(row) for row in ids])
        first, count = {}, 0
        for i in order:
            first[texts[i]] = count
            count += len(ids[i])
        places = [place for i in order for place in range(len(ids[i]))]
        pieces = torch.tensor([token for i in order for token in ids[i]])
        heard = functional.embedding(self.sounds_of_pieces[pieces], self.sounds, padding_idx=sounds.SILENT).sum(1)
        x = self.norm(self.words(pieces) + heard + self.places[places])
        for layer in self.layers[:ALONE]:
            x = layer(x, some)
        return x, first

    def _together(self, rows, states, first):
        """Embeddings of rows as `Texts.tokens` gives them."""
        some, order = grids([len(row) for row in rows])
        tokens = [(number, first[text] + i, which) for number in order for text, i, which in rows[number]]
        number, places, segments = torch.tensor(tokens).T
        x = functional.embedding(places, states) + functional.embedding(segments, self.segments)
        for layer in self.layers[ALONE:]:
            x = layer(x, some)
        own = segments < segment(1, "agent")
        sums = torch.zeros(len(rows), WIDTH).index_add(0, number[own], x[own].float())
        return functional.normalize(sums, dim=-1)

    def tuned_arrays(self):
        """What models/build/encoder.py puts in place of the package's layers: each matrix [rows, columns]
        int8 with a scale for each row, float32 biases and norms."""
        arrays = {name: getattr(self, name).detach().numpy() for name in ("segments", "sounds")}
        arrays["sounds_of_pieces"] = self.sounds_of_pieces.numpy().astype(np.int16)
        for number in range(len(self.layers) - self.tuned, len(self.layers)):
            layer = self.layers[number]
            for short, module in layer.linear.items():
                matrix = module.weight.detach().numpy()
                scales = np.maximum(np.abs(matrix).max(1) / 127, 1e-12).astype(np.float32)
                arrays[f"l{number}.{short}.w"] = np.round(matrix / scales[:, None]).astype(np.int8)
                arrays[f"l{number}.{short}.scales"] = scales
                arrays[f"l{number}.{short}.b"] = module.bias.detach().numpy()
            for short, module in layer.norms.items():
                arrays[f"l{number}.{short}.w"] = module.weight.detach().numpy()
                arrays[f"l{number}.{short}.b"] = module.bias.detach().numpy()
        return arrays


def _dense(blocks):
    """Blocks of 4-bit weights as float32 [rows, columns]."""
    rows, count, _ = blocks.nibbles.shape
    values = (blocks.nibbles.astype(np.float32) - 8) * blocks.scales[:, :, None]
    return torch.from_numpy(values.reshape(rows, count * BLOCK))


def _linear(e5, name):
    weight = _dense(e5.matrices[f"{name}.w"])
    module = nn.Linear(weight.shape[1], weight.shape[0])
    module.weight.data, module.bias.data = weight, torch.from_numpy(e5.vectors[f"{name}.b"].copy())
    return module


def _norm(e5, name):
    module = nn.LayerNorm(e5.hidden, eps=e5.epsilon)
    module.weight.data = torch.from_numpy(e5.vectors[f"{name}.w"].copy())
    module.bias.data = torch.from_numpy(e5.vectors[f"{name}.b"].copy())
    return module
