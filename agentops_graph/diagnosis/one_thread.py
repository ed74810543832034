"""Keeps small linear algebra on one thread: on a busy machine waiting for others costs more."""

import threading
from functools import cached_property
from typing import Any

import numpy  # noqa: F401 - loads the library that the controller looks for
from threadpoolctl import ThreadpoolController


class OneThread:
    """A context in which products of numpy take one thread. The limit holds for the whole process,
    so several searches at once share it: the last one lifts it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._limit = self._libraries.limit(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()

    @cached_property
    def _libraries(self) -> ThreadpoolController:
        return ThreadpoolController()


ONE_THREAD = OneThread()
