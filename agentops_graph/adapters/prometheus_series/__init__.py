"""Prometheus as a source of metric series."""

from agentops_graph.adapters.prometheus_series.api import PromApi
from agentops_graph.adapters.prometheus_series.series import PrometheusSeries

__all__ = ["PromApi", "PrometheusSeries"]
