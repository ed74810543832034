"""Parts that are made at their first use, because start-up is a budget."""

import threading
from collections.abc import Callable
from typing import TypeVar, cast

T = TypeVar("T")


class _Later:
    """Stands for a part of the product and makes it when it is first asked something."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> object:
        with self._lock:
            if "made" not in self.__dict__:
                self.__dict__["made"] = self._make()
        return getattr(self.__dict__["made"], name)


def later(make: Callable[[], T]) -> T:
    """A part whose libraries are loaded at its first use: start-up is a budget."""
    return cast(T, _Later(make))
