"""While nobody could find the cause: how long a repeat waits for the next look, what ends it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agentops_graph.domain.component import Component
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE
from agentops_graph.domain.ledger import Timer
from agentops_graph.domain.recurrence import Recurrence
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.gathering.case import Case
from agentops_graph.gathering.earlier import diagnosis_kept, earlier_than, telling_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentops_graph.domain.alert import Alert
    from agentops_graph.domain.incident import Incident
    from agentops_graph.ports import Ports

LONGEST_PAUSE = timedelta(days=1)
DOUBLINGS = 16  # more would only be cut to the longest
# In the note with which a person closed it. Read too widely it costs one more look.
NOISE = re.compile(
    r"\b(nois[ey]\w*|false[ -]?(alarm|positive)s?|dup(e|licate)?s?)\b", re.IGNORECASE
)


def paused(
    ports: Ports, incident: Incident, alert: Alert, earlier: Sequence[Incident], now: datetime
) -> Recurrence | None:
    """While the pause lasts a person is told, and nobody looks again; it doubles each time. None
    when it is over, or the alert or the world is another than when somebody looked."""
    looked_into = _in_vain(ports, earlier)
    if not looked_into:
        return None
    last, times = looked_into[0], len(looked_into)
    pause = timedelta(seconds=ports.policy.unanswered_pause_s * 2 ** min(times - 1, DOUBLINGS))
    looked_at = last.diagnosed_at or last.opened_at
    again_at = looked_at + min(pause, LONGEST_PAUSE)
    if now >= again_at or _is_news(ports, incident, looked_into):
        return None
    if _is_changed(ports, incident, alert, looked_at, now):
        return None
    return Recurrence(kind="unanswered", of=last.incident_id, again_at=again_at)


def timer_of(incident: Incident, recurrence: Recurrence, now: datetime) -> Timer | None:
    """That ends the pause of this plan of the incident; None when nobody waits."""
    if recurrence.again_at is None:
        return None
    return Timer(
        timer_id=f"{incident.incident_id}:again:{incident.plan_number}",
        kind="again",
        incident_id=incident.incident_id,
        due_at=recurrence.again_at,
        set_at=now,
    )


def breaks_pause(ports: Ports, incident: Incident, now: datetime) -> bool:
    """True when an alert that has joined a paused incident is another than those looked into. It
    asks the ledger alone."""
    looked_into = _in_vain(ports, earlier_than(ports, incident, now))
    return bool(looked_into) and _is_news(ports, incident, looked_into)


def _is_news(ports: Ports, incident: Incident, looked_into: Sequence[Incident]) -> bool:
    told, then = telling_of(ports, incident), [telling_of(ports, one) for one in looked_into]
    return told.is_graver(then) or told.tells_more(then) or told.comes_from_elsewhere(then)


def _is_changed(
    ports: Ports, incident: Incident, alert: Alert, since: datetime, now: datetime
) -> bool:
    """True when a change around the component was made since somebody looked."""
    component = ports.components.get(incident.component) or Component(name=incident.component)
    subjects = Case(ports, incident, alert, component, now).subjects
    try:
        return bool(ports.warehouse.changes(subjects, since, now))
    except NotEnoughDataError:  # changes are not recorded here
        return False


def _in_vain(ports: Ports, earlier: Sequence[Incident]) -> list[Incident]:
    """The newest ones in a row that were looked into, and not just handed on, without a cause.
    What people called noise or told already says nothing of the next one."""
    found = []
    for one in earlier:
        if _is_noise(ports, one):
            continue
        diagnosis = diagnosis_kept(ports, one.incident_id)
        if diagnosis is None or diagnosis.cause != UNKNOWN_CAUSE:
            break
        found += [one] if diagnosis.recurrence is None else []
    return found


def _is_noise(ports: Ports, incident: Incident) -> bool:
    verdicts = ports.incident_verdicts.given(incident.incident_id)
    if verdicts:
        return verdicts[-1].verdict != "right"
    return incident.status == "closed" and NOISE.search(incident.summary) is not None
