"""The option by which the evaluations ask a language model."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from agentops_graph.errors import InputError

NAME = "AGENTOPS_REASONER"
KNOWN = ("evidence", "ollama", "openai")


def _told(ctx: typer.Context, value: str | None) -> str | None:
    if value is None:
        return None
    if value not in KNOWN:
        raise InputError(f"must be one of {', '.join(KNOWN)}", field="--reasoner")
    ctx.with_resource(_environment(value))
    return value


@contextmanager
def _environment(value: str) -> Iterator[None]:
    """The suites are processes of their own, which follow the setting."""
    before = os.environ.get(NAME)
    os.environ[NAME] = value
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(NAME, None)
        else:
            os.environ[NAME] = before


AskedModel = Annotated[
    str | None,
    typer.Option(
        "--reasoner",
        callback=_told,
        help="ollama or openai: suites in which a model takes part ask it as well.",
    ),
]
