"""The gate a retrained version has to pass before it may be proposed for production."""

from typing import Literal

from agentops_graph.domain.metric import Metric
from agentops_graph.domain.record import Record


class Trial(Record):
    """A candidate and the incumbent measured on the same frozen holdout."""

    metric: str
    candidate: float
    incumbent: float
    baseline: float
    baseline_source: str = "recorded while healthy"
    holdout_rows: int
    holdout_positives: int
    holdout_sha256: str
    candidate_version: str
    noise: float = 0.0  # standard error of the candidate's metric on this holdout


class GateReport(Record):
    """The gate's answer with both comparisons, worded for people."""

    verdict: Literal["passed", "failed", "inconclusive"]
    reasons: tuple[str, ...]
    trial: Trial | None = None


def judge(
    trial: Trial | None, metric: Metric, *, holdout_sha256: str, min_positives: int
) -> GateReport:
    """Primary metric >= baseline - tolerance and not below the incumbent on the same holdout.

    A small holdout can neither pass nor fail a candidate that is near the line: with fewer
    positives than `min_positives` and a margin inside two standard errors the verdict is
    "inconclusive", and a person decides.
    """
    if trial is None:
        return GateReport(verdict="failed", reasons=("the training delivered no trial",))
    if trial.holdout_sha256 != holdout_sha256:
        return GateReport(
            verdict="failed",
            reasons=("the holdout is not the one that was approved",),
            trial=trial,
        )
    name = metric.name.upper()
    allowed = metric.allowance(trial.baseline)
    sign, worse = ("-", "below") if metric.direction == "higher_is_better" else ("+", "above")
    against_baseline = allowed - metric.loss(trial.candidate, trial.baseline)
    against_incumbent = -metric.loss(trial.candidate, trial.incumbent)
    reasons = (
        f"{name} {_figure(trial.candidate)} against baseline {_figure(trial.baseline)} {sign} "
        f"{allowed:.4g} ({trial.baseline_source}): {'ok' if against_baseline >= 0 else worse}",
        f"{name} {_figure(trial.candidate)} against the incumbent's {_figure(trial.incumbent)} on "
        f"the same {trial.holdout_rows} rows: {'ok' if against_incumbent >= 0 else worse}",
    )
    margin = min(against_baseline, against_incumbent)
    small = trial.holdout_positives < min_positives
    if small and abs(margin) < 2 * trial.noise:
        counted = "positives" if metric.task == "binary" else "rows"
        doubt = (
            f"{trial.holdout_positives} {counted} in the holdout are too few to tell "
            f"(+-{_figure(2 * trial.noise)}); a person decides"
        )
        return GateReport(verdict="inconclusive", reasons=(*reasons, doubt), trial=trial)
    return GateReport(verdict="passed" if margin >= 0 else "failed", reasons=reasons, trial=trial)


def _figure(value: float) -> str:
    """Three decimals, or as many as a small error needs to be seen."""
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.01 else f"{value:.3g}"
