"""Log files of this machine, plain or gzipped, as `LogSource`."""

from agentops_graph.adapters.file_logs.source import FileLogSource

__all__ = ["FileLogSource"]
