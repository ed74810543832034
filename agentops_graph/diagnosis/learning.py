"""How sure a reasoner should have been, learnt from outcomes that people confirmed.

Platt scaling (Platt 1999) in log-odds, with a Gaussian prior around "leave it as it is", so that a
few outcomes change little. Figures "after" are of fits that did not see the outcome they judge
(leave one out), because a fit flatters itself on what it was made of.
"""

import math
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from agentops_graph.domain.approval import Door
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE, Diagnosis
from agentops_graph.domain.lesson import Calibration, ConfirmedOutcome, last_words
from agentops_graph.domain.record import Record

FEWEST = 10  # outcomes below which no calibration is offered
SHIFT_SD, SLOPE_SD = 1.0, 0.5  # how far a calibration goes without much evidence
BINS = ((0.0, 0.5), (0.5, 0.7), (0.7, 0.85), (0.85, 1.01))
SETTLED = 0.5  # a cause less sure than this is not named
STEPS = 30


class Reliability(Record):
    """How sure, and how often right, within one bin of confidence."""

    low: float
    high: float
    outcomes: int
    confidence: float
    right: float


class Figures(Record):
    """How far confidence was from what came true; less is better."""

    brier: float
    log_loss: float
    calibration_error: float
    confidently_wrong: int  # 0.7 or surer, and wrong


class LessonReport(Record):
    """What people's words on past diagnoses say of the reasoner's confidence."""

    outcomes: int  # diagnoses that named a cause, and were confirmed or corrected
    right: int
    abstained: int  # named no cause, so they tell nothing of confidence
    needed: int = FEWEST
    shift: float = 0.0
    slope: float = 1.0
    in_force: Calibration | None = None
    before: Figures | None = None
    after: Figures | None = None  # of fits that left the judged outcome out
    bins: tuple[Reliability, ...] = ()

    @property
    def is_better(self) -> bool:
        both = self.before is not None and self.after is not None
        return both and self.after.brier < self.before.brier  # type: ignore[union-attr]

    def offer(self, *, actor: str, via: Door, at: datetime) -> Calibration:
        return Calibration(
            shift=self.shift, slope=self.slope, outcomes=self.outcomes, actor=actor, via=via, at=at
        )


def report_on(outcomes: Sequence[ConfirmedOutcome], in_force: Calibration | None) -> LessonReport:
    """Before: the confidences as they were told. After: as the offered calibration would tell."""
    counted = last_words(outcomes)
    told = [one for one in counted if one.confidence is not None]
    right = np.array([float(one.is_right) for one in told])
    report = LessonReport(
        outcomes=len(told),
        right=int(right.sum()),
        abstained=len(counted) - len(told),
        in_force=in_force,
    )
    if not told:
        return report
    sure = np.array([one.confidence for one in told], dtype=float)
    seen = report.model_copy(update={"before": figures(sure, right), "bins": _bins(sure, right)})
    if len(told) < FEWEST:
        return seen
    shift, slope = fitted(sure, right)
    others = [fitted(np.delete(sure, n), np.delete(right, n)) for n in range(len(sure))]
    left_out = [_corrected(s, *fit) for s, fit in zip(sure, others, strict=True)]
    after = figures(np.array(left_out), right)
    return seen.model_copy(update={"shift": shift, "slope": slope, "after": after})


def fitted(sure: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Shift and slope with the highest posterior, by Newton's method."""
    x = _logit(sure)
    shift, slope = 0.0, 1.0
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-(shift + slope * x)))
        weight = p * (1 - p)
        gradient = np.array(
            [
                np.sum(right - p) - shift / SHIFT_SD**2,
                np.sum((right - p) * x) - (slope - 1) / SLOPE_SD**2,
            ]
        )
        bend = np.array(
            [
                [np.sum(weight) + 1 / SHIFT_SD**2, np.sum(weight * x)],
                [np.sum(weight * x), np.sum(weight * x * x) + 1 / SLOPE_SD**2],
            ]
        )
        step = np.linalg.solve(bend, gradient)
        shift, slope = shift + float(step[0]), slope + float(step[1])
        if np.abs(step).max() < 1e-9:
            break
    return round(shift, 6), round(max(slope, 0.05), 6)


def figures(sure: np.ndarray, right: np.ndarray) -> Figures:
    clipped = np.clip(sure, 0.01, 0.99)
    loss = -(right * np.log(clipped) + (1 - right) * np.log(1 - clipped))
    off = [b.outcomes * abs(b.confidence - b.right) for b in _bins(sure, right)]
    return Figures(
        brier=round(float(((sure - right) ** 2).mean()), 4),
        log_loss=round(float(loss.mean()), 4),
        calibration_error=round(math.fsum(off) / len(sure), 4),
        confidently_wrong=int(((sure >= 0.7) & (right == 0)).sum()),
    )


def calibrated(diagnosis: Diagnosis, calibration: Calibration | None) -> Diagnosis:
    """The diagnosis with its confidence corrected; one that is no longer sure enough names none."""
    if calibration is None or diagnosis.confidence is None:
        return diagnosis
    sure = round(calibration.corrected(diagnosis.confidence), 3)
    if sure >= SETTLED:
        before = diagnosis.confidence
        return diagnosis.model_copy(update={"confidence": sure, "confidence_before": before})
    told = (
        f"Unknown: {diagnosis.root_cause!r} fits best, but diagnoses this sure "
        f"({diagnosis.confidence:.0%}) came true too seldom ({sure:.0%})"
    )
    notices = tuple(a for a in diagnosis.recommended_actions if not a.requires_approval)
    return diagnosis.model_copy(
        update={
            "root_cause": told,
            "cause": UNKNOWN_CAUSE,
            "confidence": None,
            "confidence_before": diagnosis.confidence,
            "cause_before": diagnosis.cause,
            "recommended_actions": notices,
        }
    )


def _logit(sure: np.ndarray) -> np.ndarray:
    clipped = np.clip(sure, 0.01, 0.99)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _corrected(sure: float, shift: float, slope: float) -> float:
    return float(1 / (1 + np.exp(-(shift + slope * _logit(np.array([sure]))[0]))))


def _bins(sure: np.ndarray, right: np.ndarray) -> tuple[Reliability, ...]:
    found = []
    for low, high in BINS:
        inside = (sure >= low) & (sure < high)
        if inside.any():
            found.append(
                Reliability(
                    low=low,
                    high=min(high, 1.0),
                    outcomes=int(inside.sum()),
                    confidence=round(float(sure[inside].mean()), 4),
                    right=round(float(right[inside].mean()), 4),
                )
            )
    return tuple(found)
