"""Which votes still count, in memory."""

from agentops_graph.adapters.memory.ledger import MemoryLedger
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.identity import Credential, role_may


def standing_votes(ledger: MemoryLedger, approval: Approval) -> int:
    """How many approve of it whose right to decide was not taken from them since."""
    return sum(
        vote.verdict == "approve"
        and (vote.credential_id is None or _may_still_decide(ledger, vote.credential_id))
        for vote in approval.votes
    )


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
