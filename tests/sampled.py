"""Parameters of which the fast tests run some, and `make test-all` every one."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], fast: Collection[Any]) -> list[Any]:
    """The values as parameters; those that `fast` does not name are slow."""
    return [
        value if value in fast else pytest.param(value, marks=pytest.mark.slow) for value in values
    ]
