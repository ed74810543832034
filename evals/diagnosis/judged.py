"""Holds diagnoses against the expert's answers: shares with intervals, calibration, failed aims."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

from agentops_graph.domain.action import NOTICE_KINDS
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE, Diagnosis
from evals.diagnosis.scenario import TOLD_PEOPLE, Scenario
from evals.diagnosis.scenarios import SCENARIOS
from evals.diagnosis.world import Lived, Told

SURE = 0.7
BINS = 10
Z = 1.96
AIMS = {
    "top-1 cause": 0.90,
    "top-3 causes": 0.98,
    "right first action": 0.90,
    "rightly abstaining": 0.95,
    "controls without a diagnosis": 1.0,
    "nothing wrong named beside": 0.98,
}
MOST_SURELY_WRONG = 0.02
MOST_OFF = 0.08
SLOWEST_S = 2.0
LEAST_RUN = 0.95  # of the cases; a run in which more could not run says nothing


@dataclass(frozen=True)
class Share:
    """So many of so many, with the Wilson interval (1927) at 95%."""

    right: int
    of: int

    @property
    def value(self) -> float:
        return self.right / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        if not self.of:
            return 0.0, 1.0
        p, n = self.value, self.of
        middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Report:
    """What a run amounts to."""

    shares: dict[str, Share]
    surely_wrong: Share
    calibration_error: float
    slowest_s: float
    could_not_run: int
    cases: int
    failed: tuple[str, ...]


def first_action(diagnosis: Diagnosis) -> str:
    """The first action in production, or that people are told where there is none."""
    ordered = sorted(diagnosis.recommended_actions, key=lambda r: r.priority)
    return next((r.action for r in ordered if r.action not in NOTICE_KINDS), TOLD_PEOPLE)


def told_of(lived: Lived) -> Told | None:
    return lived.told[0] if lived.told else None


def is_right(scenario: Scenario, diagnosis: Diagnosis) -> bool:
    return diagnosis.cause in scenario.causes


def in_first(scenario: Scenario, diagnosis: Diagnosis, count: int) -> bool:
    return any(h.cause in scenario.causes for h in diagnosis.hypotheses[:count])


def report(cases: Sequence[Lived]) -> Report:
    """Cases that could not run count nowhere, but too many of them, or none at all, fail it."""
    ran = [case for case in cases if case.trouble is None]
    named = [(SCENARIOS[c.scenario], c) for c in ran]
    faulty = [(s, t) for s, c in named if s.causes and (t := told_of(c)) is not None]
    unseen = [c for s, c in named if s.causes and not c.told]
    shares = {
        "top-1 cause": _share(faulty, lambda s, t: is_right(s, t.diagnosis)),
        "top-3 causes": _share(faulty, lambda s, t: in_first(s, t.diagnosis, 3)),
        "right first action": _share(faulty, lambda s, t: first_action(t.diagnosis) in s.first),
        "rightly abstaining": _share(
            [(s, t) for s, c in named if s.group == "ambiguous" for t in c.told[:1]],
            lambda _, t: t.diagnosis.cause == UNKNOWN_CAUSE,
        ),
        "controls without a diagnosis": Share(
            sum(not c.told for s, c in named if s.group in ("control", "recovered")),
            sum(s.group in ("control", "recovered") for s, _ in named),
        ),
        "nothing wrong named beside": _share(
            [(s, t) for s, c in named for t in c.told[:1]],
            lambda s, t: set(t.diagnosis.also) <= s.causes,
        ),
    }
    answers = sure_answers(ran)
    surely_wrong = Share(sum(p >= SURE and not right for p, right in answers), len(every(ran)))
    # Wall time on a shared machine measures its other users.
    slowest = max((c.processor_s for c in ran), default=0.0)
    figures = (shares, surely_wrong, calibration_error(answers), slowest)
    failed = _failed(*figures, ran=len(ran), cases=len(cases))
    if unseen:
        failed.append(f"{len(unseen)} faults were never told: {_names(unseen)}")
    return Report(*figures, len(cases) - len(ran), len(cases), tuple(failed))


def every(ran: Sequence[Lived]) -> list[Told]:
    """All diagnoses, also of a case's further incidents."""
    return [told for case in ran for told in case.told]


def sure_answers(ran: Sequence[Lived]) -> list[tuple[float, bool]]:
    """(confidence, right) of every case's named cause. A cause named on a control, or where none
    may be, is wrong; that of a further incident is not judged, as only the first has a label."""
    found = []
    for case in ran:
        told = told_of(case)
        if told is not None and told.diagnosis.confidence is not None:
            right = is_right(SCENARIOS[case.scenario], told.diagnosis)
            found.append((told.diagnosis.confidence, right))
    return found


def calibration_error(answers: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error: bins of equal width, the distance of mean confidence from the
    share that was right, weighed by size (Naeini, Cooper, Hauskrecht, AAAI 2015)."""
    error = 0.0
    for number in range(BINS):
        inside = [(p, r) for p, r in answers if min(int(p * BINS), BINS - 1) == number]
        if inside:
            sure = sum(p for p, _ in inside) / len(inside)
            right = sum(r for _, r in inside) / len(inside)
            error += abs(sure - right) * len(inside) / len(answers)
    return error


def by_scenario(cases: Sequence[Lived]) -> list[tuple[Scenario, Share, str]]:
    """Each scenario with its share of right answers, and what was said instead."""
    rows = []
    for name in dict.fromkeys(case.scenario for case in cases):
        scenario = SCENARIOS[name]
        ran = [c for c in cases if c.scenario == name and c.trouble is None]
        wrong = [said for c in ran if (said := _wrong(scenario, c)) is not None]
        counts = ", ".join(f"{said} {wrong.count(said)}" for said in dict.fromkeys(wrong))
        rows.append((scenario, Share(len(ran) - len(wrong), len(ran)), counts))
    return rows


def _wrong(scenario: Scenario, case: Lived) -> str | None:
    told = told_of(case)
    if scenario.group in ("control", "recovered"):
        return None if told is None else f"told {told.diagnosis.cause}"
    if told is None:
        return "not told"
    wanted = scenario.causes or {UNKNOWN_CAUSE}
    return None if told.diagnosis.cause in wanted else told.diagnosis.cause


def _share(
    pairs: Sequence[tuple[Scenario, Told]], holds: Callable[[Scenario, Told], bool]
) -> Share:
    return Share(sum(holds(s, t) for s, t in pairs), len(pairs))


def _failed(
    shares: dict[str, Share],
    surely_wrong: Share,
    off: float,
    slowest: float,
    *,
    ran: int,
    cases: int,
) -> list[str]:
    if not ran or ran < LEAST_RUN * cases:
        return [f"only {ran} of {cases} cases could run"]
    failed = [
        f"{name}: {shares[name].value:.3f}, aim {aim}"
        for name, aim in AIMS.items()
        if shares[name].of and shares[name].value < aim
    ]
    if surely_wrong.value > MOST_SURELY_WRONG:
        failed.append(f"surely wrong: {surely_wrong.value:.3f}, at most {MOST_SURELY_WRONG}")
    if off > MOST_OFF:
        failed.append(f"calibration error: {off:.3f}, at most {MOST_OFF}")
    if slowest > SLOWEST_S:
        failed.append(f"slowest diagnosis: {slowest:.1f} s, at most {SLOWEST_S} s")
    return failed


def _names(cases: Sequence[Lived]) -> str:
    return ", ".join(f"{case.scenario} (seed {case.seed})" for case in cases[:5])
