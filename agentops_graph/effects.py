"""The executor: check, insert the intent, call the adapter, record the result."""

from agentops_graph.domain.action import (
    Action,
    DeployModel,
    RetrainModel,
    RollbackModel,
    ShiftTraffic,
)
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.effect import Direction, Effect, Lease, effect_key
from agentops_graph.errors import (
    BusyError,
    ConflictError,
    DidNotHappenError,
    PortError,
    RefusedError,
)
from agentops_graph.faults import fault
from agentops_graph.ports import Actuator, Ports

NOT_CALLED = "the lease was lost before the call, so nothing was done"


def carry_out(ports: Ports, approval: Approval, direction: Direction = "do") -> Effect:
    """Carries out an approved action, or its undo, at most once.

    Returns the effect as the ledger holds it: done, failed, or unknown when the outcome can't be
    known. Raises RefusedError when the checks did not allow it, and ConflictError when the
    incident went to another runner meanwhile; in both cases nothing was done by this call.
    """
    lease = _lease(ports)
    if not approval.is_genuine:
        raise RefusedError(
            f"what {approval.approval_id} holds is not what was approved; it was changed since"
        )
    action = _action(approval, direction)
    actuator = ports.actuators[action.action]
    key = effect_key(approval.approval_id, direction)
    held = ports.effects.find(key)
    if held is None:
        _refuse(_moved(ports, approval, direction))
        _pass(direction, "before_intent")
        held = _begin(ports, approval, direction, lease)
        _pass(direction, "after_intent")
        # Else another runner began it between the look and the intent.
        if held.lease_token == lease.token and held.state == "intent":
            _stay(ports, held, lease, is_first=True)
            return _call(ports, held, action, actuator, lease)
    return _go_on(ports, approval, held, actuator, lease)


def _begin(ports: Ports, approval: Approval, direction: Direction, lease: Lease) -> Effect:
    try:
        return ports.effects.begin(
            approval.proposal,
            approval.digest,
            direction,
            lease,
            at=ports.clock.now(),
            budget=ports.policy.actions_per_target_per_day,
        )
    except RefusedError as refusal:
        if not ports.leases.holds(lease):
            raise _lost(lease) from refusal
        if direction == "undo" and _is_being_changed(ports, approval.proposal.target):
            raise BusyError(
                f"{approval.approval_id} is undone as soon as the call on "
                f"{approval.proposal.target} that is under way has ended"
            ) from refusal
        raise


def _is_being_changed(ports: Ports, target: str) -> bool:
    """True while a call on it has not returned; one in doubt is a person's to settle."""
    return any(e.target == target and e.state == "intent" for e in ports.effect_log.listed())


def _go_on(
    ports: Ports, approval: Approval, held: Effect, actuator: Actuator, lease: Lease
) -> Effect:
    """What to do with an effect that an earlier run began."""
    if held.state != "intent":
        return held
    action = _action(approval, held.direction)
    # Asked before the probe: one that acts after it, and dies then, must not pass for one that
    # never acted.
    is_dead = ports.effects.writer_is_dead(held)
    happened = actuator.probe(action, key=held.key)
    _pass(held.direction, "after_probe")
    if happened == "happened":
        return _record(ports, held, held.lease_token, "done", error="seen by probe after a crash")
    if happened == "did_not" and (is_dead or actuator.enforces_key):
        # Of a living writer nobody knows whether it still acts, and a target that enforces the
        # key may still do what was begun.
        otherwise = "failed" if is_dead and not actuator.enforces_key else "unknown"
        moved = _moved(ports, approval, held.direction)
        if moved is not None:
            return _record(ports, held, held.lease_token, otherwise, error=moved)
        taken = _retake(ports, held, lease, otherwise)
        _pass(held.direction, "after_retake")
        # What allowed it may have lapsed since the intent: then it has ended without a call.
        if taken.state != "intent" or taken.lease_token != lease.token:
            return taken
        _stay(ports, taken, lease, is_first=False)
        return _call(ports, taken, action, actuator, lease)
    return _record(
        ports, held, held.lease_token, "unknown", error="a crash left the outcome unknown"
    )


def _retake(ports: Ports, held: Effect, lease: Lease, otherwise: str) -> Effect:
    try:
        return ports.effects.retake(held, lease, at=ports.clock.now(), otherwise=otherwise)
    except RefusedError as refusal:
        if not ports.leases.holds(lease):
            raise _lost(lease) from refusal
        return _record(ports, held, held.lease_token, "unknown", error=str(refusal))


def _stay(ports: Ports, effect: Effect, lease: Lease, *, is_first: bool) -> None:
    """A process that stood still since its intent must not act once another has taken over. What
    slips through between this look and the call is why an intent is never simply repeated."""
    if ports.leases.holds(lease):
        return
    if is_first:  # else an earlier call may still do what was asked
        _record(ports, effect, lease.token, "failed", error=NOT_CALLED)
    raise _lost(lease)


def _call(ports: Ports, effect: Effect, action: Action, actuator: Actuator, lease: Lease) -> Effect:
    _pass(effect.direction, "before_call")
    try:
        receipt = actuator.carry_out(action, key=effect.key, incident_id=effect.incident_id)
    except DidNotHappenError as error:
        return _record(ports, effect, lease.token, "failed", error=str(error))
    except PortError as error:
        return _record(ports, effect, lease.token, "unknown", error=str(error))
    except Exception as error:
        seen = f"{type(error).__name__}: {error}"
        _record(ports, effect, lease.token, "unknown", error=seen)
        raise  # a fault of the adapter; the runner hands the incident to a person
    _pass(effect.direction, "after_call")
    _pass(effect.direction, "before_finish")
    done = ports.effects.finish(
        effect.key, lease.token, "done", at=ports.clock.now(), receipt=receipt
    )
    _pass(effect.direction, "after_finish")
    return done


def _record(ports: Ports, effect: Effect, token: int, state: str, *, error: str) -> Effect:
    return ports.effects.finish(effect.key, token, state, at=ports.clock.now(), error=error)


def _pass(direction: Direction, moment: str) -> None:
    fault(f"effect.{moment}" if direction == "do" else f"undo.{moment}")


def _lost(lease: Lease) -> ConflictError:
    return ConflictError(f"{lease.incident_id} went to another runner; {lease.holder} stops here")


def _lease(ports: Ports) -> Lease:
    if ports.lease is None:
        raise RefusedError("only a runner that holds the incident's lease may act")
    return ports.lease


def _action(approval: Approval, direction: Direction) -> Action:
    if direction == "do":
        return approval.proposal.action
    if approval.proposal.undo is None:
        raise RefusedError(f"{approval.approval_id} approved no undo")
    return approval.proposal.undo


def _refuse(why: str | None) -> None:
    if why is not None:
        raise RefusedError(why)


def _moved(ports: Ports, approval: Approval, direction: Direction) -> str | None:
    """How production differs from what the approval was given for; for an undo, from what it put
    there. None when it does not."""
    action = approval.proposal.action
    if not isinstance(action, DeployModel | RollbackModel | RetrainModel | ShiftTraffic):
        return None
    serving = ports.models.production(action.model)
    seen = "nothing" if serving is None else serving.version
    if direction == "undo":
        put = action.version if isinstance(action, DeployModel) else None
        if seen == put:
            return None
        return f"production is {seen} and not {put}, which this approval put there"
    condition = approval.proposal.precondition
    if condition is None or seen == condition.equals:
        return None
    return f"production was {condition.equals} when this was approved and is {seen} now"
