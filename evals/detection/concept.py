"""Watches a model on a labelled stream by its metrics, and trains it anew after each alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.performance import Baseline, Estimate, appraise, sure_loss
from agentops_graph.domain.component import Thresholds
from agentops_graph.domain.metric import Metric

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

TRAIN_ROWS = 2000
LOOK_EVERY = 100  # rows
WINDOWS = (500, 1000, 2000)  # rows that a look goes back
LEAST_ROWS = Thresholds().drift_min_rows
DROP = Thresholds().metric_drop
FOLDS = 4
# Accuracy, and the four rates in which a change shows that leaves it alone: Wang and Abraham,
# IJCNN (2015). The second of a pair is of class 0.
RATES = [
    (Metric(name=name, task="binary"), of_zero)
    for name, of_zero in (
        ("accuracy", False),
        ("recall", False),
        ("recall", True),
        ("precision", False),
        ("precision", True),
    )
]
ALERT = "the alert's line"  # surely more than 5% of the baseline is lost
WORSE = "surely worse, by 5%"  # surely more than the tolerance is lost, and 5% by the estimate
LINES = (ALERT, WORSE)


def alarms_of(features: Floats, label: Floats, line: str) -> list[int]:
    """Rows at which an alarm was raised; the 2,000 rows after one train the next model.

    Its baseline is what four-fold cross-validation gives on the rows it was trained on, with that
    figure's own interval.
    """
    alarms: list[int] = []
    begin = 0
    while begin + TRAIN_ROWS < len(label):
        start = begin + TRAIN_ROWS
        baselines, predicted = _trained(features, label, begin, start)
        alarm = next(
            (
                at
                for at in range(start + LOOK_EVERY, len(label) + 1, LOOK_EVERY)
                if _is_worse(label[start:at], predicted[: at - start], baselines, line)
            ),
            None,
        )
        if alarm is None:
            break
        alarms.append(alarm - 1)
        begin = alarm
    return alarms


def _trained(
    features: Floats, label: Floats, begin: int, end: int
) -> tuple[list[Estimate | None], Floats]:
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.model_selection import cross_val_predict

    model = GradientBoostingClassifier(random_state=0)
    known, answers = features[begin:end], label[begin:end]
    held_back = cross_val_predict(model, known, answers, cv=FOLDS)
    model.fit(known, answers)
    return _rates(answers, held_back), model.predict(features[end:])


def _is_worse(
    label: Floats, predicted: Floats, baselines: list[Estimate | None], line: str
) -> bool:
    for rows in WINDOWS:
        if len(label) < LEAST_ROWS:
            return False
        seen = _rates(label[-rows:], predicted[-rows:])
        for (metric, _), found, before in zip(RATES, seen, baselines, strict=True):
            if found and before and _has_lost(metric, found, before, line):
                return True
    return False


def _has_lost(metric: Metric, found: Estimate, before: Estimate, line: str) -> bool:
    borne = metric.bearable(before.value, DROP)
    sure = sure_loss(metric, found, Baseline(before.value, before.error))
    if line == ALERT:
        return sure > borne
    return sure > metric.bearable(before.value, 0.0) and (
        metric.loss(found.value, before.value) > borne
    )


def _rates(label: Floats, predicted: Floats) -> list[Estimate | None]:
    none = np.full(len(label), np.nan)
    found = [
        appraise(metric, *((1 - label, 1 - predicted) if of_zero else (label, predicted)), none)
        for metric, of_zero in RATES
    ]
    return [each if isinstance(each, Estimate) else None for each in found]
