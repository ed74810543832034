"""A team's own serving system over HTTP, as `Models` and `Actuator`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentops_graph.domain.action import Action, RetrainModel, RollbackModel
from agentops_graph.domain.address import refuse_remote
from agentops_graph.domain.component import Component
from agentops_graph.domain.effect import Happened, Receipt
from agentops_graph.domain.gate import Trial
from agentops_graph.domain.ledger import Version
from agentops_graph.domain.record import Moment
from agentops_graph.errors import (
    DidNotHappenError,
    NotFoundError,
    UnavailableError,
)

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 10.0
READ_ATTEMPTS = 3
# Answers with which a server says that it refused before doing anything.
REFUSALS = (400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429, 501)


class _Reply(BaseModel):
    """Answers may hold more fields than are read here; teams extend them."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class ServedVersion(_Reply):
    """One version in an answer of `GET /model/info`."""

    version: str
    created_at: Moment
    metrics: dict[str, float] = Field(default_factory=dict)
    aliases: tuple[str, ...] = ()


class KeySeen(_Reply):
    """What the server knows of an Idempotency-Key; a training that is done has made `version`,
    and `trial` holds what it scored on the holdout of the request."""

    state: Literal["running", "done", "failed"]
    version: str | None = None
    trial: Trial | None = None
    reference: str = ""
    error: str | None = None


class ModelAnswer(_Reply):
    """`GET /model/info?model=NAME`."""

    model: str
    production: str | None = None
    versions: tuple[ServedVersion, ...] = ()
    keys: dict[str, KeySeen] = Field(default_factory=dict)


class HttpModels:
    """Versions, retraining and rollback through four endpoints that the team's server offers.

    `GET /health` answers 200. `GET /model/info?model=NAME` answers
    `{"model", "production", "versions": [{"version", "created_at", "metrics", "aliases"}],
    "keys": {KEY: {"state": "running"|"done"|"failed", "version", "trial", "reference", "error"}}}`
    where `keys` holds every Idempotency-Key the server accepted. `POST /training/trigger` (the
    action's fields) and `POST /model/rollback` (`{"model", "to_version"}`) carry the header
    Idempotency-Key, do the work once per key and answer `{"reference": ...}`.

    Reads are tried again; writes never. A refused connection or a refusal by status is "did not
    happen"; a time-out or a 5xx leaves it unknown.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        allow_remote: bool = False,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        refuse_remote(
            url,
            field="AGENTOPS_MODELS_URL",
            allow_remote=allow_remote,
            sent="actions",
        )
        import httpx

        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # No redirects: the token and the key would follow them.
        self._http = httpx.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=timeout_s, follow_redirects=False
        )

    @property
    def enforces_key(self) -> bool:
        return True  # the server gets the key with every write and works once per key

    def healthy(self) -> bool:
        """True when the server answers its health check."""
        try:
            return self._read("/health").status_code == 200
        except UnavailableError:
            return False

    def production(self, model: str) -> Version | None:
        answer = self._answer(model)
        serving = [v for v in answer.versions if v.version == answer.production]
        return _version(answer, serving[0]) if serving else None

    def version(self, model: str, version: str) -> Version:
        for held in self.versions(model):
            if held.version == version:
                return held
        raise NotFoundError(f"{model} has no version {version}; the server lists others")

    def versions(self, model: str) -> list[Version]:
        answer = self._answer(model)
        ordered = sorted(answer.versions, key=lambda v: v.created_at, reverse=True)
        return [_version(answer, held) for held in ordered]

    def offers(self, action: str, component: Component) -> bool:
        return action in ("retrain_model", "rollback_model")

    def carry_out(self, action: Action, *, key: str, incident_id: str) -> Receipt:
        if isinstance(action, RetrainModel):
            body = action.model_dump(mode="json", exclude={"action"})
            return self._write("/training/trigger", body, key, incident_id)
        if isinstance(action, RollbackModel):
            body = {"model": action.model, "to_version": action.to_version}
            return self._write("/model/rollback", body, key, incident_id)
        raise DidNotHappenError(
            f"the serving system offers no {action.action}; it offers retrain_model and "
            "rollback_model. Do it there by hand, or serve from the MLflow registry"
        )

    def probe(self, action: Action, *, key: str) -> Happened:
        """`did_not` for a key the server never accepted: sending it again is safe even if the
        first request is still on its way, since the server works once per key. A training that
        was accepted has happened, however it ends; a rollback only when it is done."""
        try:
            seen = self.finished(action, key=key)
        except (UnavailableError, NotFoundError):
            return "unknown"
        if seen is None:
            return "did_not"
        over = isinstance(action, RetrainModel) or seen.state == "done"
        return "happened" if over else "unknown"

    def finished(self, action: Action, *, key: str) -> KeySeen | None:
        """What the server says of the work under `key`: a training is over once its state is
        "done", with the version made, or "failed". None when it never accepted the key."""
        if not isinstance(action, RetrainModel | RollbackModel):
            return None
        return self._answer(action.model).keys.get(key)

    def _answer(self, model: str) -> ModelAnswer:
        response = self._read("/model/info", params={"model": model})
        if response.status_code == 404:
            raise NotFoundError(f"the serving system knows no model {model!r}")
        if response.status_code != 200:
            raise UnavailableError(f"GET /model/info answered {_said(response)}")
        try:
            return ModelAnswer.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "body"
            raise UnavailableError(
                f"GET /model/info answered another form: {place}: {first['msg']}"
            ) from error

    def _read(self, path: str, params: dict[str, str] | None = None) -> httpx.Response:
        import httpx
        import stamina

        try:
            for attempt in stamina.retry_context(
                on=httpx.TransportError,
                attempts=READ_ATTEMPTS,
                wait_initial=0.05,
                wait_max=0.5,
                wait_jitter=0.05,
            ):
                with attempt:
                    return self._http.get(path, params=params)
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"GET {path}: the serving system can't be reached ({type(error).__name__})"
            ) from error
        raise UnavailableError(f"GET {path}: no attempt was made")

    def _write(self, path: str, body: dict[str, Any], key: str, incident_id: str) -> Receipt:
        import httpx

        headers = {"Idempotency-Key": key, "X-Incident-Id": incident_id}
        try:
            response = self._http.post(path, json=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise DidNotHappenError(f"POST {path}: no connection; nothing was sent") from error
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"POST {path}: no answer ({type(error).__name__}); it may have been done"
            ) from error
        if response.status_code in REFUSALS:
            raise DidNotHappenError(f"POST {path} was refused: {_said(response)}")
        if not response.is_success:
            raise UnavailableError(f"POST {path} answered {_said(response)}; it may have been done")
        return Receipt(reference=_reference(response) or key, details={"path": path})


def _version(answer: ModelAnswer, held: ServedVersion) -> Version:
    aliases = set(held.aliases)
    if held.version == answer.production:
        aliases.add("production")
    created: datetime = held.created_at
    return Version(
        model=answer.model,
        version=held.version,
        aliases=tuple(sorted(aliases)),
        metrics=held.metrics,
        created_at=created,
    )


def _said(response: httpx.Response) -> str:
    return f"{response.status_code} {response.text[:200].strip()}".strip()


def _reference(response: httpx.Response) -> str | None:
    """The server's own id of the work; an answer without one is still a success."""
    try:
        body = response.json()
    except ValueError:
        return None
    reference = body.get("reference") if isinstance(body, dict) else None
    return str(reference) if reference else None
