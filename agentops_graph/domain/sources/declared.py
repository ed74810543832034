"""The sources that a team declared in `sources.yaml`, one field per section of the file."""

from agentops_graph.domain.record import Record
from agentops_graph.domain.sources.logs import LogSection
from agentops_graph.domain.sources.rest import RestSection


class Sources(Record):
    """Every section is optional; what is not named is not read."""

    logs: LogSection = ()
    rest: RestSection = ()
