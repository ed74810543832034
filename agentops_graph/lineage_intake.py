"""Takes in OpenLineage events: what is made from what is kept, and failed jobs are changes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from agentops_graph.controls import Controls
from agentops_graph.domain.frames import Change
from agentops_graph.domain.lineage.chart import Chart
from agentops_graph.domain.lineage.openlineage import (
    JobFailure,
    LineageEvent,
    failure_of,
    fragment_of,
)
from agentops_graph.domain.record import Record
from agentops_graph.errors import NotFoundError, PortError
from agentops_graph.verdicts import checked

FAILED = "job_failed"
TOO_OLD = timedelta(days=30)  # no evidence looks back as far
LINEAGE_IS_OFF = "lineage is off; a section `lineage:` in sources.yaml switches it on"


class LineageTaken(Record):
    """What became of an event."""

    edges: int = Field(ge=0)  # that it names
    failed: tuple[str, ...] = ()  # what a failure was written down for


class LineageIntake(Controls):
    """The part of the service that others tell lineage to, and where it is looked at."""

    def lineage(self) -> Chart:
        """The map as it is now."""
        return self._ports.lineage.current()

    def take_lineage(self, event: Mapping[str, Any]) -> LineageTaken:
        """Keeps the edges of an OpenLineage event. A FAIL of a job that a watched component rests
        on is recorded as a change, once. Raises InputError for what is no event, and NotFoundError
        while lineage is off."""
        ports = self._ports
        if ports.lineage_log is None:
            raise NotFoundError(LINEAGE_IS_OFF)
        sent, now = checked(LineageEvent, event), ports.clock.now()
        fragment = fragment_of(sent)
        ports.lineage_log.keep(fragment, now)
        failure = failure_of(sent)
        concerned = () if failure is None else _concerned(ports.lineage.current(), failure.job)
        if failure is None or not concerned or failure.at < now - TOO_OLD:
            return LineageTaken(edges=len(fragment.edges))
        if not ports.lineage_log.claim(failure, now):
            return LineageTaken(edges=len(fragment.edges))
        self._record(failure, concerned, min(failure.at, now))
        return LineageTaken(edges=len(fragment.edges), failed=concerned)

    def _record(self, failure: JobFailure, subjects: tuple[str, ...], at: datetime) -> None:
        """Whoever sends it again gets it recorded, when the warehouse did not take it now."""
        summary = f"{failure.job} failed: {failure.message} (run {failure.run_id})"
        try:
            for subject in subjects:
                self._ports.history.record_change(Change(at, FAILED, subject, summary))
        except PortError:
            assert self._ports.lineage_log is not None
            self._ports.lineage_log.release(failure)
            raise


def _concerned(chart: Chart, job: str) -> tuple[str, ...]:
    """Whom a failure of the job is written down for: the component that it is, the pipelines whose
    tables it fills, or itself when a component lies anywhere downstream."""
    thing = next((one for one in chart.things.values() if job in one.names), None)
    if thing is None:
        return ()
    below = [(one.hops, chart.things[one.name]) for one in chart.effects(thing.name)]
    filled = [t.name for hops, t in below if hops == 1 and t.is_watched and t.kind == "pipeline"]
    if thing.is_watched:
        return (thing.name,)
    if filled:
        return tuple(sorted(filled))
    return (thing.name,) if any(other.is_watched for _, other in below) else ()
