"""multilingual-e5-small in PyTorch, started from the package's 4-bit weights; its tuned layers in int8.

Its lower layers read each text by itself, so that a text is read once, whatever it stands beside. The upper
ones read an utterance together with the turns before it."""
import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

from q4_0 import BLOCK, read_e5
from vocabulary import kept_ids

MAX_TOKENS = 128
# Of the turn before and the one before that, their last tokens.
CONTEXT_TOKENS = (40, 24)
WIDTH = 384
# Layers that read a text by itself.
ALONE = 8
# What a token belongs to: the utterance, the turn before, the one before that; each an agent's or a customer's.
SEGMENTS = 6
PAD_ID = 1
DROPOUT = 0.1
# Rows of a batch are cut into so many parts by length.
PARTS = 2
# The package's name of each matrix, and ours.
LINEAR = {"q": "q", "k": "k", "v": "v", "ao": "projected", "fi": "wide", "fo": "narrow"}
NORMS = {"aln": "attention_norm", "oln": "output_norm"}


def parts(lengths):
    """Indices of rows of these lengths, in parts of like ones, so that short rows are not padded to the longest."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i])
    size = -(-len(order) // PARTS)
    return [order[start:start + size] for start in range(0, len(order), size)]


def segment(place, speaker):
    """`place` 0: the utterance itself; 1: the turn before; 2: the one before that."""
    return 2 * place + (speaker != "agent")


class Texts:
    """Texts to token ids, remembered."""

    def __init__(self, path):
        self.tokenizer = Tokenizer.from_file(str(path))
        self.tokenizer.enable_truncation(MAX_TOKENS)
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
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x, hidden):
        """`x` [batch, length, width]; `hidden` [batch, 1, 1, length]: -inf where there is no token."""
        batch, length, width = x.shape
        split = lambda short: self.linear[short](x).view(batch, length, self.heads, -1).transpose(1, 2)
        q, k, v = map(split, "qkv")
        scores = (q @ k.transpose(-1, -2)).float() / (width // self.heads) ** 0.5
        attended = (torch.softmax(scores + hidden, -1) @ v).transpose(1, 2).reshape(batch, length, width)
        x = self.norms["aln"](x + self.dropout(self.linear["ao"](attended)))
        wide = functional.gelu(self.linear["fi"](x))
        return self.norms["oln"](x + self.dropout(self.linear["fo"](wide)))


class Encoder(nn.Module):
    """Lines to embeddings of length 1. The word table stays as it is; the upper `tuned` layers learn."""

    def __init__(self, weights, texts, tuned):
        super().__init__()
        e5 = read_e5(weights)
        self.texts = texts
        words = _dense(e5.matrices["emb.word"].rows(kept_ids(e5.pieces)))
        self.words = nn.Embedding.from_pretrained(words, freeze=True)
        first_type = e5.vectors["emb.type"].reshape(-1, e5.hidden)[0]
        self.register_buffer("places", torch.from_numpy(e5.vectors["emb.pos"].reshape(-1, e5.hidden) + first_type))
        self.norm = _norm(e5, "emb.ln")
        self.layers = nn.ModuleList(Layer(e5, f"l{i}") for i in range(e5.layers))
        self.segments = nn.Parameter(torch.zeros(SEGMENTS, WIDTH))
        self.tuned = tuned
        for frozen in [self.norm, *self.layers[:e5.layers - tuned]]:
            for parameter in frozen.parameters():
                parameter.requires_grad = False

    def forward(self, lines):
        """[n, WIDTH] of n lines."""
        states, first = self._alone(list(dict.fromkeys(text for line in lines for text in line.texts())))
        rows = [self.texts.tokens(line) for line in lines]
        order, points = [], []
        for part in parts([len(row) for row in rows]):
            order += part
            points.append(self._together([rows[i] for i in part], states, first))
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(len(order))
        return torch.cat(points)[back]

    def _alone(self, texts):
        """States [tokens, WIDTH] of all texts one after the other, an empty one last; where each text begins."""
        ids = [self.texts.ids(text) for text in texts]
        states, first, count = [], {}, 0
        for part in parts([len(row) for row in ids]):
            length = max(len(ids[i]) for i in part)
            padded = torch.full((len(part), length), PAD_ID)
            mask = torch.zeros(len(part), length)
            for place, i in enumerate(part):
                padded[place, :len(ids[i])] = torch.tensor(ids[i])
                mask[place, :len(ids[i])] = 1
                first[texts[i]] = count + place * length
            x = self.norm(self.words(padded) + self.places[:length])
            states.append(self._through(self.layers[:ALONE], x, mask).flatten(0, 1))
            count += len(part) * length
        return torch.cat([*states, torch.zeros(1, WIDTH)]), first

    def _together(self, rows, states, first):
        """Embeddings of rows as `Texts.tokens` gives them."""
        length = max(map(len, rows))
        places = torch.full((len(rows), length), len(states) - 1)
        segments = torch.zeros(len(rows), length, dtype=torch.long)
        mask, own = torch.zeros(len(rows), length), torch.zeros(len(rows), length, 1)
        for number, row in enumerate(rows):
            places[number, :len(row)] = torch.tensor([first[text] + i for text, i, _ in row])
            segments[number, :len(row)] = torch.tensor([which for _, _, which in row])
            mask[number, :len(row)] = 1
            own[number, :len(row), 0] = (segments[number, :len(row)] < segment(1, "agent")).float()
        x = functional.embedding(places, states) + functional.embedding(segments, self.segments)
        x = self._through(self.layers[ALONE:], x, mask)
        return functional.normalize((x * own).sum(1) / own.sum(1), dim=-1)

    def _through(self, layers, x, mask):
        hidden = (1 - mask)[:, None, None, :] * -1e9
        for layer in layers:
            x = layer(x, hidden)
        return x

    def tuned_arrays(self):
        """What models/build/encoder.py puts in place of the package's layers: each matrix [rows, columns]
        int8 with a scale for each row, float32 biases and norms."""
        arrays = {"segments": self.segments.detach().numpy()}
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
