"""The sources that a team declared in `sources.yaml`, one field per section of the file."""

from agentops_graph.domain.record import Record
from agentops_graph.domain.sources.lineage import LineageSource


class Sources(Record):
    """Every section is optional; what is not named is not read."""

    lineage: LineageSource | None = None
