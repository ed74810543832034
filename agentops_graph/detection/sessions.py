"""Sessions of an agent that don't come to an end: too long, or turn after turn without progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.clustered import Z_ALARM
from agentops_graph.detection.intervals import wilson

if TYPE_CHECKING:
    from agentops_graph.detection.triggers import Window
    from agentops_graph.domain.alert import Finding
    from agentops_graph.domain.outputs import Calls

PAUSE_S = 600.0  # someone who comes back after ten minutes begins anew
FEWEST_STALLED = 3  # a single long session is someone taking their time
RUNAWAY = 3  # times the idle turns; a loop that long is stopped even when it is the only one


@dataclass(frozen=True)
class Session:
    """One unbroken stretch of a session: its minutes, turns, and longest run without progress."""

    minutes: float
    turns: int
    idle: int


def sessions_of(calls: Calls, since: float) -> list[Session]:
    """Those that had a turn at or after `since`, from as far back as the calls reach."""
    turns: dict[str, list[int]] = {}
    for row, name in enumerate(calls.session):
        if name:
            turns.setdefault(name, []).append(row)
    found = []
    for rows in turns.values():
        times = calls.timestamps[rows]
        if times[-1] < since:
            continue
        breaks = np.flatnonzero(np.diff(times) > PAUSE_S) + 1
        late = [part for part in np.split(np.array(rows), breaks) if _ends(calls, part) >= since]
        found += [_session(calls, part) for part in late]
    return found


def stalls(window: Window, sessions: list[Session]) -> Finding | None:
    """More than the allowed share of sessions surely stall, or one runs on without any progress."""
    limits = window.component.thresholds
    longest, idle = limits.session_minutes, limits.idle_turns
    stalled = [s for s in sessions if s.minutes > longest or s.idle >= idle]
    runaway = any(s.idle >= RUNAWAY * idle for s in stalled)
    if not stalled:
        return None
    share, count = len(stalled) / len(sessions), len(sessions)
    sure = wilson(share, count, Z_ALARM)[0] > limits.stalled_sessions
    if not runaway and (len(stalled) < FEWEST_STALLED or not sure):
        return None
    worst = max(stalled, key=lambda s: (s.idle, s.minutes))
    said = f"{len(stalled)} of {count} sessions don't come to an end"
    said += f": {worst.minutes:.0f} minutes, {worst.turns} turns"
    said += f", {worst.idle} of them on end without progress" if worst.idle else ""
    return window.finding(
        "convergence_stall",
        "warning",
        "stalled_sessions",
        share,
        limits.stalled_sessions,
        said,
        rows=count,
        figures={"session_minutes": worst.minutes, "idle_turns": float(worst.idle)},
    )


def _session(calls: Calls, part: np.ndarray) -> Session:
    lasted = _ends(calls, part) - float(calls.timestamps[part[0]])
    return Session(lasted / 60, len(part), _longest_idle(calls, part))


def _ends(calls: Calls, part: np.ndarray) -> float:
    """The end of its last turn."""
    took = calls.latency_ms[part[-1]]
    return float(calls.timestamps[part[-1]] + (took / 1000 if np.isfinite(took) else 0.0))


def _longest_idle(calls: Calls, part: np.ndarray) -> int:
    """Turns on end that are logged as without progress; one that says nothing ends none."""
    known = calls.progress[part]
    known = known[np.isfinite(known)]
    longest = run = 0
    for progress in known:
        run = 0 if progress > 0 else run + 1
        longest = max(longest, run)
    return longest
