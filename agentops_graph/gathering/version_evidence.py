"""Evidence of what sets the serving version of a model apart from the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agentops_graph.domain.redaction import redacted_setting
from agentops_graph.gathering.case import Case, Gatherer, Observed

if TYPE_CHECKING:
    from agentops_graph.domain.ledger import Version
    from agentops_graph.domain.record import Scalar

SHOWN = 8
# Tags by which people and tools say what a version was trained on.
TRAINED_ON = ("data", "train", "rows", "holdout", "feature", "snapshot")


def version_diff(case: Case) -> Observed:
    """Metrics, parameters and training data of the serving version against the one before."""
    name = case.component.name
    query = f"version_diff(model={name})"
    serving = case.ports.models.production(name)
    versions = sorted(case.ports.models.versions(name), key=lambda v: v.created_at)
    earlier = [v for v in versions if serving is not None and v.created_at < serving.created_at]
    if serving is None or not earlier:
        why = "no version serves" if serving is None else "there is no version before it"
        return Observed("model registry", query, f"nothing to compare: {why}", found=False)
    before = earlier[-1]
    metrics = _metrics(before, serving)
    parameters = _differing(before.parameters, serving.parameters)
    data = _differing(_data_tags(before), _data_tags(serving))
    told = [f"version {before.version} -> {serving.version}", _told("metrics", metrics)]
    told += [_told("parameters", parameters), _told("training data", data)]
    values: dict[str, Scalar] = {"serving": serving.version, "before": before.version}
    values |= {f"metric.{n}": words for n, words in metrics.items()}
    values |= {f"parameter.{n}": words for n, words in parameters.items()}
    values |= {f"data.{n}": words for n, words in data.items()}
    references = tuple(v.link for v in (serving, before) if v.link)
    return Observed("model registry", query, "; ".join(told), values, references=references)


VERSION_DIFF = Gatherer("version_diff", "model registry", version_diff)


def _metrics(before: Version, now: Version) -> dict[str, str]:
    """Every metric that both have and that differs, the largest relative change first."""
    both = before.metrics.keys() & now.metrics.keys()
    moved = {n: (before.metrics[n], now.metrics[n]) for n in both}
    moved = {n: pair for n, pair in moved.items() if pair[0] != pair[1]}
    order = sorted(moved, key=lambda n: (-_relative(*moved[n]), n))
    return {n: f"{moved[n][0]:.4g} -> {moved[n][1]:.4g}" for n in order}


def _relative(old: float, new: float) -> float:
    return abs(new - old) / max(abs(old), abs(new), 1e-12)


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    names = sorted(before.keys() | now.keys())
    return {
        name: f"{_side(name, before)} -> {_side(name, now)}"
        for name in names
        if before.get(name) != now.get(name)
    }


def _side(name: str, held: Mapping[str, str]) -> str:
    return redacted_setting(name, held[name]) if name in held else "none"


def _data_tags(version: Version) -> dict[str, str]:
    return {n: v for n, v in version.tags.items() if any(word in n.lower() for word in TRAINED_ON)}


def _told(what: str, changed: Mapping[str, str]) -> str:
    if not changed:
        return f"{what} as before"
    shown = ", ".join(f"{name} {words}" for name, words in list(changed.items())[:SHOWN])
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    return f"{what}: {shown}{more}"
