#!/usr/bin/env python3
"""The figures of docs/results.md that lie behind the reference, computed by an independent NumPy program.

    tools/witness.py DIR [--seeds N] [virginica] [species] [tdnn]

DIR holds tabular/iris.csv and timeseries/monthly-sunspots.csv. Nothing here is taken from the compiler: the rules are
those of the page of the language (rows dealt, pieces cut, weights begun), gradients are written by hand. Random
numbers are NumPy's, so only the spread over seeds can be compared. Prints mean, least and greatest of N seeds (20).
"""
import argparse
import csv
import os

import numpy as np


def say(name, labels, runs):
    table = np.array(runs)
    for label, column in zip(labels, table.T):
        print("%-10s %-18s %.4f (%.4f to %.4f), %d seeds"
              % (name, label, column.mean(), column.min(), column.max(), len(column)), flush=True)


def batches(draw, rows, size=16):
    order = draw.permutation(rows)
    return [order[i:i + size] for i in range(0, len(order), size)]


# ---- iris: softmax regression and logistic regression

class Iris:
    def __init__(self, folder):
        with open(os.path.join(folder, "tabular", "iris.csv"), encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if row]
        names = sorted({row[4] for row in rows})
        self.y = np.array([names.index(row[4]) for row in rows])
        number = np.arange(len(rows))
        self.test, self.train = number[number % 5 == 2], number[number % 5 != 2]  # 0.8 and 0.2, dealt
        x = np.array([[float(value) for value in row[:4]] for row in rows])
        known = x[self.train]
        self.x = (x - known.mean(0)) / known.std(0)

    def species(self, seed):
        """Loss and squared error of the test part."""
        draw = np.random.default_rng(seed)
        bound = np.sqrt(6 / (4 + 3))
        w, b = draw.uniform(-bound, bound, (4, 3)), np.zeros(3)

        def softmax(rows):
            scores = self.x[rows] @ w + b
            scores = np.exp(scores - scores.max(1, keepdims=True))
            return scores / scores.sum(1, keepdims=True)

        for _ in range(100):
            for rows in batches(draw, self.train):
                error = (softmax(rows) - np.eye(3)[self.y[rows]]) / len(rows)
                w, b = w - 0.1 * self.x[rows].T @ error, b - 0.1 * error.sum(0)
        p, true = softmax(self.test), np.eye(3)[self.y[self.test]]
        return -np.log((p * true).sum(1)).mean(), ((p - true) ** 2).mean()

    def virginica(self, seed):
        """Accuracy and loss of the test part."""
        draw = np.random.default_rng(seed)
        z, w, b = (self.y == 2).astype(float), np.zeros(4), 0.0
        for _ in range(100):
            for rows in batches(draw, self.train):
                error = (1 / (1 + np.exp(-(self.x[rows] @ w + b))) - z[rows]) / len(rows)
                w, b = w - 0.1 * self.x[rows].T @ error, b - 0.1 * error.sum()
        logit, true = self.x[self.test] @ w + b, z[self.test]
        return ((logit > 0) == (true > 0.5)).mean(), np.log1p(np.exp(-logit * (2 * true - 1))).mean()


# ---- tdnn: two time-delay layers over the sunspots

def window(x, width):
    """[B, T, C] to [B, T, width * C]: a step and the ones before, zeros before the first."""
    return np.concatenate([np.pad(x, ((0, 0), (i, 0), (0, 0)))[:, :x.shape[1]] for i in range(width)], 2)


def window_back(g, width):
    """The gradient by x of window(x, width)."""
    steps, channels = g.shape[1], g.shape[2] // width
    return sum(np.pad(g[:, i:, i * channels:(i + 1) * channels], ((0, 0), (0, i), (0, 0)))[:, :steps]
               for i in range(width))


