"""The sources that a team declared in `sources.yaml`, one field per section of the file."""

from agentops_graph.domain.record import Record
from agentops_graph.domain.sources.alertmanager import AlertmanagerSource
from agentops_graph.domain.sources.lineage import LineageSource
from agentops_graph.domain.sources.logs import LogSection
from agentops_graph.domain.sources.mlflow import MlflowSource
from agentops_graph.domain.sources.prometheus import PrometheusSource
from agentops_graph.domain.sources.rest import RestSection
from agentops_graph.domain.sources.warehouse import WarehouseSource


class Sources(Record):
    """Every section is optional; what is not named is not read."""

    prometheus: PrometheusSource | None = None
    mlflow: MlflowSource | None = None
    alertmanager: AlertmanagerSource | None = None  # what the labels of pushed alerts mean
    logs: LogSection = ()
    rest: RestSection = ()
    warehouse: WarehouseSource | None = None  # where rows are kept; default: the embedded file
    lineage: LineageSource | None = None
