"""Learns from labelled rows how far scores can be believed, and measures how well they can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.class_metrics import probabilities
from agentops_graph.detection.intervals import Z
from agentops_graph.detection.psi import bins_of
from agentops_graph.domain.healthy_rows import Calibration, ScoreCells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.detection.labelled import Found, Labelled
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.profile import FeatureProfile

MOST_CLASSES = 20
CELLS, CELL_ROWS = 20, 50  # of one predicted class: at most so many cells, each of so many rows
LEAST_ROWS = 200
ECE_BINS = 15
SPLITS = 50.0  # rows of a bin at least, so that its share means something


def calibration_of(
    label: Floats,
    prediction: Floats,
    confidence: Floats,
    features: Mapping[str, Floats] | None = None,
    profiles: Mapping[str, FeatureProfile] | None = None,
    *,
    binary: bool,
) -> Calibration | None:
    """The table of scores against labels; None under 200 labelled rows with a score, or with more
    classes than can be told apart."""
    known = np.isfinite(label) & np.isfinite(prediction) & np.isfinite(confidence)
    if known.sum() < LEAST_ROWS:
        return None
    label, prediction = label[known], prediction[known]
    score = scores_of(prediction, confidence[known], binary=binary)
    classes = np.unique(np.concatenate([label, prediction, [0.0, 1.0] if binary else []]))
    if len(classes) > (2 if binary else MOST_CLASSES):
        return None
    codes = np.searchsorted(classes, label)
    chosen = [prediction == each for each in classes]
    cells = tuple(_cells(score[mask], codes[mask], len(classes)) for mask in chosen)
    learnt = Calibration(classes=tuple(classes.tolist()), predicted=cells)
    if not features or not profiles:
        return learnt
    off = _residuals(learnt, label, prediction, score, binary=binary)
    columns = {name: values[known] for name, values in features.items() if name in profiles}
    found = {name: _by_bin(profiles[name], columns[name], off, chosen) for name in columns}
    return learnt.model_copy(
        update={
            "residuals": {name: means for name, (means, _) in found.items()},
            "residual_rows": {name: rows for name, (_, rows) in found.items()},
        }
    )


def scores_of(prediction: Floats, confidence: Floats, *, binary: bool) -> Floats:
    """The score of class 1 of a binary model, however it was logged; else the confidence."""
    if binary and len(confidence) and confidence.min() >= 0.5:
        return np.where(prediction == 1, confidence, 1 - confidence)
    return confidence


def expected(learnt: Calibration, prediction: Floats, score: Floats) -> Floats:
    """Per row how likely each class is its label, (rows, classes), going by its score.

    Between the cells' mean scores the shares run straight; beyond the outermost they stay. Rows
    predicted as a class that the reference never had get the classes' overall shares.
    """
    base = class_shares(learnt)
    chances = np.tile(base, (len(prediction), 1))
    for each, cells in zip(learnt.classes, learnt.predicted, strict=True):
        rows = prediction == each
        if not cells.scores or not rows.any():
            continue
        shares = pooled(cells, base)
        for number in range(len(learnt.classes)):
            chances[rows, number] = np.interp(score[rows], cells.scores, shares[:, number])
    return chances


def pooled(cells: ScoreCells, base: Floats) -> Floats:
    """Share of each class per cell, (cells, classes); of two classes the second one's rises with
    the score, by pooling neighbours that don't: Ayer et al., Ann. Math. Stat. 26 (1955)."""
    counts = np.asarray(cells.labels, dtype=np.float64)
    total = counts.sum(axis=1)
    own = counts.sum(axis=0) / total.sum()
    # One row's worth of what is usual for the prediction, so that no cell is ever certain.
    shares = (counts + 0.5 * (own + base)) / (total + 1)[:, None]
    if shares.shape[1] != 2:
        return np.asarray(shares, dtype=np.float64)
    rising = isotonic(shares[:, 1], total)
    return np.column_stack([1 - rising, rising])


