"""What people say of an incident afterwards."""

from agentops_graph.controls import Controls
from agentops_graph.domain.approval import Door
from agentops_graph.domain.verdict import IncidentVerdict, VerdictWord
from agentops_graph.errors import InputError


class Judgements(Controls):
    """The part of the service with which people judge what was alerted."""

    def judge(
        self,
        incident_id: str,
        verdict: VerdictWord,
        *,
        actor: str,
        via: Door,
        of: str | None = None,
        comment: str = "",
    ) -> IncidentVerdict:
        """Keeps a verdict beside the earlier ones, of which the last counts. Raises NotFoundError
        for an incident that is not there."""
        ports = self._ports
        if (verdict == "duplicate") != (of is not None):
            raise InputError(
                "a duplicate, and nothing else, names the incident it is one of", field="of"
            )
        if of == incident_id:
            raise InputError(f"{incident_id} is no duplicate of itself", field="of")
        said = IncidentVerdict(
            incident_id=incident_id,
            verdict=verdict,
            of=of,
            actor=actor,
            via=via,
            at=ports.clock.now(),
            comment=comment.strip(),
        )
        return ports.incident_verdicts.give(said)
