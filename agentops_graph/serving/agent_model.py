"""What MLflow runs to make the agent when it loads the logged model (models-from-code)."""

import mlflow

from agentops_graph.serving.mlflow_agent import HealthMonitorAgent

mlflow.models.set_model(HealthMonitorAgent())
