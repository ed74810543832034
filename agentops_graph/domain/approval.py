"""The approval: the canonical bytes a person sees, their digest, and the decision."""

import hashlib
import json
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from agentops_graph.domain.action import Action
from agentops_graph.domain.record import Moment, Name, Record, Scalar, Text, storable

APPROVAL_SCHEMA = "agentops.approval/1"
ApprovalStatus = Literal["pending", "approved", "rejected", "expired", "superseded", "withdrawn"]
Door = Literal["cli", "http", "chat", "mlflow", "policy", "demo", "runner", "python"]


class Bound(Record):
    """A limit on a live metric; crossing it fires the guard."""

    metric: Name
    above: float


class Guard(Record):
    """What is watched after an action, for how long, and what makes it be undone."""

    bounds: tuple[Bound, ...]
    window_s: float
    every_s: float
    looks: int
    fresh_rows: int


class Precondition(Record):
    """What was true of the target when the action was proposed."""

    subject: Name  # "production_version"
    equals: str


class Proposal(Record):
    """One action with its whole context; its canonical bytes are what is approved."""

    approval_id: Name
    incident_id: Name
    plan_number: int
    step: int
    action: Action
    precondition: Precondition | None = None
    guard: Guard | None = None
    undo: Action | None = None

    @property
    def target(self) -> str:
        return self.action.target

    def canonical(self) -> bytes:
        """RFC 8785 canonical JSON of the approved content, decimals as strings."""
        return canonical_json(
            {
                "schema": APPROVAL_SCHEMA,
                "approval_id": self.approval_id,
                "incident": self.incident_id,
                "action": self.action.model_dump(mode="json"),
                "target": self.target,
                "precondition": _dumped(self.precondition),
                "guard": _dumped(self.guard),
                "undo": _dumped(self.undo),
            }
        )

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.canonical()).hexdigest()


class Approval(Record):
    """A proposal as the ledger holds it, with its decision."""

    approval_id: Name
    proposal: Proposal
    digest: str = Field(min_length=64, max_length=64)
    status: ApprovalStatus
    policy_reason: str
    notes: tuple[str, ...] = ()  # shown with the proposal: gate figures, cautions
    requested_by: str
    requested_at: Moment
    expires_at: Moment
    escalation_level: int = 0
    decided_by: str | None = None
    decided_via: Door | None = None
    decided_at: Moment | None = None
    reason: str | None = None
    superseded_by: str | None = None

    @property
    def is_genuine(self) -> bool:
        """True while the content is still what its digest was made of."""
        return self.proposal.digest == self.digest


class Decision(Record):
    """What a person (or the policy) answers; clients send this and never an action."""

    approval_id: Name
    verdict: Literal["approve", "reject"]
    actor: Annotated[Name, AfterValidator(storable)]
    via: Door
    digest: str | None = None  # when given it must match, so that nobody approves unseen content
    reason: Text | None = Field(default=None, max_length=2000)


def _dumped(record: Record | None) -> dict[str, object] | None:
    return None if record is None else record.model_dump(mode="json")


def canonical_json(document: object) -> bytes:
    """Canonical JSON (RFC 8785) of a document whose keys are ASCII; floats become strings first."""
    return json.dumps(
        _decimals_as_strings(document),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    ).encode()


def _decimals_as_strings(value: object) -> object:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: _decimals_as_strings(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_decimals_as_strings(member) for member in value]
    return value


def shown_lines(canonical: bytes) -> list[tuple[str, str]]:
    """The approved content as (label, text) rows, rendered from the bytes that were hashed."""
    document = json.loads(canonical)
    rows: list[tuple[str, str]] = [
        ("action", document["action"]["action"]),
        ("target", document["target"]),
    ]
    rows += [(k, _plain(v)) for k, v in document["action"].items() if k != "action"]
    if document["precondition"]:
        pre = document["precondition"]
        rows.append(("only while", f"{pre['subject']} is {pre['equals']}"))
    if document["guard"]:
        guard = document["guard"]
        bounds = ", ".join(f"{b['metric']} > {b['above']}" for b in guard["bounds"])
        rows.append(("rolls back by itself", f"if {bounds} within {guard['window_s']} s"))
    if document["undo"]:
        undo = document["undo"]
        rows.append(
            ("undo", " ".join(f"{k}={_plain(v)}" for k, v in undo.items() if k != "action"))
        )
    return rows


def _plain(value: Scalar | object) -> str:
    """Text safe to show: control, bidirectional and zero-width characters made visible."""
    text = str(value)
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return shown if len(shown) <= 300 else f"{shown[:300]}… [{len(shown) - 300} more characters]"
