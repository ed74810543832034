"""Evidence about the one segment that an alert is of: its rows, its baseline, its drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.performance import Baseline, Estimate, appraise
from agentops_graph.detection.psi import aggregate
from agentops_graph.detection.segment_drift import STABLE, drift_inside
from agentops_graph.detection.segments import segment_mask
from agentops_graph.gathering.case import Observed, seen
from agentops_graph.gathering.rows import picked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agentops_graph.domain.frames import Predictions
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.domain.record import Scalar
    from agentops_graph.gathering.case import Case

TOLD = 5
FEW = 5


@dataclass(frozen=True)
class Part:
    """The rows of the alert's segment, and all others."""

    segment: str
    mask: NDArray[np.bool_]
    inside: Predictions
    outside: Predictions

    @property
    def share(self) -> float:
        return float(self.mask.mean()) if len(self.mask) else 0.0


def part_of(case: Case, rows: Predictions) -> Part | None:
    """None for an alert of the whole, and for a segment that the log can't tell apart."""
    segment = case.alert.segment
    mask = None if segment is None else segment_mask(rows, segment)
    if segment is None or mask is None:
        return None
    return Part(segment, mask, picked(rows, mask), picked(rows, ~mask))


def baseline_of_part(
    case: Case, reference: ReferenceProfile | None, whole: Baseline | None
) -> Baseline | None:
    """As stored with the reference, else as the alert was held against; the whole's if neither."""
    segment = case.alert.segment
    held = None if reference is None else reference.segments.get(segment or "")
    if held is not None and held.level is not None:
        return Baseline(held.level.value, held.level.error)
    for finding in case.alert.findings:
        if finding.segment == segment and finding.alert_type == "accuracy_drop":
            return whole if finding.baseline is None else Baseline(finding.baseline)
    return whole


def told_of_part(case: Case, part: Part) -> tuple[str, dict[str, Scalar]]:
    """What stands beside the segment's own figure: its share, and the metric of all other rows."""
    metric, rest = case.component.metric, part.outside
    values: dict[str, Scalar] = {"segment": part.segment, "share_of_traffic": part.share}
    said = f" for {part.segment} ({part.share:.1%} of traffic)"
    found = appraise(metric, rest.label, rest.prediction, rest.confidence, rest.ids)
    if isinstance(found, Estimate):
        values[f"rest_{metric.name}"] = found.value
        said += f", {found.value:.3f} elsewhere"
    return said, values


def drift_of_part(
    reference: ReferenceProfile, rows: Predictions, part: Part, query: str
) -> Observed | None:
    """Which features left the segment's own reference; None when none is stored."""
    by_feature = drift_inside(reference, rows.features, part.mask, part.segment)
    if not by_feature:
        return None
    moved = [name for name, value in by_feature.items() if value >= STABLE]
    values: dict[str, Scalar] = {
        "segment": part.segment,
        "rows": len(part.inside),
        "drift_score": aggregate(by_feature),
        "drifted_features": len(moved),
        "features": len(by_feature),
    }
    values |= {f"psi_{name}": by_feature[name] for name in moved}
    signals = {
        "drift_seen": seen(bool(moved)),
        "few_features_drifted": seen(1 <= len(moved) <= FEW),
        "many_features_drifted": seen(bool(moved) and 3 * len(moved) >= len(by_feature)),
    }
    told = ", ".join(f"{name} (PSI {by_feature[name]:.2f})" for name in moved[:TOLD])
    said = f"{len(moved)} of {len(by_feature)} features drifted for {part.segment}"
    said += f": {told}" if told else ""
    return Observed("PREDICTION_LOGS", query, said, values, signals, found=bool(moved))
