"""The labels that rows are to be expected to have, going by scores that came true before.

Where rows of a like score come true as often as they did, today's labels follow from today's
scores, but for three things that the draws hold: chance in the labels and in the reference's
counts; how far the reference's own scores were off in those bins of a feature that now hold more
rows; and, in the draws of the worse side, that the share of rows which the reference can't have
produced is labelled as anything is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.calibration import (
    cell_numbers,
    class_shares,
    expected,
    scores_of,
)
from agentops_graph.detection.psi import bin_shares, bins_of, reference_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.healthy_rows import Calibration
    from agentops_graph.domain.profile import ReferenceProfile

DRAWS = 400  # the spread is then known to 4% of itself


@dataclass(frozen=True)
class Scored:
    """Rows that were predicted, with the score in the form that the calibration has."""

    prediction: Floats
    score: Floats
    features: Mapping[str, Floats]


@dataclass(frozen=True)
class Cells:
    """Rows per predicted class and score: how many, and the labels that are to be expected."""

    predicted: NDArray[np.intp]  # which class, per cell
    rows: NDArray[np.int64]
    chances: Floats  # (cells, classes)
    behind: Floats  # reference rows that each cell's chances rest on
    place: NDArray[np.intp]  # the cell of every row


@dataclass(frozen=True)
class Expectation:
    """Rows with their expected labels, and labels per cell as chance could make them."""

    classes: tuple[float, ...]
    rows: Scored
    chances: Floats  # (rows, classes)
    cells: Cells
    drawn: Floats  # (draws, cells, classes)
    worse: Floats  # (draws, cells, classes), with what drifted labelled as anything is


def scored(
    learnt: Calibration,
    prediction: Floats,
    confidence: Floats,
    features: Mapping[str, Floats],
    *,
    binary: bool,
) -> Scored:
    """Those of the rows that have a score and a class that is known."""
    known = np.isfinite(prediction) & np.isfinite(confidence)
    known &= np.isin(prediction, learnt.classes)
    prediction = prediction[known]
    score = scores_of(prediction, confidence[known], binary=binary)
    return Scored(prediction, score, {name: values[known] for name, values in features.items()})


def expectation(learnt: Calibration, reference: ReferenceProfile, rows: Scored) -> Expectation:
    """Of at least one row; the same rows give the same answer."""
    chances = expected(learnt, rows.prediction, rows.score)
    cells = _in_cells(learnt, rows, chances)
    rng = np.random.default_rng(0)
    off = _local_error(learnt, reference, rows)
    moved = mass_moved(reference, rows.features)
    anything = (1 - moved) * cells.chances + moved * class_shares(learnt)
    return Expectation(
        classes=learnt.classes,
        rows=rows,
        chances=chances,
        cells=cells,
        drawn=_labels(cells, cells.chances, off, rng),
        worse=_labels(cells, anything, off, rng),
    )


def _in_cells(learnt: Calibration, rows: Scored, chances: Floats) -> Cells:
    place = np.zeros(len(rows.score), dtype=np.intp)
    predicted: list[int] = []
    behind: list[int] = []
    for number, (each, cells) in enumerate(zip(learnt.classes, learnt.predicted, strict=True)):
        mask = rows.prediction == each
        place[mask] = len(predicted) + cell_numbers(cells, rows.score[mask])
        seen = [sum(cell) for cell in cells.labels] or [0]
        predicted += [number] * len(seen)
        behind += seen
    size = len(predicted)
    held = np.bincount(place, minlength=size)
    sums = np.array([np.bincount(place, column, minlength=size) for column in chances.T]).T
    base = class_shares(learnt)
    shares = np.where(held[:, None] > 0, sums / np.maximum(held, 1)[:, None], base)
    return Cells(
        predicted=np.array(predicted, dtype=np.intp),
        rows=held.astype(np.int64),
        chances=shares,
        behind=np.array(behind, dtype=np.float64),
        place=place,
    )


def _labels(cells: Cells, chances: Floats, off: Floats, rng: np.random.Generator) -> Floats:
    """Labels per cell as chance could make them: the reference's shares vary as counts do
    (Dirichlet), scores are off by as much as they were locally, and labels fall by the shares."""
    weight = chances * (cells.behind[:, None] + 1)
    shares = rng.standard_gamma(np.maximum(weight, 1e-9), (DRAWS, *weight.shape))
    shares /= np.maximum(shares.sum(axis=-1, keepdims=True), 1e-300)
    shares = _leaned(shares, cells, rng.standard_normal((DRAWS, len(off))) * off)
    rows = np.broadcast_to(cells.rows, shares.shape[:2])
    if shares.shape[2] == 2:  # the same, and several times as fast
        ones = rng.binomial(rows, np.clip(shares[..., 1], 0.0, 1.0))
        return np.stack([rows - ones, ones], axis=2).astype(np.float64)
    return np.asarray(rng.multinomial(rows, shares), dtype=np.float64)


def _leaned(shares: Floats, cells: Cells, lean: Floats) -> Floats:
    """Shares of the class that a score speaks of, moved by `lean` of its predicted class; the
    other classes keep their proportions."""
    two = shares.shape[-1] == 2
    own = np.ones(len(cells.rows), dtype=np.intp) if two else cells.predicted
    place = np.arange(len(own))
    held = shares[:, place, own]
    # Sure cells are moved little: what was never wrong is not off by a tenth.
    room = 4 * held * (1 - held)
    moved = np.clip(held + lean[:, cells.predicted] * np.maximum(room, 0.1), 0.0, 1.0)
    rest = (1 - moved) / np.maximum(1 - held, 1e-12)
    leaned = shares * rest[..., None]
    leaned[:, place, own] = moved
    total = leaned.sum(axis=-1, keepdims=True)
    return np.asarray(leaned / np.where(total > 0, total, 1.0), dtype=np.float64)


def _local_error(learnt: Calibration, reference: ReferenceProfile, rows: Scored) -> Floats:
    """Per predicted class how far its scores are likely off, because rows now lie in other bins of
    a feature than the reference's did: over all features in squares, each freed from chance."""
    square = np.zeros(len(learnt.classes))
    for name, means in learnt.residuals.items():
        profile = reference.features.get(name)
        values = rows.features.get(name)
        if profile is None or values is None:
            continue
        place = bins_of(profile, values)
        for number, each in enumerate(learnt.classes):
            chosen = place[rows.prediction == each]
            if len(chosen):
                counts = np.asarray(learnt.residual_rows[name][number], dtype=np.float64)
                off = _bias(np.asarray(means[number]), counts, chosen)
                square[number] += off**2
    return np.sqrt(square)


def _bias(means: Floats, counts: Floats, place: NDArray[np.int64]) -> float:
    now = np.bincount(place, minlength=len(counts)) / len(place)
    before = counts / max(counts.sum(), 1.0)
    shift = now - before
    spread = float(np.sum(shift**2 * 0.25 / (counts + 1)))  # of chance, at most
    return float(np.sqrt(max(0.0, float(shift @ means) ** 2 - spread)))


def mass_moved(reference: ReferenceProfile, features: Mapping[str, Floats]) -> float:
    """The largest share of rows by which a feature's bins differ from the reference's, less what
    chance makes; 0 when nothing moved."""
    most = 0.0
    for name, profile in reference.features.items():
        values = features.get(name)
        if values is None or not len(values):
            continue
        then = reference_shares(profile)
        gap = 0.5 * float(np.abs(bin_shares(profile, values) - then).sum())
        chance = float(
            np.sqrt(then * (1 - then) * (1 / len(values) + 1 / max(reference.rows, 1))).sum()
        )
        most = max(most, gap - chance)
    return float(min(most, 1.0))