class Tdnn:
    STEPS = 96

    def __init__(self, folder):
        with open(os.path.join(folder, "timeseries", "monthly-sunspots.csv"), encoding="utf-8") as file:
            y = np.array([float(row["Sunspots"]) for row in csv.DictReader(file)]) / 100
        a, b = round(len(y) * 0.8), round(len(y) * 0.8) + round(len(y) * 0.1)
        self.train, self.valid, self.test = y[:a], y[a:b], y[b:]

    def pieces(self, series, starts):
        """x, and for 1 and for 12 months ahead: the value, and 1 where there is one. Each [B, STEPS]."""
        def ahead(n):
            value, known = np.zeros((2, len(starts), self.STEPS))
            for i, start in enumerate(starts):
                part = series[start + n:min(len(series), start + self.STEPS + n)]
                part = part[:max(0, min(self.STEPS, len(series) - start))]
                value[i, :len(part)], known[i, :len(part)] = part, 1
            return value, known
        return ahead(0)[0], ahead(1), ahead(12)

    def whole(self, series):
        return self.pieces(series, range(0, len(series), self.STEPS))

    @staticmethod
    def forward(params, x):
        w1, b1, w2, b2, v, w = params
        x1 = window(x[:, :, None], 24)
        a = np.maximum(x1 @ w1 + b1, 0)
        x2 = window(a, 5)
        c = np.maximum(x2 @ w2 + b2, 0)
        return x1, a, x2, c, c @ v, c @ w

    def gradient(self, params, data):
        x, (y1, m1), (y12, m12) = data
        w2, v, w = params[2], params[4], params[5]
        x1, a, x2, c, p, q = self.forward(params, x)
        dp, dq = 2 * m1 * (p - y1) / m1.sum(), m12 * (q - y12) / m12.sum()
        dc = (dp[:, :, None] * v + dq[:, :, None] * w) * (c > 0)
        da = window_back(dc @ w2.T, 5) * (a > 0)
        over = ((0, 1), (0, 1))
        return [np.tensordot(x1, da, over), da.sum((0, 1)), np.tensordot(x2, dc, over), dc.sum((0, 1)),
                np.tensordot(dp, c, over), np.tensordot(dq, c, over)]

    def figures(self, params, data):
        """Loss, and the mean absolute error of 1 and of 12 months ahead."""
        x, (y1, m1), (y12, m12) = data
        p, q = self.forward(params, x)[-2:]
        mean = lambda value, mask: (mask * value).sum() / mask.sum()
        return (mean((p - y1) ** 2, m1) + 0.5 * mean((q - y12) ** 2, m12),
                100 * mean(abs(p - y1), m1), 100 * mean(abs(q - y12), m12))

    def run(self, seed):
        draw = np.random.default_rng(seed)

        def glorot(rows, columns):
            return draw.uniform(-1, 1, (rows, columns)) * np.sqrt(6 / (rows + columns))

        params = [glorot(24, 32), np.zeros(32), glorot(160, 32), np.zeros(32), draw.normal(0, 0.1, 32),
                  draw.normal(0, 0.1, 32)]
        first, second, step = [0.0] * 6, [0.0] * 6, 0
        best, kept, since = np.inf, params, 0
        valid, test = self.whole(self.valid), self.whole(self.test)
        for _ in range(200):
            offset = draw.integers(0, self.STEPS)
            count = (len(self.train) - offset) // self.STEPS
            for rows in batches(draw, np.arange(count)):
                gradient = self.gradient(params, self.pieces(self.train, offset + self.STEPS * rows))
                step += 1
                first = [0.9 * m + 0.1 * g for m, g in zip(first, gradient)]
                second = [0.999 * s + 0.001 * g ** 2 for s, g in zip(second, gradient)]
                params = [p - 1e-3 * (m / (1 - 0.9 ** step)) / (np.sqrt(s / (1 - 0.999 ** step)) + 1e-8)
                          for p, m, s in zip(params, first, second)]
            loss = self.figures(params, valid)[0]
            since += 1
            if loss < best:
                best, kept, since = loss, params, 0
            if since == 20:
                break
        return self.figures(kept, test)[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", metavar="DIR")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=20)
    args = parser.parse_args()
    names = args.names or ["virginica", "species", "tdnn"]
    if set(names) - {"virginica", "species", "tdnn"}:
        parser.error("NAME is virginica, species or tdnn")
    iris = Iris(args.data)
    if "virginica" in names:
        say("virginica", ["test accuracy", "test loss"], [iris.virginica(s) for s in range(args.seeds)])
    if "species" in names:
        say("species", ["test loss", "test squared error"], [iris.species(s) for s in range(args.seeds)])
    if "tdnn" in names:
        tdnn = Tdnn(args.data)
        say("tdnn", ["test MAE, 1 month", "test MAE, a year"], [tdnn.run(s) for s in range(args.seeds)])


if __name__ == "__main__":
    main()
