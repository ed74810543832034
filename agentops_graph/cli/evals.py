"""The command that runs the evaluations: eval."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk, eval_model
from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from agentops_graph.cli.counter import Counter
    from agentops_graph.evaluation.running import Outcome
    from agentops_graph.evaluation.suites import Suite


def eval_(
    ctx: typer.Context,
    suites: Annotated[list[str] | None, typer.Argument(help="Such as chat or rca.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are there.")] = False,
    small: Annotated[bool, typer.Option("--small", help="Few cases; for every change.")] = False,
    accept: Annotated[
        bool, typer.Option("--accept", help="These figures are what later runs are held against.")
    ] = False,
    reasoner: eval_model.AskedModel = None,
    as_json: desk.AsJson = False,
) -> None:
    """Run the evaluations and hold them against the accepted figures; 1 when one fell behind.

    Example: agentops eval chat
    """
    from agentops_graph.cli import eval_view, screen
    from agentops_graph.evaluation import baseline
    from agentops_graph.evaluation.suites import chosen, root_of, third_party_sets

    if not suites and not everything:
        eval_view.listed(as_json=as_json)
        raise typer.Exit(InputError.exit_code)
    root = root_of(Path.cwd())
    there, absent = chosen(root, () if everything else tuple(suites or ()))
    file, sets = baseline.baseline_file(root, small=small), third_party_sets(root)
    held = baseline.accepted(file)
    outcomes = [_run(root, suite, small) for suite in there]
    beside = {
        suite.name: baseline.compared(held, suite, one, sets)
        for suite, one in zip(there, outcomes, strict=True)
    }
    workshop = desk.workshop(ctx)
    plot = _plot(workshop, outcomes, held)
    runs = _logged(workshop, outcomes, plot)
    if accept:
        pairs = zip(there, outcomes, strict=True)
        without = {s.name: [*baseline.out_of_reach(held, s, one, sets)] for s, one in pairs}
        baseline.accept(file, outcomes, without)
    fell = [line for each in beside.values() for line in each.fell]
    if as_json:
        told = [one.model_dump(mode="json") for one in outcomes]
        document = {
            "suites": told,
            "absent": absent,
            "fell_behind": fell,
            "not_measured": [line for each in beside.values() for line in each.unmeasured],
            "nothing_accepted_yet": [name for name, each in beside.items() if each.is_new],
        }
        screen.emit(document | {"plot": str(plot), "mlflow_runs": runs, "accepted": accept})
    else:
        eval_view.printed(outcomes, absent, beside, accepting=accept)
        screen.aside(f"plot: {plot}" + (f"; MLflow runs: {', '.join(runs)}" if runs else ""))
    if _is_bad(outcomes, fell, accept=accept):
        raise typer.Exit(1)


def _is_bad(outcomes: "list[Outcome]", fell: list[str], *, accept: bool) -> bool:
    """An empty run is no success; what is accepted can't have fallen behind."""
    passed = [one.state == "passed" for one in outcomes]
    return not passed or not all(passed) or (bool(fell) and not accept)


def _run(root: Path, suite: "Suite", small: bool) -> "Outcome":
    from agentops_graph.cli import eval_view
    from agentops_graph.evaluation.running import run_suite

    with eval_view.progress(suite.name) as tick:
        outcome = run_suite(root, suite, small=small, tick=tick)
    eval_view.ended(outcome)
    return outcome


def _plot(
    workshop: "Counter", outcomes: "list[Outcome]", held: dict[str, dict[str, float]]
) -> Path:
    from agentops_graph.evaluation.plot import plotted

    path = workshop.places.home / "evals.svg"
    path.write_text(plotted(outcomes, held), encoding="utf-8")
    return path


def _logged(workshop: "Counter", outcomes: "list[Outcome]", plot: Path) -> list[str]:
    """The ids of the runs; without an MLflow that answers the figures stand all the same."""
    from agentops_graph.cli import screen
    from agentops_graph.errors import AgentOpsError

    if not workshop.settings.mlflow:
        return []
    from agentops_graph.adapters.mlflow_registry.evals import MlflowEvals

    runs = []
    try:
        evals = MlflowEvals(workshop.store)
        for one in outcomes:
            if one.figures:
                tags = {"suite": one.suite, "state": one.state}
                runs.append(evals.log(one.suite, one.figures, tags, plot))
    except AgentOpsError as error:
        screen.complain(f"not logged to MLflow: {error}")
    return runs
