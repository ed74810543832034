"""Who reasons in an evaluation: by its own option, or as AGENTOPS_REASONER says."""

import argparse
import sys
from dataclasses import dataclass
from typing import Literal

from agentops_graph.bootstrap.reasoners import reasoner_of
from agentops_graph.errors import AgentOpsError
from agentops_graph.settings import Settings, read_settings

REPEATS = 3  # fewer give no interval worth the name
Reasons = Literal["evidence", "ollama", "openai"]


@dataclass(frozen=True)
class Choice:
    """The evidence weights, or a model beside them; its address, name and limits are the product's
    settings, which every process reads from the same environment."""

    reasoner: Reasons = "evidence"
    repeats: int = REPEATS

    @property
    def has_model(self) -> bool:
        return self.reasoner != "evidence"

    @property
    def settings(self) -> Settings:
        return read_settings(reasoner=self.reasoner)


def add_options(parser: argparse.ArgumentParser, *, repeats: bool = False) -> None:
    """`--reasoner`, and `--repeats` where an evaluation asks more than once."""
    parser.add_argument(
        "--reasoner",
        choices=("evidence", "ollama", "openai"),
        help="AGENTOPS_REASONER when it is not given",
    )
    if repeats:
        parser.add_argument("--repeats", type=_at_least_one, default=REPEATS)


def chosen(reasoner: Reasons | None = None, repeats: int = REPEATS) -> Choice:
    """Ends the process with 2 when no such model can be asked: a setting is missing, an address not
    allowed, a prompt not the pinned one."""
    try:
        found = Choice(reasoner or read_settings().reasoner, repeats)
        reasoner_of(found.settings)
    except AgentOpsError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    return found


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
