"""The on-call engineer for ML models, AI agents and data pipelines."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentops_graph.detection.root_causes.ranking import Ranking, rank_root_causes

__all__ = ["Ranking", "rank_root_causes"]


def __getattr__(name: str) -> Any:
    # Imported when it is asked for: the start of every command would pay for it.
    if name in __all__:
        from agentops_graph.detection.root_causes import ranking

        return getattr(ranking, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
