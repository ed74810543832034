"""How scores become a confidence that is right as often as it says, fitted on labelled cases.

A temperature (Guo et al., ICML 2017) and a rising line through points (isotonic regression by
pooling adjacent violators: Ayer et al., Ann. Math. Stat. 26, 1955; for classifiers: Zadrozny and
Elkan, KDD 2002). Both are data: `calibration.json` says from which cases they were fitted, by
`python -m evals.diagnosis.calibrate`.
"""

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SHIPPED = Path(__file__).with_name("calibration.json")
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
    """Points of a rising step curve through (probability, was right). Each step is drawn towards
    its own probability as by so many further cases, so that a handful of lucky ones proves little;
    the line begins at (0, 0) and ends at its last step."""
    blocks: list[list[float]] = []  # sum of probabilities, sum of rights, cases
    # Of equal probabilities the right ones first, so that they end in one step.
    for probability, right in sorted(cases, key=lambda case: (case[0], not case[1])):
        blocks.append([probability, float(right), 1.0])
        while len(blocks) > 1 and _share(blocks[-2]) >= _share(blocks[-1]):
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    points = [(0.0, 0.0)]
    for total, right, count in blocks:
        middle = total / count
        share = (right + prior_cases * middle) / (count + prior_cases)
        if middle > points[-1][0]:
            points.append((round(middle, 4), round(max(share, points[-1][1]), 4)))
    return tuple(points)


def _share(block: list[float]) -> float:
    return block[1] / block[2]
