"""The effects ledger in memory: intent before the call, result after it."""

from datetime import datetime

from agentops_graph.adapters.memory.ledger import MemoryLedger, seconds_now, this_process
from agentops_graph.domain.approval import Proposal
from agentops_graph.domain.effect import Effect, Lease, Receipt, effect_key
from agentops_graph.domain.record import Scalar
from agentops_graph.errors import RefusedError

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
                self._check_do(proposal, at, budget)
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
        if not self._holds(lease):
            raise RefusedError("the lease on the incident was lost to another runner")
        if any(e.state in OPEN_STATES for e in self._on(proposal.target)):
            raise RefusedError(f"another effect on {proposal.target} is open or unknown")

    def _check_undo(self, proposal: Proposal) -> None:
        done = self.find(effect_key(proposal.approval_id, "do"))
        if done is None or done.state != "done":
            raise RefusedError("the action to undo was not carried out")
        if self._ledger.pause == "all":
            raise RefusedError("everything is paused")

    def _check_do(self, proposal: Proposal, at: datetime, budget: int) -> None:
        if self._ledger.approvals[proposal.approval_id].expires_at <= at:
            raise RefusedError("the approval expired before it was carried out")
        if self._ledger.pause is not None:
            raise RefusedError("actions are paused")
        self._check_maintenance(proposal.incident_id, at)
        today = [
            e
            for e in self._on(proposal.target)
            if e.direction == "do" and e.intent_at.date() == at.date()
        ]
        if len(today) >= budget:
            raise RefusedError(f"the budget of {budget} actions a day is spent")

    def _check_maintenance(self, incident_id: str, at: datetime) -> None:
        component = self._ledger.incidents[incident_id].component
        for silence in self._ledger.silences.values():
            is_on = silence.kind == "maintenance" and silence.starts_at <= at < silence.ends_at
            if is_on and silence.component == component:
                raise RefusedError("the component is in maintenance")

    def _holds(self, lease: Lease) -> bool:
        held = self._ledger.leases.get(lease.incident_id)
        return held is not None and held.lease.token == lease.token and held.until > seconds_now()

    def _on(self, target: str) -> list[Effect]:
        return [e for e in self._ledger.effects.values() if e.target == target]

    def retake(self, effect: Effect, lease: Lease, *, at: datetime) -> Effect:
        with self._ledger.lock:
            held = self.find(effect.key)
            is_same = held is not None and held.lease_token == effect.lease_token
            if held is None or held.state != "intent" or not is_same or not self._holds(lease):
                raise RefusedError(f"effect {effect.key} was taken over by another runner")
            taken = held.model_copy(update={"lease_token": lease.token, "writer": this_process()})
            return self._written("effect.retaken", taken, at)

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
            if held is None or held.state not in OPEN_STATES:
                raise RefusedError(f"effect {key} is not open; nothing to reconcile")
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
