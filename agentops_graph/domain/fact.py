"""What another system says of a component when it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agentops_graph.domain.record import Scalar


@dataclass(frozen=True)
class Facts:
    """One answer, reduced to what was asked for; texts in it are as untrusted as log lines."""

    place: str  # the address without credentials
    query: str
    summary: str
    values: Mapping[str, Scalar] = field(default_factory=dict)
    signals: Mapping[str, float] = field(default_factory=dict)
