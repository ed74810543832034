"""Whether an incident of a replay was followed by a real one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_graph.domain.backtest import BacktestPlan, RuleReplay
    from agentops_graph.domain.incident import Incident
    from agentops_graph.ports import Ports

EVERY = 1_000_000
LATER = timedelta(hours=24)  # a real incident may be noticed a day after its first sign
EARLIER = timedelta(hours=1)  # or shortly before a look that is an hour apart from the next


@dataclass(frozen=True)
class Real:
    """An incident that there was. The warehouse's history doesn't say of which component."""

    component: str | None
    alert_type: str
    began_at: datetime
    ended_at: datetime
    is_false: bool = False  # people called it a false alarm

    def meets(self, incident: Incident) -> bool:
        """Of the same component, or where that is unknown of the same type, and about that time."""
        is_same = (
            self.component == incident.component
            if self.component is not None
            else self.alert_type == incident.alert_type
        )
        at = incident.opened_at
        return is_same and self.began_at <= at + LATER and self.ended_at >= at - EARLIER


def real_incidents(ports: Ports, plan: BacktestPlan) -> list[Real]:
    """Those of the ledger that weren't suppressed, and those only the warehouse's history has."""
    verdicts = {v.incident_id: v.verdict for v in ports.incident_verdicts.given()}
    since, until = plan.since - EARLIER, plan.until + LATER
    held = ports.log.listed(limit=EVERY)
    ours = [
        Real(
            incident.component,
            incident.alert_type,
            incident.opened_at,
            incident.ended_at or until,
            verdicts.get(incident.incident_id) == "false_alarm",
        )
        for incident in held
        if incident.status != "suppressed" and verdicts.get(incident.incident_id) != "duplicate"
    ]
    known = {incident.incident_id for incident in held}
    older = [
        Real(None, past.alert_type, past.at, past.at + timedelta(minutes=past.minutes))
        for past in ports.history.past_incidents(since - LATER, until)
        if past.incident_id not in known
    ]
    return [*ours, *older]


def with_matches(row: RuleReplay, paged: Sequence[Incident], real: Sequence[Real]) -> RuleReplay:
    """The row with when it paged, and how often nothing came of it."""
    if not paged:
        return row
    met = [[one for one in real if one.meets(incident)] for incident in paged]
    at = [incident.opened_at for incident in paged]
    return row.model_copy(
        update={
            "unmatched": sum(all(one.is_false for one in found) for found in met),
            "judged_false": sum(
                any(one.is_false for one in found) and all(one.is_false for one in found)
                for found in met
            ),
            "first_at": min(at),
            "last_at": max(at),
        }
    )
