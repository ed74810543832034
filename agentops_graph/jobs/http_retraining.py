"""Has a team's own serving system train, follows it, and brings its answer back as a result."""

from __future__ import annotations

import time
from collections.abc import Callable

from agentops_graph.adapters.http_models import HttpModels, KeySeen
from agentops_graph.domain.action import RetrainModel
from agentops_graph.errors import InputError, NotFoundError, UnavailableError
from agentops_graph.jobs.order import WorkOrder, WorkResult
from agentops_graph.settings import read_settings

EVERY_S = 2.0
PATIENCE_S = 6 * 3600.0  # a training that says nothing for longer has to be looked at by a person


def retrain(order: WorkOrder) -> WorkResult:
    """Entry point for components whose training lives behind `AGENTOPS_MODELS_URL`."""
    settings = read_settings()
    if settings.models_url is None:
        raise InputError("set it to the serving system's address", field="AGENTOPS_MODELS_URL")
    token = settings.models_token
    models = HttpModels(
        settings.models_url,
        token.get_secret_value() if token else None,
        allow_remote=settings.allow_remote_hosts,
    )
    return follow(order, models, sleep=time.sleep)


def follow(order: WorkOrder, models: HttpModels, *, sleep: Callable[[float], None]) -> WorkResult:
    """Triggers the training under the order's key and waits for the server to end it.

    The gate needs a trial on the approved holdout, so a server that reports none makes a result
    without one, which does not pass. Raises UnavailableError when the server says it failed, or
    says nothing new for six hours.
    """
    action = order.action
    if not isinstance(action, RetrainModel):
        raise InputError(f"the retraining was given {action.action}")
    receipt = models.carry_out(action, key=order.key, incident_id=order.incident_id)
    order.report(0.1, f"training triggered as {receipt.reference}")
    waited = 0.0
    while waited < PATIENCE_S:
        seen = _seen(models, action, order.key)
        if seen is not None and seen.state == "failed":
            raise UnavailableError(f"the training failed: {seen.error or 'no reason was given'}")
        if seen is not None and seen.state == "done":
            return _result(action, seen)
        sleep(EVERY_S)
        waited += EVERY_S
    raise UnavailableError(f"{receipt.reference} has not ended for {PATIENCE_S / 3600:.0f} hours")


def _seen(models: HttpModels, action: RetrainModel, key: str) -> KeySeen | None:
    """A server that does not answer for a while is asked again; the training goes on there."""
    try:
        return models.finished(action, key=key)
    except (UnavailableError, NotFoundError):
        return None


def _result(action: RetrainModel, seen: KeySeen) -> WorkResult:
    said = "with" if seen.trial else "without"
    return WorkResult(
        summary=f"{action.model} version {seen.version} trained by its server, {said} trial",
        version=seen.version,
        trial=seen.trial,
        details={"reference": seen.reference},
    )
