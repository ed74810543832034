"""MLflow as model registry, actuator and tracker, and as a source of metrics and requests."""

from agentops_graph.adapters.mlflow_registry.actuator import MlflowActuator
from agentops_graph.adapters.mlflow_registry.lineage import MlflowLineage
from agentops_graph.adapters.mlflow_registry.models import MlflowModels
from agentops_graph.adapters.mlflow_registry.prompts import MlflowPrompts
from agentops_graph.adapters.mlflow_registry.runs import MlflowRunMetrics
from agentops_graph.adapters.mlflow_registry.store import MlflowStore, prepare
from agentops_graph.adapters.mlflow_registry.traces import MlflowTraceLog
from agentops_graph.adapters.mlflow_registry.tracker import MlflowTracker
from agentops_graph.adapters.mlflow_registry.trials import MlflowTrials

__all__ = [
    "MlflowActuator",
    "MlflowLineage",
    "MlflowModels",
    "MlflowPrompts",
    "MlflowRunMetrics",
    "MlflowStore",
    "MlflowTraceLog",
    "MlflowTracker",
    "MlflowTrials",
    "prepare",
]
