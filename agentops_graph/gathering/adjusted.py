"""A component with other settings, tried out in a replay; and which of them play no part there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue, ValidationError

from agentops_graph.domain.component import Component
from agentops_graph.errors import InputError

_OF_MODELS = frozenset(
    {
        "metric_drop",
        "aggregate_psi",
        "output_psi",
        "missing_shift",
        "unseen_share",
        "correlation_shift",
        "latency_p99_ms",
        "anomaly_rate",
        "quality_violations",
        "segment_min_rows",
    }
)
_OF_PIPELINES = frozenset({"quality_violations"})
_OF_AGENTS = frozenset(
    {
        "agent_latency_p95_ms",
        "agent_error_rate",
        "agent_cost_per_request",
        "memory_mb",
        "leak_hours",
        "session_minutes",
        "idle_turns",
        "stalled_sessions",
        "policy_false_positive_rate",
        "cost_ratio",
    }
)
_VOLUME = frozenset({"volume_low", "volume_high"})
LINES = {
    "model": _OF_MODELS | _VOLUME,
    "pipeline": _OF_PIPELINES | _VOLUME,
    "agent": _OF_AGENTS,
}

SEGMENTS = frozenset({"segments", "discover_segments"})  # only a model's traffic has parts


def adjusted(component: Component, settings: Mapping[str, str]) -> Component:
    """The component with dotted settings such as `thresholds.aggregate_psi` replaced; InputError
    for a name that is not there or a value that can't be."""
    document = component.model_dump(mode="json", exclude_unset=True)
    for path, text in settings.items():
        *above, last = path.split(".")
        place: dict[str, Any] = document
        for step in above:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise InputError(f"{path} is no setting of a component", field="--set")
        place[last] = _value(text)
    try:
        return Component.model_validate(document)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise InputError(f"{where}: {problem['msg']}", field="--set") from None


def _value(text: str) -> JsonValue:
    """A number or a truth as JSON has them, else the text itself."""
    try:
        found: JsonValue = json.loads(text)
    except ValueError:
        return text
    return found


def without_part(component: Component, settings: Mapping[str, str]) -> list[str]:
    """The settings that are for another kind of component only."""
    every = frozenset().union(*LINES.values())
    idle = every - LINES[component.kind]
    named = {f"thresholds.{name}" for name in idle}
    if component.kind != "model":
        named |= SEGMENTS
    return [path for path in settings if path in named]
