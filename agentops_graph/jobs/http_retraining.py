"""Has a team's own serving system train, follows it, and brings its answer back as a result."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from agentops_graph.adapters.http_models import HttpModels, KeySeen
from agentops_graph.domain.action import RetrainModel
from agentops_graph.errors import (
    DidNotHappenError,
    InputError,
    NotFoundError,
    PortError,
    UnavailableError,
)
from agentops_graph.jobs.order import OutOfSightError, WorkOrder, WorkResult
from agentops_graph.settings import read_settings

EVERY_S = 2.0


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
    where = urlsplit(settings.models_url).hostname or "the serving system"
    return follow(order, models, where=where, sleep=time.sleep)


def follow(
    order: WorkOrder, models: HttpModels, *, where: str, sleep: Callable[[float], None]
) -> WorkResult:
    """Triggers the training under the order's key and waits for the server to end it.

    The gate needs a trial on the approved holdout, so a server that reports none makes a result
    without one, which does not pass. Raises UnavailableError when the server says it failed, and
    OutOfSightError when nobody knows whether it trains. How long it may take is the deadline of
    the work, which a runner holds it to.
    """
    action = order.action
    if not isinstance(action, RetrainModel):
        raise InputError(f"the retraining was given {action.action}")
    order.follows(where)
    try:
        receipt = models.carry_out(action, key=order.key, incident_id=order.incident_id)
    except DidNotHappenError:
        raise
    except PortError as error:
        raise OutOfSightError(f"whether {where} trains is not known: {error}") from error
    order.report(0.1, f"training triggered at {where} as {receipt.reference}")
    while True:
        seen = _seen(models, action, order.key)
        if seen is not None and seen.state == "failed":
            raise UnavailableError(f"the training failed: {seen.error or 'no reason was given'}")
        if seen is not None and seen.state == "done":
            return _result(action, seen)
        sleep(EVERY_S)


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
