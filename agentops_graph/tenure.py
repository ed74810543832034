"""Keeps the lease on an incident while it is run, and tells when it was lost."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from agentops_graph.domain.effect import Lease
from agentops_graph.errors import UnavailableError
from agentops_graph.ports import Leases

log = logging.getLogger(__name__)


class Tenure:
    """One runner's hold on one incident, renewed by a thread of its own."""

    def __init__(self, leases: Leases, lease: Lease, seconds: float) -> None:
        self.lease = lease
        self._leases = leases
        self._seconds = seconds
        self._renewed_at = _now()
        self._went_to_another = False

    @property
    def is_in_doubt(self) -> bool:
        """True when it was lost, or not renewed for so long that it may have been; asks nobody."""
        return self._went_to_another or _now() - self._renewed_at >= self._seconds

    def is_lost(self) -> bool:
        """Asks the ledger when in doubt."""
        return self.is_in_doubt and not self._leases.holds(self.lease)

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renews it for as long as the block runs."""
        stop = threading.Event()

        def renew() -> None:
            while not stop.wait(self._seconds / 3):
                self._renew()

        thread = threading.Thread(target=renew, name=f"lease-{self.lease.incident_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _renew(self) -> None:
        asked_at = _now()
        try:
            renewed = self._leases.renew(self.lease, self._seconds)
        except UnavailableError as error:  # unrenewed it runs out, and effects are refused
            log.warning("the lease on %s was not renewed: %s", self.lease.incident_id, error)
            return
        if renewed:
            self._renewed_at = asked_at
        else:
            self._went_to_another = True


def _now() -> float:
    """Seconds that go on while the process stands still or the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
