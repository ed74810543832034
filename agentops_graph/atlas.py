"""The map of lineage as it is now: each origin read when it changed, else as it last was."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from agentops_graph.domain.component import Component
from agentops_graph.domain.lineage.chart import Chart, Origin
from agentops_graph.domain.lineage.drawing import drawn, watched
from agentops_graph.domain.lineage.fragment import NOTHING, Fragment, together
from agentops_graph.domain.redaction import redacted
from agentops_graph.domain.sources.lineage import LineageSource
from agentops_graph.errors import AgentOpsError, PortError, UnavailableError
from agentops_graph.lineage_ports import LineageOrigin

log = logging.getLogger(__name__)
NEVER = object()  # no stamp of an origin is the same
ODD = (ArithmeticError, LookupError, TypeError, ValueError, RecursionError, OSError)
REST_S = 60.0  # an origin that is down would make every look wait for it
NOTES_SHOWN = 5  # of one origin


@dataclass
class _Page:
    """What an origin told last, and why it tells nothing now."""

    origin: LineageOrigin
    stamp: object = NEVER
    fragment: Fragment = NOTHING
    trouble: str = ""
    rests_until: float = 0.0

    def turned(self) -> bool:
        """Reads it when there is something new; True when the map has to be drawn anew."""
        if monotonic() < self.rests_until:
            return False
        try:
            before, self.stamp = self.stamp, NEVER
            self.stamp = self.origin.stamp()
            if self.stamp == before:
                return False
            self.fragment, self.trouble = self.origin.read(), ""
        except AgentOpsError as error:
            return self._failed(error)
        except ODD as error:  # in what others wrote; it must not stop the look that asks
            log.debug("lineage of %s", self.origin.name, exc_info=error)
            return self._failed(UnavailableError(f"{type(error).__name__} over what it holds"))
        return True

    def _failed(self, error: AgentOpsError) -> bool:
        """What is wrong in a file stays wrong until it changes; what is down is asked again."""
        before, self.trouble = self.trouble, redacted(str(error))
        if isinstance(error, PortError):
            self.stamp, self.rests_until = NEVER, monotonic() + REST_S
        if self.trouble != before:
            log.warning("lineage of %s can't be read: %s", self.origin.name, self.trouble)
        return self.trouble != before

    @property
    def told(self) -> Origin:
        return Origin(
            name=self.origin.name,
            nodes=len(self.fragment.nodes),
            edges=len(self.fragment.edges),
            trouble=self.trouble,
            notes=tuple(sorted(self.fragment.notes)[:NOTES_SHOWN]),
        )


class Atlas:
    """Implements `Lineage` over components, their feeds, and the origins that were declared."""

    def __init__(
        self,
        components: Mapping[str, Component],
        origins: Sequence[LineageOrigin] = (),
        declared: LineageSource | None = None,
    ) -> None:
        self._components = components
        self._declared = declared or LineageSource()
        self._pages = [_Page(origin) for origin in origins]
        self._chart: Chart | None = None
        self._lock = threading.Lock()

    def current(self) -> Chart:
        with self._lock:
            is_new = [page.turned() for page in self._pages]
            if self._chart is None or any(is_new):
                self._chart = self._drawn()
            return self._chart

    def _drawn(self) -> Chart:
        own = watched(self._components)
        fragment = together([own, *(page.fragment for page in self._pages)])
        chart = drawn(
            fragment,
            watched_names=self._components,
            aliases=self._declared.aliases,
            max_hops=self._declared.max_hops,
            hub_over=self._declared.hub_over,
        )
        return replace(chart, origins=tuple(page.told for page in self._pages))
