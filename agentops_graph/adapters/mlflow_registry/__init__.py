"""MLflow as model registry, actuator and tracker."""

from agentops_graph.adapters.mlflow_registry.actuator import MlflowActuator
from agentops_graph.adapters.mlflow_registry.lineage import MlflowLineage
from agentops_graph.adapters.mlflow_registry.models import MlflowModels
from agentops_graph.adapters.mlflow_registry.store import MlflowStore, prepare
from agentops_graph.adapters.mlflow_registry.tracker import MlflowTracker

__all__ = [
    "MlflowActuator",
    "MlflowLineage",
    "MlflowModels",
    "MlflowStore",
    "MlflowTracker",
    "prepare",
]
