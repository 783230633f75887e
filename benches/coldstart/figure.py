"""The figure: start to first response, on a logarithmic axis, since it spans three powers of ten."""

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import StrMethodFormatter

INK = "#333333"
OTHERS = "#b8c4cc"
OURS = "#0b7285"


def draw(folder, rows):
    """Writes coldstart.png and coldstart.svg."""
    plt.rcParams["svg.hashsalt"] = "coldstart"
    figure, axes = plt.subplots(figsize=(8, 0.6 * len(rows) + 1.1), layout="constrained")
    for place, row in enumerate(reversed(rows)):
        low, high = row.first_spread_ms
        axes.barh(
            place,
            row.first_ms,
            height=0.6,
            color=OURS if row.name == "iris-lambda" else OTHERS,
            xerr=[[max(0, row.first_ms - low)], [max(0, high - row.first_ms)]],
            error_kw={"ecolor": INK, "elinewidth": 1},
        )
        axes.text(high * 1.12, place, f"{row.first_ms:,.{2 if row.first_ms < 10 else 0}f} ms", va="center", color=INK)
    axes.set_yticks(range(len(rows)), [row.title for row in reversed(rows)])
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlim(0.5, max(row.first_spread_ms[1] for row in rows) * 5)
    axes.set_xlabel("process start to first response, ms, median, 10th and 90th percentile (logarithmic)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.savefig(folder / "coldstart.png", dpi=150, metadata={"Software": None})
    figure.savefig(folder / "coldstart.svg", metadata={"Date": None})
