"""Checks every citation and figure of the diagnoses of `evals.diagnosis`.

`python -m evals.grounding [--seeds N]`; exit code 1 when one does not hold, or none was checked.
"""

import argparse
import sys
from collections.abc import Sequence

from evals.diagnosis.__main__ import HELD_BACK
from evals.diagnosis.running import lived
from evals.grounding.checks import unfounded

SHOWN = 20


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="names of cases")
    asked = parser.parse_args(given)
    checked, wrong = unfounded(lived(range(HELD_BACK, HELD_BACK + asked.seeds), asked.only))
    print(f"{checked - len(wrong)} of {checked} claims and citations hold")
    for line in wrong[:SHOWN]:
        print(f"  does not hold: {line}")
    return 1 if wrong or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
