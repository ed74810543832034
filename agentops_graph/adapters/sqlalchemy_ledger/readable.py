"""Rows that can't be read are left out, and told of once: none of them may stop the others."""

import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sqlalchemy import CursorResult

from agentops_graph.errors import AgentOpsError

log = logging.getLogger(__name__)
T = TypeVar("T")
# A row whose column can't be decrypted, or whose content is not what this version writes.
UNREADABLE = (AgentOpsError, ValueError, KeyError, TypeError)
_told: set[str] = set()  # runners ask twice a second


def readable(result: CursorResult[Any], read: Callable[[Any], T], table: str) -> list[T]:
    """What `read` makes of each row that is given to it as a mapping with a key of the table."""
    records = []
    for row in list(_rows(result, table)):
        try:
            records.append(read(row))
        except UNREADABLE as error:
            _tell(f"row {next(iter(row.values()))} of {table}", error)
    return records


def _rows(result: CursorResult[Any], table: str) -> Iterator[Any]:
    """One by one: a column that can't be decrypted fails where its row is fetched."""
    rows = result.mappings()
    while True:
        try:
            row = rows.fetchone()
        except UNREADABLE as error:
            _tell(f"a row of {table}", error)
            continue
        if row is None:
            return
        yield row


def _tell(row: str, error: Exception) -> None:
    """By its kind alone: the error's words may hold what the row holds."""
    said = f"{row} can't be read and is left out: {type(error).__name__}"
    if said not in _told:
        _told.add(said)
        log.error(said)
