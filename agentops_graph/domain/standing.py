"""How detached work stands: well, silent or overdue; and what people are told of it."""

from typing import Literal

from agentops_graph.domain.ledger import Work
from agentops_graph.domain.policy import Policy

Standing = Literal["well", "silent", "overdue"]
_NOUNS = {
    "retrain_model": "the training",
    "rerun_pipeline": "the rerun",
    "scale_infrastructure": "the scaling",
    "shift_traffic": "the shift of traffic",
}


def standing(work: Work, policy: Policy) -> Standing:
    """Overdue counts from when its process claimed it, by that process's own clock; silent, from
    its last heartbeat."""
    if work.state != "running" or work.silent_s is None:
        return "well"
    if _elapsed_s(work) >= _deadline_s(work, policy):
        return "overdue"
    return "silent" if work.silent_s >= policy.work_silent_s else "well"


def why_lost(work: Work, policy: Policy) -> str | None:
    """Why nobody can know any more what this work does, for the person who gets it; None while
    somebody can, or can still have it end."""
    if work.state != "running" or work.silent_s is None:
        return None
    if work.whereabouts == "gone":  # without something behind it, that ended the work too
        return None if work.done_by is None else _follower_died(work)
    host = work.writer.host if work.writer else "its host"
    if work.whereabouts == "out_of_reach" and work.silent_s >= policy.work_silent_s:
        silent = spoken(work.silent_s)
        return f"{name_of(work)} has said nothing for {silent}; its host {host} can't be asked"
    # A runner on its own host may end it: that one gets as long as a silent process does.
    if _elapsed_s(work) < _deadline_s(work, policy) + policy.work_silent_s:
        return None
    over = f"{why_overdue(work, policy)}, and its process on {host}"
    return f"{over} {'did not end' if work.whereabouts == 'here' else 'is out of reach'}"


def why_overdue(work: Work, policy: Policy) -> str:
    ran, longest = spoken(_elapsed_s(work)), spoken(_deadline_s(work, policy))
    return f"{name_of(work)} has been running for {ran} and may run for {longest}"


def in_words(work: Work, policy: Policy) -> str:
    """One line for people: what runs, how far it is, and what is wrong with it."""
    said = f"{name_of(work)}: {work.share:.0%}{f' {work.progress}' if work.progress else ''}"
    how = standing(work, policy)
    if how == "overdue":
        return f"{said}; overdue, running for {spoken(_elapsed_s(work))}"
    return f"{said}; silent for {spoken(work.silent_s or 0)}" if how == "silent" else said


def name_of(work: Work) -> str:
    """Such as `the training of A-7`."""
    return f"{_NOUNS.get(work.action.action, 'the work')} of {work.key.partition(':')[0]}"


def spoken(seconds: float) -> str:
    """Such as `12 minutes` or `4 h 5 min`."""
    minutes = int(seconds // 60)
    if minutes < 60:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def _follower_died(work: Work) -> str:
    told = f" ({work.error})" if work.error else ""
    return (
        f"the process that followed {name_of(work)} at {work.done_by} is gone{told}; whether "
        f"{work.done_by} goes on with it is not known"
    )


def _elapsed_s(work: Work) -> float:
    return work.ran_s + (work.silent_s or 0.0)


def _deadline_s(work: Work, policy: Policy) -> float:
    return work.longest_s or policy.work_deadline_s
