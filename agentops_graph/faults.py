"""Named points between two steps that must survive a crash; only a test can make one do something.

Nothing reads a setting here: a test in the same process arms a point with `arm`. While none is
armed, passing one costs a call and a look at an empty mapping.
"""

from collections.abc import Callable

Deed = Callable[[], None]

NODES = (
    "detect",
    "triage",
    "investigate",
    "diagnose",
    "plan",
    "approve",
    "act",
    "verify",
    "report",
    "escalate",
)
_EXECUTOR = (
    "before_intent",
    "after_intent",
    "before_call",
    "after_call",
    "before_finish",
    "after_finish",
    "after_probe",
    "after_retake",
)
POINTS = (
    "admission.before_commit",
    "admission.after_commit",
    "lease.acquired",
    "lease.before_release",
    *(f"{node}.{when}" for node in NODES for when in ("before", "after")),
    "checkpoint.before_put",
    "checkpoint.after_put",
    "checkpoint.before_put_writes",
    "checkpoint.after_put_writes",
    "approval.before_commit",
    "approval.after_commit",
    "edit.before_commit",
    "edit.after_commit",
    "vote.before_commit",
    "decision.before_commit",
    "decision.after_commit",
    "job.written",
    *(f"effect.{when}" for when in _EXECUTOR),
    *(f"undo.{when}" for when in _EXECUTOR),
    "actuator.inside",  # what was asked is done, and the answer not yet given
    "work.opened",
    "work.claimed",
    "work.before_lost",
    "work.lost",
    "work.before_signal",  # its row says that it is told to end, and it is not yet told
    "work.before_late",
    "work.before_finish",
    "work.finished",
    "notice.claimed",
    "notice.after_send",
    "notice.after_sent",
    "look.kept",
    "timer.fired",
    "timer.before_done",
    "watch.claimed",
    "watch.before_commit",
    "watch.after_commit",
    "handover.before_status",
    "handover.after_status",
    "report.before_resolution",
    "report.after_resolution",
    "report.after_history",
    "intervention.before_commit",
    "intervention.after_commit",
    "tracking.before",
    "tracking.after",
    "entry.before_thread_deleted",
    "entry.after_thread_deleted",
)
_armed: dict[str, Deed] = {}


def fault(point: str) -> None:
    """Passes through, unless a test armed this point."""
    if _armed and point in _armed:
        _armed[point]()


def arm(point: str, deed: Deed) -> None:
    """For tests: from now on `deed` happens whenever this point is passed."""
    if point not in POINTS:
        raise ValueError(f"no fault point {point!r}; known: {', '.join(POINTS)}")
    _armed[point] = deed


def disarm() -> None:
    """For tests: every point is harmless again."""
    _armed.clear()
