"""What a data folder is run and written with: keys of encryption, and the configuration."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from agentops_graph.domain.component import Component
from agentops_graph.encryption import Ring
from agentops_graph.settings import Settings

if TYPE_CHECKING:
    from agentops_graph.adapters.sqlalchemy_ledger import Database

# Where a folder lies is no setting of what is done in it.
_NOT_NOTED = ("home",)


def ring_of(settings: Settings) -> Ring:
    key, old = settings.encryption_key, settings.encryption_key_old
    return Ring(key.get_secret_value() if key else None, old.get_secret_value() if old else None)


def encrypt(database: "Database", checkpoints: Path, told: Callable[[int], None]) -> int:
    """Puts ledger and checkpoints under the key that is set, or in plain text when only an old one
    is; says how many values changed."""
    from agentops_graph.adapters import langgraph_checkpoints  # noqa: PLC0415 - loads langgraph
    from agentops_graph.adapters.sqlalchemy_ledger import rewriting  # noqa: PLC0415

    # The ledger last: from its end on the old key is not asked for any more.
    changed = langgraph_checkpoints.rewrite(checkpoints, database.ring, told)
    return changed + rewriting.rewrite(database, told)


def note_run(
    database: "Database", settings: Settings, components: Mapping[str, Component], *, actor: str
) -> list[str]:
    """A configuration that differs from the last run's is a row of the audit, with the names of
    what changed; of a secret only whether it is set."""
    from agentops_graph.adapters.sqlalchemy_ledger.configuration import (  # noqa: PLC0415
        note_configuration,
    )

    wanted = {
        f"settings.{name}": "set" if isinstance(value, SecretStr) else str(value)
        for name, value in settings
        if name not in _NOT_NOTED
    }
    for component in components.values():
        for field, value in component.model_dump(mode="json").items():
            wanted[f"components.{component.name}.{field}"] = json.dumps(value, sort_keys=True)
    return note_configuration(database, wanted, actor=actor, at=datetime.now(UTC))
