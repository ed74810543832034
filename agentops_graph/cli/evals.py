"""The command that runs the evaluations: eval."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk, eval_model

if TYPE_CHECKING:
    from agentops_graph.cli.counter import Counter
    from agentops_graph.evaluation.running import Outcome

FIGURES_SHOWN = 8


def eval_(
    ctx: typer.Context,
    suites: Annotated[
        list[str] | None, typer.Argument(help="Such as chat or rca; all when none is named.")
    ] = None,
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
    from agentops_graph.cli import screen
    from agentops_graph.evaluation import baseline
    from agentops_graph.evaluation.suites import chosen, root_of

    root = root_of(Path.cwd())
    there, absent = chosen(root, () if everything else tuple(suites or ()))
    file = baseline.baseline_file(root, small=small)
    held = baseline.accepted(file)
    outcomes = [_run(root, suite, small, as_json=as_json) for suite in there]
    fell = [line for one in outcomes for line in baseline.fallen(held, one)]
    workshop = desk.workshop(ctx)
    plot = _plot(workshop, outcomes, held)
    runs = _logged(workshop, outcomes, plot)
    if accept:
        baseline.accept(file, outcomes)
    if as_json:
        told = [one.model_dump(mode="json") for one in outcomes]
        document = {"suites": told, "absent": absent, "fell_behind": fell}
        screen.emit(document | {"plot": str(plot), "mlflow_runs": runs, "accepted": accept})
    else:
        _print(outcomes, absent, fell)
        screen.aside(f"plot: {plot}" + (f"; MLflow runs: {', '.join(runs)}" if runs else ""))
    if _is_bad(outcomes, fell, accept=accept):
        raise typer.Exit(1)


def _is_bad(outcomes: "list[Outcome]", fell: list[str], *, accept: bool) -> bool:
    """An empty run is no success; what is accepted can't have fallen behind."""
    passed = [one.state == "passed" for one in outcomes]
    return not passed or not all(passed) or (bool(fell) and not accept)


def _run(root: Path, suite: object, small: bool, *, as_json: bool) -> "Outcome":
    from agentops_graph.cli import screen
    from agentops_graph.evaluation.running import run_suite
    from agentops_graph.evaluation.suites import Suite

    one = Suite.model_validate(suite)
    if not as_json:
        screen.aside(f"{one.name} ...")
    return run_suite(root, one, small=small)


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


def _print(outcomes: "list[Outcome]", absent: list[str], fell: list[str]) -> None:
    from agentops_graph.cli import screen

    rows = []
    for one in outcomes:
        shown = list(one.figures.items())[:FIGURES_SHOWN]
        told = ", ".join(f"{name} {value:.3f}" for name, value in shown)
        more = len(one.figures) - len(shown)
        rows.append(
            (
                one.suite,
                one.state,
                f"{one.seconds:.0f} s",
                told + (f" and {more} more (--json)" if more > 0 else ""),
                "; ".join(one.said),
            )
        )
    rows += [(name, "absent", "-", "", "it is not part of this checkout") for name in absent]
    headings = ("evaluation", "state", "took", "figures", "missed")
    screen.out().print(screen.table(headings, rows))
    for line in fell:
        screen.line(f"fell behind: {line}", "bold red")
