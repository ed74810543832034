"""Whether a drift is only what this time of day always looks like."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.drift import drift_by_feature
from agentops_graph.detection.profile import profile_of
from agentops_graph.detection.psi import STABLE, aggregate

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.frames import Floats, Predictions
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.gathering.model_measures import ModelCase, Sheet
    from agentops_graph.ports import Warehouse

DAYS = 7
FEWEST_DAYS = 2  # a single day alike may be the same fault
OTHER_HOURS = (6, 12, 18)  # of the last day
LASTING = 0.5  # of the drift, still there over the rest of the day: no season


def in_season(case: ModelCase, by_feature: Mapping[str, float], sheet: Sheet) -> bool:
    """`usual_at_this_time`, with a note of it."""
    if case.reference is None or not usual_at_this_time(
        case.warehouse, case.window, case.reference, case.rows, by_feature
    ):
        return False
    sheet.notes.append("drifted from the reference as on earlier days at this time: no alert")
    return True


def usual_at_this_time(
    warehouse: Warehouse,
    window: Window,
    reference: ReferenceProfile,
    rows: Predictions,
    by_feature: Mapping[str, float],
) -> bool:
    """True when the features that moved look as at this time on earlier days, and the rest of the
    last day looks like the reference.

    A reference of whole days is a mixture of day and night, so each hour differs from it. The rows
    of this window are held against those of the same window on up to seven days before, by the same
    measure and line. A fault that lasts is no season however alike its days are: the hours in
    between show it as well. Read only when a drift would be told.
    """
    limit = window.component.thresholds.aggregate_psi
    moved = [name for name, value in by_feature.items() if value >= STABLE]
    if not all(name in rows.features for name in moved):
        return False
    now = {name: rows.features[name] for name in moved}
    earlier = _of_earlier_days(warehouse, window, moved)
    if len(earlier) < FEWEST_DAYS:
        return False
    usual = profile_of(window.component.name, "", _joined(earlier), {}, window.start)
    against_usual = {name: found.psi for name, found in drift_by_feature(usual, now).items()}
    if aggregate(against_usual) > limit:
        return False
    return not _lasts(warehouse, window, reference, now, aggregate(by_feature))


def _lasts(
    warehouse: Warehouse,
    window: Window,
    reference: ReferenceProfile,
    now: dict[str, Floats],
    score: float,
) -> bool:
    """Whether the last day as a whole, by four of its hours, is still far from the reference."""
    parts = [_rows(warehouse, window, timedelta(hours=h), list(now)) for h in OTHER_HOURS]
    parts = [part for part in parts if part]
    if not parts:
        return True
    known = {name: reference.features[name] for name in now if name in reference.features}
    day = drift_by_feature(reference.model_copy(update={"features": known}), _joined([now, *parts]))
    return aggregate({name: found.psi for name, found in day.items()}) > LASTING * score


def _of_earlier_days(
    warehouse: Warehouse, window: Window, names: list[str]
) -> list[dict[str, Floats]]:
    found = [_rows(warehouse, window, timedelta(days=d), names) for d in range(1, DAYS + 1)]
    return [part for part in found if part]


def _rows(
    warehouse: Warehouse, window: Window, back: timedelta, names: list[str]
) -> dict[str, Floats]:
    """The features of the same window so long ago; empty when too few rows would say it."""
    start: datetime = window.start - back
    rows = warehouse.predictions(window.component.name, start, window.end - back)
    if 2 * len(rows) < window.component.thresholds.drift_min_rows:
        return {}
    gone = np.full(len(rows), np.nan)
    return {name: rows.features.get(name, gone) for name in names}


def _joined(parts: list[dict[str, Floats]]) -> dict[str, Floats]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
