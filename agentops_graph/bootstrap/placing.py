"""Where in sources.yaml a value stands, for the words of an error."""

from collections.abc import Callable
from pathlib import Path

from agentops_graph.marked_yaml import read_marked

Place = Callable[..., str]  # the steps of a path in the file -> file:line


def placing(file: Path) -> Place:
    """Reads the file only when something is wrong."""
    return lambda *path: read_marked(file).place(*path)
