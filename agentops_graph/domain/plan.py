"""Choosing the next action of a plan from what has happened so far."""

from agentops_graph.domain.action import NOTICE_KINDS, ActionName
from agentops_graph.domain.diagnosis import RecommendedAction
from agentops_graph.domain.knowledge import Outcome, condition_holds


def next_action(
    recommended: tuple[RecommendedAction, ...], outcomes: dict[str, Outcome]
) -> RecommendedAction | None:
    """The first recommended action not yet tried whose condition holds; None when spent."""
    for candidate in sorted(recommended, key=lambda r: r.priority):
        if candidate.action in NOTICE_KINDS or candidate.action in outcomes:
            continue
        if condition_holds(candidate.condition, outcomes):
            return candidate
    return None


def notices(recommended: tuple[RecommendedAction, ...]) -> list[ActionName]:
    """The notices a plan sends at once, in order of priority, each once."""
    ordered = [
        r.action
        for r in sorted(recommended, key=lambda r: r.priority)
        if r.action in NOTICE_KINDS and r.condition is None
    ]
    return list(dict.fromkeys(ordered))
