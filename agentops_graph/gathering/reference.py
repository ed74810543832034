"""Takes the reference profile of a model from rows of a time when all was well."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.healthy_rows import healthy_rows
from agentops_graph.detection.performance import Estimate, estimate
from agentops_graph.detection.profile import profile_of
from agentops_graph.detection.shift import numbers_only, words_only
from agentops_graph.errors import InputError, NotEnoughDataError
from agentops_graph.gathering.drift_measures import MOST_LABELLED
from agentops_graph.gathering.output_reference import reference_of_outputs
from agentops_graph.gathering.rows import picked
from agentops_graph.gathering.segment_baselines import with_segments

if TYPE_CHECKING:
    from agentops_graph.domain.component import Component
    from agentops_graph.domain.frames import Floats, Predictions
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
    if since >= until:
        raise InputError(f"{until.isoformat()} is not after {since.isoformat()}", field="until")
    if component.speaks and component.kind != "pipeline":
        spoken = reference_of_outputs(warehouse, component, since, until, version, at=at)
        if spoken is not None:
            return spoken
    if component.kind != "model":
        raise InputError(
            f"{component.name} is a {component.kind}; a reference profile is taken of a model, or "
            "of an agent with rows in AGENT_OUTPUTS and a metric of the task agent or text"
        )
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
    if not rows.categories and not any(np.isfinite(v).any() for v in rows.features.values()):
        raise NotEnoughDataError(
            f"no row of {component.name} has a feature that is a number or word; `features` holds "
            'one JSON object per row, such as {"amount": 12.5, "country": "DE"}'
        )
    found = _metrics(component, rows)
    figures = {name: each.value for name, each in found.items()}
    profile = profile_of(
        component.name,
        version or "",
        numbers_only(rows.features, rows.categories),
        figures,
        at,
        categories=words_only(rows.features, rows.categories),
        outputs=_outputs(rows),
    )
    healthy = healthy_rows(
        component.metric,
        rows.label,
        rows.prediction,
        rows.confidence,
        rows.features,
        profile.features,
    )
    errors = {name: each.error for name, each in found.items()}
    profile = profile.model_copy(update={"metric_errors": errors, "healthy": healthy})
    return with_segments(profile, component, rows)


def _outputs(rows: Predictions) -> dict[str, Floats]:
    """Labels only when most rows have one: those of one class often come first."""
    labelled = np.isfinite(rows.label).sum() >= MOST_LABELLED * len(rows)
    return {"prediction": rows.prediction} | ({"label": rows.label} if labelled else {})


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
