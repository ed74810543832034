"""The HTTP service: a thin door over the service, with a runner and the monitor behind it."""

from agentops_graph.serving.api.app import create_app

__all__ = ["create_app"]
