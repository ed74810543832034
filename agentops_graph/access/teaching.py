"""What an identity may teach, each use of the service by name."""

from agentops_graph.access.discretion import discreet_text
from agentops_graph.access.gate import Gate
from agentops_graph.diagnosis.learning import LessonReport
from agentops_graph.domain.approval import Door
from agentops_graph.domain.lesson import Calibration


class Teaches(Gate):
    """Reports of incidents, and what is learnt of them."""

    def postmortem(self, incident_id: str) -> str:
        self.needs("read")
        self._check_incident(incident_id)
        text = self._service.postmortem(incident_id)
        return text if self.identity.tenant is None else discreet_text(text, self._is_foreign)

    def confirm(
        self,
        incident_id: str,
        *,
        actor: str,
        lessons: str | None = None,
        cause: str | None = None,
        via: Door = "cli",
    ) -> str:
        self.needs("operate")
        self._check_incident(incident_id)
        return self._service.confirm(
            incident_id, actor=self.called(actor), lessons=lessons, cause=cause, via=self.via
        )

    def shelve_confirmed(self) -> list[str]:
        """It writes reports of every tenant."""
        self.needs("administer", everywhere=True)
        return self._service.shelve_confirmed()

    def lessons_report(self) -> LessonReport:
        """Counted over every tenant's incidents."""
        self.needs("read", everywhere=True)
        return self._service.lessons_report()

    def accept_lessons(self, *, actor: str, via: Door = "cli") -> Calibration:
        """It changes how sure every diagnosis is."""
        self.needs("administer", everywhere=True)
        return self._service.accept_lessons(actor=self.called(actor), via=self.via)
