"""The trial of a new version of an agent or a text model, by the scorers that also watch it live.

For an entry point of your own: it asks both versions the same questions and hands the answers here;
what comes back is judged by the gate like any retraining.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.clustered import scored
from agentops_graph.detection.intervals import Z
from agentops_graph.detection.text_quality import scores_of
from agentops_graph.detection.text_scorers import SCORERS
from agentops_graph.domain.gate import Trial
from agentops_graph.errors import InputError, NotEnoughDataError

if TYPE_CHECKING:
    from agentops_graph.domain.component import Component
    from agentops_graph.domain.frames import Floats
    from agentops_graph.domain.outputs import Exchange


def trial_of_answers(
    component: Component,
    questions: Sequence[Exchange],
    candidate: Sequence[str | None],
    incumbent: Sequence[str | None],
    *,
    baseline: float,
    candidate_version: str,
    holdout_sha256: str | None = None,
) -> Trial:
    """Both versions' scores on the same questions, whose own `response` is not looked at.

    An answer of None is one that failed and counts as 0, so that no version gains by failing.
    `noise` is the standard error of the candidate's mean. Raises InputError for a metric without a
    scorer or lists of different lengths, NotEnoughDataError when no question can be scored.
    """
    name = component.metric.name
    if name not in SCORERS:
        raise InputError(f"{name!r} has no scorer; those with one are {', '.join(SCORERS)}")
    if not len(questions) == len(candidate) == len(incumbent):
        raise InputError(
            f"{len(questions)} questions, {len(candidate)} answers of the candidate and "
            f"{len(incumbent)} of the incumbent; each question needs one of both"
        )
    new, old = _scored(name, questions, candidate), _scored(name, questions, incumbent)
    judged = np.isfinite(new) & np.isfinite(old)
    if not judged.any():
        raise NotEnoughDataError(f"none of {len(questions)} questions lets {name} be scored")
    each = [str(number) for number in range(int(judged.sum()))]  # their order means nothing
    value, low, high = scored(new[judged], each, Z)
    return Trial(
        metric=name,
        candidate=value,
        incumbent=float(old[judged].mean()),
        baseline=baseline,
        holdout_rows=int(judged.sum()),
        holdout_positives=int(judged.sum()),
        holdout_sha256=holdout_sha256 or digest_of(questions),
        candidate_version=candidate_version,
        noise=(high - low) / (2 * Z),
    )


def digest_of(questions: Sequence[Exchange]) -> str:
    """SHA-256 over the questions, their contexts and expected answers, in order."""
    hashed = hashlib.sha256()
    for each in questions:
        hashed.update(json.dumps([each.request, each.context, each.expected]).encode() + b"\n")
    return hashed.hexdigest()


def _scored(name: str, questions: Sequence[Exchange], answers: Sequence[str | None]) -> Floats:
    asked = [replace(q, response=a or "") for q, a in zip(questions, answers, strict=True)]
    scores = scores_of(name, asked)
    failed = np.array([answer is None for answer in answers], dtype=bool)
    return np.where(failed, 0.0, scores)
