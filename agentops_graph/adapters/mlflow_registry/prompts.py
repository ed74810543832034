"""Mirrors prompts in MLflow's prompt registry, one version for each text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agentops_graph.adapters.mlflow_registry.store import MlflowStore, translated
from agentops_graph.errors import NotFoundError, UnavailableError

if TYPE_CHECKING:
    from mlflow.entities.model_registry import PromptVersion

    from agentops_graph.diagnosis.prompts import Prompt

PREFIX = "agentops-"
IDENTITY = "agentops.identity"
MOST_VERSIONS = 1000


@dataclass(frozen=True)
class Mirrored:
    """One version in the registry; `number` is MLflow's own, `identity` ours."""

    name: str
    number: int
    identity: str
    text: str


class MlflowPrompts:
    """The registry's prompts whose names begin with `agentops-`; texts are kept as they are."""

    def __init__(self, store: MlflowStore) -> None:
        self._store = store

    def versions(self, name: str) -> list[Mirrored]:
        """Newest first; none when the prompt was never mirrored. Raises UnavailableError."""
        client = self._store.client()
        try:
            with translated(f"prompt {name}"):
                found = client.search_prompt_versions(PREFIX + name, max_results=MOST_VERSIONS)
        except NotFoundError:
            return []
        kept = [_mirrored(name, version) for version in found]
        return sorted(kept, key=lambda version: -version.number)

    def push(self, prompt: Prompt) -> tuple[Mirrored, bool]:
        """The registry's version of this text, and whether it was made now. Raises
        UnavailableError."""
        for version in self.versions(prompt.name):
            if version.identity == prompt.identity and version.text == prompt.text:
                return version, False
        client = self._store.client()
        with translated(f"prompt {prompt.name}"):
            made = client.register_prompt(
                name=PREFIX + prompt.name,
                template=prompt.text,
                commit_message=f"{prompt.name}.md {prompt.identity}",
                tags={IDENTITY: prompt.identity, "agentops.sha256": prompt.digest},
            )
        return _mirrored(prompt.name, made), True


def _mirrored(name: str, version: PromptVersion) -> Mirrored:
    if not isinstance(version.template, str):
        raise UnavailableError(f"prompt {name}: version {version.version} is no plain text")
    identity = str(dict(version.tags or {}).get(IDENTITY, ""))
    return Mirrored(name, int(version.version), identity, version.template)
