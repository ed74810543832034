"""Moves the production alias of a model, at most once per key; implements `Actuator`."""

from __future__ import annotations

import json
import logging

from agentops_graph.adapters.mlflow_registry.models import PRODUCTION
from agentops_graph.adapters.mlflow_registry.store import EFFECT_TAG, MlflowStore, translated
from agentops_graph.domain.action import Action, DeployModel, RollbackModel
from agentops_graph.domain.component import Component
from agentops_graph.domain.effect import Happened, Receipt
from agentops_graph.errors import DidNotHappenError, NotFoundError, PortError, UnavailableError
from agentops_graph.faults import fault

log = logging.getLogger(__name__)

PREVIOUS = "previous"


class MlflowActuator:
    """A blue-green swap: one alias moves, and the old version stays addressable as `previous`.

    The order makes `probe` honest: a tag on the version says "intent", then the alias moves, then
    the tag says "done". Without our tag the alias request was never sent, and once its writer is
    dead it never will be: `did_not`. With the intent alone it may have been moved, or moved and
    moved back by someone since: `unknown`, unless production is the version that was wanted.
    A model is never loaded here, since loading one is running it.
    """

    def __init__(self, store: MlflowStore) -> None:
        self._store = store

    @property
    def enforces_key(self) -> bool:
        return False

    def offers(self, action: str, component: Component) -> bool:
        return action in ("deploy_model", "rollback_model")

    def carry_out(self, action: Action, *, key: str, incident_id: str) -> Receipt:
        model, version = _wanted(action)
        try:
            previous = self._begin(model, version, key, incident_id)
        except DidNotHappenError:
            raise
        except (PortError, NotFoundError) as error:
            # The alias is moved after this, so that whatever failed here left it alone.
            raise DidNotHappenError(f"the alias was not moved: {error}") from error
        if isinstance(previous, Receipt):
            return previous
        self._move(model, version)
        fault("actuator.inside")
        self._end(model, version, key, previous, incident_id)
        return _receipt(model, version, previous)

    def probe(self, action: Action, *, key: str) -> Happened:
        model, version = _wanted(action)
        try:
            tag = self._tag(model, version, key)
            if tag is None:
                return "did_not"
            if tag["state"] == "done":
                return "happened"
            moved = self._production(model) == version and tag["previous"] != version
        except NotFoundError:
            return "did_not"  # no such version: the alias can't have been put on it
        except PortError:
            return "unknown"
        return "happened" if moved else "unknown"

    def _begin(self, model: str, version: str, key: str, incident_id: str) -> str | Receipt | None:
        """The version that serves now, with our intent written; or the receipt of an earlier call
        with the same key."""
        client = self._store.client()
        with translated(f"version {version} of {model}"):
            held = client.get_model_version(model, version)
        if held.status != "READY":
            raise DidNotHappenError(f"{model} version {version} is {held.status}, not READY")
        earlier = held.tags.get(EFFECT_TAG + key)
        if earlier and json.loads(earlier)["state"] == "done":
            return _receipt(model, version, json.loads(earlier)["previous"])
        previous = self._production(model)
        self._write_tag(model, version, key, "intent", previous, incident_id)
        if previous is not None and previous != version:
            with translated(f"keeping version {previous} addressable"):
                client.set_registered_model_alias(model, PREVIOUS, previous)
        return previous

    def _move(self, model: str, version: str) -> None:
        try:
            with translated(f"moving {PRODUCTION} of {model} to {version}"):
                self._store.client().set_registered_model_alias(model, PRODUCTION, version)
        except NotFoundError as error:
            raise DidNotHappenError(str(error)) from error
        except UnavailableError:
            if not self._seems_moved(model, version):
                raise

    def _seems_moved(self, model: str, version: str) -> bool:
        try:
            return self._production(model) == version
        except PortError:
            return False

    def _end(
        self, model: str, version: str, key: str, previous: str | None, incident_id: str
    ) -> None:
        try:
            self._write_tag(model, version, key, "done", previous, incident_id)
        except (PortError, NotFoundError) as error:
            log.warning("the alias was moved but its tag was not ended: %s", error)

    def _production(self, model: str) -> str | None:
        try:
            with translated(f"production version of {model}"):
                held = self._store.client().get_model_version_by_alias(model, PRODUCTION)
                return str(held.version)
        except NotFoundError:
            return None

    def _tag(self, model: str, version: str, key: str) -> dict[str, str | None] | None:
        with translated(f"version {version} of {model}"):
            held = self._store.client().get_model_version(model, version)
        text = held.tags.get(EFFECT_TAG + key)
        return json.loads(text) if text else None

    def _write_tag(
        self, model: str, version: str, key: str, state: str, previous: str | None, incident_id: str
    ) -> None:
        value = json.dumps({"state": state, "previous": previous, "incident": incident_id})
        with translated(f"tagging version {version} of {model}"):
            self._store.client().set_model_version_tag(
                name=model, version=version, key=EFFECT_TAG + key, value=value
            )


def _wanted(action: Action) -> tuple[str, str]:
    if isinstance(action, DeployModel):
        return action.model, action.version
    if isinstance(action, RollbackModel):
        return action.model, action.to_version
    raise DidNotHappenError(f"the model registry can't carry out {action.action}")


def _receipt(model: str, version: str, previous: str | None) -> Receipt:
    return Receipt(reference=version, details={"previous": previous, "model": model})
