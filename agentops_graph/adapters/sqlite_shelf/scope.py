"""Which sections a search may find, as SQL: of one kind, and reports of some components only."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from sqlite3 import Connection

from agentops_graph.domain.knowledge import DocumentKind


@dataclass(frozen=True)
class Scope:
    """None leaves that side open; runbooks are of no component and always found."""

    kind: DocumentKind | None = None
    components: frozenset[str] | None = None

    @classmethod
    def of(cls, kind: DocumentKind | None, components: Collection[str] | None) -> "Scope":
        return cls(kind, None if components is None else frozenset(components))

    @property
    def is_open(self) -> bool:
        return self.kind is None and self.components is None

    @property
    def clause(self) -> str:
        """Conditions on `sections s`, each begun with `and`."""
        of_kind = "" if self.kind is None else " and s.kind = ?"
        if self.components is None:
            return of_kind
        return (
            f"{of_kind} and (s.kind = 'runbook' or s.document in (select name from documents"
            " where component in (select value from json_each(?))))"
        )

    @property
    def parameters(self) -> list[str]:
        named = [] if self.components is None else [json.dumps(sorted(self.components))]
        return [*([] if self.kind is None else [self.kind]), *named]

    def sections(self, database: Connection) -> list[int]:
        """Every section inside it."""
        rows = database.execute(
            f"select s.section_id from sections s where 1{self.clause}", self.parameters
        )
        return [int(key) for (key,) in rows]
