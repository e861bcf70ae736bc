#!/usr/bin/env python3
"""Examples of rnnc as one writes them in PyTorch: python torch_examples.py NAME DATA EPOCHS THREADS packed|padded.

Same data, network, optimizer and batch size as examples/NAME.rnn: surname, languages, reviews or textcnn. Batches are
padded to their longest row; `packed` hands them to nn.RNN, nn.GRU or nn.LSTM as packed sequences (textcnn has none).
Prints the accuracy on the test part.
"""
import collections
import csv
import gzip
import itertools
import pathlib
import random
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence


def shared_out(rows, *parts):
    """Shuffled and cut into parts of these shares."""
    random.Random(1).shuffle(rows)
    cuts = [round(sum(parts[:k]) * len(rows)) for k in range(len(parts) + 1)]
    return [rows[a:b] for a, b in itertools.pairwise(cuts)]


def surname(data):
    rows = [(list(line), path.stem) for path in sorted((data / "surnames").glob("*.txt"))
            for line in path.read_text().split("\n") if line]
    return shared_out(rows, 0.8, 0.1, 0.1)


def languages(data):
    names = "american-english french ngerman italian spanish portuguese dutch swedish".split()
    rows = []
    for name in names:
        text = pathlib.Path("/usr/share/dict", name).read_text(encoding="latin1" if name == "swedish" else "utf8")
        lines = [line for line in text.split("\n") if line]
        rows += [(list(lines[k * len(lines) // 10000]), name) for k in range(10000)]
    return shared_out(rows, 0.9, 0.05, 0.05)


def reviews(data):
    def part(name):
        path = data / "chnsenticorp" / name
        with path.open(encoding="utf8") if path.exists() else gzip.open(f"{path}.gz", "rt", encoding="utf8") as file:
            return [(list(row["text_a"]), row["label"]) for row in
                    csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return part("train.tsv"), part("dev.tsv"), part("test.tsv")


def textcnn(data):
    def part(name):
        lines = (data / "trec" / name).read_text(encoding="latin1").split("\n")
        return [(line.lower().split()[1:], line.split()[0]) for line in lines if line]
    return *shared_out(part("TREC.train.all"), 0.9, 0.1), part("TREC.test.all")


class Recurrent(nn.Module):
    def __init__(self, symbols, labels, kind, embedding, hidden, both=False, pooled=False, dropout=0.0):
        super().__init__()
        self.embed = nn.Embedding(symbols, embedding, padding_idx=0)
        self.rnn = kind(embedding, hidden, bidirectional=both)
        width = hidden * (2 if both else 1)
        self.out = nn.Linear(width * (2 if pooled else 1), labels)
        self.pooled, self.dropout = pooled, dropout

    def forward(self, x, lengths, packed):
        e = self.embed(x)
        if self.dropout:
            e = F.dropout(e, 0.2, self.training)
        if packed:
            hs, last = self.rnn(pack_padded_sequence(e, lengths, enforce_sorted=False))
        else:
            hs, last = self.rnn(e)
        last = last[0] if isinstance(last, tuple) else last
        v = torch.cat(list(last), -1)
        if not packed and last.shape[0] == 1:  # the last real symbol; backwards it begins with the padding
            v = hs[lengths - 1, torch.arange(len(lengths))]
        if self.pooled:
            if packed:
                hs, _ = pad_packed_sequence(hs, padding_value=float("-inf"))
            v = torch.cat([v, hs.max(0).values], -1)
        return self.out(F.dropout(v, self.dropout, self.training))


class TextCnn(nn.Module):
    def __init__(self, symbols, labels):
        super().__init__()
        self.embed = nn.Embedding(symbols, 100, padding_idx=0)
        self.convs = nn.ModuleList(nn.Conv1d(100, 100, k, padding="same") for k in (3, 4, 5))
        self.out = nn.Linear(300, labels)

    def forward(self, x, lengths, packed):
        e = self.embed(x).permute(1, 2, 0)
        v = torch.cat([F.relu(conv(e)).max(-1).values for conv in self.convs], -1)
        return self.out(F.dropout(v, 0.5, self.training))


#            reads, network, most steps, batch, rate, clip, vocabulary: most symbols and how often at least
EXAMPLES = {
    "surname": (surname, lambda s, n: Recurrent(s, n, nn.RNN, 32, 128), 24, 32, 2e-3, 5, None, 1),
    "languages": (languages, lambda s, n: Recurrent(s, n, nn.GRU, 24, 96, both=True), 24, 128, 2e-3, 1, None, 1),
    "reviews": (reviews, lambda s, n: Recurrent(s, n, nn.LSTM, 128, 128, both=True, pooled=True, dropout=0.5), 160, 64,
                1e-3, 1, 4000, 1),
    "textcnn": (textcnn, TextCnn, None, 50, 1e-3, None, None, 2),
}


def main():
    name, data, epochs, threads, how = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    read, network, steps, size, rate, clip, most, least = EXAMPLES[name]
    parts = read(pathlib.Path(data))
    count = collections.Counter(symbol for x, _ in parts[0] for symbol in x)
    symbols = {s: k + 2 for k, (s, n) in enumerate(count.most_common(most)) if n >= least}  # 0: padding, 1: unknown
    labels = {y: k for k, y in enumerate(sorted({y for _, y in parts[0]}))}
    train, valid, test = ([(torch.tensor([symbols.get(s, 1) for s in x[:steps]]), labels.get(y, 0)) for x, y in part]
                          for part in parts)
    net = network(len(symbols) + 2, len(labels))
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)

    def batch(rows):
        lengths = torch.tensor([len(x) for x, _ in rows])
        return pad_sequence([x for x, _ in rows]), lengths, torch.tensor([y for _, y in rows])

    def accuracy(rows):
        net.eval()
        right = 0
        with torch.inference_mode():
            for at in range(0, len(rows), 256):
                x, lengths, y = batch(rows[at:at + 256])
                right += (net(x, lengths, how == "packed").argmax(-1) == y).sum().item()
        return right / len(rows)

    for epoch in range(int(epochs)):
        net.train()
        random.shuffle(train)
        for at in range(0, len(train), size):
            x, lengths, y = batch(train[at:at + size])
            loss = F.cross_entropy(net(x, lengths, how == "packed"), y)
            optimizer.zero_grad()
            loss.backward()
            if clip:
                nn.utils.clip_grad_norm_(net.parameters(), clip)
            optimizer.step()
        print(f"epoch {epoch + 1}: validation {accuracy(valid):.4f}", flush=True)
    print(f"test {accuracy(test):.4f}")


main()
