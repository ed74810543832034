"""What an entry point is given, and what it has to hand back."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from agentops_graph.domain.action import Action
from agentops_graph.domain.component import Component
from agentops_graph.domain.gate import Trial
from agentops_graph.domain.record import Record, Scalar
from agentops_graph.errors import UnavailableError
from agentops_graph.ports import History, Warehouse


@dataclass(frozen=True)
class WorkOrder:
    """One piece of detached work; `key` is unique per approval and goes on whatever it makes.

    `report` takes a share from 0 to 1 and a line for people. An entry point that only has another
    system do the work names it with `follows` first: should this process end, the work may go on
    there, and is not called failed.
    """

    key: str
    action: Action
    incident_id: str
    component: Component
    warehouse: Warehouse
    history: History
    home: Path
    tracking_uri: str
    report: Callable[[float, str], None]
    follows: Callable[[str], None] = lambda where: None


class OutOfSightError(UnavailableError):
    """What was begun elsewhere may go on there, and can't be followed any more."""


class WorkResult(Record):
    """What came of it: the version made and its trial for a training, loose details otherwise."""

    summary: str
    version: str | None = None
    trial: Trial | None = None
    details: dict[str, Scalar] = Field(default_factory=dict)
