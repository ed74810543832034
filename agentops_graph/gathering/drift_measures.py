"""Measures how far a model's rows left their reference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection import shift_triggers, triggers
from agentops_graph.detection.categories import category_drift
from agentops_graph.detection.changepoint import Onset, onset_of
from agentops_graph.detection.drift import drift_of
from agentops_graph.detection.psi import WORST, aggregate
from agentops_graph.detection.row_scores import row_scores
from agentops_graph.detection.shift import Shift, output_shift, shift_of
from agentops_graph.detection.shift_counts import (
    distances_of_cells,
    output_shift_of_cells,
    shift_of_tally,
)
from agentops_graph.detection.together import pairs_of
from agentops_graph.gathering.time_of_day import in_season

if TYPE_CHECKING:
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.frames import Floats, Predictions
    from agentops_graph.domain.profile import Cells, ReferenceProfile
    from agentops_graph.gathering.model_measures import ModelCase, Sheet

LOOK_BACK = 3  # windows searched for an onset
# Labels come late, and those of one class first: few of them have not the share of all.
MOST_LABELLED = 0.5


def measure_drift(case: ModelCase, sheet: Sheet) -> None:
    """The drift score, what lies behind it, and the share of rows like none before."""
    reference, rows = case.reference, case.rows
    needed = case.window.component.thresholds.drift_min_rows
    if reference is None:
        return
    if len(rows) < needed:
        sheet.notes.append(f"not enough data: {len(rows)} of {needed} rows")
        return
    shift = _shift(case, reference)
    sheet.readings.update({f"psi_{name}": value for name, value in shift.by_feature.items()})
    sheet.readings["drift_score"] = aggregate(shift.by_feature)
    sheet.readings["drifted_features"] = float(len(shift.drifted))
    _score(case, reference, shift, sheet)
    _anomalies(case, reference, sheet)
    _outputs(case, reference, sheet)
    rises = [now - before for before, now in shift.missing.values()]
    sheet.readings["missing_shift"] = max(rises, default=0.0)
    _keep(sheet, shift_triggers.missing_rise(case.window, shift))
    unseen = [
        shift_triggers.unseen_share(reference.categories[name], now)
        for name, now in shift.categories.items()
    ]
    sheet.readings["unseen_share"] = max(unseen, default=0.0)
    _keep(sheet, shift_triggers.unseen_categories(case.window, reference, shift))
    _together(case, reference, shift, sheet)


def _shift(case: ModelCase, reference: ReferenceProfile) -> Shift:
    if case.tally is not None:
        return shift_of_tally(reference, case.tally)
    return shift_between(reference, case.rows)


def shift_between(reference: ReferenceProfile, rows: Predictions) -> Shift:
    """How far the rows are from the reference."""
    return shift_of(reference, rows.features, rows.categories, len(rows))


def _score(case: ModelCase, reference: ReferenceProfile, shift: Shift, sheet: Sheet) -> None:
    found = triggers.drift(case.window, shift.by_feature, shift.rows, None)
    if found is None or in_season(case, shift, sheet):
        return
    onset = _onset(case, reference, shift)
    figures = _figures(reference, case, shift)
    at = None if onset is None else onset.at
    _keep(sheet, triggers.drift(case.window, shift.by_feature, shift.rows, at, figures))


def _figures(reference: ReferenceProfile, case: ModelCase, shift: Shift) -> dict[str, float]:
    """KS and JS of the worst features, as a second and third opinion beside their PSI; for
    categories Cramer's V and the share of unseen ones."""
    figures: dict[str, float] = {}
    for name in list(shift.by_feature)[:WORST]:
        if name in shift.categories:
            words = category_drift(reference.categories[name], shift.categories[name])
            figures |= {f"cramers_v_{name}": words.cramers_v, f"js_{name}": words.js}
            figures[f"unseen_{name}"] = words.unseen_share
        else:
            ks, js = _distances(reference, case, name)
            figures |= {f"ks_{name}": ks, f"js_{name}": js}
    return figures


