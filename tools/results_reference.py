"""What the examples reach elsewhere: the same networks in PyTorch 2.13, trained and measured by others.

One Example a row of docs/results.md. A figure is (label, path in the JSON of `rnnc train`, what is better, low, high):
the range over the seeds of the reference; a single number stands for both ends. What is better decides how far behind
a figure may be: "share" is a part of 1 (accuracy) or a score where more is better, "error" one where less is,
"shown" is not compared (no reference, or only its size means something).
"""
from dataclasses import dataclass, field
from typing import Optional


@dataclass
class Figure:
    label: str
    path: tuple
    better: str
    low: Optional[float] = None
    high: Optional[float] = None


@dataclass
class Example:
    name: str  # what `tools/results.py run` calls it
    file: str
    model: str
    figures: list
    seconds_per_epoch: Optional[float] = None  # of the reference, one thread
    parameters: Optional[int] = None
    options: list = field(default_factory=list)  # for rnnc train
    remark: str = ""
    prepare: str = ""  # a function of results_data.py that makes the data folder
    edits: list = field(default_factory=list)  # (old, new) in the text of the file


def test(name):
    return ("test", "loss") if name == "loss" else ("test", "metrics", name)


def valid(name):
    return ("valid", "loss") if name == "loss" else ("valid", "metrics", name)


ACCURACY = "accuracy(logits, y)"
RMSE, PERPLEXITY = test("rmse"), valid("perplexity")
FADING = "sqrt(sum over H (gradient(h)^2))"
FADING_CELL = "sqrt(sum over H (gradient(h.c)^2))"


def fading(watch, distances=(0, 1, 8, 16, 32, 63)):
    """Length of the gradient by a state, by its distance to the last of 64 steps."""
    state = "c" if watch == FADING_CELL else "h"
    return [Figure(f"gradient by {state}, d = {d}", ("valid", "watches", watch, 63 - d), "shown") for d in distances]


