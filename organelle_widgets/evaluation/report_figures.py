"""The figures of a classifier's report, as SVG that takes its colours from the page around it.

Each function draws numbers that are there already; nothing is computed but positions. Colours of `render.bars` stand
for the page's own (paper, ink, ...), so that one drawing serves a light and a dark page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from organelle_widgets.core.labels import CLASSES
from organelle_widgets.evaluation.classification_scores import FEWEST_FIELDS
from organelle_widgets.render.bars import STYLES
from organelle_widgets.render.inline_svg import ACCENT as _ACCENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "class_order",
    "class_ranking",
    "confusion_figure",
    "curves_figure",
    "reliability_figure",
]

_LOOK = STYLES["light"]
_SIZE, _SMALL = 9.0, 7.5
_INDEX = {organelle.name: organelle for organelle in CLASSES}


def class_order(per_class: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of the classes: those with enough fields for a claim, those with few, those with none; best first.

    Parameters
    ----------
    per_class : mapping
        As `organelle_widgets.evaluation.classification_scores.score_fields` gives it.

    Returns
    -------
    list of str
        All names, within each group by average precision of fields.
    """

    def rank(name: str) -> tuple[bool, bool, float]:
        row = per_class[name]
        few = row["n_fields"] < FEWEST_FIELDS
        return not row["n_fields"], few, -float(np.nan_to_num(row["ap_field"]))

    return sorted(per_class, key=rank)


def class_ranking(scores: Mapping[str, Any]) -> Figure:
    """Average precision and AUC of every class that has a field, with their intervals.

    Parameters
    ----------
    scores : mapping
        What `organelle_widgets.evaluation.classification_scores.score_fields` gives.

    Returns
    -------
    matplotlib.figure.Figure
        Two columns of points; classes from the top, in the order of `class_order`.
    """
    per_class = scores["per_class"]
    names = [name for name in class_order(per_class) if per_class[name]["n_fields"]]
    figure = _figure(7.6, 0.75 + 0.24 * len(names))
    top = 1 - 0.12 / figure.get_figheight()
    bottom = 0.5 / figure.get_figheight()
    titles = {"ap": "Average precision", "auc": "Area under the ROC curve"}
    for column, (kind, title) in enumerate(titles.items()):
        axes = figure.add_axes((0.285 + 0.365 * column, bottom, 0.335, top - bottom))
        _plain(axes)
        axes.set(xlim=(-0.02, 1.02), ylim=(len(names) - 0.4, -0.6), yticks=range(len(names)))
        axes.set_yticklabels(
            [_caption(name, per_class[name]) for name in names] if not column else []
        )
        axes.set_xlabel(title, fontsize=_SIZE, color=_LOOK.muted)
        for row, name in enumerate(names):
            chance = per_class[name]["n_fields"] / scores["n_fields"] if kind == "ap" else 0.5
            _point(axes, row, per_class[name], kind, chance)
    return figure


def _caption(name: str, row: Mapping[str, Any]) -> str:
    """A class with the number of its fields."""
    short = name if len(name) <= 28 else f"{name[:26].rstrip()}…"
    return f"{short} ({row['n_fields']})"


def _point(axes: Axes, at: int, row: Mapping[str, Any], kind: str, chance: float) -> None:
    """One class: fields as a dot with its interval, cells as a small square, chance as a tick."""
    axes.plot([chance, chance], [at - 0.3, at + 0.3], color=_LOOK.muted, lw=1)
    low, high = row.get("interval", {}).get(f"{kind}_field", (np.nan, np.nan))
    known = bool(np.isfinite(low))
    if known:
        axes.plot([low, high], [at, at], color=_ACCENT, lw=2, solid_capstyle="round")
    axes.plot(row[f"{kind}_cell"], at, "s", ms=4, color=_LOOK.muted)
    axes.plot(
        row[f"{kind}_field"], at, "o", ms=6, mec=_ACCENT, mfc=_ACCENT if known else _LOOK.paper
    )


