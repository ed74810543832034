"""A data folder with two models under watch, and conversations about it."""

from datetime import UTC, datetime

from agentops_graph.bootstrap import Workshop
from agentops_graph.chat import Asker, Delta, Result, answer
from agentops_graph.domain.action import RollbackModel
from agentops_graph.domain.approval import Proposal
from agentops_graph.settings import read_settings

COMPONENTS = "components:\n  - name: fraud_model\n  - name: churn-model\n"
SOURCES = ""


class Desk:
    """One data folder, with what a person would do at it."""

    def __init__(self, home):
        home.mkdir(parents=True)
        (home / "components.yaml").write_text(COMPONENTS)
        (home / "sources.yaml").write_text(SOURCES)
        self.workshop = Workshop(read_settings({}, home=home, mlflow=False))
        self.service = self.workshop.service

    def report(self, component="fraud_model", alert_type="model_drift", **fields):
        claim = {
            "severity": "critical",
            "alert_type": alert_type,
            "affected_component": component,
            "metrics": {"aggregate_psi": 0.47},
            "timestamp": datetime(2026, 2, 28, 10, 15, tzinfo=UTC),
            "summary": "Model drift detected. Aggregate PSI: 0.47",
        }
        return self.service.raise_alert(claim | fields, actor="test", via="python").incident_id

    def propose(self, incident_id, step=0):
        ports = self.workshop.ports
        return ports.approvals.propose(
            Proposal(
                approval_id="new",
                incident_id=incident_id,
                plan_number=0,
                step=step,
                action=RollbackModel(model="fraud_model", to_version="3"),
            ),
            policy=ports.policy,
            reason="changes production predictions",
            notes=(),
            at=ports.clock.now(),
        )

    def ask(self, question, name="mia", **options):
        """The result, after checking that the stream keeps its promise."""
        events = list(answer(self.service, question, Asker(name=name), **options))
        assert all(isinstance(event, Delta) for event in events[:-1])
        result = events[-1]
        assert isinstance(result, Result)
        assert "".join(event.text for event in events[:-1]) == result.text
        return result

    def status_of(self, approval):
        return self.service.approval(approval.approval_id).status
