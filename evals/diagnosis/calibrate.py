"""Fits the temperature and the calibration's points on seeds of their own: on those that weights
were mended on answers are too often right, and those held back are for measuring.

`python -m evals.diagnosis.calibrate [--seeds N] [--write]`.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence

from agentops_graph.diagnosis.calibration import SHIPPED, isotonic
from agentops_graph.diagnosis.precedents import confirmed_incidents
from agentops_graph.diagnosis.scoring import UNKNOWN_LOG_ODDS, Weighed, weighed
from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE
from agentops_graph.domain.evidence import merged_signals
from evals.diagnosis.__main__ import CALIBRATION
from evals.diagnosis.running import lived
from evals.diagnosis.scenarios import SCENARIOS
from evals.diagnosis.world import Lived, Told
from evals.model_choice import Choice

# Never under 1: signals of one failure go together, so sums are rather too sure than too modest.
TEMPERATURES = [t / 10 for t in range(10, 31)]
PRIOR_CASES = 4.0
SEEDS = 4


def ranking(told: Told) -> list[Weighed]:
    brief = told.brief
    incidents = confirmed_incidents((*brief.precedents, *brief.pages))
    return weighed(brief.causes, merged_signals(brief.evidence), incidents)


def loss(ranked: Sequence[Weighed], right: frozenset[str], temperature: float) -> float:
    """The negative log-likelihood of the right causes; of "none of these" where none is."""
    scores = {w.cause.cause: w.score / temperature for w in ranked}
    scores[UNKNOWN_CAUSE] = UNKNOWN_LOG_ODDS
    total = math.fsum(math.exp(s) for s in scores.values())
    good = math.fsum(math.exp(s) for n, s in scores.items() if n in (right or {UNKNOWN_CAUSE}))
    return -math.log(max(good / total, 1e-12))


def fitted(cases: Sequence[Lived]) -> dict[str, object]:
    """The document of `calibration.json`."""
    seeds = sorted({case.seed for case in cases})
    labelled = [
        (told, SCENARIOS[case.scenario].causes)
        for case in cases
        for told in case.told[:1]
        if SCENARIOS[case.scenario].group not in ("control", "recovered")
    ]
    rankings = [(ranking(told), causes) for told, causes in labelled]
    temperature = min(
        TEMPERATURES, key=lambda t: math.fsum(loss(r, causes, t) for r, causes in rankings)
    )
    answers = [  # what is held under its own limit says nothing of the line
        (_held_back(ranked, temperature), ranked[0].cause.cause in causes)
        for ranked, causes in rankings
        if ranked and not ranked[0].untested
    ]
    return {
        "temperature": temperature,
        "points": isotonic(answers, prior_cases=PRIOR_CASES),
        "made_from": f"{len(answers)} labelled cases of evals.diagnosis, seeds {seeds[0]} to "
        f"{seeds[-1]}, kept for calibration",
    }


def _held_back(ranked: Sequence[Weighed], temperature: float) -> float:
    scores = [w.score / temperature for w in ranked]
    total = math.fsum(math.exp(s) for s in [*scores, UNKNOWN_LOG_ODDS])
    return math.exp(max(scores)) / total * (0.7 + 0.3 * ranked[0].coverage)


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--write", action="store_true", help="into the package")
    asked = parser.parse_args(given)
    found = fitted(lived(range(CALIBRATION, CALIBRATION + asked.seeds), choice=Choice("evidence")))
    text = json.dumps(found, indent=1) + "\n"
    print(text)
    if asked.write:
        SHIPPED.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
