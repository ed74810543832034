"""Whose fault errors are: one provider's, or the agent's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.clustered import Z_ALARM, share_of
from agentops_graph.domain.redaction import redacted

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.outputs import Calls

FEWEST_CALLS = 20
APART = 3.0  # times as many errors as elsewhere
MOSTLY = 0.8
MINUTE_S = 60.0
SHOWN = 60  # characters of a provider's name, which comes from a log
# What a provider's side of the wire says, in the words of HTTP and of the usual clients.
_OUTSIDE = re.compile(
    r"\b(?:5\d\d|429|408)\b|time[d -]{0,2}out|overload|unavailab|rate.?limit|too many requests"
    r"|connection|gateway|capacity|quota|dns|econn|socket|remote|upstream",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Blame:
    """What the errors say of their origin, in words and in figures."""

    said: str
    figures: dict[str, float]


def blame(calls: Calls) -> Blame | None:
    """Where the errors of these calls come from; None when nothing tells.

    With several providers logged: one whose error share is surely above that of all the others,
    and three times it, has an outage; errors alike on all of them are the agent's own. With one or
    none, the texts of the errors are all there is to go by.
    """
    if not calls.failed.any():
        return None
    names = sorted({name for name in calls.provider if name})
    counted = [n for n in names if calls.provider.count(n) >= FEWEST_CALLS]
    if len(counted) < 2:
        return _by_text(calls, counted)
    where = np.array(calls.provider)
    worst = max(counted, key=lambda name: float(calls.failed[where == name].mean()))
    here, low, _ = by_minute(calls, where == worst)
    there, _, high = by_minute(calls, where != worst)
    figures = {"error_rate_worst_provider": here, "error_rate_elsewhere": there}
    if low > high and here > APART * there:
        shown = _shown(worst)
        return Blame(f"{here:.0%} at {shown}, {there:.1%} elsewhere: an outage of {shown}", figures)
    if here <= APART * there:
        said = f"on all {len(counted)} providers alike: rather the agent's own fault"
        return Blame(said, figures)
    return None


def _by_text(calls: Calls, providers: list[str]) -> Blame | None:
    texts = [text for text, bad in zip(calls.failure, calls.failed, strict=True) if bad]
    outside = sum(_OUTSIDE.search(text) is not None for text in texts) / len(texts)
    figures = {"errors_from_outside": outside}
    whose = f"of {_shown(providers[0])}" if providers else "of the provider"
    if outside >= MOSTLY:
        return Blame(f"{outside:.0%} are time-outs and refusals {whose}", figures)
    if outside <= 1 - MOSTLY and any(not text.strip().isdigit() for text in texts):
        return Blame(f"{1 - outside:.0%} are no refusals {whose}: rather the agent's own", figures)
    return None


def by_minute(calls: Calls, chosen: np.ndarray) -> tuple[float, float, float]:
    """The error share of the chosen calls and its interval; errors of one minute go together."""
    hits, sizes = minutes(calls.timestamps[chosen], calls.failed[chosen])
    return share_of(hits, sizes, Z_ALARM) if len(hits) else (0.0, 0.0, 1.0)


def minutes(times: Floats, hits: Floats) -> tuple[Floats, Floats]:
    """Sums and numbers of cases by minute, for those minutes that had any."""
    place = np.unique(np.floor(times / MINUTE_S), return_inverse=True)[1]
    return np.bincount(place, hits).astype(np.float64), np.bincount(place).astype(np.float64)


def _shown(name: str) -> str:
    plain = "".join(letter for letter in redacted(name) if letter.isprintable())
    return plain[:SHOWN].strip() or "one provider"