def confusion_figure(confusion: Mapping[str, Any]) -> Figure:
    """Which class was said of cells of which class.

    Parameters
    ----------
    confusion : mapping
        ``confusion`` of `organelle_widgets.evaluation.classification_details.score_details`.

    Returns
    -------
    matplotlib.figure.Figure
        True classes that occur as rows, answers that occur as columns; shades are shares of the row.
    """
    from matplotlib.patches import Rectangle

    counts = np.asarray(confusion["cells"])
    rows = np.flatnonzero(counts.sum(axis=1))
    cols = np.flatnonzero(counts.sum(axis=0) + np.isin(np.arange(counts.shape[1]), rows))
    figure = _figure(2.6 + 0.31 * max(len(cols), 1), 0.75 + 0.27 * max(len(rows), 1))
    height = figure.get_figheight()
    axes = figure.add_axes(
        (
            2.5 / figure.get_figwidth(),
            0.1 / height,
            0.31 * max(len(cols), 1) / figure.get_figwidth(),
            1 - 0.65 / height,
        )
    )
    _plain(axes, grid=False)
    axes.set(xlim=(0, max(len(cols), 1)), ylim=(max(len(rows), 1), 0))
    for y, row in enumerate(rows):
        for x, col in enumerate(cols):
            count = int(counts[row, col])
            share = count / counts[row].sum()
            axes.add_patch(Rectangle((x + 0.04, y + 0.04), 0.92, 0.92, fc=_LOOK.track, lw=0))
            if count:
                _shade(axes, x, y, share, count)
            if row == col:
                axes.add_patch(
                    Rectangle((x + 0.04, y + 0.04), 0.92, 0.92, fc="none", ec=_LOOK.line, lw=1)
                )
    codes = [*(organelle.code for organelle in CLASSES), "none"]
    axes.set_xticks(np.arange(len(cols)) + 0.5, [codes[c] for c in cols])
    names = [f"{_short(CLASSES[r].name)} ({counts[r].sum()})  {CLASSES[r].code}" for r in rows]
    axes.set_yticks(np.arange(len(rows)) + 0.5, names)
    axes.xaxis.set_ticks_position("top")
    axes.tick_params(length=0)
    axes.set_xlabel("Answer", fontsize=_SIZE, color=_LOOK.muted)
    axes.xaxis.set_label_position("top")
    return figure


def _short(name: str) -> str:
    """A long name with an ellipsis."""
    return name if len(name) <= 24 else f"{name[:22].rstrip()}…"


def _shade(axes: Axes, x: int, y: int, share: float, count: int) -> None:
    """One cell of the matrix that is not empty."""
    from matplotlib.patches import Rectangle

    place = (x + 0.04, y + 0.04)
    axes.add_patch(Rectangle(place, 0.92, 0.92, fc=_ACCENT, alpha=0.08 + 0.87 * share, lw=0))
    ink = _LOOK.paper if share > 0.7 else _LOOK.ink
    axes.text(x + 0.5, y + 0.5, str(count), fontsize=_SMALL, color=ink, ha="center", va="center")


