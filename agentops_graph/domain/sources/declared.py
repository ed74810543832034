"""The sources that a team declared in `sources.yaml`, one field per section of the file."""

from agentops_graph.domain.record import Record
from agentops_graph.domain.sources.warehouse import WarehouseSource


class Sources(Record):
    """Every section is optional; what is not named is not read."""

    warehouse: WarehouseSource | None = None  # where rows are kept; default: the embedded file
