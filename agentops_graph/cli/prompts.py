"""Commands on the prompts of a language model: list, push, diff."""

import difflib
from typing import TYPE_CHECKING, Annotated

import typer

from agentops_graph.cli import desk
from agentops_graph.errors import NotFoundError, PortError

if TYPE_CHECKING:
    from agentops_graph.adapters.mlflow_registry import MlflowPrompts
    from agentops_graph.cli.counter import Counter
    from agentops_graph.diagnosis.prompts import Prompt

prompt_commands = typer.Typer(
    cls=desk.Commands,
    no_args_is_help=True,
    help="Prompts of a language model, and their mirror in MLflow.",
)
Named = Annotated[str | None, typer.Argument(help="Only this one, such as diagnose.")]


@prompt_commands.command("list")
def listed(ctx: typer.Context, as_json: desk.AsJson = False) -> None:
    """List the prompts in force, with the version of each and the number it has in MLflow.

    Example: agentops prompts list
    """
    from agentops_graph.cli import screen

    prompts, registry = _read(ctx)
    rows = _numbered(registry, prompts)
    if as_json:
        screen.emit(
            [
                {"name": p.name, "version": p.version, "identity": p.identity, "mlflow": number}
                for p, number in rows
            ]
        )
        return
    headings = ("prompt", "version", "in MLflow")
    shown = [(p.name, p.identity, f"version {number}" if number else "no") for p, number in rows]
    screen.out().print(screen.table(headings, shown))


@prompt_commands.command("push")
def push(
    ctx: typer.Context,
    name: Named = None,
    as_name: desk.As = None,
    as_json: desk.AsJson = False,
) -> None:
    """Put the prompts in force into MLflow's prompt registry; a text that is there is left alone.

    Example: agentops prompts push
    """
    from agentops_graph.cli import screen

    counter, actor = desk.workshop(ctx), desk.person(as_name)
    counter.service.needs("administer", everywhere=True)
    prompts, registry = _opened(counter)
    told = []
    for prompt in _chosen(prompts, name):
        counter.write_down("prompt.pushed", actor, prompt=prompt.name, identity=prompt.identity)
        version, is_new = registry.push(prompt)
        told.append({"name": prompt.name, "identity": prompt.identity, "mlflow": version.number})
        done = "is new" if is_new else "was there"
        if not as_json:
            screen.line(f"{prompt.name}.md {prompt.identity}: version {version.number} {done}")
    if as_json:
        screen.emit(told)


@prompt_commands.command("diff")
def diff(ctx: typer.Context, name: Named = None) -> None:
    """Show how the prompts in force differ from the newest in MLflow's prompt registry.

    Example: agentops prompts diff diagnose
    """
    from agentops_graph.cli import screen

    prompts, registry = _read(ctx)
    for prompt in _chosen(prompts, name):
        versions = registry.versions(prompt.name)
        if not versions:
            screen.line(f"{prompt.name}.md is not in MLflow yet: agentops prompts push")
            continue
        newest = versions[0]
        rows = difflib.unified_diff(
            newest.text.splitlines(),
            prompt.text.splitlines(),
            f"MLflow version {newest.number} ({newest.identity or 'not from here'})",
            f"{prompt.name}.md {prompt.identity}",
            lineterm="",
        )
        shown = list(rows)
        for row in shown or [f"{prompt.name}.md {prompt.identity} is version {newest.number}"]:
            screen.line(row)


def _read(ctx: typer.Context) -> "tuple[dict[str, Prompt], MlflowPrompts]":
    counter = desk.workshop(ctx)
    counter.service.needs("read")
    return _opened(counter)


def _opened(workshop: "Counter") -> "tuple[dict[str, Prompt], MlflowPrompts]":
    from agentops_graph.adapters.mlflow_registry import MlflowPrompts
    from agentops_graph.bootstrap.reasoners import prompts_in_force

    # A pin that does not hold is what one looks at with these commands.
    settings = workshop.settings.model_copy(update={"prompt_pins": {}})
    return prompts_in_force(settings), MlflowPrompts(workshop.store)


def _chosen(prompts: "dict[str, Prompt]", name: str | None) -> "list[Prompt]":
    if name is None:
        return list(prompts.values())
    if name not in prompts:
        raise NotFoundError(f"no prompt is called {name}; there are {', '.join(prompts)}")
    return [prompts[name]]


def _numbered(
    registry: "MlflowPrompts", prompts: "dict[str, Prompt]"
) -> "list[tuple[Prompt, int | None]]":
    """The files are what is asked with; a registry that does not answer takes none of them away."""
    from agentops_graph.cli import screen

    try:
        return [(prompt, _number(registry, prompt)) for prompt in prompts.values()]
    except PortError as error:
        screen.complain(f"what MLflow has is not known: {error}")
        return [(prompt, None) for prompt in prompts.values()]


def _number(registry: "MlflowPrompts", prompt: "Prompt") -> int | None:
    same = [v.number for v in registry.versions(prompt.name) if v.text == prompt.text]
    return same[0] if same else None