EXAMPLES = [
    Example("languages", "languages.rnn", "language", [
        Figure("test accuracy", test(ACCURACY), "share", 0.834, 0.838),
        Figure("test loss", test("loss"), "error", 0.469, 0.471)], 10.7, 74120),
    Example("surname", "surname.rnn", "surname", [
        Figure("test accuracy", test(ACCURACY), "share", 0.802, 0.805),
        Figure("test loss", test("loss"), "error", 0.633, 0.639)], 0.952, 25586),
    Example("reviews", "reviews.rnn", "review", [
        Figure("test accuracy", test(ACCURACY), "share", 0.890, 0.890),
        Figure("test F1", test("f1"), "share", 0.891, 0.891),
        Figure("test loss", test("loss"), "error", 0.294, 0.294)], 31.6, 776322),
    Example("sentiment_seed", "sentiment_seed.rnn", "sentiment", [
        Figure("test accuracy", test(ACCURACY), "share", 0.783, 0.783),
        Figure("test loss", test("loss"), "error", 0.549, 0.607)], 4.4, 1489710),
    Example("textcnn", "textcnn.rnn", "question", [
        Figure("test accuracy", test(ACCURACY), "share", 0.904, 0.910),
        Figure("test loss", test("loss"), "error", 0.283, 0.288)], 2.3, 442306),
    Example("digits-plain", "digits.rnn", "plain", [
        Figure("test accuracy", test(ACCURACY), "share", 0.953, 0.961),
        Figure("test loss", test("loss"), "error", 0.148, 0.163)], 0.214, 101770),
    Example("digits-conv", "digits.rnn", "conv", [
        Figure("test accuracy", test(ACCURACY), "share", 0.965, 0.968),
        Figure("test loss", test("loss"), "error", 0.112, 0.116)], 1.2, 9226),
    Example("digits-rows", "digits.rnn", "rows", [
        Figure("test accuracy", test(ACCURACY), "share", 0.940, 0.952),
        Figure("test loss", test("loss"), "error", 0.171, 0.210)], 0.728, 24458),
    Example("multilabel", "multilabel.rnn", "what", [
        Figure("test accuracy", test(ACCURACY), "share", 0.963, 0.967),
        Figure("test all right", test("all_right"), "share", 0.918, 0.927),
        Figure("test loss", test("loss"), "error", 0.093, 0.099)], 0.108, 50435),
    Example("iris-virginica", "iris.rnn", "virginica", [
        Figure("test accuracy", test("accuracy(logit, z)"), "share", 0.967, 0.967),
        Figure("test loss", test("loss"), "error", 0.144, 0.145)], 0.0013, 5),
    Example("iris-species", "iris.rnn", "species", [
        Figure("test accuracy", test("accuracy(scores, y)"), "share", 0.967, 0.967),
        Figure("test loss", test("loss"), "error", 0.129, 0.133),
        Figure("test squared error", test("error"), "error", 0.021, 0.022)], 0.0015, 15),
    Example("house-line", "house.rnn", "line", [
        Figure("test RMSE", RMSE, "error", 24.08, 24.08),
        Figure("test MAE", test("mae"), "error", 19.44, 19.44),
        Figure("test MAPE", test("mape"), "error", 4.75, 4.75)], 0.0001, 5, remark="least squares"),
    Example("house-hidden", "house.rnn", "hidden", [
        Figure("test RMSE", RMSE, "error", 24.61, 27.75)], 0.0030, 97),
    Example("narx-forecast", "narx.rnn", "forecast", [
        Figure("test RMSE, degrees", RMSE, "error", 2.16, 2.16),
        Figure("test SMAPE", test("smape"), "error", 16.98, 16.98)], 0.023, 704),
    Example("narx-climate", "narx.rnn", "climate", [
        Figure("test RMSE, degrees", RMSE, "error", 2.58, 2.59)], 0.026, 480),
    Example("tdnn", "tdnn.rnn", "tdnn", [
        Figure("test MAE, 1 month", test("mae"), "error", 12.40, 12.48),
        Figure("test MAE, 12 months", test("year"), "error", 18.77, 18.87),
        Figure("test SMAPE", test("smape"), "error", 24.78, 24.94)], 0.0029, 6016),
    Example("sampling-anew", "sampling.rnn", "anew", [Figure("valid perplexity", PERPLEXITY, "error", 5.70, 5.70)],
            1.6, 89903),
    Example("sampling-onward", "sampling.rnn", "onward", [
        Figure("valid perplexity", PERPLEXITY, "error", 5.63, 5.63)], 1.5, 89903),
    Example("sampling-pairs", "sampling.rnn", "pairs", [Figure("valid perplexity", PERPLEXITY, "error", 10.97, 10.97)],
            0.052, 2209, remark="counting: 10.96"),
    Example("sampling-triples", "sampling.rnn", "triples", [
        Figure("valid perplexity", PERPLEXITY, "error", 7.22, 7.23)], 0.092, 103823, remark="counting: 7.23"),
    Example("recase", "recase.rnn", "recase", [
        Figure("test accuracy", test(ACCURACY), "share", 0.996, 0.996),
        Figure("test loss", test("loss"), "error", 0.015, 0.015)], 36.7, 121761),
    Example("namegen", "namegen.rnn", "name", [Figure("valid perplexity", PERPLEXITY, "error", 5.94, 5.95)],
            2.5, 78197),
    Example("vanishing-plain", "vanishing.rnn", "plain", [
        Figure("valid loss", ("valid", "loss"), "error", 2.51, 2.52)] + fading(FADING), 0.4, 8910),
    Example("vanishing-gated", "vanishing.rnn", "gated", [
        Figure("valid loss", ("valid", "loss"), "error", 2.97, 2.98)] + fading(FADING) + fading(FADING_CELL),
            1.6, 24462),
    Example("wiki", "wiki.rnn", "lm", [
        Figure("valid perplexity", ("best", "metrics", "perplexity"), "error", 195.5, 195.5),
        Figure("test perplexity", test("perplexity"), "error", 193.3, 193.3)], 69.7, 3244550, ["--epochs", "6"],
            remark="6 epochs in place of 20"),
    Example("ptb", "ptb.rnn", "lm", [
        Figure("valid perplexity", ("best", "metrics", "perplexity"), "shown"),
        Figure("test perplexity", test("perplexity"), "shown")], prepare="ptb_from_wikitext",
            remark="on wikitext-2: valid.txt as train, the halves of test.txt as valid and test"),
    Example("tree", "tree.rnn", "sentiment", [
        Figure("test accuracy, root", test("accuracy(last(logits), last(y))"), "share", 0.465, 0.471),
        Figure("test loss", test("loss"), "error", 0.460, 0.460)], 8.5, 2099255),
    Example("graph", "graph.rnn", "graph", [
        Figure("test accuracy", test("accuracy(logits, last(y))"), "share", 0.389, 0.389),
        Figure("test loss", test("loss"), "error", 1.39, 1.39)], 14.8, 1215685),
    Example("translate", "translate.rnn", "translate", [
        Figure("test perplexity", test("perplexity"), "error", 4.72, 4.93),
        Figure("test BLEU", test("bleu(y)"), "score", 23.42, 23.56)], 31.8, 5085081,
            ["--epochs", "3", "--set", "search=greedy"], prepare="first_pairs",
            edits=[("train = 0.98, valid = 0.01, test = 0.01", "train = 0.9, valid = 0.05, test = 0.05")],
            remark="first 20,000 pairs, split 0.9 / 0.05 / 0.05, 3 epochs, greedy"),
    Example("cells", "cells.rnn", "try", [
        Figure("test accuracy", test(ACCURACY), "shown"), Figure("test loss", test("loss"), "shown")],
            remark="the peephole cell on the surnames"),
]
