"""Evidence of where a model's new errors lie, which tells wrong labels from a changed world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_graph.detection.error_pattern import error_pattern
from agentops_graph.detection.performance import row_losses
from agentops_graph.gathering.case import BEFORE, Case, Gatherer, Observed, seen, typed_read
from agentops_graph.gathering.rows import picked

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats, Predictions
    from agentops_graph.domain.record import Scalar

NUMBERS = ("regression", "forecast")


def errors_since_onset(case: Case) -> Observed:
    """Whether errors rose on every kind of row alike, or where one feature has certain values."""
    metric, name, window = case.component.metric, case.component.name, case.window
    query = typed_read("predictions", window.start - BEFORE, window.end, model=name)
    rows, since = case.rows()
    now, earlier = picked(rows, since), picked(rows, ~since)
    pattern = error_pattern(
        _losses(case, now),
        _losses(case, earlier),
        now.features,
        of_numbers=metric.task in NUMBERS,
    )
    if pattern is None:
        said = "too few labelled rows, right or wrong, on either side of the onset"
        return Observed("PREDICTION_LOGS", query, said, found=False)
    values: dict[str, Scalar] = {
        "wrong": pattern.wrong,
        "wrong_before": pattern.before,
        "apart": pattern.apart,
        "apart_by_chance": pattern.noise,
        "feature": pattern.feature,
    }
    said = f"{pattern.wrong:.0%} of labelled rows are wrong, {pattern.before:.0%} before"
    if not pattern.is_worse:
        return Observed("PREDICTION_LOGS", query, said, values, found=False)
    where = f"{pattern.feature} parts them (KS {pattern.apart:.2f}, chance {pattern.noise:.2f})"
    said += f"; {where}" if pattern.is_concentrated else "; no feature tells them apart"
    signals = {
        "errors_everywhere": seen(pattern.is_everywhere),
        "errors_concentrated": seen(pattern.is_concentrated),
    }
    return Observed("PREDICTION_LOGS", query, said, values, signals)


def _losses(case: Case, rows: Predictions) -> Floats:
    return row_losses(case.component.metric, rows.label, rows.prediction, rows.ids)


ERRORS = Gatherer("error_pattern", "PREDICTION_LOGS", errors_since_onset)
