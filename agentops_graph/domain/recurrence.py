"""An incident that comes back: the earlier one, its answer, and how far that is trusted."""

from typing import Literal

from pydantic import Field

from agentops_graph.domain.record import Moment, Name, Record

# A confirmed answer begins as one success of one, seen before a flat prior: 2 of 3.
PRIOR = 1.0


def trust_in(worked: int, failed: int) -> float:
    """The mean of the Beta posterior over "this answer is right again", from a flat prior."""
    return (PRIOR + worked) / (2 * PRIOR + worked + failed)


class Recurrence(Record):
    """What was found when the same came back inside the window."""

    kind: Literal["answered", "unanswered"]
    of: Name  # the earlier incident
    trust: float = Field(default=0.0, ge=0, le=1)
    worked: int = Field(default=0, ge=0)  # confirmed times that its cause was right
    failed: int = Field(default=0, ge=0)
    calls: int = Field(default=0, ge=0)  # evidence tools, searches and the reasoner
    first_calls: int = Field(default=0, ge=0)
    ms: float = Field(default=0.0, ge=0)
    first_ms: float = Field(default=0.0, ge=0)
    again_at: Moment | None = None  # unanswered: before then nobody but a person looks again

    @property
    def in_words(self) -> str:
        if self.kind == "unanswered":
            until = f"{self.again_at:%Y-%m-%d %H:%M} UTC" if self.again_at else "a person asks"
            return f"{self.of} told the same and was not settled; not looked into before {until}"
        return (
            f"the same as {self.of}: its confirmed answer was right {self.worked} of "
            f"{self.worked + self.failed} times (trust {self.trust:.0%}); checked again with "
            f"{self.calls} of {self.first_calls} calls, {self.ms:.0f} of {self.first_ms:.0f} ms"
        )
