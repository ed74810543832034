"""Names the root cause from the kept evidence, runbooks and past incidents."""

from langgraph.runtime import Runtime

from agentops_graph.domain.diagnosis import Brief, Diagnosis
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.ledger import Chapter
from agentops_graph.ports import Ports
from agentops_graph.state import IncidentState, Update

# More pages pushed the measurements out of a small model's window.
RUNBOOK_PAGES = 3
PRECEDENTS = 3


def diagnose(state: IncidentState, runtime: Runtime[Ports]) -> Update:
    ports = runtime.context
    incident_id, plan_number = state["incident_id"], state.get("plan_number", 0)
    alert = ports.log.alerts(incident_id)[-1]
    evidence = tuple(
        Evidence.model_validate(document)
        for chapter, document in ports.incidents.kept(incident_id, "evidence")
        if chapter.plan_number == plan_number
    )
    question = f"{alert.alert_type.replace('_', ' ')} {alert.summary}"
    search = ports.shelf.search
    brief = Brief(
        diagnosis_id=f"{incident_id}/D{plan_number}",
        incident_id=incident_id,
        alert=alert,
        evidence=evidence,
        causes=tuple(ports.shelf.causes(alert.alert_type)),
        pages=tuple(
            search(question, kind="runbook", alert_type=alert.alert_type, limit=RUNBOOK_PAGES)
        ),
        precedents=tuple(
            search(question, kind="incident", alert_type=alert.alert_type, limit=PRECEDENTS)
        ),
        asked_at=ports.clock.now(),
    )
    kept = ports.incidents.keep(
        Chapter(incident_id=incident_id, kind="diagnosis", plan_number=plan_number),
        ports.reasoner.diagnose(brief),
    )
    diagnosis = Diagnosis.model_validate(kept)
    ports.incidents.update(
        incident_id, diagnosed_at=diagnosis.diagnosed_at, summary=diagnosis.root_cause
    )
    sure = "unknown" if diagnosis.confidence is None else f"{diagnosis.confidence:.0%}"
    return {"said": f"{diagnosis.root_cause} (confidence {sure})"}
