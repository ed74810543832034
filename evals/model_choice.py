"""Which language model an evaluation asks: by its own option, or as AGENTOPS_REASONER says."""

import argparse
import sys
from dataclasses import dataclass
from typing import Literal

from agentops_graph.bootstrap.reasoners import reasoner_of
from agentops_graph.errors import AgentOpsError
from agentops_graph.settings import Settings, read_settings

REPEATS = 3  # fewer give no interval worth the name
Vendor = Literal["ollama", "openai"]


@dataclass(frozen=True)
class Choice:
    """A model by its vendor; address, name and limits are the product's settings, which every
    process reads from the same environment."""

    vendor: Vendor
    repeats: int = REPEATS

    @property
    def settings(self) -> Settings:
        return read_settings(reasoner=self.vendor)


def add_options(parser: argparse.ArgumentParser, *, repeats: bool = False) -> None:
    """`--reasoner`, and `--repeats` where an evaluation can ask more than once."""
    parser.add_argument(
        "--reasoner",
        choices=("evidence", "ollama", "openai"),
        help="who reasons; AGENTOPS_REASONER when it is not given",
    )
    if repeats:
        parser.add_argument("--repeats", type=_at_least_one, default=REPEATS)


def chosen(asked: argparse.Namespace) -> Choice | None:
    """None for the evidence weights alone. Ends the process with 2 when no such model can be asked:
    a setting is missing, an address not allowed, a prompt not the pinned one."""
    try:
        vendor = asked.reasoner or read_settings().reasoner
        if vendor == "evidence":
            return None
        found = Choice(vendor, getattr(asked, "repeats", REPEATS))
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
