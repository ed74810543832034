"""Says of each finding of a model what is at stake: loss of its metric, money by the hour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentops_graph.detection.importance import shares, weighed, weighted_drift
from agentops_graph.detection.intervals import Z
from agentops_graph.detection.label_free import expected_labels
from agentops_graph.detection.label_free_errors import estimated_errors
from agentops_graph.detection.money import cost_of_error, cost_of_expected, cost_of_labelled
from agentops_graph.detection.performance import Unmeasured
from agentops_graph.detection.psi import WORST
from agentops_graph.domain.metric import Metric
from agentops_graph.domain.stakes import Extent, Stakes

if TYPE_CHECKING:
    from agentops_graph.detection.performance import Baseline, Estimate
    from agentops_graph.domain.component import Component
    from agentops_graph.domain.costs import Costs
    from agentops_graph.domain.profile import ReferenceProfile
    from agentops_graph.gathering.model_measures import ModelCase, Sheet
    from agentops_graph.gathering.performance_measures import Judged

# In the order in which one of them leads the alert that they make together.
OF_BEING_WRONG = ("model_drift", "accuracy_drop", "anomaly_spike")
NUMBERS = ("regression", "forecast")


def weigh(case: ModelCase, judged: Judged, sheet: Sheet) -> None:
    """Adds the figures to the findings that tell of wrong predictions, and the cost to the summary
    of the one that leads."""
    _weighted_drift(case, sheet)
    concerned = [f for f in sheet.findings if f.alert_type in OF_BEING_WRONG]
    if not concerned:
        return
    stakes = stakes_of(case, judged, sheet)
    leading = min(concerned, key=lambda f: OF_BEING_WRONG.index(f.alert_type))
    line = stakes.money_line
    for number, finding in enumerate(sheet.findings):
        if finding in concerned:
            told = finding is leading and line is not None
            sheet.findings[number] = finding.model_copy(
                update={
                    "figures": finding.figures | stakes.figures,
                    "summary": f"{finding.summary}. {line}" if told else finding.summary,
                }
            )


def _weighted_drift(case: ModelCase, sheet: Sheet) -> None:
    """The drift that matters: each feature's index times its importance, as a reading and in the
    figures of a drift finding, most first. The alert's own rule stays the unweighed one."""
    weights = importance_of(case.window.component, case.reference)
    psis = {n: sheet.readings[f"psi_{n}"] for n in weights if f"psi_{n}" in sheet.readings}
    if not psis:
        return
    ordered, total = weighed(psis, weights), weighted_drift(psis, weights)
    sheet.readings["weighted_drift"] = total
    figures = {f"weighted_{name}": value for name, value in list(ordered.items())[:WORST]}
    for number, finding in enumerate(sheet.findings):
        if finding.alert_type == "model_drift":
            more = {"weighted_drift": total} | figures
            sheet.findings[number] = finding.model_copy(update={"figures": finding.figures | more})


def importance_of(component: Component, reference: ReferenceProfile | None) -> dict[str, float]:
    """As configured, else as stored with the version; shares of 1, empty when unknown."""
    return shares(component.importance or (reference.importance if reference else {}))


def stakes_of(case: ModelCase, judged: Judged, sheet: Sheet) -> Stakes:
    """By labels where the measured window has them, else by the estimate, else by older labels."""
    metric, guess = case.window.component.metric, judged.guess
    by_labels = judged.measured is not None and (guess is None or not guess.is_trusted)
    found = judged.measured if by_labels else guess.found if guess else None
    loss = None
    if found is not None and judged.baseline is not None:
        loss = loss_of(metric, found, judged.baseline)
    costs = case.window.component.costs
    money = None if costs is None else _money(case, judged, costs, sheet, by_labels=by_labels)
    return Stakes(
        metric=metric.name,
        loss=loss,
        money=money,
        currency=costs.currency if costs else "EUR",
        is_estimated=not by_labels,
    )


def loss_of(metric: Metric, found: Estimate, baseline: Baseline) -> Extent:
    """The metric's distance from its baseline, positive when worse, with the interval of both."""
    value = metric.loss(found.value, baseline.value)
    ends = [metric.loss(end, baseline.value) for end in (found.low, found.high)]
    doubt = Z * baseline.error
    return Extent(
        value=value,
        low=value - float(np.hypot(value - min(ends), doubt)),
        high=value + float(np.hypot(max(ends) - value, doubt)),
    )


def _money(
    case: ModelCase, judged: Judged, costs: Costs, sheet: Sheet, *, by_labels: bool
) -> Extent | None:
    component, reference = case.window.component, case.reference
    healthy = reference.healthy if reference else None
    if reference is None or healthy is None:
        sheet.notes.append(
            "cost not told: what errors cost while all was well is not known; take the reference "
            f"again from labelled rows with `agentops reference {component.name} --from DATE "
            "--until DATE`"
        )
        return None
    everything = case.everything
    answered = float(np.isfinite(everything.prediction).mean()) if len(everything) else 0.0
    per_hour = answered * everything.rows / case.window.hours
    metric, rows = component.metric, judged.settled.rows
    if by_labels:
        return cost_of_labelled(
            costs, metric, rows.label, rows.prediction, healthy.usual, per_hour=per_hour
        )
    if judged.guess is None or not judged.guess.is_trusted:
        return None
    now = case.rows
    if metric.task in NUMBERS:
        off = metric.model_copy(update={"name": "mae"})
        error = estimated_errors(off, reference, now.prediction, now.features)
        if isinstance(error, Unmeasured):
            return None
        return cost_of_error(costs, error, healthy.usual, per_hour=per_hour)
    seen = expected_labels(metric, reference, now.prediction, now.confidence, now.features)
    if isinstance(seen, Unmeasured):
        return None
    return cost_of_expected(costs, metric, seen, healthy.usual, per_hour=per_hour)
