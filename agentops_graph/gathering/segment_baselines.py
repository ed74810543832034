"""How segments were while healthy: from the reference profile, else from the rows before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.performance import Estimate, appraise
from agentops_graph.detection.segment_baseline import Baselines
from agentops_graph.detection.segment_drift import bins_by_segment
from agentops_graph.detection.segment_levels import Levels, Scorer
from agentops_graph.detection.segments import Dimension, dimensions_of
from agentops_graph.domain.segment import SegmentLevel, SegmentProfile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.detection.performance import Baseline
    from agentops_graph.domain.component import Component
    from agentops_graph.domain.frames import Predictions
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.gathering.model_measures import ModelCase

DAYS = 7
HISTORY_ROWS = 20_000  # enough for segments of 1%; a busy model has them in minutes
FEW_CASES = 20  # a share of fewer may be 1 by luck
STORED = 2000  # segments kept with a reference


def with_segments(
    profile: ReferenceProfile, component: Component, rows: Predictions
) -> ReferenceProfile:
    """The profile with every segment of the rows that it was taken from."""
    dimensions = _dimensions(component, rows, profile)
    if not dimensions:
        return profile
    found = profiles_of(component, rows, dimensions)
    counts = bins_by_segment(profile, rows.features, dimensions)
    kept = {
        label: each.model_copy(update={"bins": counts.get(label, {})})
        for label, each in found.items()
    }
    return profile.model_copy(update={"segments": kept})


def profiles_of(
    component: Component, rows: Predictions, dimensions: list[Dimension]
) -> dict[str, SegmentProfile]:
    """The primary metric of every segment and of its rest."""
    scorer, least = Scorer(component.metric, rows), component.thresholds.segment_min_rows
    found: dict[str, SegmentProfile] = {}
    for dimension in dimensions:
        tally = scorer.tally(dimension.codes, len(dimension.labels))
        inside, counts = tally.inside(), dimension.rows
        known = np.flatnonzero(_enough(inside, least))
        outside = tally.outside(known)
        rests = {int(code): _level(outside, place) for place, code in enumerate(known)}
        for code in np.flatnonzero(counts):
            level = _level(inside, int(code)) if int(code) in rests else None
            found[dimension.labels[code]] = SegmentProfile(
                rows=int(counts[code]), level=level, rest=rests.get(int(code))
            )
    return dict(list(found.items())[:STORED])


def _enough(levels: Levels, least: int) -> NDArray[np.bool_]:
    """A baseline is used again and again: it takes twice the rows of a look."""
    cases = levels.rows if levels.trials is None else levels.trials
    plenty = (levels.rows >= 2 * least) & (cases >= FEW_CASES)
    return np.asarray(plenty & np.isfinite(levels.value))


def segment_dimensions(case: ModelCase) -> list[Dimension]:
    """How the window's rows are told apart."""
    return _dimensions(case.window.component, case.rows, case.reference)


def baselines_of(case: ModelCase, baseline: Baseline | None) -> Baselines | None:
    """Those stored with the reference; None when it has none."""
    reference = case.reference
    if reference is None or baseline is None or not reference.segments:
        return None
    whole = SegmentLevel(value=baseline.value, error=baseline.error, rows=reference.rows)
    return Baselines(reference.segments, reference.rows, whole)


def baselines_before(case: ModelCase) -> Baselines | None:
    """From the labelled rows of the version before the window, of at most a week and no more than
    it takes; None when they are too few."""
    component = case.window.component
    rows = _rows_before(case)
    found = appraise(component.metric, rows.label, rows.prediction, rows.confidence, rows.ids)
    if not isinstance(found, Estimate) or found.rows < component.thresholds.drift_min_rows:
        return None
    dimensions = _dimensions(component, rows, case.reference)
    whole = SegmentLevel(value=found.value, error=found.error, rows=found.rows)
    return Baselines(profiles_of(component, rows, dimensions), len(rows), whole)


def _rows_before(case: ModelCase) -> Predictions:
    """Looked for in ever longer stretches: nobody has to read a week of a busy model."""
    end, length = case.window.start, case.window.end - case.window.start
    version = case.rows.version[-1] if len(case.rows) else None
    longest, back = timedelta(days=DAYS), length
    while True:
        since = end - min(back, longest)
        rows = case.warehouse.predictions(
            case.window.component.name, since, end, version=version, labelled=True
        )
        if len(rows) >= HISTORY_ROWS or back >= longest:
            return rows
        back = min(longest, back * max(2, HISTORY_ROWS // max(len(rows), 1)))


def _dimensions(
    component: Component, rows: Predictions, reference: ReferenceProfile | None
) -> list[Dimension]:
    # A query's rows belong together: its items' features don't tell queries apart.
    cut = None if component.metric.task == "ranking" else reference
    return dimensions_of(rows, component.segments, cut, discover=component.discover_segments)


def _level(levels: Levels, place: int) -> SegmentLevel | None:
    value, rows = float(levels.value[place]), int(levels.rows[place])
    if not np.isfinite(value):
        return None
    level = SegmentLevel(value=value, error=float(levels.error[place]), rows=rows)
    if levels.hits is None or levels.trials is None:
        return level
    counted = {"hits": float(levels.hits[place]), "trials": float(levels.trials[place])}
    return level.model_copy(update=counted)
