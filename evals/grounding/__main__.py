"""Checks every citation and figure of the diagnoses of `evals.diagnosis`.

`python -m evals.grounding [--seeds N] [--quick] [--json]`; exit code 1 when one does not hold, none
was checked, or hardly anything could run.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from evals.diagnosis.__main__ import HELD_BACK
from evals.diagnosis.judged import LEAST_RUN
from evals.diagnosis.running import lived
from evals.diagnosis.world import Lived
from evals.grounding.checks import unfounded

SHOWN = 20
FULL = 2  # seeds
# One case of each kind of component, evidence and answer; the others cite in the same ways.
QUICK = (
    "unit change",
    "category rename",
    "late data (feed)",
    "provider outage",
    "token bloat",
    "latency step, nothing recorded",
)


def document(cases: Sequence[Lived]) -> dict[str, Any]:
    """What was checked and what does not hold; a case that could not run is no wrong one."""
    checked, wrong = unfounded(cases)
    troubled = [case for case in cases if case.trouble is not None]
    failed = [f"does not hold: {line}" for line in wrong[:SHOWN]]
    if not checked:
        failed.append("nothing was checked")
    if len(cases) - len(troubled) < LEAST_RUN * len(cases):
        failed.append(f"only {len(cases) - len(troubled)} of {len(cases)} cases could run")
    return {
        "cases": len(cases),
        "could_not_run": len(troubled),
        "checked": checked,
        "held": (checked - len(wrong)) / checked if checked else 0.0,
        "by_kind": by_kind(cases),
        "failed": failed,
    }


def by_kind(cases: Sequence[Lived]) -> dict[str, int]:
    """How many claims rest on each kind of evidence."""
    counts: dict[str, int] = {}
    for told in (told for case in cases for told in case.told):
        kinds = {piece.evidence_id: piece.kind for piece in told.brief.evidence}
        for claim in told.diagnosis.claims:
            kind = kinds.get(claim.evidence_id, "nothing")
            counts[kind] = counts.get(kind, 0) + 1
    return dict(sorted(counts.items()))


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, help=f"default {FULL}")
    parser.add_argument("--quick", action="store_true", help="one seed of a few cases")
    parser.add_argument("--only", nargs="*", help="names of cases")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(given)
    seeds = asked.seeds or (1 if asked.quick else FULL)
    only = asked.only if asked.only is not None or not asked.quick else QUICK
    found = document(lived(range(HELD_BACK, HELD_BACK + seeds), only))
    if asked.json:
        print(json.dumps(found))
    else:
        print(f"{found['held']:.2%} of {found['checked']} claims and citations hold")
        for kind, claims in found["by_kind"].items():
            print(f"  {kind:24}{claims:5} claims")
        print("\n".join(found["failed"]) or "all hold")
    return 1 if found["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
