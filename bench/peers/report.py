#!/usr/bin/env python3
"""Tables and a plot of what run.py measured.

  bench/peers/report.py peers.json           tables in Markdown
  bench/peers/report.py peers.json out.svg   and the plot
"""
import json
import math
import pathlib
import platform
import sys

MOST_DIFFERENCE = 1e-3


def machine():
    cpu = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.processor())
    return f"{cpu}, Linux {platform.release().split('-')[0]}"


def seconds(peer):
    return min(peer["seconds"])


def sound(peer):
    return peer["difference"] <= MOST_DIFFERENCE


def best_peer(contest):
    """The fastest of the others that compute the same, or None."""
    others = {name: p for name, p in contest["peers"].items() if name != "rnnc" and sound(p)}
    return min(others, key=lambda name: seconds(others[name])) if others else None


def ratio(contest):
    """How many times faster rnnc is than the best peer."""
    best = best_peer(contest)
    return seconds(contest["peers"][best]) / seconds(contest["peers"]["rnnc"]) if best else None


def shape(contest):
    return ",".join(str(contest[k]) for k in ("steps", "batch", "inputs", "hidden"))


def told(contest, peer):
    """What a table tells: words a second of a language model, else GFLOP/s."""
    if contest["vocabulary"]:
        return contest["steps"] * contest["batch"] / seconds(peer)
    return gflops(contest, peer)


def unit(contest):
    return "words/s" if contest["vocabulary"] else "GFLOP/s"


def gflops(contest, peer):
    return contest["flop"] / seconds(peer) * 1e-9


def title(contest):
    threads = contest["threads"]
    task = "forward pass" if not contest["train"] else "training step"
    model = f"language model of two layers of {contest['cell']}" if contest["vocabulary"] else contest["cell"]
    return (f"{model}, {task}, "
            f"{threads} thread{'s' if threads > 1 else ''}")


def line(contest):
    """One contest in one line, fastest first."""
    peers = sorted(contest["peers"].items(), key=lambda item: seconds(item[1]))
    times = "  ".join(f"{name} {1e3 * seconds(p):.3g}" + ("" if sound(p) else " (DIFFERS)") for name, p in peers)
    faster = f"{ratio(contest):.2f}x" if best_peer(contest) else "alone"
    return f"{title(contest)}, {shape(contest)}: {faster}   ms: {times}"


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def table(contests):
    """One table: contestants down, shapes across."""
    names = sorted({n for c in contests for n in c["peers"]}, key=lambda n: (n != "rnnc", n))
    rows = [[unit(contests[0])] + [shape(c) for c in contests], ["---"] + ["--:"] * len(contests)]
    for name in names:
        cells = []
        for c in contests:
            peer = c["peers"].get(name)
            cells.append("" if peer is None else f"{told(c, peer):.0f}" if sound(peer) else "differs")
        rows.append([name] + cells)
    ratios = [ratio(c) for c in contests]
    rows.append(["rnnc : best peer"] + ["" if r is None else f"**{r:.2f}**" for r in ratios])
    rows.append(["rnnc, % of peak"] + [f"{100 * gflops(c, c['peers']['rnnc']) / c['peak_gflops']:.0f}"
                                        for c in contests])
    text = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    known = [r for r in ratios if r]
    if known:
        text += (f"\n\nGeometric mean of rnnc : best peer {geometric_mean(known):.2f}, least {min(known):.2f}. "
                 f"Peak of the machine: {max(c['peak_gflops'] for c in contests):.0f} GFLOP/s, "
                 f"{max(c['memory_gbs'] for c in contests):.0f} GB/s.")
    return text


def grouped(results):
    groups = {}
    for contest in results["contests"]:
        groups.setdefault(title(contest), []).append(contest)
    return groups


def tables(results):
    versions = {}
    for contest in results["contests"]:
        for name, peer in contest["peers"].items():
            if peer["version"]:
                versions[name.split()[0]] = peer["version"]
    used = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    parts = [f"{results['machine']}; Python {results['python']}, {used}."]
    for name, contests in grouped(results).items():
        parts.append(f"**{name}**\n\n{table(contests)}")
    return "\n\n".join(parts)


def plot(results, path):
    """A panel for each table: bars by shape, the peak as a line."""
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    groups = grouped(results)
    figure, panels = pyplot.subplots(len(groups), 1, figsize=(11, 2.6 * len(groups)), squeeze=False)
    for axes, (name, contests) in zip(panels[:, 0], groups.items()):
        names = sorted({n for c in contests for n in c["peers"]}, key=lambda n: (n != "rnnc", n))
        width = 0.85 / len(names)
        for k, peer_name in enumerate(names):
            at = [(i, told(c, c["peers"][peer_name])) for i, c in enumerate(contests)
                  if peer_name in c["peers"] and sound(c["peers"][peer_name])]
            axes.bar([i + (k - len(names) / 2) * width for i, _ in at], [v for _, v in at], width, align="edge",
                     label=peer_name, color="black" if peer_name == "rnnc" else f"C{k % 10}")
        if not contests[0]["vocabulary"]:
            axes.axhline(max(c["peak_gflops"] for c in contests), color="grey", linestyle=":")
        axes.set_xticks(range(len(contests)), [shape(c) for c in contests], fontsize=7)
        axes.set_ylabel(unit(contests[0]))
        axes.set_title(name, fontsize=9)
        axes.legend(fontsize=6, ncols=2, loc="upper left", bbox_to_anchor=(1, 1))
    figure.tight_layout()
    figure.savefig(path)


def status(results):
    """1 if anybody computed something else."""
    bad = [f"{title(c)}, {shape(c)}: {name} differs by {p['difference']:.2g}"
           for c in results["contests"] for name, p in c["peers"].items() if not sound(p)]
    print("\n".join(bad), end="\n" if bad else "", file=sys.stderr)
    return 1 if bad else 0


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    results = json.loads(pathlib.Path(sys.argv[1]).read_text())
    print(tables(results))
    if len(sys.argv) == 3:
        plot(results, sys.argv[2])
    return status(results)


if __name__ == "__main__":
    sys.exit(main())
