"""The sources that a team declared in `sources.yaml`, one field per section of the file."""

from agentops_graph.domain.record import Record
from agentops_graph.domain.sources.alertmanager import AlertmanagerSource


class Sources(Record):
    """Every section is optional; what is not named is not read."""

    alertmanager: AlertmanagerSource | None = None  # what the labels of pushed alerts mean
