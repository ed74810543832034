"""Names the root cause from the kept evidence, runbooks and past incidents."""

from langgraph.runtime import Runtime

from agentops_graph.domain.alert import Alert
from agentops_graph.domain.diagnosis import Diagnosis
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.ledger import Chapter
from agentops_graph.domain.recurrence import Recurrence
from agentops_graph.domain.story import main_alert
from agentops_graph.gathering.brief import brief_of
from agentops_graph.gathering.recurrence import diagnosed, diagnosis_of
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update

# Of what a model asked for; the gatherers' own pieces are numbered from 0.
FIRST_ASKED = 1000


def diagnose(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    incident_id, plan_number = state["incident_id"], state.get("plan_number", 0)
    incident = ports.incidents.get(incident_id)
    alert = main_alert(incident, ports.log.alerts(incident_id))
    evidence = tuple(
        Evidence.model_validate(document)
        for chapter, document in ports.incidents.kept(incident_id, "evidence")
        if chapter.plan_number == plan_number
    )
    repeats = ports.incidents.kept(incident_id, "recurrence")
    if repeats and plan_number == 0:
        named = _of_repeat(ports, Recurrence.model_validate(repeats[-1][1]), alert, evidence)
    else:
        named = _of_evidence(ports, incident_id, plan_number, alert, evidence)
    kept = ports.incidents.keep(
        Chapter(incident_id=incident_id, kind="diagnosis", plan_number=plan_number),
        named.model_copy(update={"diagnosis_id": f"{incident_id}/D{plan_number}"}),
    )
    diagnosis = Diagnosis.model_validate(kept)
    _keep_gathered(ports, diagnosis, incident_id, plan_number)
    ports.incidents.update(
        incident_id, diagnosed_at=diagnosis.diagnosed_at, summary=diagnosis.root_cause
    )
    sure = "unknown" if diagnosis.confidence is None else f"{diagnosis.confidence:.0%}"
    return {"said": f"{diagnosis.root_cause} (confidence {sure})"}


def _of_evidence(
    ports: Ports,
    incident_id: str,
    plan_number: int,
    alert: Alert,
    evidence: tuple[Evidence, ...],
) -> Diagnosis:
    brief = brief_of(
        ports.shelf,
        alert,
        evidence,
        watched=ports.components,
        incident_id=incident_id,
        diagnosis_id=f"{incident_id}/D{plan_number}",
        now=ports.clock.now(),
    )
    return diagnosed(ports, brief)


def _of_repeat(
    ports: Ports, recurrence: Recurrence, alert: Alert, evidence: tuple[Evidence, ...]
) -> Diagnosis:
    new = Diagnosis(
        diagnosis_id="new",
        alert_id=alert.alert_id,
        root_cause="Unknown",
        reasoner="recurrence",
        diagnosed_at=ports.clock.now(),
    )
    return diagnosis_of(ports, recurrence, alert, evidence, new=new)


def _keep_gathered(ports: Ports, diagnosis: Diagnosis, incident_id: str, plan_number: int) -> None:
    """Beside the rest of the evidence, and after the diagnosis: of a diagnosis that is made again
    after a crash only the first was kept, and so are its reads."""
    for number, piece in enumerate(diagnosis.gathered):
        chapter = Chapter(
            incident_id=incident_id,
            kind="evidence",
            plan_number=plan_number,
            step=FIRST_ASKED + number,
        )
        ports.incidents.keep(chapter, piece)
