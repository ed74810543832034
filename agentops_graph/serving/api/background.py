"""What the service does beside answering: runs incidents and watches the components."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from agentops_graph.bootstrap import Workshop
from agentops_graph.monitor import Tick, tick

log = logging.getLogger(__name__)


class Background:
    """A runner's thread and, with components configured, the monitor's; both stop together."""

    def __init__(
        self,
        workshop: Workshop,
        ticked: Callable[[Tick | None, float], None] = lambda *_: None,
    ) -> None:
        self._workshop = workshop
        self._ticked = ticked  # told of each round, None for one that failed, and its seconds
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        runner = self._workshop.runner("service")
        self._begin("runner", lambda: runner.run(self._stop))
        if self._workshop.components:
            self._begin("monitor", self._watch)

    def stop(self) -> None:
        """Waits for what is under way; an effect is never cut off."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=f"agentops-{name}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _watch(self) -> None:
        """A round that fails is logged, whatever failed, and the next one begins."""
        every_s = self._workshop.settings.monitor_every_s
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="agentops-look") as looks:
            while not self._stop.is_set():
                began = time.monotonic()
                look = looks.submit(tick, self._workshop.ports)
                error = look.exception()
                seen = look.result() if error is None else None
                self._ticked(seen, time.monotonic() - began)
                if error is not None:
                    log.error("a round of the monitor failed", exc_info=error)
                self._stop.wait(every_s)
