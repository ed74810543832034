"""The names that a question could have meant, for the words of an error."""

from collections.abc import Iterable


def known_names(components: Iterable[str]) -> str:
    """Those names, or how to get some."""
    return ", ".join(components) or "none; `agentops watch init` finds yours"
