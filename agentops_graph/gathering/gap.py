"""The first looks after a time in which a component could not be seen: what happened in it."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from agentops_graph.gathering.measure import measure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from agentops_graph.domain.alert import AlertClaim
    from agentops_graph.domain.component import Component
    from agentops_graph.domain.sight import Sight
    from agentops_graph.gathering.measure import Measurement
    from agentops_graph.ports import Warehouse

MOST_WINDOWS = 24  # that are gone back over, the newest first
BUDGET_S = 20.0  # a look has to end; what is not gone over by then is said
LEAST_GRACE_S = 300.0
VOLUME = "volume_anomaly"


def look_back(
    warehouse: Warehouse,
    component: Component,
    found: Measurement,
    sight: Sight,
    now: datetime,
    since: datetime | None,
) -> tuple[list[AlertClaim], Sight]:
    """What this look claims, and the windows of the blind time with it, each as a look would have
    seen it then. Rows that were held up come late: for a while nothing is said of volume, and then
    it is gone over once more. Raises as `measure` does; the gap stays open then."""
    if sight.gap_from is None or sight.back_at is None:
        return found.grouped(), sight
    is_early = now < sight.back_at + timedelta(seconds=grace_s(component))
    if is_early:
        found.findings[:] = [f for f in found.findings if f.alert_type != VOLUME]
        found.notes.append("its source is back since a moment: volume is not judged yet")
    claims, told = found.grouped(), {(f.alert_type, f.segment) for f in found.findings}
    if not is_early or sight.back_at == now:
        for claim in _of_the_gap(warehouse, component, found, sight.gap_from, now, since):
            is_volume = claim.alert_type == VOLUME
            if is_volume != is_early and (claim.alert_type, claim.segment) not in told:
                told.add((claim.alert_type, claim.segment))
                claims.append(claim)
    return claims, sight if is_early else sight.model_copy(update={"gap_from": None})


def grace_s(component: Component) -> float:
    """Seconds for which rows that were held up may still come in."""
    return max(LEAST_GRACE_S, component.thresholds.drift_window_s / 4)


def _of_the_gap(
    warehouse: Warehouse,
    component: Component,
    found: Measurement,
    gap_from: datetime,
    now: datetime,
    since: datetime | None,
) -> Iterator[AlertClaim]:
    """What the windows before this look's claim, the newest first."""
    length = timedelta(seconds=component.thresholds.drift_window_s)
    first, until = max(gap_from, since or gap_from), now - length
    begun = monotonic()
    for _ in range(MOST_WINDOWS):
        if until <= first:
            return
        if monotonic() - begun > BUDGET_S:
            break
        for claim in measure(warehouse, component, until).grouped():
            yield _dated(claim, until)
        until -= length
    if until > first:
        found.notes.append(
            f"it could not be seen from {gap_from:%Y-%m-%d %H:%M} UTC on; before "
            f"{until:%Y-%m-%d %H:%M} UTC that time was not gone over"
        )


def _dated(claim: AlertClaim, until: datetime) -> AlertClaim:
    """Says that it was seen later: who reads it must not take it for the present."""
    said = f"{claim.summary} (up to {until:%Y-%m-%d %H:%M} UTC, when it could not be seen)"
    return claim.model_copy(update={"summary": said[:2000]})
