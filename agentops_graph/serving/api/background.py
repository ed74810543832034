"""What the service does beside answering: runs incidents and watches the components."""

import threading
from collections.abc import Callable

from agentops_graph.bootstrap import Workshop
from agentops_graph.monitor import Tick
from agentops_graph.patrol import Patrol


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
        every_s = self._workshop.settings.monitor_every_s
        Patrol(self._workshop.ports, every_s=every_s).run(self._stop, self._ticked)
