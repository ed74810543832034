"""Evidence of drift: which features left the reference since the onset, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.affine import affine_of
from agentops_graph.detection.categories import category_drift
from agentops_graph.detection.drift import drift_of
from agentops_graph.detection.importance import by_effect, weighted_drift
from agentops_graph.detection.moved_how import hours_moved, spreads_moved, swapped
from agentops_graph.detection.psi import aggregate
from agentops_graph.detection.renames import renames
from agentops_graph.detection.shift_triggers import said_unseen, shown
from agentops_graph.domain.record import Scalar
from agentops_graph.gathering.case import Case, Observed, seen, typed_read
from agentops_graph.gathering.drift_measures import drift_onset, numbers_of, shift_between
from agentops_graph.gathering.metric_evidence import reference_of
from agentops_graph.gathering.rows import picked
from agentops_graph.gathering.segment_evidence import drift_of_part, part_of
from agentops_graph.gathering.stakes import importance_of

if TYPE_CHECKING:
    from agentops_graph.detection.shift import Shift
    from agentops_graph.domain.frames import Predictions
    from agentops_graph.domain.profile import ReferenceProfile

FEW = 5
ENOUGH = 60  # rows
ENOUGH_OF_A_PAIR = 15  # rows; two columns in each other's place are far from where they were
ENOUGH_OF_ONE = 30  # rows; of two columns in each other's place each is as far away as the other
FAR = 1.0  # standard deviations; what a change of units or columns moves is mostly more
YOUNG = timedelta(minutes=20)
MORE_MISSING = 0.05  # share of rows
WORTH_SAYING = 0.01  # of the rows, in unseen categories


@dataclass(frozen=True)
class Movement:
    """One drifted feature: the signals, the figures they rest on, and both in words."""

    said: str
    signals: list[str] = field(default_factory=list)
    figures: dict[str, Scalar] = field(default_factory=dict)


def feature_drift(case: Case) -> Observed:
    """Which features left the reference since the onset, and how."""
    name, window = case.component.name, case.window
    query = typed_read("predictions", window.start, window.end, model=name)
    rows, is_diluted = _judged(case)
    reference = reference_of(case)
    # An alert needs more rows; to say how it moved, each feature's own test is strict enough.
    needed = min(case.component.thresholds.drift_min_rows, ENOUGH)
    if reference is None or len(rows) < needed:
        said = f"not enough data: {len(rows)} of {needed} rows"
        if reference is None:
            said = "no reference profile of the version"
        return Observed("PREDICTION_LOGS", query, said, found=False)
    part = part_of(case, rows)
    told_apart = None if part is None else drift_of_part(reference, rows, part, query)
    if told_apart is not None:
        return told_apart
    shift = shift_between(reference, rows)
    weights = importance_of(case.component, reference)
    moved = by_effect(shift.drifted, shift.by_feature, weights)
    features = len(shift.by_feature)
    values: dict[str, Scalar] = {"rows": len(rows), "drift_score": aggregate(shift.by_feature)}
    values |= {"drifted_features": len(moved), "features": features}
    if weights:
        values["weighted_drift"] = weighted_drift(shift.by_feature, weights)
    signals = {
        "drift_seen": seen(bool(moved)),
        "few_features_drifted": seen(1 <= len(moved) <= FEW),
        "many_features_drifted": seen(bool(moved) and 3 * len(moved) >= features),
        "feature_scaled": -1.0,
        "feature_shifted": -1.0,
        "feature_nulls": -1.0,
    }
    signals |= _moved_together(case, reference, rows, moved)
    movements = [_movement(feature, reference, rows, shift) for feature in moved]
    for feature, movement in zip(moved, movements, strict=True):
        signals |= dict.fromkeys(movement.signals, 1.0)
        values |= movement.figures | {f"psi_{feature}": shift.by_feature[feature]}
    if signals["categories_new"] > 0 > signals["category_renamed"]:
        del signals["category_renamed"]  # while old rows are among them nobody can tell
    if is_diluted:  # so may every other: what is not seen yet is not absent
        signals = {signal: strength for signal, strength in signals.items() if strength > 0}
        signals |= _swapped_since(case, reference)
    said = f"{len(moved)} of {features} features drifted"
    said += f": {', '.join(each.said for each in movements[:FEW])}" if movements else ""
    said += _over(case, rows, aggregate(shift.by_feature))
    return Observed("PREDICTION_LOGS", query, said, values, signals, found=bool(moved))


def _judged(case: Case) -> tuple[Predictions, bool]:
    """The rows since the onset; of an onset minutes ago the rows of a whole window, of which those
    before it dilute the move and invent none. True where they do."""
    everything, since = case.rows()
    if since.sum() >= ENOUGH:
        return picked(everything, since), False
    length_s = case.component.thresholds.drift_window_s
    return picked(everything, everything.timestamps >= case.now.timestamp() - length_s), True


def _over(case: Case, rows: Predictions, score: float) -> str:
    """Which rows the figures are of: an alert, which is told beside them, looked at others."""
    length_s = case.component.thresholds.drift_window_s
    told = f"{length_s / 3600:g} h" if length_s >= 3600 else f"{length_s / 60:g} min"
    is_since = float(rows.timestamps.min()) >= case.window.start.timestamp()
    which = "since the onset" if is_since else f"of the last {told}"
    return f"; PSI {score:.2f} over {len(rows)} rows {which} (an alert is of the last {told})"


def _swapped_since(case: Case, reference: ReferenceProfile) -> dict[str, float]:
    """Whether the few rows since an onset of minutes ago show two columns in each other's place. It
    is absent where one column moved and no other; of several that moved so few rows can't tell."""
    rows, since = case.rows()
    few = picked(rows, since)
    if len(few) < ENOUGH_OF_A_PAIR:
        return {}
    moved = shift_between(reference, few).drifted
    columns = {name: numbers_of(few, name) for name in moved if name in reference.features}
    if swapped(reference.features, columns, [*moved]) is not None:
        return {"features_swapped": 1.0}
    alone = len(moved) == 1 and len(few) >= ENOUGH_OF_ONE
    return {"features_swapped": -1.0} if alone else {}