def reliability_figure(reliability: Mapping[str, Any]) -> Figure:
    """What came true against what was said, and how often it was said.

    Parameters
    ----------
    reliability : mapping
        ``reliability`` of `organelle_widgets.evaluation.classification_details.score_details`.

    Returns
    -------
    matplotlib.figure.Figure
        All classes of all cells on the left, the most probable class of each cell on the right.
    """
    figure = _figure(7.6, 4.3)
    titles = {
        "all_classes": "Every class of every cell",
        "top_class": "Most probable class of each cell",
    }
    for column, (kind, title) in enumerate(titles.items()):
        table = {key: np.asarray(values, float) for key, values in reliability[kind].items()}
        left = 0.08 + 0.5 * column
        curve = figure.add_axes((left, 0.36, 0.4, 0.56))
        _plain(curve)
        curve.set(xlim=(0, 1), ylim=(0, 1), xticklabels=[])
        curve.set_title(title, fontsize=_SIZE, color=_LOOK.ink, loc="left", fontweight="bold")
        curve.plot([0, 1], [0, 1], color=_LOOK.muted, lw=1, ls=(0, (3, 3)))
        full = table["n"] > 0
        curve.plot(
            table["said"][full],
            table["true"][full],
            "o-",
            color=_ACCENT,
            ms=5,
            lw=1.5,
            clip_on=False,
        )
        counts = figure.add_axes((left, 0.12, 0.4, 0.2))
        _plain(counts)
        width = table["high"] - table["low"]
        counts.bar(table["low"], table["n"], 0.92 * width, align="edge", color=_LOOK.line)
        scale = "log" if full.any() else "linear"
        counts.set(xlim=(0, 1), yscale=scale, ylim=(0.7, max(10.0, 2 * table["n"].max())))
        counts.yaxis.set_major_formatter("{x:,.0f}")
        counts.minorticks_off()
        counts.set_xlabel("Probability said", fontsize=_SIZE, color=_LOOK.muted)
        if not column:
            curve.set_ylabel("Share that is right", fontsize=_SIZE, color=_LOOK.muted)
            counts.set_ylabel("Answers", fontsize=_SIZE, color=_LOOK.muted)
    return figure


def curves_figure(scores: Mapping[str, Any]) -> Figure:
    """Precision against recall of every class that has a field.

    Parameters
    ----------
    scores : mapping
        What `organelle_widgets.evaluation.classification.evaluate_classification` gives with details.

    Returns
    -------
    matplotlib.figure.Figure
        One small panel a class, in the order of `class_order`.
    """
    per_class, curves = scores["per_class"], scores["details"]["precision_recall"]
    names = [name for name in class_order(per_class) if per_class[name]["n_fields"]]
    across = 4
    down = -(-len(names) // across) or 1
    figure = _figure(7.6, 0.35 + 1.72 * down)
    height = figure.get_figheight()
    for place, name in enumerate(names):
        row, col = divmod(place, across)
        left, bottom = 0.055 + 0.24 * col, 1 - (1.72 * row + 1.55) / height
        axes = figure.add_axes((left, bottom, 0.2, 1.22 / height))
        _plain(axes)
        axes.set(xlim=(0, 1.02), ylim=(0, 1.05), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        axes.tick_params(labelbottom=place + across >= len(names), labelleft=not col)
        organelle = _INDEX[name]
        axes.set_title(_short(name), fontsize=_SMALL, color=_LOOK.ink, loc="left", pad=3)
        chance = per_class[name]["n_fields"] / scores["n_fields"]
        axes.axhline(chance, color=_LOOK.muted, lw=0.8, ls=(0, (2, 3)))
        _curve(axes, curves["cells"][name], _LOOK.muted, 1.0)
        _curve(axes, curves["fields"][name], organelle.color, 2.0)
    return figure


def _curve(axes: Axes, curve: Mapping[str, Sequence[float]], color: str, width: float) -> None:
    """Precision as steps, each as high as where its recall is first reached: the area below is the precision's mean."""
    recall = np.asarray(curve["recall"], float)
    gains = np.diff(recall, prepend=0.0) > 0
    if gains.any():
        recall, precision = recall[gains], np.asarray(curve["precision"], float)[gains]
        steps = np.append(precision[0], precision)
        axes.step(np.append(0.0, recall), steps, where="pre", color=color, lw=width)


def _figure(width: float, height: float) -> Figure:
    """An empty figure without a background, inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), facecolor="none")


def _plain(axes: Axes, grid: bool = True) -> None:
    """Axes without a frame, in the page's inks."""
    axes.set_facecolor("none")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(labelsize=_SMALL + 0.5, colors=_LOOK.ink, length=0)
    if grid:
        axes.grid(color=_LOOK.track, lw=1)
        axes.set_axisbelow(True)
