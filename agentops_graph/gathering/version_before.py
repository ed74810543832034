"""The baseline of a version that has none of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_graph.detection.performance import Baseline
from agentops_graph.errors import NotEnoughDataError

if TYPE_CHECKING:
    from agentops_graph.domain.component import Component
    from agentops_graph.ports import Warehouse


def version_before(warehouse: Warehouse, component: Component) -> Baseline | None:
    """The primary metric of the reference recorded last, of whatever version.

    A new version should be no worse than the one before it. Only its metric is borrowed: it may
    well have been trained on other data, so drift is not judged by another version's profile.
    """
    try:
        known = warehouse.reference(component.name, None, any_version=True)
    except NotEnoughDataError:
        return None
    recorded = None if known is None else component.metric.among(known.metrics)
    if known is None or recorded is None:
        return None
    return Baseline(recorded, component.metric.among(known.metric_errors) or 0.0)
