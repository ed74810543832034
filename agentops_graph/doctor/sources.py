"""Checks of the sources that sources.yaml declares: whether they answer, and with what."""

from collections.abc import Sequence

from agentops_graph.doctor.check import Check, State, Visit
from agentops_graph.domain.sources.trial import Trial

SHOWN = 3  # of what is wrong with a source; the command shows all


def sources(visit: Visit) -> list[Check]:
    """One check per declared source, by trying all that it is declared for."""
    declared = visit.ports.sources()
    if not declared:
        seen = "off: sources.yaml has no Prometheus or MLflow section"
        return [Check(name="sources", state="ok", seen=seen)]
    return [_summed_up(source.name, source.trials()) for source in declared]


def _summed_up(name: str, trials: Sequence[Trial]) -> Check:
    wrong = [trial for trial in trials if trial.state != "ok"]
    if not wrong:
        first = f"{trials[0].seen}; " if trials else ""
        reads = max(len(trials) - 1, 0)
        return Check(name=name, state="ok", seen=f"{first}{reads} declared reads give points")
    state: State = "broken" if any(trial.state == "broken" for trial in wrong) else "degraded"
    told = "; ".join(f"{trial.what}: {trial.seen}" for trial in wrong[:SHOWN])
    more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
    mend = wrong[0].mend or "agentops sources check"
    return Check(name=name, state=state, seen=f"{told}{more}", mend=mend)
