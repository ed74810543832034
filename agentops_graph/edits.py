"""Other arguments for an action that waits: what a person may change, and the draft made anew."""

from collections.abc import Mapping
from dataclasses import replace

from pydantic import JsonValue, ValidationError

from agentops_graph.domain.action import ACTION, Action, RerunPipeline, RollbackModel
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import ConflictError, InputError
from agentops_graph.proposals import Draft, Situation, draft

# What is not named here stays as it was drafted: models, pipelines and components are the target;
# a deployment's version is the one that passed the gate; the rows of a retraining and its holdout
# are frozen by hash. A version to roll back to is checked against the registry.
EDITABLE: dict[str, tuple[str, ...]] = {
    "retrain_model": (),
    "deploy_model": (),
    "rollback_model": ("to_version",),
    "rerun_pipeline": ("window_from", "window_until"),
    "scale_infrastructure": ("replicas",),
    "shift_traffic": ("percent",),
}


def edited(held: Approval, arguments: Mapping[str, JsonValue], situation: Situation) -> Draft:
    """The same action with these arguments, its precondition, guard and undo from live facts.

    Raises InputError that names the argument, and ConflictError when the world has moved so that
    the action would not be drafted as it was.
    """
    action = held.proposal.action
    _check_names(action, arguments)
    fresh = draft(action.action, situation)
    if isinstance(fresh, str):
        raise ConflictError(f"{held.approval_id} can't be drafted anew: {fresh}")
    wanted = _with(action, arguments)
    if wanted == action:
        raise InputError("that is what it asks for already", field="arguments")
    names = EDITABLE[action.action]
    drafted = fresh.action.model_copy(update={name: getattr(wanted, name) for name in names})
    if drafted != wanted or fresh.precondition != held.proposal.precondition:
        raise ConflictError(
            f"the world has moved since {held.approval_id} was proposed; reject it, and the plan "
            "is made anew from fresh evidence"
        )
    _check_facts(wanted, situation)
    return replace(fresh, action=wanted)


def change_in(before: Action, after: Action) -> str:
    """What differs, in words: `replicas 4 -> 3`."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return ", ".join(f"{name} {old[name]} -> {new[name]}" for name in new if new[name] != old[name])


def _check_names(action: Action, arguments: Mapping[str, JsonValue]) -> None:
    names = EDITABLE[action.action]
    if not names:
        raise InputError(
            f"nothing of a {action.action} can be edited; reject it with the reason, and the plan "
            "goes on",
            field="arguments",
        )
    if not arguments:
        raise InputError(f"name what to change: {', '.join(names)}", field="arguments")
    for name, value in arguments.items():
        if name not in names:
            raise InputError(
                f"can't be edited in a {action.action}; what can: {', '.join(names)}",
                field=f"arguments.{name[:60]}",
            )
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise InputError("must be text or a whole number", field=f"arguments.{name}")


def _with(action: Action, arguments: Mapping[str, JsonValue]) -> Action:
    try:
        return ACTION.validate_python(action.model_dump() | dict(arguments))
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(
            f"{problem['msg']} (seen: {redacted(repr(problem['input'])):.100})",
            field=f"arguments.{problem['loc'][-1]}",
        ) from None


def _check_facts(wanted: Action, situation: Situation) -> None:
    """What the action's own type can't know."""
    now = situation.now
    if isinstance(wanted, RerunPipeline) and not wanted.window_from < wanted.window_until <= now:
        raise InputError(
            f"must lie after window_from and not after now, {now:%Y-%m-%d %H:%M} UTC",
            field="arguments.window_until",
        )
    if isinstance(wanted, RollbackModel):
        _check_version(wanted, situation)


def _check_version(wanted: RollbackModel, situation: Situation) -> None:
    models = situation.ports.models
    serving = models.production(wanted.model)
    earlier = [
        version.version
        for version in models.versions(wanted.model)
        if serving is not None and version.created_at < serving.created_at
    ]
    if wanted.to_version not in earlier:
        known = ", ".join(earlier[:10]) or "none"
        raise InputError(
            f"is no version from before the one that serves; those are: {known}",
            field="arguments.to_version",
        )
