"""What a language model adds to the evidence weights, and what it is worth alone, in numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.stats import t as student

from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE
from agentops_graph.domain.model_use import ModelUse, total_use
from evals.diagnosis.asked import ARMS, Arm
from evals.diagnosis.judged import LEAST_RUN, MOST_SURELY_WRONG, report
from evals.diagnosis.scenarios import SCENARIOS
from evals.diagnosis.world import Lived

WEIGHTS, BESIDE, ALONE = ARMS
SLACK = 0.02  # of the share of right answers, before a model is called worse
ACCURACY = ("top-1 cause", "top-3 causes", "surely wrong", "abstaining", "calibration error")


@dataclass(frozen=True)
class Repeated:
    """One figure, once for each repeat."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float | None:
        return float(np.mean(self.values)) if self.values else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of the mean at 95%, by Student's t; None of fewer than two repeats."""
        count = len(self.values)
        if count < 2:
            return None
        middle = float(np.mean(self.values))
        half = float(student.ppf(0.975, count - 1) * np.std(self.values, ddof=1) / np.sqrt(count))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class ArmReport:
    """One arm: how right over its repeats, and what it took for each case."""

    arm: Arm
    answers: int
    could_not_run: int
    unusable: int
    figures: dict[str, Repeated]
    use: ModelUse | None
    seconds: tuple[float, float] | None  # p50, p95 of a case
    why: str = ""  # the first of what could not run


def arm_reports(cases: Sequence[Lived]) -> list[ArmReport]:
    """Cases that were told nothing of count for no arm; a model is not asked about them."""
    return [_of(arm, cases) for arm in ARMS]


def _of(arm: Arm, cases: Sequence[Lived]) -> ArmReport:
    every = [said for case in cases for said in case.asked if said.arm == arm]
    heard = [said for said in every if said.trouble is None]
    repeats = sorted({said.repeat for said in heard})
    rows = [_figures([_as_told(c, arm, n) for c in cases if c.asked]) for n in repeats]
    took = [said.seconds for said in heard]
    return ArmReport(
        arm,
        len(every),
        len(every) - len(heard),
        sum(said.unusable for said in heard),
        {name: Repeated(tuple(r[name] for r in rows if name in r)) for name in ACCURACY},
        total_use(said.use for said in every),
        _percentiles(took) if took else None,
        next((said.trouble for said in every if said.trouble), ""),
    )


def _as_told(case: Lived, arm: Arm, repeat: int) -> Lived:
    """The case as if this answer had been its diagnosis."""
    said = next(s for s in case.asked if (s.arm, s.repeat) == (arm, repeat))
    told = replace(case.told[0], diagnosis=said.diagnosis)
    return replace(case, told=[told], trouble=said.trouble)


def _figures(cases: Sequence[Lived]) -> dict[str, float]:
    found = report(cases)
    ran = [case for case in cases if case.trouble is None]
    faulty = [case for case in ran if SCENARIOS[case.scenario].causes]
    shares = {"surely wrong": found.surely_wrong, **found.shares}
    figures = {n: s.value for n, s in shares.items() if n in ACCURACY and s.of}
    if faulty:
        silent = sum(case.told[0].diagnosis.cause == UNKNOWN_CAUSE for case in faulty)
        figures["abstaining"] = silent / len(faulty)
    if ran:
        figures["calibration error"] = found.calibration_error
    if all(not case.told[0].diagnosis.hypotheses for case in ran):
        figures.pop("top-3 causes", None)  # a model by itself names one cause
    return figures


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    middle, high = np.percentile(seconds, [50, 95])
    return float(middle), float(high)


def arm_failures(reports: Sequence[ArmReport]) -> list[str]:
    """An arm that was hardly heard says nothing; beside the weights a model must not be less safe
    or less right than they are by themselves. How good a model is alone fails nothing."""
    failed = [line for one in reports if one.arm != WEIGHTS for line in _unheard(one)]
    by_arm = {one.arm: one.figures for one in reports}
    for name, worse in (("surely wrong", 1), ("top-1 cause", -1)):
        base, now = by_arm[WEIGHTS][name].mean, by_arm[BESIDE][name].mean
        most = MOST_SURELY_WRONG if worse > 0 else SLACK
        if base is not None and now is not None and worse * (now - base) > most:
            failed.append(f"{BESIDE}: {name} {now:.3f}, {WEIGHTS} {base:.3f}")
    return failed


def _unheard(one: ArmReport) -> list[str]:
    heard = one.answers - one.could_not_run
    if heard and heard >= LEAST_RUN * one.answers:
        return []
    return [f"{one.arm}: only {heard} of {one.answers} answers came" + (one.why and f": {one.why}")]


def printed_arms(reports: Sequence[ArmReport]) -> Iterable[str]:
    """The table, one line after the other."""
    heads = ("arm", *ACCURACY)
    yield f"{heads[0]:20}" + "".join(f"{name:>26}" for name in heads[1:])
    for one in reports:
        yield f"{one.arm:20}" + "".join(f"{_shown(one.figures[n]):>26}" for n in ACCURACY)
    yield ""
    yield (
        f"{'for each case':20}{'answers':>9}{'not heard':>11}{'unusable':>10}{'calls':>7}"
        f"{'tokens in':>11}{'out':>7}{'cost':>12}{'p50 s':>8}{'p95 s':>8}"
    )
    for one in reports:
        row, each = _row(one), _each(one)
        cost = "no price" if each["cost"] is None else f"{each['cost']:.6f}"
        if one.use is None:
            cost = "-"
        yield (
            f"{one.arm:20}{one.answers:9}{one.could_not_run:11}{one.unusable:10}"
            f"{each['calls']:7.1f}{each['tokens_in']:11.0f}{each['tokens_out']:7.0f}{cost:>12}"
            f"{row['p50_seconds']:8.2f}{row['p95_seconds']:8.2f}"
        )


def arms_document(reports: Sequence[ArmReport]) -> dict[str, Any]:
    """The table as plain values, under the name of each arm."""
    return {one.arm: _row(one) | _each(one) | _accuracy(one) for one in reports}


def _accuracy(one: ArmReport) -> dict[str, Any]:
    named = {name: figure for name, figure in one.figures.items() if figure.values}
    return {name: figure.mean for name, figure in named.items()} | {
        "intervals": {name: figure.interval for name, figure in named.items()}
    }


def _row(one: ArmReport) -> dict[str, Any]:
    p50, p95 = one.seconds or (0.0, 0.0)
    return {
        "answers": one.answers,
        "could_not_run": one.could_not_run,
        "unusable": one.unusable,
        "p50_seconds": p50,
        "p95_seconds": p95,
    }


def _each(one: ArmReport) -> dict[str, Any]:
    """What one case took on average."""
    if one.use is None or not one.answers:
        return {"calls": 0.0, "tokens_in": 0.0, "tokens_out": 0.0, "cost": None}
    use, count = one.use, one.answers
    return {
        "calls": use.calls / count,
        "tokens_in": use.tokens_in / count,
        "tokens_out": use.tokens_out / count,
        "cost": None if use.cost is None else use.cost / count,
    }


def _shown(figure: Repeated) -> str:
    if figure.mean is None:
        return "-"
    interval = figure.interval
    return f"{figure.mean:.3f}" + (f" ({interval[0]:.3f} to {interval[1]:.3f})" if interval else "")
