"""The end of a pause: an incident that nobody looked into is looked into after all, once."""

from agentops_graph.domain.incident import GRAPH_VERSION, TimelineEvent
from agentops_graph.domain.ledger import Admission, Timer
from agentops_graph.domain.recurrence import Recurrence
from agentops_graph.faults import fault
from agentops_graph.gathering.pause import breaks_pause
from agentops_graph.ports import Ports

OVER = "the pause is over: it is looked into now"
BROKEN = "the pause ends early, as what was told since is another story: it is looked into now"


def pause_ends(ports: Ports, timer: Timer) -> bool:
    """The timer's own moment. One that comes while the incident is still on its way to a person
    stays due; of one that has ended, or was planned anew, there is nothing left to do."""
    plan_number = int(timer.timer_id.rpartition(":")[2])
    with ports.incidents.together():
        incident = ports.incidents.get(timer.incident_id)
        is_same_plan = incident.is_open and incident.plan_number == plan_number
        if is_same_plan and incident.status != "escalated":
            return False
        if is_same_plan:
            _look_into(ports, timer.incident_id, plan_number, OVER)
        fault("timer.before_done")
        ports.timers.done(timer.timer_id)
    return True


def heard(ports: Ports, admission: Admission) -> None:
    """What an alert means for the pause of the incident that it joined: a graver one, of something
    else, does not wait. A crash before this leaves the timer, which comes anyway."""
    incident_id, now = admission.incident_id, ports.clock.now()
    if admission.is_new:
        return
    incident = ports.incidents.get(incident_id)
    if incident.status != "escalated" or incident.plan_number:
        return
    kept = ports.incidents.kept(incident_id, "recurrence")
    if not kept or Recurrence.model_validate(kept[-1][1]).again_at is None:
        return
    if breaks_pause(ports, incident, now):
        _look_into(ports, incident_id, incident.plan_number, BROKEN)


def _look_into(ports: Ports, incident_id: str, plan_number: int, why: str) -> None:
    """Planned anew from fresh evidence, unless somebody has taken it on in the same moment."""
    now = ports.clock.now()
    note = TimelineEvent(
        incident_id=incident_id, at=now, agent="Monitor", node="pause", kind="note", text=why
    )
    anew: dict[str, object] = {"status": "detected", "graph_version": GRAPH_VERSION, "owner": None}
    anew["plan_number"] = plan_number + 1
    still = {"status": "escalated", "plan_number": plan_number}
    with ports.incidents.together():
        if ports.incidents.update_if(incident_id, still, note, **anew):
            ports.jobs.enqueue(incident_id, "pause over", at=now)
            ports.audit.write(
                "incident.looked_again",
                actor="agentops",
                via="runner",
                at=now,
                incident_id=incident_id,
                why=why,
            )
