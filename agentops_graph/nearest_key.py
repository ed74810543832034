"""The key that somebody meant who misspelt one: the nearest that a record has, and where."""

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

DEEPEST = 5


def nearest_key(word: str, where: str, kind: type[BaseModel]) -> str:
    """`; did you mean ...?` with the place of the key when that is another one than `where`, or
    nothing when no key is near. Keys beside the misspelt one come first."""
    above = where.rpartition(".")[0]
    paths = sorted(_paths(kind, ""), key=lambda path: (path.rpartition(".")[0] != above, path))
    by_key: dict[str, str] = {}
    for path in paths:
        by_key.setdefault(path.rpartition(".")[2], path)
    near = difflib.get_close_matches(word, by_key, n=1, cutoff=0.6)
    if not near:
        return ""
    path = by_key[near[0]]
    is_beside = path.rpartition(".")[0] == above
    return f"; did you mean {near[0] if is_beside else path}?"


def _paths(kind: type[BaseModel], above: str, depth: int = 0) -> Iterator[str]:
    for name, field in kind.model_fields.items():
        path = f"{above}{field.alias or name}"
        yield path
        if depth < DEEPEST:
            for inner in _records_in(field.annotation):
                yield from _paths(inner, f"{path}.", depth + 1)


def _records_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _records_in(argument)
