"""The cells as a careful user of PyTorch or JAX writes them: gate products joined, the products with the input
hoisted out of the loop, layer norms of all gates at once. `m` has the functions of either framework.

A cell has
  joins    parameters that stand side by side in one
  states   how many; all begin with 0, h is the first
  inputs   (m, p, x): what all steps need of the input, computed at once; x is [T * B, E]
  step     (m, p, z, states): new states, from the rows z of `inputs` that belong to the step
"""
from dataclasses import dataclass
from typing import Callable


def affine(m, p, x):
    return x @ p["W"] + p["b"]


@dataclass
class Cell:
    joins: dict
    states: int
    step: Callable
    inputs: Callable = affine


def gates(letters, kinds="WUb"):
    return {kind: [kind + letter for letter in letters] for kind in kinds}


def lstm(m, p, z, states):
    h, c = states
    i, f, g, o = m.parts(z + h @ p["U"], 4)
    c = m.sigmoid(f) * c + m.sigmoid(i) * m.tanh(g)
    return m.sigmoid(o) * m.tanh(c), c


def gru(m, p, z, states):
    (h,) = states
    xz, xr, xn = m.parts(z, 3)
    hz, hr, hn = m.parts(h @ p["U"], 3)
    z, r = m.sigmoid(xz + hz), m.sigmoid(xr + hr)
    n = m.tanh(xn + r * (hn + p["dn"]))
    return ((1 - z) * n + z * h,)


def peephole(m, p, z, states):
    h, c = states
    i, f, g, o = m.parts(z + h @ p["U"], 4)
    c = m.sigmoid(f + p["pf"] * c) * c + m.sigmoid(i + p["pi"] * c) * m.tanh(g)
    return m.sigmoid(o + p["po"] * c) * m.tanh(c), c


def ln_inputs(m, p, x):
    return m.layer_norms(x @ p["W"], 4, p["gx"], p["bx"])


def ln_lstm(m, p, z, states):
    h, c = states
    i, f, g, o = m.parts(z + m.layer_norms(h @ p["U"], 4, p["gh"], p["bh"]), 4)
    c = m.sigmoid(f + 1) * c + m.sigmoid(i) * m.tanh(g)
    return m.sigmoid(o) * m.tanh(m.layer_norms(c, 1, p["gc"], p["bc"])), c


def cifg(m, p, z, states):
    h, c = states
    f, g, o = m.parts(z + h @ p["U"], 3)
    f = m.sigmoid(f)
    c = f * c + (1 - f) * m.tanh(g)
    return m.sigmoid(o) * m.tanh(c), c


def mgu(m, p, z, states):
    (h,) = states
    xf, xn = m.parts(z, 2)
    f = m.sigmoid(xf + h @ p["Uf"])
    return ((1 - f) * h + f * m.tanh(xn + (f * h) @ p["Un"]),)


def slstm(m, p, zs, states):
    h, c, n, old = states
    a, f, z, o = m.parts(zs + h @ p["U"], 4)
    log_f = m.log_sigmoid(f)
    stable = m.maximum(log_f + old, a)
    f, i = m.exp(log_f + old - stable), m.exp(a - stable)
    c = f * c + i * m.tanh(z)
    n = f * n + i
    return m.sigmoid(o) * c / m.at_least(n, 1e-6), c, n, stable


CELLS = {
    "lstm": Cell(gates("ifgo"), 2, lstm),
    "gru": Cell(gates("zrn"), 1, gru),
    "peephole": Cell(gates("ifgo"), 2, peephole),
    "ln_lstm": Cell(gates("ifgo", "WU") |
                    {f"{k}x": [f"{gate}.layer_norm.{k}" for gate in "ifgo"] for k in "gb"} |
                    {f"{k}h": [f"{gate}.layer_norm2.{k}" for gate in "ifgo"] for k in "gb"} |
                    {f"{k}c": [f"h.layer_norm.{k}"] for k in "gb"}, 2, ln_lstm, ln_inputs),
    "cifg": Cell(gates("fgo"), 2, cifg),
    "mgu": Cell(gates("fn", "Wb"), 1, mgu),
    "slstm": Cell(gates("ifzo"), 4, slstm),
}
