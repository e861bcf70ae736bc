"""JAX: python jax_worker.py FOLDER UNROLL. The cell's equations in a lax.scan, UNROLL steps in its body, the whole
training step under jit with its parameters donated."""
import os
import sys

from cells import CELLS
from worker import Job, serve

job, unroll = Job(sys.argv[1]), int(sys.argv[2])
if job.threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax  # noqa: E402  (reads these variables)
import jax.numpy as jnp  # noqa: E402


class Ops:
    sigmoid, log_sigmoid = jax.nn.sigmoid, jax.nn.log_sigmoid
    tanh, exp, maximum = jnp.tanh, jnp.exp, jnp.maximum
    at_least = jnp.maximum

    @staticmethod
    def parts(a, n):
        return jnp.split(a, n, -1)

    @staticmethod
    def layer_norms(a, n, g, b):
        each = a.reshape(*a.shape[:-1], n, a.shape[-1] // n)
        d = each - each.mean(-1, keepdims=True)
        return (d / jnp.sqrt((d * d).mean(-1, keepdims=True) + 1e-5)).reshape(a.shape) * g + b


cell = CELLS[job.cell]
prefixes = [f"h.{job.cell}.{k}." for k in (1, 2)] if job.vocabulary else [""]
own = ("e.embed.W", "logits.linear.W", "logits.linear.b") if job.vocabulary else ()
parameters = {"layers": [{name: jnp.asarray(value) for name, value in job.joined(cell.joins, prefix).items()}
                         for prefix in prefixes],
              **{name: jnp.asarray(job.parameters[name]) for name in own}}
x, y = jnp.asarray(job.x), jnp.asarray(job.y)


def layer(p, x):
    def one(states, z):
        states = cell.step(Ops, p, z, states)
        return tuple(states), states[0]
    z = cell.inputs(Ops, p, x.reshape(-1, x.shape[-1])).reshape(job.steps, job.batch, -1)
    first = (jnp.zeros((job.batch, job.hidden), jnp.float32),) * cell.states
    return jax.lax.scan(one, first, z, unroll=unroll)[1]


def forward(p, x):
    h = p["e.embed.W"][x] if job.vocabulary else x
    for own in p["layers"]:
        h = layer(own, h)
    return h @ p["logits.linear.W"] + p["logits.linear.b"] if job.vocabulary else h


def loss(p, x, y):
    if not job.vocabulary:
        return ((forward(p, x) - y) ** 2).mean()
    log_p = jax.nn.log_softmax(forward(p, x))
    return -jnp.take_along_axis(log_p, y[..., None], -1).mean()


def train(p, x, y, rate):
    value, gradients = jax.value_and_grad(loss)(p, x, y)
    if job.clip:
        norm = jnp.sqrt(sum((d * d).sum() for d in jax.tree.leaves(gradients)))
        rate = rate * jnp.minimum(1.0, job.clip / norm)
    return jax.tree.map(lambda a, d: a - rate * d, p, gradients), value


train, infer = jax.jit(train, donate_argnums=0), jax.jit(forward)
state = {"p": parameters}


def step(rate):
    if job.train:
        state["p"], value = train(state["p"], x, y, rate)
        jax.block_until_ready(state["p"])
        return value
    state["h"] = infer(state["p"], x).block_until_ready()
    return 0


def results():
    if not job.train:
        return {"h": state["h"]}
    all_ = {name: state["p"][name] for name in own}
    for p, prefix in zip(state["p"]["layers"], prefixes):
        all_ |= job.parted(p, cell.joins, prefix)
    return all_


serve(job, "jax scan" if unroll == 1 else f"jax scan x{unroll}", jax.__version__, step, results)
