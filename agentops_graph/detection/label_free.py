"""Estimates a metric of predicted classes without labels, from scores that were calibrated.

Confidence-based performance estimation: where rows of a like score came true as often as they do
now, the share of right answers among today's rows follows from their scores alone. Guillory et al.,
ICCV 2021; Garg et al., ICLR 2022; for the whole confusion matrix the method that NannyML published
as CBPE. It sees what a change of the mix of rows does. A change of what makes a row positive leaves
scores as they are, so nothing that reads scores alone can see it.
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
from agentops_graph.detection.confusion import FIGURES, figure
from agentops_graph.detection.intervals import Z
from agentops_graph.detection.performance import Estimate, Unmeasured
from agentops_graph.detection.psi import bin_shares, bins_of, reference_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.detection.calibration import Calibration
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.metric import Metric
    from agentops_graph.domain.profile import ReferenceProfile

DRAWS = 400  # the spread is then known to 4% of itself
STRANGE = 0.1  # share of rows outside of all that the reference saw; above it nothing is said
UNKNOWN = "can't be estimated without labels"


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


def estimated(
    metric: Metric,
    reference: ReferenceProfile,
    prediction: Floats,
    confidence: Floats,
    features: Mapping[str, Floats],
) -> Estimate | Unmeasured:
    """The metric as it is to be expected of these rows, with a 99% interval of what labels would
    show.

    The interval has three parts: chance in the labels and in the reference's counts; how far the
    reference's own scores were off in those bins of a feature that now hold more rows; and, on the
    worse side, that the share of rows which the reference can't have produced is labelled as
    anything is.
    """
    found = confusion_of(metric, reference, prediction, confidence, features)
    if isinstance(found, Unmeasured):
        return found
    value, low, high = _interval(metric, found)
    positives = int(round(float(found.table.sum(axis=0)[-1]))) if metric.task == "binary" else 0
    rows = int(found.table.sum())
    return Estimate(value, low, high, rows, positives or rows)


@dataclass(frozen=True)
class Confusion:
    """Expected rows by prediction and label: the best guess, draws around it, and the worst case."""

    classes: tuple[float, ...]
    table: Floats  # (predicted, label)
    draws: Floats  # (draws, predicted, label)
    worse: Floats  # (draws, predicted, label), with what drifted labelled as anything is


def confusion_of(
    metric: Metric,
    reference: ReferenceProfile,
    prediction: Floats,
    confidence: Floats,
    features: Mapping[str, Floats],
) -> Confusion | Unmeasured:
    """The expected confusion matrix, or why there is none."""
    learnt = reference.healthy.calibration if reference.healthy else None
    if metric.task not in ("binary", "multiclass") or metric.name not in FIGURES:
        return Unmeasured(f"{metric.name} {UNKNOWN}")
    if learnt is None:
        return Unmeasured(
            "the reference profile has no calibration, for want of 200 labelled rows with a "
            "`confidence`"
        )
    rows = _scored(learnt, prediction, confidence, features, binary=metric.task == "binary")
    if len(rows.score) < max(1, len(prediction) // 2):
        return Unmeasured("fewer than half of the rows have a `confidence`")
    strange = outside(reference, rows.features, len(rows.score))
    if strange > STRANGE:
        return Unmeasured(
            f"{strange:.0%} of the rows have a value far outside of what the reference saw, so "
            "their scores can't be trusted"
        )
    return _drawn(learnt, reference, rows)


def outside(reference: ReferenceProfile, features: Mapping[str, Floats], rows: int) -> float:
    """The share of rows with a feature outside the reference's range widened by a quarter."""
    from agentops_graph.detection.triggers import anomaly_rows

    return float(anomaly_rows(reference, features).mean()) if rows and features else 0.0


def _scored(
    learnt: Calibration,
    prediction: Floats,
    confidence: Floats,
    features: Mapping[str, Floats],
    *,
    binary: bool,
) -> Scored:
    known = np.isfinite(prediction) & np.isfinite(confidence)
    known &= np.isin(prediction, learnt.classes)
    prediction = prediction[known]
    score = scores_of(prediction, confidence[known], binary=binary)
    return Scored(prediction, score, {name: values[known] for name, values in features.items()})


