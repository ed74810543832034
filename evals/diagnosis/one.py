"""Lives through one labelled case and prints how its cause was reached, from alert to action.

`python -m evals.diagnosis.one "unit change" [--seed N]`.
"""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

from agentops_graph.cli.why_view import why
from evals.diagnosis.running import of_trunk
from evals.diagnosis.scenarios import SCENARIOS
from evals.diagnosis.world import Told

WIDTH = 100


def printed(told: Told, console: Console) -> None:
    alert, diagnosis = told.brief.alert, told.diagnosis
    console.print(f"{alert.feed_line}\nonset {alert.onset_at}\n", highlight=False)
    for piece in told.brief.evidence:
        signals = ", ".join(f"{n} {v:+.1f}" for n, v in piece.signals.items())
        name = piece.evidence_id.rpartition("/")[2]
        console.print(f"{name} {piece.kind}: {piece.summary}\n    {signals}", highlight=False)
    sure = "none" if diagnosis.confidence is None else f"{diagnosis.confidence:.2f}"
    console.print(
        f"\n{diagnosis.root_cause}\nconfidence {sure}, {diagnosis.runbook_reference}",
        highlight=False,
    )
    for panel in why(diagnosis, told.brief.evidence):
        console.print(panel)
    for line in diagnosis.missing:
        console.print(f"would settle it: {line}", highlight=False)


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=[*SCENARIOS], metavar="CASE")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(given)
    (lived,) = of_trunk([asked.case], asked.seed)
    if lived.trouble is not None or not lived.told:
        print(lived.trouble or "nothing was told")
        return 1
    printed(lived.told[0], Console(width=WIDTH, no_color=True, highlight=False, file=sys.stdout))
    return 0


if __name__ == "__main__":
    sys.exit(main())
