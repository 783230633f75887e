"""The figures of the notebook, each as PNG and SVG."""

import matplotlib.pyplot as plt
import numpy as np
from analysis import summary
from matplotlib.ticker import FuncFormatter

INK = "#333333"
COLOURS = {"iris-lambda": "#0b7285", "python": "#c2570c"}
OTHERS = ["#6741d9", "#5c940d", "#a61e4d"]
TITLES = {"iris-lambda": "iris-lambda", "python": "Python, scikit-learn pickle"}
PERCENTILES = ["5 %", "50 %", "95 %", "mean"]
STYLES = [(0, (1, 1)), "-", (0, (5, 2)), "-."]


def colour(run, runs):
    others = [other.name for other in runs if other.name not in COLOURS]
    return COLOURS[run.name] if run.name in COLOURS else OTHERS[others.index(run.name) % len(OTHERS)]


def title(run):
    return TITLES.get(run.name, run.name)


def spell(value, _=None):
    """A tick: 0.5, 1, 20, 3,000."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def measured(value):
    """A result: 1.2, 20, 3,000."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def time_axis(axis):
    axis.set_major_formatter(FuncFormatter(spell))
    axis.set_minor_formatter(FuncFormatter(lambda *_: ""))


def plot(size):
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def save(figure, folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    plt.rcParams["svg.hashsalt"] = name
    figure.savefig(folder / f"{name}.png", dpi=150, metadata={"Software": None})
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})


def over_time(runs):
    """P50, P95 and the largest response time of each window of the test."""
    figure, axes = plot((9, 4.6))
    for run in runs:
        seconds, p50, p95, largest = np.array(run.over_time()).T
        shade = colour(run, runs)
        axes.plot(seconds, p50, "-", marker="o", markersize=4, color=shade, label=f"{title(run)}: P50")
        axes.plot(seconds, p95, "--", marker="s", markersize=4, color=shade, label="P95")
        axes.plot(seconds, largest, ":", marker="^", markersize=5, color=shade, label="max")
    axes.set_yscale("log")
    time_axis(axes.yaxis)
    axes.set_xlim(left=0)
    axes.set_xlabel("time since the first request, s")
    axes.set_ylabel("response time, ms (logarithmic)")
    axes.set_title("Response time over time", color=INK)
    axes.grid(axis="y", color="#e6e6e6")
    axes.legend(ncols=len(runs), frameon=False, fontsize=9)
    return figure


def histogram(runs, *, cold):
    """How often which response time, ours and the others on one axis, with percentiles and mean."""
    kind = "Cold-start" if cold else "Warm"
    figure, axes = plot((9, 4.6))
    found = [(run, run.times(cold=cold)) for run in runs]
    found = [(run, times) for run, times in found if len(times)]
    if found:
        everything = np.concatenate([times for _, times in found])
        edges = np.geomspace(everything.min() * 0.8, everything.max() * 1.25, 50)
        for run, times in found:
            shade = colour(run, runs)
            label = f"{title(run)}, {len(times)} requests"
            axes.hist(times, bins=edges, color=shade, alpha=0.45, label=label)
            for value, name, style in zip(summary(times), PERCENTILES, STYLES, strict=True):
                axes.axvline(value, color=shade, linestyle=style, linewidth=1.4, label=f"{name}: {measured(value)} ms")
        axes.set_xscale("log")
        time_axis(axes.xaxis)
        place_ticks(axes, edges[0], edges[-1])
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize=9)
    else:
        axes.text(0.5, 0.5, "no such request", ha="center", transform=axes.transAxes, color=INK)
    axes.set_xlabel("response time, ms (logarithmic)")
    axes.set_ylabel("requests")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_title(f"{kind} requests", color=INK)
    return figure


def place_ticks(axes, low, high):
    """1, 2, 5, 10, …, and 3 where there is room: powers of ten alone would leave some axes with one label."""
    digits = (1, 2, 3, 5) if high / low < 100 else (1, 2, 5)
    ticks = [digit * 10.0**power for power in range(-3, 7) for digit in digits]
    axes.set_xticks([tick for tick in ticks if low <= tick <= high])
    axes.set_xlim(low, high)


def cold_start_table(rows):
    """The cold-start harness's table: medians, from the 10th to the 90th percentile."""
    figure, panels = plt.subplots(1, 3, figsize=(11, 0.55 * len(rows) + 1.2), layout="constrained", sharey=True)
    columns = [
        ("first", "start to first response, ms"),
        ("warm", "a warm event, µs"),
        ("peak", "peak memory, MB"),
    ]
    places = range(len(rows))[::-1]
    for axes, (key, label) in zip(panels, columns, strict=True):
        for place, row in zip(places, rows, strict=True):
            median, low, high = row[key]
            shade = COLOURS["iris-lambda"] if row["name"] == "iris-lambda" else "#b8c4cc"
            error = [[median - low], [high - median]]
            axes.barh(place, median, height=0.6, color=shade, xerr=error, error_kw={"ecolor": INK, "elinewidth": 1})
            axes.text(high * 1.15, place, measured(median), va="center", color=INK, fontsize=9)
        axes.set_xscale("log")
        time_axis(axes.xaxis)
        axes.set_xlim(min(row[key][1] for row in rows) / 2, max(row[key][2] for row in rows) * 7)
        axes.set_xlabel(f"{label}\n(logarithmic)")
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    panels[0].set_yticks(list(places), [row["title"] for row in rows])
    return figure
