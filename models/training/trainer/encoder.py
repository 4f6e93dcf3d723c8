"""multilingual-e5-small in PyTorch, started from the package's 4-bit weights; its tuned layers in int8."""
import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

from q4_0 import BLOCK, read_e5
from vocabulary import kept_ids

PREFIX = "query: "
MAX_TOKENS = 128
WIDTH = 384
PAD_ID = 1
DROPOUT = 0.1
# Texts of a batch are cut into so many parts by length, so that short ones are not padded to the longest.
PARTS = 3
# The package's name of each matrix, and ours.
LINEAR = {"q": "q", "k": "k", "v": "v", "ao": "projected", "fi": "wide", "fo": "narrow"}
NORMS = {"aln": "attention_norm", "oln": "output_norm"}


class Texts:
    """Texts to token ids, remembered."""

    def __init__(self, path):
        self.tokenizer = Tokenizer.from_file(str(path))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.no_padding()
        self.known = {}

    def ids(self, text):
        if text not in self.known:
            self.known[text] = self.tokenizer.encode(PREFIX + text).ids
        return self.known[text]

    def parts(self, texts):
        """(places, ids, mask) of each part; places lead back to the order of `texts`."""
        order = sorted(range(len(texts)), key=lambda i: len(self.ids(texts[i])))
        size = -(-len(order) // PARTS)
        for start in range(0, len(order), size):
            places = order[start:start + size]
            rows = [self.ids(texts[i]) for i in places]
            length = max(map(len, rows))
            ids = np.full((len(rows), length), PAD_ID, np.int64)
            mask = np.zeros((len(rows), length), np.float32)
            for place, row in enumerate(rows):
                ids[place, :len(row)], mask[place, :len(row)] = row, 1
            yield places, torch.from_numpy(ids), torch.from_numpy(mask)


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
        weights = torch.softmax(q @ k.transpose(-1, -2) / (width // self.heads) ** 0.5 + hidden, -1)
        attended = (self.dropout(weights) @ v).transpose(1, 2).reshape(batch, length, width)
        x = self.norms["aln"](x + self.dropout(self.linear["ao"](attended)))
        wide = functional.gelu(self.linear["fi"](x))
        return self.norms["oln"](x + self.dropout(self.linear["fo"](wide)))


class Encoder(nn.Module):
    """Texts to embeddings of length 1. The word table stays as it is; the upper `tuned` layers learn."""

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
        self.tuned = tuned
        for frozen in [self.norm, *self.layers[:e5.layers - tuned]]:
            for parameter in frozen.parameters():
                parameter.requires_grad = False

    def forward(self, texts):
        """[n, WIDTH] of n texts."""
        order, points = [], []
        for places, ids, mask in self.texts.parts(texts):
            order += places
            points.append(self._embed(ids, mask))
        back = torch.empty(len(order), dtype=torch.long)
        back[torch.tensor(order)] = torch.arange(len(order))
        return torch.cat(points)[back]

    def _embed(self, ids, mask):
        x = self.norm(self.words(ids) + self.places[:ids.shape[1]])
        hidden = (1 - mask)[:, None, None, :] * -1e9
        for layer in self.layers:
            x = layer(x, hidden)
        column = mask[:, :, None]
        return functional.normalize((x * column).sum(1) / column.sum(1), dim=-1)

    def tuned_arrays(self):
        """What models/build/encoder.py puts in place of the package's layers: each matrix [rows, columns]
        int8 with a scale for each row, float32 biases and norms."""
        arrays = {}
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
