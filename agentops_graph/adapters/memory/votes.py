"""Which votes still count, in memory."""

from datetime import datetime

from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.domain.approval import Approval, Decision, Vote, Word
from agentops_graph.domain.identity import Credential, role_may
from agentops_graph.domain.record import Scalar


def standing_votes(ledger: MemoryLedger, approval: Approval) -> int:
    """How many approve of it whose right to decide was not taken from them since."""
    return sum(v.verdict == "approve" and v.stands for v in as_they_stand(ledger, approval).votes)


def as_they_stand(ledger: MemoryLedger, approval: Approval) -> Approval:
    """The approval with what is left of each vote by now."""
    votes = tuple(v.model_copy(update={"stands": _stands_now(ledger, v)}) for v in approval.votes)
    return approval.model_copy(update={"votes": votes})


def with_vote(held: Approval, decision: Decision, at: datetime) -> Approval:
    """Votes that no longer stand make room, and so does one's own when its person refuses now."""
    kept = [v for v in held.votes if v.stands]
    if decision.verdict == "reject":
        kept = [v for v in kept if v.actor != decision.actor]
    vote = Vote(
        actor=decision.actor,
        verdict=decision.verdict,
        via=decision.via,
        at=at,
        credential_id=decision.credential_id,
        role=decision.role,
    )
    return held.model_copy(update={"votes": (*kept, vote)})


def proof_of(word: Word) -> dict[str, Scalar]:
    """How it was proved whose word it is, as the audit keeps it."""
    return {"credential_id": word.credential_id, "role": word.role, "subject": word.subject}


def _stands_now(ledger: MemoryLedger, vote: Vote) -> bool:
    return vote.credential_id is None or _may_still_decide(ledger, vote.credential_id)


def root_of(ledger: MemoryLedger, credential_id: str) -> str:
    """The token that a session or link was made with; a token is its own."""
    held = ledger.credentials.get(credential_id)
    return (held and held.parent_id) or credential_id


def _may_still_decide(ledger: MemoryLedger, credential_id: str) -> bool:
    own = ledger.credentials.get(credential_id)
    if own is None or not _stands(own, by_use=own.kind == "link"):
        return False
    parent = ledger.credentials.get(own.parent_id) if own.parent_id else None
    return own.parent_id is None or (parent is not None and _stands(parent, by_use=False))


def _stands(credential: Credential, *, by_use: bool) -> bool:
    """A link is revoked by being used, which takes nothing back."""
    is_revoked = credential.revoked_at is not None and not by_use
    return not is_revoked and role_may(credential.role, "decide")
