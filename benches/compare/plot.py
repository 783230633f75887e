"""The measurements as a figure: one group of bars a model."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from .peers import OURS, PEERS

COLORS = dict(zip((OURS, *PEERS), ("#d62728", "#1f77b4", "#7f7f7f", "#bcbd22", "#9467bd", "#2ca02c"), strict=True))


def draw(lines: list[dict], folder: Path) -> None:
    """Writes compare.svg and compare.png."""
    sizes = sorted({line["rows"] for line in lines})
    names = list(dict.fromkeys(line["model"] for line in lines))
    size = (6 * len(sizes), 0.45 * len(names) + 2)
    figure, panels = plt.subplots(1, len(sizes), figsize=size, sharey=True, squeeze=False)
    for panel, n_samples in zip(panels[0], sizes, strict=True):
        for place, name in enumerate(names):
            found = next((line for line in lines if (line["model"], line["rows"]) == (name, n_samples)), None)
            group(panel, place, found["seconds"] if found else {})
        panel.set_xscale("log")
        panel.set_xlabel("micro-seconds a call (less is better)")
        panel.set_title(f"{n_samples:,} row{'s' if n_samples > 1 else ''}")
        panel.grid(axis="x", alpha=0.3)
    panels[0][0].set_yticks(range(len(names)), names)
    panels[0][0].invert_yaxis()
    handles = [plt.Rectangle((0, 0), 1, 1, color=color) for color in COLORS.values()]
    figure.legend(handles, COLORS, loc="upper center", ncols=len(COLORS), frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.97))
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"compare.{suffix}", dpi=110)


def group(panel, place: int, seconds: dict) -> None:
    height = 0.8 / len(COLORS)
    for index, (peer, color) in enumerate(COLORS.items()):
        if peer in seconds:
            panel.barh(place - 0.4 + (index + 0.5) * height, seconds[peer]["median"] * 1e6, height, color=color)
