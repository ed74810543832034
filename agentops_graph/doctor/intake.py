"""The check of what was loaded: rows that could not go in, and loads that were broken off."""

from agentops_graph.doctor.check import Check, Visit
from agentops_graph.errors import InputError


def ingest(visit: Visit) -> list[Check]:
    intake = visit.ports.intake
    if intake is None:
        return []
    try:
        held = intake.condition()
    except InputError as error:  # the rows of another system's warehouse are not ours to load
        return [Check(name="ingest", state="ok", seen=f"off: {error}")]
    if held.unfinished:
        seen = f"broken off: {', '.join(held.unfinished)}"
        mend = "load these again; each goes on where it had come to"
        return [Check(name="ingest", state="degraded", seen=seen, mend=mend)]
    if held.rows:
        seen = f"{held.rows} rows in quarantine, {held.loads} loads"
        mend = "see why with `agentops ingest quarantine`"
        return [Check(name="ingest", state="degraded", seen=seen, mend=mend)]
    seen = (
        f"{held.loads} loads, none in quarantine" if held.loads else "off: nothing was loaded yet"
    )
    return [Check(name="ingest", state="ok", seen=seen)]
