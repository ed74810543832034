"""What each section of sources.yaml may look like, one file per section, for `watch init`."""

from agentops_graph.domain.sources.examples.alertmanager import ALERTMANAGER
from agentops_graph.domain.sources.examples.lineage import LINEAGE
from agentops_graph.domain.sources.examples.logs import LOGS
from agentops_graph.domain.sources.examples.mlflow import MLFLOW
from agentops_graph.domain.sources.examples.prometheus import PROMETHEUS
from agentops_graph.domain.sources.examples.rest import REST
from agentops_graph.domain.sources.examples.warehouse import WAREHOUSE

# By section; what this version can't declare is not written.
EXAMPLES: dict[str, str] = {
    "warehouse": WAREHOUSE,
    "prometheus": PROMETHEUS,
    "mlflow": MLFLOW,
    "logs": LOGS,
    "rest": REST,
    "lineage": LINEAGE,
    "alertmanager": ALERTMANAGER,
}
