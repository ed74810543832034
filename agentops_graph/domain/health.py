"""The health window after a change: looks with fresh data, and the verdict over them."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from agentops_graph.domain.approval import Guard
from agentops_graph.domain.record import Moment, Record

MOST_LOOKS = 500  # of one window; more can't be told apart in the ledger


class Look(Record):
    """One measurement during a health window, or while its data is still waited for."""

    at: Moment
    since: Moment | None = None  # rows are counted from then; older looks: from the change
    rows: int  # rows of the watched version since the change
    metrics: dict[str, float] = Field(default_factory=dict)  # of those inside the window
    rows_inside: int | None = None  # older looks did not tell: all, when taken inside the window
    metrics_after: dict[str, float] = Field(default_factory=dict)  # of the rows after the window

    def inside(self, ends_at: datetime) -> int:
        """How many of the rows lie inside the window that ends then."""
        if self.rows_inside is not None:
            return self.rows_inside
        return self.rows if self.at <= ends_at else 0


class HealthReport(Record):
    """Where a window stands; `too_late` is a breach that only rows after the window show."""

    verdict: Literal["watching", "healthy", "breached", "too_late", "no_data"]
    reason: str
    looks: tuple[Look, ...] = ()


def judge_window(guard: Guard, looks: list[Look], *, began_at: Moment, now: Moment) -> HealthReport:
    """Healthy only after the window's time and its number of looks with fresh data.

    A breach is judged from rows inside the window alone: only for that time was an undo approved.
    What the rows after it show is for a person.
    """
    elapsed = (now - began_at).total_seconds()
    fresh = _fresh(looks, guard.fresh_rows, began_at)
    verdict: Literal["watching", "healthy", "breached", "too_late", "no_data"] = "watching"
    reason = f"{elapsed:.0f} of {guard.window_s:.0f} s, {fresh} looks (at least {guard.looks})"
    if (breach := _breach(guard, looks, window_end(guard, began_at))) is not None:
        verdict, reason = breach
    elif elapsed >= guard.window_s and fresh >= guard.looks:
        verdict = "healthy"
        reason = f"{fresh} looks with fresh data over {elapsed:.0f} s, nothing crossed its bound"
    elif elapsed >= longest_wait(guard.window_s):
        verdict = "no_data"
        reason = f"only {fresh} of {guard.looks} looks saw fresh data in {elapsed:.0f} s"
    return HealthReport(verdict=verdict, reason=reason, looks=tuple(looks))


def window_end(guard: Guard, began_at: datetime) -> datetime:
    return began_at + timedelta(seconds=guard.window_s)


def longest_wait(window_s: float) -> float:
    """Seconds after which missing data is no longer waited for."""
    return 3 * window_s + 60


def began_by(ended_at: datetime, looks: list[Look], now: datetime) -> datetime:
    """When a window began, by a clock that says `now`: the end of the change.

    A clock that was put back behind that would see the window end hours later, or never begin:
    until it has caught up, the window begins at the first look taken by it. That window is no
    shorter, needs as many looks, and its rows are those that were written since.
    """
    if now >= ended_at:
        return ended_at
    return min((look.at for look in looks if look.at <= now), default=now)


def next_look(
    guard: Guard, looks: list[Look], *, ended_at: datetime, now: datetime
) -> datetime | None:
    """When to look next by that clock; None is now.

    Runners that were down for the whole wait look before they judge, and at a pace: looks that
    were missed are not made up for.
    """
    if now < ended_at and not any(look.at <= now for look in looks):
        return None  # the first by a clock that was put back: from here on its time counts
    seen = [look.at for look in looks if look.at <= now]
    due_at = max([*seen, began_by(ended_at, looks, now)]) + timedelta(seconds=guard.every_s)
    return due_at if now < due_at else None


def _breach(
    guard: Guard, looks: list[Look], ends_at: datetime
) -> tuple[Literal["breached", "too_late"], str] | None:
    for look in looks:
        crossed = _crossed(guard, look.metrics)
        if crossed and look.inside(ends_at) >= guard.fresh_rows:
            return "breached", crossed
    for look in looks:
        crossed = _crossed(guard, look.metrics_after)
        if crossed and look.rows - look.inside(ends_at) >= guard.fresh_rows:
            return "too_late", f"{crossed}, after the {guard.window_s:.0f} s of its window"
    return None


def _crossed(guard: Guard, metrics: dict[str, float]) -> str | None:
    """The first bound that these cross, in words, or None."""
    for bound in guard.bounds:
        value = metrics.get(bound.metric)
        if value is not None and value > bound.above:
            return f"{bound.metric} {value:.4g} > {bound.above:g}"
    return None


def _fresh(looks: list[Look], fresh_rows: int, began_at: datetime) -> int:
    """Looks that saw new rows since the look before that counted from the same moment."""
    fresh: int = 0
    seen: dict[datetime, int] = {}
    for look in looks:
        since = look.since or began_at
        if look.rows >= fresh_rows and look.rows > seen.get(since, 0):
            fresh += 1
        seen[since] = max(seen.get(since, 0), look.rows)
    return fresh
