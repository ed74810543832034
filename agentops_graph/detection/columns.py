"""Works on the columns of a table on every core: numpy lets other threads run while it counts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from agentops_graph.errors import InputError

if TYPE_CHECKING:
    from agentops_graph.domain.frames import Floats

Found = TypeVar("Found")

# A window of a minute is counted sooner than a thread is woken.
THREADED_VALUES = 1_000_000


def over_columns(
    columns: Mapping[str, Floats], work: Callable[[str, Floats], Found]
) -> dict[str, Found]:
    """`work` on every column, in the order of the columns; an InputError names the column."""

    def named(name: str) -> Found:
        try:
            return work(name, columns[name])
        except InputError as error:
            raise InputError(str(error), field=name) from error

    cores = os.cpu_count() or 1
    if cores == 1 or sum(len(values) for values in columns.values()) < THREADED_VALUES:
        return {name: named(name) for name in columns}
    with ThreadPoolExecutor(cores) as pool:
        return dict(zip(columns, pool.map(named, columns), strict=True))
