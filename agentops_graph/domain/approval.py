"""The approval: the canonical bytes a person sees, their digest, and the decision."""

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from agentops_graph.domain.action import Action
from agentops_graph.domain.identity import Role, role_may, roles_that_may
from agentops_graph.domain.record import Moment, Name, Record, Scalar, Text, storable
from agentops_graph.errors import ConflictError, ForbiddenError, GoneError, InputError

APPROVAL_SCHEMA = "agentops.approval/1"
REVOKED_SINCE = "too few of those who approved it may still decide: a token was revoked since"
ApprovalStatus = Literal["pending", "approved", "rejected", "expired", "superseded", "withdrawn"]
Door = Literal["cli", "http", "chat", "mlflow", "link", "policy", "demo", "runner", "python"]


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
                "action": _dumped_action(self.action),
                "target": self.target,
                "precondition": _dumped(self.precondition),
                "guard": _dumped(self.guard),
                "undo": None if self.undo is None else _dumped_action(self.undo),
            }
        )

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.canonical()).hexdigest()


class Vote(Record):
    """What one person said of a pending approval; each person says it once."""

    actor: str
    verdict: Literal["approve", "reject"]
    via: Door
    at: Moment
    credential_id: str | None = None  # nothing where the door is open
    role: Role | None = None
    stands: bool = True  # False once what proved it was revoked: it counts for nothing


class Approval(Record):
    """A proposal as the ledger holds it, with its decision."""

    approval_id: Name
    proposal: Proposal
    digest: str = Field(min_length=64, max_length=64)
    status: ApprovalStatus
    policy_reason: str
    notes: tuple[str, ...] = ()  # shown with the proposal: gate figures, cautions
    requested_by: str
    requested_with: str | None = None  # the credential that proved who edited it
    requested_at: Moment
    expires_at: Moment
    escalation_level: int = 0
    decided_by: str | None = None
    decided_via: Door | None = None
    decided_at: Moment | None = None
    reason: str | None = None
    superseded_by: str | None = None
    revision: int = 0  # how many times this step was edited before
    quorum: int = 1  # how many different people have to approve it
    four_eyes: bool = True  # who requested it may not approve it
    votes: tuple[Vote, ...] = ()

    @property
    def is_genuine(self) -> bool:
        """True while the content is still what its digest was made of."""
        return self.proposal.digest == self.digest

    @property
    def place(self) -> tuple[str, int, int]:
        """The step of a plan of an incident for which this asks; an edit asks for the same."""
        return self.proposal.incident_id, self.proposal.plan_number, self.proposal.step

    @property
    def approvers(self) -> tuple[str, ...]:
        """Who approved it so far; of a decided one, whoever counted when it was decided."""
        is_over = self.status != "pending"
        cast = [vote for vote in self.votes if vote.verdict == "approve"]
        return tuple(vote.actor for vote in cast if vote.stands or is_over)

    @property
    def so_far(self) -> str:
        """How many of those who have to approve did: `1 of 2 (mia)`; empty where one is enough."""
        if self.quorum == 1:
            return ""
        who = f" ({', '.join(self.approvers)})" if self.approvers else ""
        return f"{len(self.approvers)} of {self.quorum}{who}"


class Word(Record):
    """Whose word it is, on which approval; `credential_id` and `role` say how that was proved."""

    approval_id: Name
    actor: Annotated[Name, AfterValidator(storable)]
    via: Door
    digest: str | None = None  # when given it must match, so that nobody decides on unseen content
    credential_id: str | None = None  # nothing where the door is open
    role: Role | None = None
    subject: str | None = None  # who an outside issuer of identities says it is

    def require(self, deed: Literal["decide", "edit"]) -> None:
        """Raises ForbiddenError when a role was asked for and does not allow it."""
        if self.role is not None and not role_may(self.role, deed):
            able = " or ".join(roles_that_may(deed))
            raise ForbiddenError(f"the role {self.role} may not {deed}; that takes {able}")


class Decision(Word):
    """What a person (or the policy) answers; clients send this and never an action."""

    verdict: Literal["approve", "reject"]
    reason: Text | None = Field(default=None, max_length=2000)


class Edit(Word):
    """A person asks for the same action with other arguments: a proposal, never a decision."""

    change: Text = Field(max_length=2000)  # "replicas 4 -> 3"


def check_may_decide(held: Approval, decision: Decision, root: Callable[[str], str]) -> None:
    """Raises ForbiddenError to who would approve what they asked for, and ConflictError to who has
    spoken already. A vote that fell with its token is not held against anybody, and who approved
    may still refuse.

    One person is one name, and also one token: whoever makes links and sessions with it, in
    whatever names, speaks once. `root` is the token that a credential was made with.
    """
    proved = decision.credential_id and root(decision.credential_id)

    def is_theirs(name: str, credential_id: str | None) -> bool:
        is_one_token = bool(proved and credential_id) and proved == root(credential_id or "")
        return is_one_token or is_same_person(decision.actor, name)

    is_own = is_theirs(held.requested_by, held.requested_with)
    if decision.verdict == "approve" and held.four_eyes and is_own:
        raise ForbiddenError(
            f"{held.approval_id} is what {held.requested_by} asked for; somebody else has to "
            "approve it"
        )
    own = [v for v in held.votes if v.stands and is_theirs(v.actor, v.credential_id)]
    if own and decision.verdict == "approve":
        raise already_spoke(held, decision)


def already_spoke(held: Approval, decision: Decision) -> ConflictError:
    return ConflictError(
        f"{decision.actor} already did ({held.so_far}); somebody else has to speak on "
        f"{held.approval_id}"
    )


def is_same_person(one: str, other: str) -> bool:
    """True for names that differ in nothing but capitals and blanks."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def _dumped_action(action: Action) -> dict[str, object]:
    """An action without a segment reads as before there were any: its digest stays what it was."""
    dumped = action.model_dump(mode="json")
    return {k: v for k, v in dumped.items() if k != "segment" or v is not None}


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
        then = "rolls back by itself" if document["undo"] else "goes to a person"
        rows.append((then, f"if {bounds} within {guard['window_s']} s"))
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


def why_not(held: Approval, word: Word) -> Exception:
    """Why a decision or an edit comes too late, or is of something else."""
    if held.status == "pending" and word.digest not in (None, held.digest):
        return InputError(
            f"is not what {held.approval_id} asks for now; read it again before deciding",
            field="digest",
        )
    if held.superseded_by is not None:
        return GoneError(f"{held.approval_id} was replaced by {held.superseded_by}: {held.reason}")
    if held.status in ("superseded", "withdrawn"):
        return GoneError(f"{held.approval_id} was {held.status}: {held.reason}")
    if held.status in ("pending", "expired"):
        return GoneError(
            f"{held.approval_id} expired at {held.expires_at:%Y-%m-%d %H:%M} UTC; a new plan is "
            "made from fresh evidence, see `agentops approvals`"
        )
    return ConflictError(
        f"{held.approval_id} was already {held.status} by {held.decided_by} through "
        f"{held.decided_via}"
    )
