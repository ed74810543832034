"""Ends an incident whose alerts are over where they came from, unless something speaks against it.

Nothing that is under way is cut: an incident that is being investigated, acted on or verified is
looked at again when it has come to rest. A question to a person that rests on nothing any more is
withdrawn, and the graph closes the incident; one that a person owns is closed here.
"""

from datetime import timedelta

from agentops_graph.closing import EVERY_ALERT, resolution_of, tell_people
from agentops_graph.domain.incident import RECOVERED, Incident, TimelineEvent
from agentops_graph.domain.ledger import Chapter
from agentops_graph.domain.story import main_alert
from agentops_graph.errors import NotEnoughDataError, PortError
from agentops_graph.gathering.hysteresis import held_now
from agentops_graph.ports import Ports

OVER = "recovered: every alert it rests on is over where it came from"
AFTER_ESCALATION = 2  # the step of a resolution that follows the one of the hand-over
BY = "agentops"


def recover(ports: Ports, incident_id: str) -> int:
    """One look at an incident of which an alert is over; returns how much was done."""
    incident = ports.incidents.get(incident_id)
    if incident.is_open and incident.status not in ("awaiting_approval", "escalated"):
        return 0  # something is under way; it is looked at again when that has ended
    if not incident.is_open or not _is_over(ports, incident):
        ports.outside_alerts.look_again(incident_id, None)
        return 0
    why = _speaks_against(ports, incident)
    if why is not None:
        _put_off(ports, incident, why)
        return 0
    end = _end if incident.status == "escalated" else _withdraw
    return int(end(ports, incident))


def _is_over(ports: Ports, incident: Incident) -> bool:
    """True when all that the incident ever heard of came from outside and is over there."""
    over = {
        firing.alert_id
        for firing in ports.outside_alerts.followed(incident.incident_id)
        if firing.over_at is not None
    }
    alerts = ports.log.alerts(incident.incident_id, limit=EVERY_ALERT)
    return all(alert.alert_id in over for alert in alerts)


def _speaks_against(ports: Ports, incident: Incident) -> str | None:
    """Why it stays open all the same, in words for its timeline."""
    effects = ports.effect_log.listed(incident.incident_id)
    if incident.needs_reconcile or any(e.state in ("intent", "unknown") for e in effects):
        return "an effect of it is to be reconciled first"
    if any(work.incident_id == incident.incident_id for work in ports.work.underway()):
        return "work for it is still running"
    component = ports.components.get(incident.component)
    if component is None:
        return None
    now = ports.clock.now()
    told = main_alert(incident, ports.log.alerts(incident.incident_id)).metrics
    try:
        held = held_now(
            ports.warehouse,
            component,
            incident.alert_type,
            now,
            told=told,
            segment=incident.segment,
        )
    except NotEnoughDataError:
        return None
    except PortError:
        return "whether it still holds here can't be measured now"
    return "measured here it still holds" if held.state in ("holds", "lingers") else None


def _put_off(ports: Ports, incident: Incident, why: str) -> None:
    """Said once, and looked at again at the pace at which approvals are watched."""
    text = f"its alerts are over where they came from, but {why}"
    again_at = ports.clock.now() + timedelta(seconds=ports.policy.watch_every_s)
    with ports.incidents.together():
        ports.outside_alerts.look_again(incident.incident_id, again_at)
        if all(event.text != text for event in ports.log.timeline(incident.incident_id)):
            ports.incidents.update(incident.incident_id, _note(ports, incident, text))


def _withdraw(ports: Ports, incident: Incident) -> bool:
    """The graph goes on from a withdrawn approval to the end; one that somebody decided in the
    same moment stays decided."""
    now, incident_id = ports.clock.now(), incident.incident_id
    with ports.incidents.together():
        waiting = ports.approval_log.listed(incident_id=incident_id, status="pending")
        retired = [
            ports.approvals.retire(each.approval_id, "withdrawn", why=OVER, by=BY, at=now)
            for each in waiting
        ]
        is_done = any((each.status, each.reason) == ("withdrawn", OVER) for each in retired)
        if is_done:
            _tell(ports, incident)
    return is_done


def _end(ports: Ports, incident: Incident) -> bool:
    """Closes what a person owns, if they have not taken it on in the same moment."""
    now, incident_id = ports.clock.now(), incident.incident_id
    with ports.incidents.together():
        still = {"status": "escalated", "plan_number": incident.plan_number}
        note = _note(ports, incident, OVER)
        ending = {"status": "resolved", "ended_at": now, "summary": OVER}
        if not _is_over(ports, incident):  # we measured it since the look
            return False
        if not ports.incidents.update_if(incident_id, still, note, **ending):
            return False
        resolution = resolution_of(ports, incident, "resolved", now)
        chapter = Chapter(
            incident_id=incident_id,
            kind="resolution",
            plan_number=incident.plan_number,
            step=AFTER_ESCALATION,
        )
        ports.incidents.keep(chapter, resolution)
        tell_people(ports, incident_id, resolution, now, ending="recovered")
        _tell(ports, incident)
    return True


def _tell(ports: Ports, incident: Incident) -> None:
    ports.outside_alerts.look_again(incident.incident_id, None)
    ports.audit.write(
        RECOVERED,
        actor=BY,
        via="runner",
        at=ports.clock.now(),
        incident_id=incident.incident_id,
    )


def _note(ports: Ports, incident: Incident, text: str) -> TimelineEvent:
    return TimelineEvent(
        incident_id=incident.incident_id,
        at=ports.clock.now(),
        agent="Monitor",
        node="recovery",
        kind="note",
        text=text,
    )
