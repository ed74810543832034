"""Prometheus as a source of metric series."""

from agentops_graph.adapters.prometheus_series.api import PromApi
from agentops_graph.adapters.prometheus_series.series import PrometheusSeries
from agentops_graph.adapters.prometheus_series.trials import PrometheusTrials

__all__ = ["PromApi", "PrometheusSeries", "PrometheusTrials"]
