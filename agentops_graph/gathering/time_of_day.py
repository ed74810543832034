"""Whether a drift is only what this time of day always looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.profile import profile_of
from agentops_graph.detection.psi import aggregate
from agentops_graph.detection.shift import WORTH_NAMING, shift_of, words_of

if TYPE_CHECKING:
    from datetime import datetime

    from agentops_graph.detection.shift import Shift
    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.frames import Floats, Predictions, Words
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.gathering.model_measures import ModelCase, Sheet
    from agentops_graph.ports import Warehouse

DAYS = 7
FEWEST_DAYS = 2  # a single day alike may be the same fault
OTHER_HOURS = (6, 12, 18)  # of the last day
LASTING = 0.5  # of the drift, still there over the rest of the day: no season


@dataclass(frozen=True)
class Part:
    """The features that moved, in some rows."""

    numbers: dict[str, Floats]
    words: dict[str, Words]
    rows: int

    def score(self, reference: ReferenceProfile) -> float:
        """The drift score of these features alone."""
        known = reference.model_copy(
            update={
                "features": {n: p for n, p in reference.features.items() if n in self.numbers},
                "categories": {n: p for n, p in reference.categories.items() if n in self.words},
            }
        )
        return aggregate(shift_of(known, self.numbers, self.words, self.rows).by_feature)


def in_season(case: ModelCase, shift: Shift, sheet: Sheet) -> bool:
    """`usual_at_this_time`, with a note of it."""
    if case.reference is None or not usual_at_this_time(
        case.warehouse, case.window, case.reference, case.rows, shift
    ):
        return False
    sheet.notes.append("drifted from the reference as on earlier days at this time: no alert")
    return True


def usual_at_this_time(
    warehouse: Warehouse,
    window: Window,
    reference: ReferenceProfile,
    rows: Predictions,
    shift: Shift,
) -> bool:
    """True when the features that moved look as at this time on earlier days, and the rest of the
    last day looks like the reference.

    A reference of whole days is a mixture of day and night, so each hour differs from it. The rows
    of this window are held against those of the same window on up to seven days before, by the same
    measure and line. A fault that lasts is no season however alike its days are: the hours in
    between show it as well. Read only when a drift would be told.
    """
    moved = [name for name, value in shift.by_feature.items() if value >= WORTH_NAMING]
    if not all(name in rows.features for name in moved):
        return False
    now = _part(rows, moved, reference)
    earlier = _at(warehouse, window, [timedelta(days=d) for d in range(1, DAYS + 1)])
    if len(earlier) < FEWEST_DAYS:
        return False
    then = _joined([_part(each, moved, reference) for each in earlier])
    usual = profile_of(
        window.component.name, "", then.numbers, {}, window.start, categories=then.words
    )
    if now.score(usual) > window.component.thresholds.aggregate_psi:
        return False
    others = _at(warehouse, window, [timedelta(hours=h) for h in OTHER_HOURS])
    if not others:
        return False
    day = _joined([now, *(_part(each, moved, reference) for each in others)])
    return day.score(reference) <= LASTING * aggregate(shift.by_feature)


def _at(warehouse: Warehouse, window: Window, backs: Sequence[timedelta]) -> list[Predictions]:
    """The rows of the same window so long ago, where they are enough to say anything."""
    found = []
    for back in backs:
        start: datetime = window.start - back
        rows = warehouse.predictions(window.component.name, start, window.end - back)
        if 2 * len(rows) >= window.component.thresholds.drift_min_rows:
            found.append(rows)
    return found


def _part(rows: Predictions, names: Sequence[str], reference: ReferenceProfile) -> Part:
    gone = np.full(len(rows), np.nan)
    return Part(
        {n: rows.features.get(n, gone) for n in names if n in reference.features},
        {
            n: words_of(n, rows.features, rows.categories, len(rows))
            for n in names
            if n in reference.categories
        },
        len(rows),
    )


def _joined(parts: Sequence[Part]) -> Part:
    first = parts[0]
    return Part(
        {name: np.concatenate([part.numbers[name] for part in parts]) for name in first.numbers},
        {name: np.concatenate([part.words[name] for part in parts]) for name in first.words},
        sum(part.rows for part in parts),
    )