def isotonic(values: Floats, weights: Floats) -> Floats:
    """The nearest rising sequence, by pooling adjacent violators."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        block = (value, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            last, heavy, size = blocks.pop()
            both = heavy + block[1]
            block = ((last * heavy + block[0] * block[1]) / both, both, size + block[2])
        blocks.append(block)
    return np.repeat([value for value, _, _ in blocks], [size for _, _, size in blocks])


def class_shares(learnt: Calibration) -> Floats:
    """Share of each label over all rows of the reference."""
    counts = sum(
        np.asarray(c.labels, dtype=np.float64).sum(axis=0) for c in learnt.predicted if c.labels
    )
    return np.asarray(counts / np.sum(counts), dtype=np.float64)


def cell_numbers(cells: ScoreCells, score: Floats) -> NDArray[np.intp]:
    """The cell of every score."""
    return np.searchsorted(np.asarray(cells.edges, dtype=np.float64), score, side="left")


def _cells(score: Floats, codes: NDArray[np.intp], classes: int) -> ScoreCells:
    if not len(score):
        return ScoreCells(edges=(), scores=(), labels=())
    wanted = int(np.clip(len(score) // CELL_ROWS, 1, CELLS))
    levels = np.linspace(0, 1, wanted + 1)[1:-1]
    edges = np.unique(np.quantile(score, levels, method="lower"))
    edges = edges[edges < score.max()]
    place = np.searchsorted(edges, score, side="left")
    size = len(edges) + 1
    rows = np.bincount(place, minlength=size)
    labels = np.bincount(place * classes + codes, minlength=size * classes).reshape(size, classes)
    means = np.bincount(place, score, minlength=size) / rows
    return ScoreCells(
        edges=tuple(edges.tolist()),
        scores=tuple(means.tolist()),
        labels=tuple(tuple(row) for row in labels.tolist()),
    )


def _residuals(
    learnt: Calibration, label: Floats, prediction: Floats, score: Floats, *, binary: bool
) -> Floats:
    """Label minus expectation: of class 1, or of having been right."""
    chances = expected(learnt, prediction, score)
    if binary:
        return np.asarray((label == 1) - chances[:, 1], dtype=np.float64)
    own = np.searchsorted(np.asarray(learnt.classes), prediction)
    right = (label == prediction) - chances[np.arange(len(own)), own]
    return np.asarray(right, dtype=np.float64)


def _by_bin(
    profile: FeatureProfile, values: Floats, off: Floats, chosen: list[NDArray[np.bool_]]
) -> tuple[tuple[tuple[float, ...], ...], tuple[tuple[int, ...], ...]]:
    size, place = len(profile.edges) + 2, bins_of(profile, values)
    rows = np.array([np.bincount(place[mask], minlength=size) for mask in chosen])
    sums = np.array([np.bincount(place[mask], off[mask], minlength=size) for mask in chosen])
    means = sums / np.maximum(rows, 1)
    return tuple(map(tuple, means.tolist())), tuple(map(tuple, rows.tolist()))


def ece(rows: Labelled) -> Found | str:
    """Expected calibration error: the mean gap between score and share of class 1 over bins of
    equal weight (Naeini, Cooper and Hauskrecht, AAAI 2015), freed from what chance alone makes.

    A bin's gap in squares is too large by its own variance on average (Broecker, Clim. Dyn. 39,
    2012); that is taken off, so that a well calibrated model comes out near 0 with few rows, too,
    and two windows of unlike length can be compared. The interval is the delta method's, over bins.
    """
    found = probabilities(rows)
    if isinstance(found, str):
        return found
    label, score = found
    if len(label) < 2 * SPLITS:
        return (
            f"{len(label)} scored rows are too few to tell calibration; it takes {2 * SPLITS:.0f}"
        )
    gaps, noise, weights = _gaps(label, score)
    clean = np.sqrt(np.maximum(gaps**2 - noise, 0.0))
    value = float(weights @ clean)
    half = Z * float(np.sqrt(np.sum(weights**2 * noise)))
    return value, max(0.0, value - half), min(1.0, value + half)


def _gaps(label: Floats, score: Floats) -> tuple[Floats, Floats, Floats]:
    """Per bin the gap, its sampling variance and its share of the rows."""
    bins = int(np.clip(len(label) // SPLITS, 2, ECE_BINS))
    order = np.argsort(score, kind="stable")
    parts = np.array_split(order, bins)
    rows = np.array([len(part) for part in parts], dtype=np.float64)
    off = label - score
    gaps = np.array([off[part].mean() for part in parts])
    share = np.array([label[part].mean() for part in parts])
    # A bin with one class only still has the variance that one more row could show.
    smooth = (share * rows + 0.5) / (rows + 1)
    return gaps, smooth * (1 - smooth) / rows, rows / rows.sum()
