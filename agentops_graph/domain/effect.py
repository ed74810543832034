"""Effects: the record that an approved action was, was not, or may have been carried out."""

from typing import Literal

from pydantic import Field

from agentops_graph.domain.record import Moment, Name, Record, Scalar

Direction = Literal["do", "undo"]
EffectState = Literal["intent", "done", "failed", "unknown"]
Happened = Literal["happened", "did_not", "unknown"]


class Writer(Record):
    """The process that wrote an intent, so that its death can be proved."""

    host: str
    boot_id: str
    pid: int
    started: str  # start time of the process in clock ticks since boot
    machine_id: str | None = None  # empty when it has none; None in rows of older versions
    pid_namespace: str | None = None  # in which `pid` counts; None in rows of older versions


class Receipt(Record):
    """What an actuator says it did."""

    reference: str  # version, run id, job key ...
    details: dict[str, Scalar] = Field(default_factory=dict)


class Lease(Record):
    """The right to run one incident until it runs out; higher tokens win."""

    incident_id: Name
    token: int
    holder: str


class Effect(Record):
    """One direction of one approved action; its key is `approval_id:direction`."""

    key: Name
    approval_id: Name
    incident_id: Name
    target: str
    direction: Direction
    state: EffectState
    writer: Writer
    lease_token: int
    intent_at: Moment
    ended_at: Moment | None = None
    receipt: Receipt | None = None
    error: str | None = None


def effect_key(approval_id: str, direction: Direction) -> str:
    return f"{approval_id}:{direction}"
