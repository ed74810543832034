"""What the outcomes of a fault injection amount to, held against the aims."""

from dataclasses import dataclass

import numpy as np

from evals.detection.watched import KINDS, Outcome

LEAST_RECALL = 0.95
MOST_FALSE = 1.0  # a component-month
LOOKS_A_MONTH = 720
WINDOW_MIN = 60.0
# A fault that grows is dated within the hours over which it grows.
SLOW_WINDOWS = 3


@dataclass(frozen=True)
class Judged:
    """One kind over all seeds; `recall` is None where there is nothing to find."""

    kind: str
    cases: int
    looks: int
    false_alarms: int
    a_month: float
    recall: float | None = None
    delay: float | None = None  # hours, median
    onset_error: float | None = None  # minutes, median
    onset_worst: float | None = None  # minutes, 90%
    missed: tuple[int, ...] = ()
    alarms: tuple[str, ...] = ()


def judged(outcomes: list[Outcome]) -> list[Judged]:
    """One row per kind, in the order they were watched."""
    kinds = dict.fromkeys(outcome.kind for outcome in outcomes)
    return [_row(kind, [o for o in outcomes if o.kind == kind]) for kind in kinds]


def _row(kind: str, cases: list[Outcome]) -> Judged:
    looks, alarms = sum(c.quiet_looks for c in cases), [a for c in cases for a in c.false_alarms]
    row = Judged(
        kind,
        len(cases),
        looks,
        len(alarms),
        len(alarms) * LOOKS_A_MONTH / looks if looks else 0.0,
        alarms=tuple(f"seed {c.seed} {a}" for c in cases for a in c.false_alarms),
    )
    if looks:
        return row
    found = [c for c in cases if c.delay is not None]
    errors = [60 * c.onset_error for c in found if c.onset_error is not None]
    figures = {"recall": len(found) / len(cases)}
    if errors:
        figures["delay"] = float(np.median([c.delay for c in found if c.delay is not None]))
        figures["onset_error"] = float(np.median(errors))
        figures["onset_worst"] = float(np.quantile(errors, 0.9))
    missed = tuple(c.seed for c in cases if c.delay is None)
    return Judged(**{**vars(row), **figures, "missed": missed})


def failed_aims(rows: list[Judged]) -> list[str]:
    """Each aim that was missed, in words; empty when all were met."""
    failed = []
    for row in rows:
        kind = KINDS.get(row.kind)
        if row.recall is not None and row.recall < LEAST_RECALL:
            failed.append(f"{row.kind}: recall {row.recall:.2f}, aim {LEAST_RECALL}")
        slow = kind is not None and kind.slow
        allowed = WINDOW_MIN * (SLOW_WINDOWS if slow else 1)
        if row.onset_error is not None and row.onset_error > allowed:
            failed.append(f"{row.kind}: onset off by {row.onset_error:.0f} min, aim {allowed:.0f}")
        if kind is not None and kind.control and row.false_alarms:
            failed.append(f"{row.kind}: {row.false_alarms} alarms on a harmless control")
    looks, false = sum(r.looks for r in rows), sum(r.false_alarms for r in rows)
    if looks and false * LOOKS_A_MONTH / looks > MOST_FALSE:
        failed.append(f"{false} false alarms in {looks / LOOKS_A_MONTH:.1f} component-months")
    return failed
