"""Measures diagnoses against an expert's answers, through the real pipeline, and prints the tables.

`python -m evals.diagnosis [--seeds N] [--quick] [--design] [--json] [--reasoner ollama|openai]
[--repeats 3]`; exit code 1 when an aim is missed or hardly anything could run.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from evals.diagnosis import ablation
from evals.diagnosis.arms import arm_failures, arm_reports, arms_document, printed_arms
from evals.diagnosis.judged import Report, Share, by_scenario, report
from evals.diagnosis.running import lived
from evals.diagnosis.world import Lived
from evals.grounding.checks import unfounded
from evals.model_choice import add_options, chosen

# First seeds: of those on which weights were mended, of those on which the calibration was fitted,
# and of those held back. 1000 to 1012 were looked at already.
DESIGN, CALIBRATION, HELD_BACK = 0, 100, 1013
FULL, QUICK = 6, 1


def in_words(share: Share) -> str:
    low, high = share.interval
    return f"{share.value:.3f}  ({low:.3f} to {high:.3f})  {share.right} of {share.of}"


def printed(cases: Sequence[Lived], found: Report, which: str) -> None:
    print(f"{found.cases} cases, seeds {which}; {found.could_not_run} could not run\n")
    print(f"{'surely wrong (0.7 or more)':32}{in_words(found.surely_wrong)}")
    for name, share in found.shares.items():
        print(f"{name:32}{in_words(share)}")
    print(f"{'expected calibration error':32}{found.calibration_error:.3f}")
    wall = max((case.seconds for case in cases), default=0.0)
    print(f"{'slowest diagnosis':32}{found.slowest_s:.1f} s of a processor, {wall:.1f} s in all")
    print(f"\n{'group':20}{'case':50}{'right':>8}  said instead")
    for scenario, share, said in by_scenario(cases):
        print(f"{scenario.group:20}{scenario.name:50}{share.right:3} of {share.of:2}  {said}")
    print(f"\n{'without':22}{'top-1':>8}{'top-3':>8}{'surely wrong':>14}")
    for left_out, first, third, wrong in ablation.rows(cases):
        print(f"{left_out:22}{first:8.3f}{third:8.3f}{wrong:14.3f}")
    for case in cases:
        if case.trouble is not None:
            print(f"  could not run: {case.scenario}, seed {case.seed}: {case.trouble}")
    print("\nAIMS MISSED\n  " + "\n  ".join(found.failed) if found.failed else "\nall aims met")


def document(cases: Sequence[Lived], found: Report) -> dict[str, Any]:
    """The tables as plain values. Counts, intervals and the ablation are words, because
    `agentops eval` holds every number against the one accepted last."""
    shares = {"surely wrong": found.surely_wrong, **found.shares}
    return {
        "cases": found.cases,
        "cases_not_run": found.could_not_run,
        "surely_wrong": found.surely_wrong.value,
        "shares": {name: s.value for name, s in found.shares.items() if s.of},
        "counted": {name: in_words(s) for name, s in shares.items()},
        "calibration_error": found.calibration_error,
        "slowest_seconds": found.slowest_s,
        "by_case": {s.name: share.value for s, share, _ in by_scenario(cases) if share.of},
        "without": {
            kind: f"top-1 {first:.3f}, top-3 {third:.3f}, surely wrong {wrong:.3f}"
            for kind, first, third, wrong in ablation.rows(cases)
        },
        "failed": list(found.failed),
    }


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, help=f"default {FULL}")
    parser.add_argument("--quick", action="store_true", help="one seed")
    parser.add_argument("--design", action="store_true", help="the seeds used for mending")
    parser.add_argument("--only", nargs="*", help="names of cases")
    parser.add_argument("--json", action="store_true")
    add_options(parser, repeats=True)
    asked = parser.parse_args(given)
    choice = chosen(asked.reasoner, asked.repeats)
    first = DESIGN if asked.design else HELD_BACK
    seeds = range(first, first + (asked.seeds or (QUICK if asked.quick else FULL)))
    cases = lived(seeds, asked.only, choice)
    found = report(cases)
    # A figure that does not stand in its evidence makes every other number worthless.
    claims, wrong = unfounded(cases)
    if wrong:
        more = tuple(f"ungrounded: {line}" for line in wrong[:5])
        found = Report(**{**vars(found), "failed": (*found.failed, *more)})
    arms = arm_reports(cases) if choice.has_model else []
    if arms:
        found = replace(found, failed=(*found.failed, *arm_failures(arms)))
    which = f"{seeds.start} to {seeds.stop - 1}, {'held back' if first else 'of the design'}"
    if asked.json:
        more_told = {"arms": arms_document(arms)} if arms else {}
        grounded = {"claims": claims, "ungrounded": len(wrong)}
        print(json.dumps(document(cases, found) | grounded | more_told))
    else:
        if arms:
            print("\n".join(printed_arms(arms)) + "\n")
        printed(cases, found, which)
        print(f"grounding: {claims - len(wrong)} of {claims} claims and citations hold")
    return 1 if found.failed else 0


if __name__ == "__main__":
    sys.exit(main())
