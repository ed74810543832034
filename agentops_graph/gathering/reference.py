"""Takes the reference profile of a model from rows of a time when all was well."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.performance import Estimate, estimate
from agentops_graph.detection.profile import profile_of
from agentops_graph.errors import InputError, NotEnoughDataError
from agentops_graph.gathering.rows import picked
from agentops_graph.gathering.segment_baselines import with_segments

if TYPE_CHECKING:
    from agentops_graph.domain.component import Component
    from agentops_graph.domain.frames import Predictions
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.ports import Warehouse

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, tzinfo=UTC)


def reference_from(
    warehouse: Warehouse,
    component: Component,
    since: datetime,
    until: datetime,
    version: str | None,
    *,
    at: datetime,
) -> ReferenceProfile:
    """The profile of the rows from `since` to before `until`, and their primary metric if labelled.

    Without a version it is of the one that predicted last in that time. Raises InputError for times
    in the wrong order or a component without predictions, NotEnoughDataError for too few rows.
    """
    if component.kind != "model":
        raise InputError(f"{component.name} is a {component.kind}; a model has a reference profile")
    if since >= until:
        raise InputError(f"{until.isoformat()} is not after {since.isoformat()}", field="until")
    everything = warehouse.predictions(component.name, since, until)
    if version is None and len(everything):
        version = everything.version[-1]
    rows = picked(everything, np.array([v == version for v in everything.version], dtype=bool))
    needed = component.thresholds.drift_min_rows
    if len(rows) < needed:
        whose = f"{component.name} version {version}" if version else component.name
        raise NotEnoughDataError(
            f"{len(rows)} of the {needed} rows that a reference profile of {whose} needs lie "
            f"between {since.isoformat()} and {until.isoformat()}; {_held(warehouse, component)}"
        )
    if not any(np.isfinite(values).any() for values in rows.features.values()):
        raise NotEnoughDataError(
            f"no row of {component.name} has a feature that is a number; `features` holds one JSON "
            'object per row, such as {"amount": 12.5}'
        )
    found = _metrics(component, rows)
    figures = {name: each.value for name, each in found.items()}
    profile = profile_of(component.name, version or "", rows.features, figures, at)
    profile = profile.model_copy(
        update={"metric_errors": {name: each.error for name, each in found.items()}}
    )
    return with_segments(profile, component, rows)


def _metrics(component: Component, rows: Predictions) -> dict[str, Estimate]:
    seen = {
        metric.name: estimate(metric, rows.label, rows.prediction, rows.confidence, rows.ids)
        for metric in (component.metric, *component.other_metrics)
    }
    return {name: found for name, found in seen.items() if found is not None}


def _held(warehouse: Warehouse, component: Component) -> str:
    """What the table has of the component, so that the next try can be right."""
    rows = warehouse.predictions(component.name, BEGINNING, END)
    if not len(rows):
        return f"PREDICTION_LOGS has no row of {component.name} at all"
    first, last = (datetime.fromtimestamp(rows.timestamps[i], UTC).isoformat() for i in (0, -1))
    versions = ", ".join(sorted({v for v in rows.version if v}))
    named = f" of versions {versions}" if versions else ""
    return f"PREDICTION_LOGS has {len(rows)} rows of it{named}, the first {first}, the last {last}"