def _distances(reference: ReferenceProfile, case: ModelCase, name: str) -> tuple[float, float]:
    """KS and JS; of a reference without cells KS is that of the sample."""
    found = drift_of(reference.features[name], numbers_of(case.rows, name))
    if case.tally is None:
        return found.ks, found.js
    ks, js = distances_of_cells(reference.features[name], case.tally.features[name])
    return found.ks if ks is None else ks, js


def numbers_of(rows: Predictions, name: str) -> Floats:
    """A feature's numbers; all missing when it no longer arrives."""
    return rows.features.get(name, np.full(len(rows), np.nan))


def _onset(case: ModelCase, reference: ReferenceProfile, shift: Shift) -> Onset | None:
    """Searched in the window, then further back; in rows of every version, because drift is older
    than a deploy."""
    moved = shift.drifted or list(shift.by_feature)[:WORST]
    onset = drift_onset(case.everything, reference, moved)
    if onset is not None:
        return onset
    start, end = case.window.start, case.window.end
    rows = case.warehouse.predictions(
        case.window.component.name, start - (LOOK_BACK - 1) * (end - start), end
    )
    return drift_onset(rows, reference, moved)


def drift_onset(
    rows: Predictions, reference: ReferenceProfile, moved: Iterable[str]
) -> Onset | None:
    """When the features that moved began to; None when all of `rows` look the same."""
    scores = row_scores(reference, moved, rows.features, rows.categories, len(rows))
    return onset_of(rows.timestamps, scores)


def _anomalies(case: ModelCase, reference: ReferenceProfile, sheet: Sheet) -> None:
    anomalous = triggers.anomaly_rows(reference, case.rows.features)
    if len(anomalous) != len(case.rows):  # no feature is a number
        return
    share = float(anomalous.mean())
    if case.tally is not None:
        share = case.tally.anomalous / max(case.tally.rows, 1)
    sheet.readings["anomaly_rate"] = share
    onset = onset_of(case.rows.timestamps, anomalous)
    at = None if onset is None else onset.at
    _keep(sheet, triggers.anomaly_share(case.window, share, case.count, at))


def _outputs(case: ModelCase, reference: ReferenceProfile, sheet: Sheet) -> None:
    """Whether predictions and labels fall as they did; labels only when most rows have one."""
    needed = case.window.component.thresholds.drift_min_rows
    for name, values in (("prediction", case.rows.prediction), ("label", case.rows.label)):
        counted = None if case.tally is None else case.tally.outputs.get(name)
        known = int(np.isfinite(values).sum()) if counted is None else sum(counted.counts)
        rows = len(values) if counted is None else case.count
        enough = known >= needed and (name != "label" or known >= MOST_LABELLED * rows)
        if name not in reference.outputs or not enough:
            continue
        index, chance = _output_shift(reference, name, values, counted)
        sheet.readings[f"{name}_drift"] = index
        _keep(sheet, shift_triggers.output_drift(case.window, name, index, chance, known))


def _output_shift(
    reference: ReferenceProfile, name: str, values: Floats, counted: Cells | None
) -> tuple[float, float]:
    profile = reference.outputs[name]
    if counted is not None:
        return output_shift_of_cells(profile, counted, reference.rows)
    return output_shift(profile, values, reference.rows)


def _together(case: ModelCase, reference: ReferenceProfile, shift: Shift, sheet: Sheet) -> None:
    if reference.together is None:
        return
    pairs = pairs_of(reference.together, case.rows.features)
    if not pairs:
        return
    sheet.readings["correlation_shift"] = abs(pairs[0].change)
    drifted = dict.fromkeys(shift.drifted)
    _keep(sheet, shift_triggers.moved_apart(case.window, pairs, drifted))


def _keep(sheet: Sheet, finding: Finding | None) -> None:
    if finding is not None:
        sheet.findings.append(finding)