def _moved_together(
    case: Case, reference: ReferenceProfile, rows: Predictions, moved: list[str]
) -> dict[str, float]:
    columns = {name: numbers_of(rows, name) for name in moved if name in reference.features}
    far = [spreads_moved(reference.features[name], column) for name, column in columns.items()]
    return {
        "features_swapped": seen(swapped(reference.features, columns, moved) is not None),
        **({"drift_large": seen(max(far) > FAR)} if far else {}),
        **_growing(case, reference, moved),
        "feature_moved_by_hours": -1.0,
        "category_renamed": -1.0,
        "categories_new": -1.0,
    }


def _growing(case: Case, reference: ReferenceProfile, moved: list[str]) -> dict[str, float]:
    """Whether it rose over hours; a change of minutes ago, or rows that a step and a slow rise fit
    alike, can't tell."""
    if not moved or case.now - case.onset < YOUNG:
        return {}
    began = drift_onset(case.hours_before(), reference, tuple(moved))
    if began is None or not began.is_clear:
        return {}
    return {"drift_growing": seen(began.shape == "gradual")}


def _movement(
    feature: str, reference: ReferenceProfile, rows: Predictions, shift: Shift
) -> Movement:
    if feature in shift.categories:
        return _of_categories(feature, reference, shift)
    return _of_numbers(feature, reference, rows, shift)


def _of_numbers(
    feature: str, reference: ReferenceProfile, rows: Predictions, shift: Shift
) -> Movement:
    profile, column = reference.features[feature], numbers_of(rows, feature)
    drift, affine = drift_of(profile, column), affine_of(profile, column)
    how: list[str] = []
    missing = float((~np.isfinite(column)).mean())
    figures: dict[str, Scalar] = {
        f"ks_{feature}": drift.ks,
        f"js_{feature}": drift.js,
        f"missing_{feature}": missing,
    }
    if drift.wasserstein is not None:
        figures[f"wasserstein_{feature}"] = drift.wasserstein
    if affine is not None:
        figures |= {f"scale_{feature}": affine.scale, f"shift_{feature}": affine.shift}
        how += ["feature_scaled"] if affine.is_scaled else []
        how += ["feature_shifted"] if affine.is_shifted else []
        hours = hours_moved(feature, affine, len(rows))
        if hours is not None:
            how.append("feature_moved_by_hours")
            figures[f"hours_{feature}"] = hours
    if missing - profile.missing > MORE_MISSING:
        how.append("feature_nulls")
    ways = " and ".join(w.removeprefix("feature_") for w in how) or "changed in form"
    how_far = f"PSI {shift.by_feature[feature]:.2f}, KS {drift.ks:.2f}, JS {drift.js:.2f}"
    return Movement(f"{feature} ({how_far}, {ways})", how, figures)


def _of_categories(feature: str, reference: ReferenceProfile, shift: Shift) -> Movement:
    before, now = reference.categories[feature], shift.categories[feature]
    drift = category_drift(before, now)
    figures: dict[str, Scalar] = {
        f"js_{feature}": drift.js,
        f"cramers_v_{feature}": drift.cramers_v,
        f"unseen_{feature}": drift.unseen_share,
    }
    nulls = drift.missing_shift > MORE_MISSING
    ways = "nulls" if nulls else "another mix"
    if drift.unseen_share > WORTH_SAYING:
        ways = said_unseen(feature, before, now).removeprefix(f"{shown(feature)}: ")
    how_far = f"PSI {shift.by_feature[feature]:.2f}, V {drift.cramers_v:.2f}"
    how = ["feature_nulls"] if nulls else []
    how += ["categories_new"] if drift.unseen_share > WORTH_SAYING else []
    how += ["category_renamed"] if renames(before, now) else []
    return Movement(f"{feature} ({how_far}, {ways})", how, figures)
