"""Chooses the adapters: the one place where settings become ports, service and runner."""

from agentops_graph.bootstrap.workshop import Workshop

__all__ = ["Workshop"]
