"""Quality of text and agent output: which outputs are scored, and what their scores say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.clustered import scored
from agentops_graph.detection.intervals import Z
from agentops_graph.detection.performance import Estimate, Unmeasured
from agentops_graph.detection.text_safety import dangers
from agentops_graph.detection.text_scorers import SCORERS

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.outputs import Calls, Exchange

WHOLE = 2.0**64


@dataclass(frozen=True)
class Sample:
    """Chosen requests in order of time, with their texts."""

    times: Floats
    sessions: list[str]
    exchanges: list[Exchange]

    def __len__(self) -> int:
        return len(self.exchanges)


def settled(calls: Calls) -> list[int]:
    """Rows that are the last attempt of their request: a retry that helped is no failure."""
    last = {name: row for row, name in enumerate(calls.ids)}
    return sorted(last.values())


def chosen(ids: Sequence[str], share: float, cap: int) -> list[str]:
    """At most `cap` ids, those with the smallest hashes among that share of all: a simple random
    sample that is the same whoever draws it, and a larger cap only adds to (bottom-k sampling:
    Cohen and Kaplan, PODC 2007)."""
    placed = sorted((_place(name), name) for name in dict.fromkeys(ids))
    return [name for place, name in placed[:cap] if place < share]


def sample_of(calls: Calls, rows: Sequence[int], texts: Mapping[str, Exchange]) -> Sample:
    """Those of the rows whose texts were read."""
    kept = [row for row in rows if calls.ids[row] in texts]
    return Sample(
        calls.timestamps[kept],
        [calls.session[row] for row in kept],
        [texts[calls.ids[row]] for row in kept],
    )


def scores_of(name: str, exchanges: Sequence[Exchange]) -> Floats:
    """One score per exchange, NaN where the scorer has nothing to judge by."""
    found = (SCORERS[name](each) for each in exchanges)
    return np.array([np.nan if one is None else one for one in found], dtype=np.float64)


def quality(name: str, sample: Sample, scores: Floats, least: int) -> Estimate | Unmeasured:
    """The mean score with its 99% interval; unmeasured under `least` outputs that have a score."""
    known = np.isfinite(scores)
    rows = int(known.sum())
    if rows < least:
        lacks = {"correctness": "an expected answer", "groundedness": "a context"}
        of = f" with {lacks[name]}" if name in lacks and rows < len(sample) else ""
        return Unmeasured(f"not enough data: {rows} of {least} sampled outputs{of}")
    sessions = [who for who, there in zip(sample.sessions, known, strict=True) if there]
    value, low, high = scored(scores[known], sessions, Z)
    return Estimate(value, low, high, rows, rows)


def dangers_seen(sample: Sample) -> dict[str, float]:
    """The share of the sample that holds each kind of danger."""
    counts: dict[str, float] = {}
    for each in sample.exchanges:
        for kind in dangers(each.response, each.request):
            counts[f"unsafe_{kind}"] = counts.get(f"unsafe_{kind}", 0.0) + 1 / len(sample)
    return counts


def _place(name: str) -> float:
    """Where the id lies between 0 and 1."""
    hashed = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(hashed, "big") / WHOLE
