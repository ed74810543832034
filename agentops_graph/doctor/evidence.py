"""Checks of the logs and APIs that are declared as evidence."""

from collections.abc import Sequence

from agentops_graph.doctor.check import Check, Visit
from agentops_graph.errors import InputError, NotEnoughDataError, PortError
from agentops_graph.evidence_ports import Source

MEND = "see docs/sources.md; without it a diagnosis goes on and says that it did not answer"


def logs(visit: Visit) -> list[Check]:
    return _checks(visit, "logs", visit.ports.logs)


def rest(visit: Visit) -> list[Check]:
    return _checks(visit, "rest", visit.ports.facts)


def _checks(visit: Visit, section: str, sources: Sequence[Source]) -> list[Check]:
    """One for each source; each is asked for little."""
    if not sources:
        seen = f"off: sources.yaml has no `{section}`"
        return [Check(name=section, state="ok", seen=seen)]
    return [_check(visit, section, source) for source in sources]


def _check(visit: Visit, section: str, source: Source) -> Check:
    name = f"{section} {source.name}"
    try:
        seen = source.check(visit.ports.clock.now())
    except (PortError, NotEnoughDataError, InputError) as error:
        return Check(name=name, state="degraded", seen=str(error), mend=MEND)
    return Check(name=name, state="ok", seen=seen)
