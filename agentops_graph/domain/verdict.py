"""What people say of an incident afterwards: it was right, a false alarm, or told already."""

from typing import Literal, Self

from pydantic import Field, model_validator

from agentops_graph.domain.approval import Door
from agentops_graph.domain.record import Moment, Name, Record, Text

VerdictWord = Literal["right", "false_alarm", "duplicate"]


class IncidentVerdict(Record):
    """One person's verdict on one incident; of several the last one counts."""

    verdict_id: int = 0  # given by the ledger, in the order in which verdicts came
    incident_id: Name
    verdict: VerdictWord
    of: Name | None = None  # the incident that had told the story, for a duplicate
    actor: Name
    via: Door
    at: Moment
    comment: Text = Field(default="", max_length=2000)

    @model_validator(mode="after")
    def _names_the_other(self) -> Self:
        if (self.verdict == "duplicate") != (self.of is not None):
            raise ValueError("a duplicate, and nothing else, names the incident it is one `of`")
        if self.of == self.incident_id:
            raise ValueError("an incident is no duplicate of itself")
        return self
