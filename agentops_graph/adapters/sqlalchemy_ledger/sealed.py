"""Columns that are encrypted when there is a key."""

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Engine, Text
from sqlalchemy.types import TypeDecorator

from agentops_graph.domain.redaction import redacted, redacted_json
from agentops_graph.encryption import NO_RING, Ring

_RINGS: WeakKeyDictionary[Dialect, Ring] = WeakKeyDictionary()


class Sealed(TypeDecorator[str]):
    """Text that is stored encrypted under the ring of its engine; plain text is read as well.

    This one stores it word for word, as a digest covers it.
    """

    impl = Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else ring_of(dialect).seal(self.cleared(value), self.place)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else ring_of(dialect).unseal(value, self.place)

    def cleared(self, text: str) -> str:
        return text


class Words(Sealed):
    """What people, models or errors said: kept without credentials."""

    cache_ok = True

    def cleared(self, text: str) -> str:
        return redacted(text)


class Document(Sealed):
    """A JSON document whose texts are kept without credentials."""

    cache_ok = True

    def cleared(self, text: str) -> str:
        return redacted_json(text)


def ring_of(dialect: Dialect) -> Ring:
    return _RINGS.get(dialect, NO_RING)


def seal_with(engine: Engine, ring: Ring) -> None:
    """This engine's sealed columns are written with the ring from now on."""
    _RINGS[engine.dialect] = ring
