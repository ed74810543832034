"""The figures that were accepted last, and what fell behind them."""

import json
from collections.abc import Sequence
from pathlib import Path

from agentops_graph.errors import InputError
from agentops_graph.evaluation.running import Outcome
from agentops_graph.evaluation.suites import merit

SLACK = 0.02  # a share of the accepted figure, and at least so much


def baseline_file(root: Path, *, small: bool) -> Path:
    """The small set has figures of its own."""
    return root / "evals" / ("baseline-small.json" if small else "baseline.json")


def accepted(file: Path) -> dict[str, dict[str, float]]:
    """Nothing before the first was accepted. Raises InputError for a file that can't be read."""
    if not file.exists():
        return {}
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return {s: {n: float(v) for n, v in held.items()} for s, held in document.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(f"{file} can't be read: {error}", field="baseline") from None


def accept(file: Path, outcomes: Sequence[Outcome]) -> None:
    """The figures of what ran take the place of those accepted before; others stay."""
    held = accepted(file)
    ran = [one for one in outcomes if one.state in ("passed", "failed")]
    held |= {one.suite: {n: v for n, v in one.figures.items() if merit(n)} for one in ran}
    text = json.dumps(held, indent=1, sort_keys=True) + "\n"
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def fallen(held: dict[str, dict[str, float]], outcome: Outcome) -> list[str]:
    """What is worse than was accepted by more than a slack, and what is not measured any more."""
    if outcome.state not in ("passed", "failed"):
        return []
    worse = []
    for name, before in held.get(outcome.suite, {}).items():
        now = outcome.figures.get(name)
        slack = max(SLACK, SLACK * abs(before))
        if now is None:
            worse.append(f"{outcome.suite}: {name} is not measured any more")
        elif merit(name) * (before - now) > slack:
            worse.append(f"{outcome.suite}: {name} was {before:.3f}, is {now:.3f}")
    return worse
