"""A check and what it is made from: the settings, and the ports when somebody asks for them."""

from collections.abc import Callable
from typing import Literal

from agentops_graph.data_folder import Places
from agentops_graph.domain.record import Record
from agentops_graph.ports import Ports
from agentops_graph.settings import Settings

State = Literal["ok", "degraded", "broken"]


class Check(Record):
    """One thing looked at; `mend` is the next step when there is one."""

    name: str
    state: State
    seen: str
    mend: str = ""


class Visit:
    """One examination: the settings, and the ports as soon as somebody asks for them."""

    def __init__(self, settings: Settings, open_ports: Callable[[], Ports]) -> None:
        self.settings = settings
        self.places = Places(settings.home)
        self._open = open_ports
        self._ports: Ports | None = None

    @property
    def ports(self) -> Ports:
        if self._ports is None:
            self._ports = self._open()
        return self._ports
