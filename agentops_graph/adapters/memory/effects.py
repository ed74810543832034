"""The effects ledger in memory: intent before the call, result after it."""

from datetime import datetime, timedelta

from agentops_graph.adapters.memory.ledger import MemoryLedger, seconds_now, this_process
from agentops_graph.adapters.memory.votes import standing_votes
from agentops_graph.domain.approval import REVOKED_SINCE, Proposal
from agentops_graph.domain.effect import Effect, Lease, Receipt, effect_key
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import NotFoundError, RefusedError

BUDGET_OF = timedelta(hours=24)
OPEN_STATES = ("intent", "unknown")


class MemoryEffects:
    """Implements `Effects` and `EffectLog`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def begin(
        self,
        proposal: Proposal,
        digest: str,
        direction: str,
        lease: Lease,
        *,
        at: datetime,
        budget: int,
    ) -> Effect:
        key = effect_key(proposal.approval_id, "undo" if direction == "undo" else "do")
        with self._ledger.lock:
            held = self.find(key)
            if held is not None:
                return held
            self._check(proposal, digest, lease)
            if direction == "undo":
                self._check_undo(proposal)
            else:
                self._check_work(proposal)
                self._check_budget(proposal, at, budget)
            lapsed = self._lapsed(proposal, direction, at)
            if lapsed is not None:
                raise RefusedError(lapsed)
            intent = Effect.model_validate(
                {
                    "key": key,
                    "approval_id": proposal.approval_id,
                    "incident_id": proposal.incident_id,
                    "target": proposal.target,
                    "direction": direction,
                    "state": "intent",
                    "writer": this_process(),
                    "lease_token": lease.token,
                    "intent_at": at,
                }
            )
            return self._written("effect.intent", intent, at)

    def _check(self, proposal: Proposal, digest: str, lease: Lease) -> None:
        approval = self._ledger.approvals.get(proposal.approval_id)
        if approval is None or (approval.digest, approval.status) != (digest, "approved"):
            raise RefusedError("no approval with this digest stands")
        if not self._holds(lease) or lease.incident_id != proposal.incident_id:
            raise RefusedError("the lease on the incident was lost to another runner")
        if any(e.state in OPEN_STATES for e in self._on(proposal.target)):
            raise RefusedError(f"another effect on {proposal.target} is open or unknown")

    def _check_work(self, proposal: Proposal) -> None:
        underway = (self._ledger.work.get(e.key) for e in self._on(proposal.target))
        if any(work is not None and work.state in ("open", "running") for work in underway):
            raise RefusedError(f"work on {proposal.target} is still under way")

    def _check_undo(self, proposal: Proposal) -> None:
        done = self.find(effect_key(proposal.approval_id, "do"))
        if done is None or done.state != "done":
            raise RefusedError("the action to undo was not carried out")

    def _lapsed(self, proposal: Proposal, direction: str, at: datetime) -> str | None:
        """Why there must be no call any more, if so."""
        ledger = self._ledger
        if direction == "undo":
            return "everything is paused" if ledger.pause == "all" else None
        if ledger.approvals[proposal.approval_id].expires_at <= at:
            return "the approval expired before it was carried out"
        approval = ledger.approvals[proposal.approval_id]
        if standing_votes(ledger, approval) < approval.quorum:
            return REVOKED_SINCE
        if ledger.pause is not None:
            return "actions are paused"
        if self._in_maintenance(proposal, at):
            return "the component is in maintenance"
        incident = ledger.incidents[proposal.incident_id]
        is_at_work = incident.is_open and incident.status != "escalated"
        if not is_at_work or incident.plan_number != proposal.plan_number:
            return "the incident was closed, handed to a person or planned anew since"
        return None

    def _check_budget(self, proposal: Proposal, at: datetime, budget: int) -> None:
        since = at - BUDGET_OF  # what a clock that was put back has left in the future counts
        spent = [e for e in self._on(proposal.target) if e.direction == "do"]
        if len([e for e in spent if e.intent_at > since]) >= budget:
            raise RefusedError(f"the budget of {budget} actions a day is spent")

    def _in_maintenance(self, proposal: Proposal, at: datetime) -> bool:
        component = self._ledger.incidents[proposal.incident_id].component
        places = (component, proposal.target.partition(":")[2])
        return any(
            s.kind == "maintenance" and at < s.ends_at and s.component in places
            for s in self._ledger.silences.values()
        )

    def _holds(self, lease: Lease) -> bool:
        held = self._ledger.leases.get(lease.incident_id)
        return held is not None and held.lease.token == lease.token and held.until > seconds_now()

    def _on(self, target: str) -> list[Effect]:
        return [e for e in self._ledger.effects.values() if e.target == target]

    def retake(self, effect: Effect, lease: Lease, *, at: datetime, otherwise: str) -> Effect:
        with self._ledger.lock:
            held = self.find(effect.key)
            is_same = held is not None and held.lease_token == effect.lease_token
            if held is None or held.state != "intent" or not is_same or not self._holds(lease):
                raise RefusedError(f"effect {effect.key} was taken over by another runner")
            lapsed = self._lapsed(
                self._ledger.approvals[held.approval_id].proposal, held.direction, at
            )
            taken = held.model_copy(update={"lease_token": lease.token, "writer": this_process()})
            retaken = self._written("effect.retaken", taken, at)
            if lapsed is None:
                return retaken
            return self.finish(held.key, lease.token, otherwise, at=at, error=lapsed)

    def finish(
        self,
        key: str,
        lease_token: int,
        state: str,
        *,
        at: datetime,
        receipt: Receipt | None = None,
        error: str | None = None,
    ) -> Effect:
        with self._ledger.lock:
            held = self.find(key)
            if held is None:
                raise RefusedError(f"there is no effect {key}")
            if held.state != "intent" or held.lease_token != lease_token:
                return self._written("effect.late_result", held, at, error=error)
            result = {"state": state, "ended_at": at, "receipt": receipt, "error": error}
            ended = held.model_copy(update=result)
            return self._written(f"effect.{state}", ended, at, error=error)

    def settle(self, key: str, state: str, *, by: str, note: str, at: datetime) -> Effect:
        with self._ledger.lock:
            held = self.find(key)
            if held is None:
                raise NotFoundError(f"no effect {key!r}; `agentops reconcile` lists those in doubt")
            if held.state != "unknown":
                raise RefusedError(f"effect {key} is not in doubt; nothing to reconcile")
            settled = held.model_copy(update={"state": state, "ended_at": at, "error": note})
            return self._written("effect.reconciled", settled, at, actor=by, note=note)

    def find(self, key: str) -> Effect | None:
        return self._ledger.effects.get(key)

    def listed(self, incident_id: str | None = None) -> list[Effect]:
        with self._ledger.lock:
            rows = list(self._ledger.effects.values())
        return [e for e in rows if incident_id in (None, e.incident_id)]

    def writer_is_dead(self, effect: Effect) -> bool:
        """Never: what its process wrote here is gone with it."""
        return False

    def _written(
        self, what: str, effect: Effect, at: datetime, actor: str = "runner", **fields: Scalar
    ) -> Effect:
        self._ledger.effects[effect.key] = effect
        self._ledger.write_down(
            what,
            actor=actor,
            via="cli" if what == "effect.reconciled" else "runner",
            at=at,
            incident_id=effect.incident_id,
            key=effect.key,
            **fields,
        )
        return effect
