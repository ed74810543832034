"""What came of trying a declared source out."""

from typing import Literal

from agentops_graph.domain.record import Moment, Record


class Trial(Record):
    """One thing that was tried: a server, or one read of it."""

    source: str
    what: str  # such as `support-bot latency_p95`, or `reach`
    state: Literal["ok", "degraded", "broken"]
    seen: str
    mend: str = ""
    place: str = ""  # file:line of what is wrong
    points: int | None = None
    newest_at: Moment | None = None
    newest: float | None = None
