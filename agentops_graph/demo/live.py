"""Keeps the demo's feed running: fresh transactions, scored by whichever version is production."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agentops_graph.adapters.mlflow_registry.models import PRODUCTION
from agentops_graph.adapters.mlflow_registry.store import MlflowStore, translated
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.demo.traffic import Traffic
from agentops_graph.demo.world import MODEL
from agentops_graph.errors import NotFoundError, PortError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

ROWS_PER_SECOND = 45
TICK_S = 1.0


class LiveTraffic:
    """Writes a second of traffic every second, and follows the production alias.

    Labels come with the rows, which a real team would wait hours for; the demo says so. After
    `change_feed` (or from the start, with `changed=True`) the vendor's new API is what arrives.
    """

    def __init__(
        self,
        store: MlflowStore,
        warehouse: SqliteWarehouse,
        *,
        seed: int = 11,
        changed: bool = True,
        rows_per_second: int = ROWS_PER_SECOND,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        import numpy as np

        self._store = store
        self._clock = clock
        self._rows = rows_per_second
        began = clock()
        tag = f"live-{began:%H%M%S%f}"
        self._traffic = Traffic(warehouse, np.random.default_rng(seed), tag=tag)
        self._changed = threading.Event()
        if changed:
            self._changed.set()
        self._served: tuple[str, Any] | None = None
        self._until = began

    @property
    def version(self) -> str | None:
        """The version that scored last."""
        return self._served[0] if self._served else None

    def change_feed(self) -> None:
        """The vendor switches to the new API now; announced like the real one was."""
        if not self._changed.is_set():
            self._traffic.announce_change(self._clock())
            self._changed.set()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; meant for a thread. A second that can't be written is skipped."""
        while not stop.wait(TICK_S):
            try:
                self.tick()
            except (PortError, NotFoundError) as error:
                log.warning("a second of traffic is missing: %s", error)

    def tick(self) -> int:
        """Writes the traffic since the last tick; returns its rows."""
        begin, now = self._until, self._clock()
        # After a long pause the gap stays a gap, as it would in a real feed.
        begin = max(begin, now - timedelta(seconds=5))
        rows = round(self._rows * (now - begin).total_seconds())
        if rows < 1:
            return 0
        version, model = self._production()
        batch = self._traffic.next_batch(rows, changed=self._changed.is_set())
        self._traffic.write(
            self._traffic.score(batch, begin, now, model, version, labelled_until=now)
        )
        self._until = now
        return rows

    def _production(self) -> tuple[str, Any]:
        with translated(f"production version of {MODEL}"):
            held = self._store.client().get_model_version_by_alias(MODEL, PRODUCTION)
        version = str(held.version)
        if self._served is None or self._served[0] != version:
            self._served = (version, load(self._store, version))
        return self._served


def load(store: MlflowStore, version: str) -> Any:
    """The estimator behind a version of the demo's own model."""
    store.fluent("fraud-detector-training")
    import mlflow.sklearn

    with translated(f"loading version {version} of {MODEL}"):
        return mlflow.sklearn.load_model(f"models:/{MODEL}/{version}")
