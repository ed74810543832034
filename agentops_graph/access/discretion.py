"""What one tenant is shown of a case or a page: other tenants' incidents are not named."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from agentops_graph.domain.case import Case
from agentops_graph.domain.knowledge import Page

Shown = TypeVar("Shown", Case, Page)
# With the section that a citation names: `INC-2026-0007.md#2-root-cause`.
_NAMED = re.compile(r"(?<![\w-])(INC-\d{4}-\d+)(?!\d)(?:\.md)?(?:#[\w.-]*\w)?")
ANOTHER = "another incident"


def discreet(record: Shown, is_foreign: Callable[[str], bool]) -> Shown:
    """The case or page without the ids of incidents that are foreign.

    Approvals stay as they are: what a person decides on is what its digest is of.
    """
    document = record.model_dump(mode="json")
    foreign = {i for i in set(_NAMED.findall(str(document))) if is_foreign(i)}
    if not foreign:
        return record
    rest = {name: value for name, value in document.items() if name != "approvals"}
    return type(record).model_validate(document | _without(rest, foreign))


def discreet_text(text: str, is_foreign: Callable[[str], bool]) -> str:
    """The same for a text."""
    return _unnamed(text, {i for i in set(_NAMED.findall(text)) if is_foreign(i)})


def _without(value: Any, foreign: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(held, foreign) for name, held in value.items()}
    if isinstance(value, list):
        return [_without(held, foreign) for held in value if not _is_only(held, foreign)]
    return _unnamed(value, foreign) if isinstance(value, str) else value


def _is_only(value: Any, foreign: set[str]) -> bool:
    """An entry of a list that is nothing but a reference to a foreign incident."""
    found = _NAMED.fullmatch(value) if isinstance(value, str) else None
    return found is not None and found[1] in foreign


def _unnamed(text: str, foreign: set[str]) -> str:
    return _NAMED.sub(lambda found: ANOTHER if found[1] in foreign else found[0], text)
