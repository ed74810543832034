"""The figures that were accepted last, and what fell behind them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentops_graph.errors import InputError
from agentops_graph.evaluation.figures import merit
from agentops_graph.evaluation.running import Outcome
from agentops_graph.evaluation.suites import Suite

SLACK = 0.02  # a share of the accepted figure, and at least so much
Held = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Comparison:
    """What one run comes to beside the accepted figures."""

    fell: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()  # accepted once, and this machine can't measure it
    is_new: bool = False  # nothing of it was accepted yet


def baseline_file(root: Path, *, small: bool) -> Path:
    """The small set has figures of its own."""
    return root / "evals" / ("baseline-small.json" if small else "baseline.json")


def accepted(file: Path) -> Held:
    """Nothing before the first was accepted. Raises InputError for a file that can't be read."""
    if not file.exists():
        return {}
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        return {s: {n: float(v) for n, v in held.items()} for s, held in document.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(f"{file} can't be read: {error}", field="baseline") from None


def accept(file: Path, outcomes: Sequence[Outcome], without: Mapping[str, Sequence[str]]) -> None:
    """The figures of what ran take the place of those accepted before; those of other suites stay,
    and those `without` which a suite ran for want of what measures them."""
    held = accepted(file)
    for one in outcomes:
        if one.state == "could not run":
            continue
        before = held.get(one.suite, {})
        kept = {n: before[n] for n in without.get(one.suite, ()) if n in before}
        held[one.suite] = kept | {n: v for n, v in one.figures.items() if merit(n)}
    text = json.dumps(held, indent=1, sort_keys=True) + "\n"
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def out_of_reach(held: Held, suite: Suite, outcome: Outcome, sets: Path) -> dict[str, str]:
    """Accepted figures that this run had nothing to measure with, each with the reason."""
    found = {}
    for name in held.get(suite.name, {}).keys() - outcome.figures.keys():
        skipped = [w for part, w in outcome.skipped.items() if name.startswith(f"{part}/")]
        if skipped:
            found[name] = skipped[0]
        elif suite.is_third_party(name) and not sets.is_dir():
            found[name] = f"no third-party sets in {sets}; AGENTOPS_EVAL_DATA names their folder"
    return found


def compared(held: Held, suite: Suite, outcome: Outcome, sets: Path) -> Comparison:
    """What is worse than was accepted by more than a slack, and what is not measured any more."""
    if outcome.state == "could not run":
        return Comparison()
    if suite.name not in held:
        return Comparison(is_new=True)
    missing = out_of_reach(held, suite, outcome, sets)
    fell = []
    for name, before in sorted(held[suite.name].items()):
        now = outcome.figures.get(name)
        if now is None and name not in missing:
            fell.append(f"{suite.name}: {name} is not measured any more")
        elif now is not None and merit(name) * (before - now) > max(SLACK, SLACK * abs(before)):
            fell.append(f"{suite.name}: {name} was {before:.3f}, is {now:.3f}")
    return Comparison(tuple(fell), tuple(_reasons(suite, missing)))


def _reasons(suite: Suite, missing: Mapping[str, str]) -> list[str]:
    reasons: dict[str, int] = {}
    for why in missing.values():
        reasons[why] = reasons.get(why, 0) + 1
    return [
        f"{suite.name}: {count} accepted figures were not measured: {why}"
        for why, count in reasons.items()
    ]
