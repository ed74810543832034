"""Tries the sections of sources.yaml that are no source of measures, in the doctor's own words."""

from collections.abc import Callable, Sequence

from agentops_graph.doctor.check import Check, Visit
from agentops_graph.doctor.evidence import logs, rest
from agentops_graph.doctor.lineage import lineage
from agentops_graph.doctor.pushed import pushed
from agentops_graph.doctor.watching import warehouse
from agentops_graph.domain.sources.declared import Sources
from agentops_graph.domain.sources.trial import Trial
from agentops_graph.errors import AgentOpsError


def _alertmanager(visit: Visit) -> list[Check]:
    """Who may read our own figures is no question of a source."""
    return pushed(visit)[:1]


LOOKS: dict[str, Callable[[Visit], Sequence[Check]]] = {
    "warehouse": warehouse,
    "logs": logs,
    "rest": rest,
    "lineage": lineage,
    "alertmanager": _alertmanager,
}


class Sections:
    """What is declared beside Prometheus and MLflow, each to be tried by its doctor's check."""

    def __init__(self, declared: Sources, visit: Visit) -> None:
        self._visit = visit
        is_named_outside = visit.settings.warehouse_url is not None
        self.names = [
            name
            for name in LOOKS
            if getattr(declared, name) or (name == "warehouse" and is_named_outside)
        ]
        self._entries = {
            (section, entry.name): frozenset(entry.components)
            for section in ("logs", "rest")
            for entry in getattr(declared, section)
        }

    @property
    def all_names(self) -> list[str]:
        """Of sections and of their entries."""
        return [*self.names, *(name for _, name in self._entries)]

    def trials(self, name: str | None) -> list[Trial]:
        """Of that section, entry or component, or of all; what fails is told and not raised."""
        return [
            trial
            for section in self.names
            if name in (None, section) or self._fitting(section, name)
            for trial in self._tried(section)
            if name in (None, section) or trial.what in self._fitting(section, name)
        ]

    def _fitting(self, section: str, name: str | None) -> list[str]:
        """The entries of a section that have that name or speak of that component."""
        return [
            entry
            for (held_in, entry), components in self._entries.items()
            if held_in == section and (name == entry or name in components)
        ]

    def _tried(self, section: str) -> list[Trial]:
        try:
            checks = LOOKS[section](self._visit)
        except AgentOpsError as error:
            return [Trial(source=section, what="reach", state="broken", seen=str(error))]
        return [_trial(section, check) for check in checks]


def _trial(section: str, check: Check) -> Trial:
    what = check.name.removeprefix(section).strip() or "reach"
    return Trial(source=section, what=what, state=check.state, seen=check.seen, mend=check.mend)
