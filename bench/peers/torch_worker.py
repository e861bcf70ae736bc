"""PyTorch: python torch_worker.py FOLDER library|eager|compiled. `library` is nn.LSTM or nn.GRU; the others run the
cell's equations in a loop, as they stand or with the cell under torch.compile."""
import sys

import torch
import torch.nn.functional as F

from cells import CELLS
from worker import Job, serve


class Ops:
    sigmoid, tanh, exp, maximum = torch.sigmoid, torch.tanh, torch.exp, torch.maximum
    log_sigmoid = F.logsigmoid

    @staticmethod
    def parts(a, n):
        return a.chunk(n, -1)

    @staticmethod
    def at_least(a, low):
        return a.clamp(min=low)

    @staticmethod
    def layer_norms(a, n, g, b):
        each = a.unflatten(-1, (n, a.shape[-1] // n))
        return F.layer_norm(each, each.shape[-1:], eps=1e-5).flatten(-2) * g + b


class Equations:
    """A layer by its equations."""

    def __init__(self, job, prefix, compiled):
        self.job, self.prefix, self.cell = job, prefix, CELLS[job.cell]
        self.p = {name: torch.tensor(value, requires_grad=job.train)
                  for name, value in job.joined(self.cell.joins, prefix).items()}
        self.step = torch.compile(self.one, dynamic=False) if compiled else self.one

    def one(self, z, *states):
        return self.cell.step(Ops, self.p, z, states)

    def parameters(self):
        return list(self.p.values())

    def __call__(self, x):
        job = self.job
        states = [torch.zeros(job.batch, job.hidden)] * self.cell.states
        hs = []
        for z in self.cell.inputs(Ops, self.p, x.flatten(0, 1)).view(job.steps, job.batch, -1):
            states = self.step(z, *states)
            hs.append(states[0])
        return torch.stack(hs)

    def results(self):
        return self.job.parted({name: value.detach().numpy() for name, value in self.p.items()}, self.cell.joins,
                               self.prefix)


class Library:
    """A layer, or several, by nn.LSTM or nn.GRU. It has two biases where we have one: both get the same gradient, the
    first is compared."""
    KINDS = {"lstm": (torch.nn.LSTM, "ifgo"), "gru": (torch.nn.GRU, "rzn")}

    def __init__(self, job, prefixes):
        self.job, self.prefixes = job, prefixes
        kind, self.letters = self.KINDS[job.cell]
        self.net = kind(job.inputs, job.hidden, len(prefixes))
        with torch.no_grad():
            for name, theirs in self.net.named_parameters():
                theirs.zero_()
                for part, ours in zip(theirs.chunk(len(self.letters)), self.names(name)):
                    if ours:
                        part.copy_(torch.from_numpy(job.parameters[ours].T))
        self.net.requires_grad_(job.train)

    def names(self, theirs):
        """Our names of the gates of their `weight_ih_l0` and the like; None for what we have not."""
        kind, layer = theirs.rsplit("_l", 1)
        prefix = self.prefixes[int(layer)]
        if kind == "bias_hh":
            return [prefix + "dn" if k == "n" else None for k in self.letters]
        return [prefix + {"weight_ih": "W", "weight_hh": "U", "bias_ih": "b"}[kind] + k for k in self.letters]

    def parameters(self):
        return list(self.net.parameters())

    def __call__(self, x):
        return self.net(x)[0]

    def results(self):
        return {ours: part.detach().numpy().T for name, theirs in self.net.named_parameters()
                for part, ours in zip(theirs.chunk(len(self.letters)), self.names(name)) if ours}


class LanguageModel:
    """Embedding, two layers, an output layer; gives logits."""

    def __init__(self, job, how):
        prefixes = [f"h.{job.cell}.{k}." for k in (1, 2)]
        self.layers = [Library(job, prefixes)] if how == "library" else [Equations(job, p, how == "compiled")
                                                                         for p in prefixes]
        self.own = {name: torch.tensor(job.parameters[name], requires_grad=True)
                    for name in ("e.embed.W", "logits.linear.W", "logits.linear.b")}

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()] + list(self.own.values())

    def __call__(self, x):
        h = F.embedding(x, self.own["e.embed.W"])
        for layer in self.layers:
            h = layer(h)
        return h @ self.own["logits.linear.W"] + self.own["logits.linear.b"]

    def results(self):
        all_ = {name: value.detach().numpy() for name, value in self.own.items()}
        for layer in self.layers:
            all_ |= layer.results()
        return all_


def main():
    job, how = Job(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(job.threads)
    torch.set_flush_denormal(True)
    if job.vocabulary:
        net = LanguageModel(job, how)
    else:
        net = Library(job, [""]) if how == "library" else Equations(job, "", how == "compiled")
    x, y, parameters = torch.from_numpy(job.x), torch.from_numpy(job.y), net.parameters()
    if job.vocabulary:
        x, y = x.long(), y.long().flatten()
    last = []

    def train(rate):
        out = net(x)
        loss = F.cross_entropy(out.flatten(0, 1), y) if job.vocabulary else F.mse_loss(out, y)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            if job.clip:
                norm = torch.nn.utils.get_total_norm(gradients)
                rate = rate * min(1.0, job.clip / norm.item())
            for p, d in zip(parameters, gradients):
                p.sub_(d, alpha=rate)
        return loss.item()

    def infer(rate):
        with torch.inference_mode():
            last[:] = [net(x)]
        return 0

    name = {"library": f"torch nn.{job.cell.upper()}", "eager": "torch eager", "compiled": "torch compile"}[how]
    serve(job, name, torch.__version__, train if job.train else infer,
          net.results if job.train else lambda: {"h": last[0].numpy()})


main()
