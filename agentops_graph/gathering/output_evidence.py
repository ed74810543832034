"""Evidence from what an agent or a text model said: its quality, its errors, the worst outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.performance import Baseline, Estimate, sure_loss
from agentops_graph.detection.providers import blame
from agentops_graph.detection.text_quality import (
    Sample,
    dangers_seen,
    quality,
    scores_of,
    settled,
)
from agentops_graph.detection.text_scorers import SCORERS
from agentops_graph.domain.redaction import redacted
from agentops_graph.gathering.call_measures import calls_of, output_baseline, rows_of, sampled
from agentops_graph.gathering.case import Case, Observed, typed_read

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.record import Scalar

WORST = 2  # outputs shown; more would crowd out the figures
SHOWN = 160  # characters of each


def output_quality(case: Case) -> Observed:
    """The primary metric over the sampled outputs since the onset, against its baseline."""
    window, metric = case.window, case.component.metric
    query = typed_read("calls", window.start, window.end, agent=case.component.name)
    calls = calls_of(case.ports.warehouse, window)
    late = np.flatnonzero(calls.timestamps >= window.start.timestamp()).tolist()
    now = rows_of(calls, late)
    now = rows_of(now, settled(now))
    if not len(now) or metric.name not in SCORERS:
        said = "no outputs since the onset" if not len(now) else f"{metric.name} is not scored"
        return Observed("AGENT_OUTPUTS", query, said, found=False)
    sample = sampled(case.ports.warehouse, case.component, now, window.start, window.end)
    scores = scores_of(metric.name, sample.exchanges)
    found = quality(metric.name, sample, scores, case.component.sampling.least)
    origin = blame(now)
    said = "" if origin is None else f"; errors: {origin.said}"
    values: dict[str, Scalar] = {"requests": len(now), "error_rate": float(now.failed.mean())}
    values |= {} if origin is None else dict(origin.figures)
    if not isinstance(found, Estimate):
        return Observed("AGENT_OUTPUTS", query, f"{metric.name}: {found.why}{said}", values)
    baseline = output_baseline(case.ports.warehouse, window, calls, now.version[-1])
    level = None if baseline is None else baseline.value
    values |= {metric.name: found.value, "low": found.low, "high": found.high}
    values |= {f"baseline_{metric.name}": level, "scored_outputs": found.rows}
    values |= dangers_seen(sample)
    told = (
        f"{metric.name} {found.value:.3f} ({found.low:.3f}..{found.high:.3f}) on {found.rows} "
        f"sampled outputs, baseline {'unknown' if level is None else f'{level:.3f}'}{said}"
    )
    signals = _signals(case, found, baseline)
    if signals.get("accuracy_dropped") == 1.0:
        told += worst_of(sample, scores)
    return Observed("AGENT_OUTPUTS", query, told, values, signals)


def worst_of(sample: Sample, scores: Floats) -> str:
    """The outputs that scored lowest, as quoted text: redacted, on one line, cut short."""
    known = np.flatnonzero(np.isfinite(scores))
    worst = known[np.argsort(scores[known], kind="stable")][:WORST]
    quoted = [
        f"; asked {_shown(sample.exchanges[row].request)!r} it said "
        f"{_shown(sample.exchanges[row].response)!r} ({scores[row]:.2f})"
        for row in worst.tolist()
    ]
    return "".join(quoted)


def _shown(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in redacted(text))
    plain = " ".join(plain.split())
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]}..."


def _signals(case: Case, found: Estimate, baseline: Baseline | None) -> dict[str, float]:
    """As for a model: dropped when the loss is sure, steady when the value itself is not below."""
    if baseline is None:
        return {}
    metric = case.component.metric
    borne = metric.bearable(baseline.value, case.component.borne_share)
    if sure_loss(metric, found, baseline) > borne:
        return {"accuracy_dropped": 1.0, "accuracy_steady": -1.0}
    if metric.loss(found.value, baseline.value) <= borne:
        return {"accuracy_dropped": -1.0, "accuracy_steady": 1.0}
    return {}