def _drawn(learnt: Calibration, reference: ReferenceProfile, rows: Scored) -> Confusion:
    chances = expected(learnt, rows.prediction, rows.score)
    cells = _in_cells(learnt, rows, chances)
    size = len(learnt.classes)
    table = np.zeros((size, size))
    np.add.at(table, cells.predicted, cells.rows[:, None] * cells.chances)
    rng = np.random.default_rng(0)  # the same rows give the same answer
    off = _local_error(learnt, reference, rows)
    moved = mass_moved(reference, rows.features)
    base = class_shares(learnt)
    anything = (1 - moved) * cells.chances + moved * base
    return Confusion(
        classes=learnt.classes,
        table=table,
        draws=_tables(cells, cells.chances, off, rng, size),
        worse=_tables(cells, anything, off, rng, size),
    )


def _in_cells(learnt: Calibration, rows: Scored, chances: Floats) -> Cells:
    predicted, counts, shares, behind = [], [], [], []
    for number, (each, cells) in enumerate(zip(learnt.classes, learnt.predicted, strict=True)):
        mask = rows.prediction == each
        if not mask.any():
            continue
        place = cell_numbers(cells, rows.score[mask]) if cells.labels else np.zeros(mask.sum(), int)
        size = max(len(cells.labels), 1)
        held = np.bincount(place, minlength=size)
        sums = np.array([np.bincount(place, c, minlength=size) for c in chances[mask].T]).T
        there = held > 0
        predicted.append(np.full(int(there.sum()), number))
        counts.append(held[there])
        shares.append(sums[there] / held[there][:, None])
        seen = np.array([sum(cell) for cell in cells.labels] or [0], dtype=np.float64)
        behind.append(seen[there])
    return Cells(
        predicted=np.concatenate(predicted),
        rows=np.concatenate(counts).astype(np.int64),
        chances=np.concatenate(shares),
        behind=np.concatenate(behind),
    )


def _tables(
    cells: Cells, chances: Floats, off: Floats, rng: np.random.Generator, size: int
) -> Floats:
    """Confusion matrices as chance could make them: the reference's shares vary as counts do
    (Dirichlet), scores are off by as much as they were locally, and labels fall by the shares."""
    weight = chances * (cells.behind[:, None] + 1)
    shares = rng.standard_gamma(np.maximum(weight, 1e-9), (DRAWS, *weight.shape))
    shares /= np.maximum(shares.sum(axis=-1, keepdims=True), 1e-300)
    shares = _leaned(shares, cells, rng.standard_normal((DRAWS, size)) * off)
    labels = rng.multinomial(np.broadcast_to(cells.rows, shares.shape[:2]), shares)
    tables = np.zeros((DRAWS, size, size))
    for number in range(size):
        tables[:, number] = labels[:, cells.predicted == number].sum(axis=1)
    return tables


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
    a feature than the reference's did: the largest over the features, freed from chance."""
    worst = np.zeros(len(learnt.classes))
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
                worst[number] = max(worst[number], off)
    return worst


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
        chance = float(np.sqrt(then * (1 - then) * (1 / len(values) + 1 / max(reference.rows, 1))).sum())
        most = max(most, gap - chance)
    return float(min(most, 1.0))


def _interval(metric: Metric, found: Confusion) -> tuple[float, float, float]:
    value = float(figure(metric, found.classes, found.table[None])[0])
    drawn = figure(metric, found.classes, found.draws)
    worse = figure(metric, found.classes, found.worse)
    down = Z * _half_spread(drawn, -1)
    up = Z * _half_spread(drawn, 1)
    bottom = float(worse.mean()) - Z * _half_spread(worse, -1)
    return value, float(max(0.0, min(value - down, bottom))), float(min(1.0, value + up))


def _half_spread(values: Floats, side: int) -> float:
    """The standard deviation that one side of the draws amounts to."""
    off = (values - values.mean()) * side
    return float(np.sqrt(2 * np.mean(np.maximum(off, 0.0) ** 2)))
