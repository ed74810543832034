"""The health window after a change: looks with fresh data, and the verdict over them."""

from typing import Literal

from pydantic import Field

from agentops_graph.domain.approval import Guard
from agentops_graph.domain.record import Moment, Record


class Look(Record):
    """One measurement during a health window."""

    at: Moment
    rows: int  # rows of the watched version since the change
    metrics: dict[str, float] = Field(default_factory=dict)

    def fired(self, guard: Guard) -> str | None:
        """The first bound that this look crosses, in words, or None."""
        for bound in guard.bounds:
            value = self.metrics.get(bound.metric)
            if value is not None and value > bound.above:
                return f"{bound.metric} {value:.4g} > {bound.above:g}"
        return None


class HealthReport(Record):
    """Where a window stands."""

    verdict: Literal["watching", "healthy", "breached", "no_data"]
    reason: str
    looks: tuple[Look, ...] = ()


def judge_window(guard: Guard, looks: list[Look], *, began_at: Moment, now: Moment) -> HealthReport:
    """Healthy only after the window's time and its number of looks with fresh data."""
    for look in looks:
        breach = look.fired(guard)
        if breach and look.rows >= guard.fresh_rows:
            return HealthReport(verdict="breached", reason=breach, looks=tuple(looks))
    elapsed = (now - began_at).total_seconds()
    fresh = _fresh(looks, guard.fresh_rows)
    if elapsed >= guard.window_s and fresh >= guard.looks:
        reason = f"{fresh} looks with fresh data over {elapsed:.0f} s, nothing crossed its bound"
        return HealthReport(verdict="healthy", reason=reason, looks=tuple(looks))
    if elapsed >= longest_wait(guard.window_s):
        reason = f"only {fresh} of {guard.looks} looks saw fresh data in {elapsed:.0f} s"
        return HealthReport(verdict="no_data", reason=reason, looks=tuple(looks))
    return HealthReport(
        verdict="watching",
        reason=f"{elapsed:.0f} of {guard.window_s:.0f} s, {fresh} of {guard.looks} looks",
        looks=tuple(looks),
    )


def longest_wait(window_s: float) -> float:
    """Seconds after which missing data is no longer waited for."""
    return 3 * window_s + 60


def _fresh(looks: list[Look], fresh_rows: int) -> int:
    """Looks that saw new rows since the look before."""
    fresh, seen = 0, 0
    for look in looks:
        if look.rows >= fresh_rows and look.rows > seen:
            fresh += 1
        seen = max(seen, look.rows)
    return fresh
