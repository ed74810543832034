"""What people say of an incident afterwards."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from agentops_graph.backtest import replay
from agentops_graph.controls import Controls
from agentops_graph.domain.approval import Door
from agentops_graph.domain.backtest import Backtest, BacktestPlan
from agentops_graph.domain.known import known_names
from agentops_graph.domain.noise import RuleNoise
from agentops_graph.domain.verdict import IncidentVerdict, VerdictWord
from agentops_graph.errors import InputError, NotFoundError
from agentops_graph.gathering.adjusted import adjusted
from agentops_graph.gathering.noise import noise
from agentops_graph.verdicts import checked

MOST_DAYS = 3650


class Judgements(Controls):
    """The part of the service with which people judge what was alerted."""

    def judge(
        self,
        incident_id: str,
        verdict: VerdictWord,
        *,
        actor: str,
        via: Door,
        of: str | None = None,
        comment: str = "",
    ) -> IncidentVerdict:
        """Keeps a verdict beside the earlier ones, of which the last counts. Raises NotFoundError
        for an incident that is not there."""
        ports = self._ports
        if (verdict == "duplicate") != (of is not None):
            raise InputError(
                "a duplicate, and nothing else, names the incident it is one of", field="of"
            )
        if of == incident_id:
            raise InputError(f"{incident_id} is no duplicate of itself", field="of")
        said = IncidentVerdict(
            incident_id=incident_id,
            verdict=verdict,
            of=of,
            actor=actor,
            via=via,
            at=ports.clock.now(),
            comment=comment.strip(),
        )
        return ports.incident_verdicts.give(said)

    def noise(
        self, days: float, *, only: Callable[[str], bool] = lambda _: True
    ) -> list[RuleNoise]:
        """How precise each rule has been by people's verdicts, and a line that would have been
        better; of incidents opened in the last days, for components that `only` lets through."""
        if not 0 < days <= MOST_DAYS:
            raise InputError(f"must be more than 0 and at most {MOST_DAYS}", field="days")
        ports = self._ports
        since = ports.clock.now() - timedelta(days=days)
        return noise(ports.log, ports.incident_verdicts, since, only=only)

    def backtest(
        self,
        component: str | None,
        since: datetime,
        until: datetime,
        *,
        every_s: float = 3600,
        tried: Mapping[str, str] | None = None,
        told: Callable[[int, int], None] = lambda *_: None,
        only: Callable[[str], bool] = lambda _: True,
    ) -> Backtest:
        """What the rules would have done over stored history, with some settings `tried` in place
        of the configured ones; of one component or of all. Writes nothing."""
        components = self._ports.components
        if component is not None and component not in components:
            raise NotFoundError(
                f"no component {component!r}; known: {known_names(sorted(components))}"
            )
        if not components:
            raise InputError("components.yaml names no component whose history could be replayed")
        chosen = list(components.values()) if component is None else [components[component]]
        plan = checked(
            BacktestPlan,
            {
                "components": [adjusted(each, tried or {}) for each in chosen],
                "since": since,
                "until": until,
                "every_s": every_s,
                "tried": dict(tried or {}),
            },
        )
        return replay(self._ports, plan, told, only=only)
