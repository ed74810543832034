"""What one labelled case of the evaluation is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from evals.detection.cases import Case
from evals.diagnosis.around import Surround, quiet

Group = Literal[
    "fault",
    "red herring",
    "dual fault",
    "missing signals",
    "recovered",
    "poisoned precedent",
    "no guilty change",
    "ambiguous",
    "control",
]
HEALTHY_H = 3
TOLD_PEOPLE = "people are told"  # the first action where nothing in production is to be changed


@dataclass(frozen=True)
class Scenario:
    """One kind of case: how its rows come about, what is recorded, and the expert's answer."""

    name: str
    group: Group
    make: Callable[[int, int], Case]
    trunk: str  # scenarios of one trunk share their healthy time
    causes: frozenset[str] = frozenset()  # right answers; empty: none may be named
    first: frozenset[str] = frozenset()  # right first actions in production
    around: Surround = quiet
    hours: int = 14  # looked at from the onset on
    recovers: bool = False  # the fault ends before anybody looks into it

    def made(self, seed: int) -> Case:
        return self.make(seed, HEALTHY_H)
