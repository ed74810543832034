"""How scores become a confidence that is right as often as it says, fitted on labelled cases.

A temperature (Guo et al., ICML 2017) and a rising line through points (isotonic regression by
pooling adjacent violators: Ayer et al., Ann. Math. Stat. 26, 1955; for classifiers: Zadrozny and
Elkan, KDD 2002). Both are data: `calibration.json` says from which cases they were fitted, by
`python -m evals.diagnosis.calibrate`.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SHIPPED = Path(__file__).with_name("calibration.json")
GROUP = 20  # cases
Point = tuple[float, float]


@dataclass(frozen=True)
class Calibration:
    """A temperature, and points (probability before, share that was right) in rising order."""

    temperature: float
    points: tuple[Point, ...]
    made_from: str

    def of(self, probability: float) -> float:
        """The probability as it turned out; between two points in a straight line."""
        place = bisect_right([x for x, _ in self.points], probability)
        if place == 0:
            return self.points[0][1]
        if place == len(self.points):
            return self.points[-1][1]
        (x0, y0), (x1, y1) = self.points[place - 1], self.points[place]
        return y0 + (y1 - y0) * (probability - x0) / (x1 - x0)


@cache
def shipped() -> Calibration:
    found = json.loads(SHIPPED.read_text(encoding="utf-8"))
    points = tuple((float(x), float(y)) for x, y in found["points"])
    return Calibration(float(found["temperature"]), points, str(found["made_from"]))


def isotonic(cases: Sequence[tuple[float, bool]], *, prior_cases: float) -> tuple[Point, ...]:
    """Points of a rising line through (probability, was right): groups of `GROUP` cases, each drawn
    towards its own probability as by so many further cases, so that a handful of lucky ones proves
    little; neighbours that would fall are pooled. The line begins at (0, 0)."""
    blocks: list[list[float]] = []  # sums of probabilities and of rights, cases
    for group in _groups(cases):
        total = sum(probability for probability, _ in group)
        drawn = sum(right for _, right in group) + prior_cases * total / len(group)
        blocks.append([total, drawn * len(group) / (len(group) + prior_cases), float(len(group))])
        while len(blocks) > 1 and _share(blocks[-2]) >= _share(blocks[-1]):
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    points = [(0.0, 0.0)]
    for total, right, count in blocks:
        if total / count > points[-1][0]:
            points.append((round(total / count, 4), round(right / count, 4)))
    return tuple(points)


def _groups(cases: Sequence[tuple[float, bool]]) -> Iterator[list[tuple[float, bool]]]:
    """In rising order, at least `GROUP` cases each but the last. Cases of one probability stay
    together: parted, the wrong ones would stand below the right ones as if that were known."""
    ordered = sorted(cases)
    group: list[tuple[float, bool]] = []
    for place, case in enumerate(ordered):
        group.append(case)
        is_last_of_its_kind = place + 1 == len(ordered) or ordered[place + 1][0] > case[0]
        if len(group) >= GROUP and is_last_of_its_kind:
            yield group
            group = []
    if group:
        yield group


def _share(block: list[float]) -> float:
    return block[1] / block[2]
