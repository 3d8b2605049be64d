"""The report's drawings, as SVG that takes its ink from the page: the same drawing serves light and dark."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Distinguishable with colour-blind eyes, and on white as on near-black (after Okabe and Ito, 2008).
COLOURS = ("#D55E00", "#3A8FD0", "#009E73", "#C99700", "#C065A5", "#7F8C8D", "#7A6FF0", "#8C6D46")
MARKERS = "osD^vPX*"
_INK = "#010203"
# Any: matplotlib types the keys as one literal of every setting it has.
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "smoothclap",
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "text.parse_math": False,
}


def plane(
    vectors: np.ndarray, prompts: np.ndarray, truth: Sequence[str], classes: Sequence[str], words: Sequence[str]
) -> str:
    """Draw the embeddings in the plane in which the clips differ most, and where each label word pulls.

    Principal components of the clips' embeddings. The words are drawn as directions, around their own mean, for
    audio and text embeddings lie in two separate cones (the modality gap) and a word's pull is its difference
    to the other words.

    Args:
        vectors: (n, d) audio embeddings.
        prompts: (C, d) text embeddings, in the order of the classes.
        truth: true class of each clip.
        classes: of the task, in order.
        words: what the text embeddings stand for, in the order of the classes.

    Returns:
        An SVG element.
    """
    centred = vectors - vectors.mean(axis=0)
    _, spread, axes = np.linalg.svd(centred, full_matrices=False)
    axes = np.vstack([axes, np.zeros((2, vectors.shape[1]))])[:2]
    # The sign of a singular vector is arbitrary: fix it, so that the drawing does not depend on the LAPACK at
    # hand.
    axes *= np.where(axes[range(2), np.abs(axes).argmax(axis=1)] < 0, -1, 1)[:, None]
    points = centred @ axes.T
    pulls = (prompts - prompts.mean(axis=0)) @ axes.T
    reach = 1.1 * np.abs(points).max() or 1.0
    pulls *= reach / (np.linalg.norm(pulls, axis=1).max() or 1.0)
    share = np.append(spread**2 / max((spread**2).sum(), 1e-12), [0.0, 0.0])[:2]

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 6.2), layout="constrained")
        canvas = figure.add_subplot()
        labels = np.asarray(truth)
        for number, label in enumerate(classes):
            colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
            x, y = points[labels == label].T
            # Thousands of vector points would make the page heavy.
            canvas.scatter(x, y, s=14, color=colour, marker=marker, alpha=0.45, linewidths=0, rasterized=True)
            if len(x):
                middle = canvas.scatter(
                    x.mean(), y.mean(), s=130, color=colour, marker=marker, label=label, zorder=3
                )
                middle.set(edgecolor=_INK, linewidth=1.2)
        _write_words(canvas, pulls, words, reach)
        canvas.set(
            xlabel=f"first principal component ({share[0]:.0%} of the variance)",
            ylabel=f"second ({share[1]:.0%})",
            xlim=(-1.2 * reach, 1.2 * reach),
            ylim=(-1.1 * reach, 1.1 * reach),
            xticks=[],
            yticks=[],
        )
        figure.legend(loc="outside lower center", ncols=4, title="mean of the clips that are")
        return _svg(figure)


def curves(history: Sequence[Mapping[str, Any]]) -> str:
    """Draw training: the loss by step, and the validation UAR by epoch.

    Args:
        history: the records of `history.jsonl`.

    Returns:
        An SVG element.
    """
    steps = [record for record in history if record["kind"] == "step"]
    epochs = [record for record in history if record["kind"] == "epoch"]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 2.8), layout="constrained")
        loss, uar = figure.subplots(1, 2)
        loss.plot(
            [one["step"] for one in steps], [one["loss"] for one in steps], color=COLOURS[1], lw=1, alpha=0.5
        )
        loss.plot(
            [one["step"] for one in epochs], [one["loss"] for one in epochs], color=COLOURS[1], marker="o", ms=4
        )
        loss.set(xlabel="step", title="training loss")
        checked = [one for one in epochs if one["validation_uar"] is not None]
        uar.plot(
            [one["epoch"] for one in checked],
            [one["validation_uar"] for one in checked],
            color=COLOURS[2],
            marker="o",
            ms=4,
        )
        uar.set(xlabel="epoch", title="validation UAR (held-out speakers)")
        uar.xaxis.get_major_locator().set_params(integer=True)
        return _svg(figure)


def _write_words(canvas: Axes, pulls: np.ndarray, words: Sequence[str], reach: float) -> None:
    """Write each word at the end of its pull, moved up where it would lie on another."""
    taken: list[tuple[float, float]] = []
    for number in np.argsort(pulls[:, 1], kind="stable"):
        x, y = pulls[number]
        height = y
        while any(
            abs(x - other) < 0.35 * reach and abs(height - level) < 0.09 * reach for other, level in taken
        ):
            height += 0.01 * reach
        taken.append((x, height))
        colour = COLOURS[number % len(COLOURS)]
        canvas.plot([0, x], [0, y], color=colour, lw=1.2, alpha=0.8, zorder=2)
        canvas.text(
            x,
            height,
            f"“{words[number]}”",
            color=colour,
            ha="center",
            va="center",
            weight="bold",
            size=11,
            zorder=4,
        )


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :].replace(_INK, "currentColor")
