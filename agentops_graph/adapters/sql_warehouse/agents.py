"""What agents were asked and answered, in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlglot import exp

from agentops_graph.adapters.sql_warehouse.asking import Asking, seconds_of
from agentops_graph.adapters.sql_warehouse.layout import Layout
from agentops_graph.adapters.sql_warehouse.windows import Stretch
from agentops_graph.domain.outputs import NAME_LIMIT, TEXT_LIMIT, Calls, Exchange
from agentops_graph.warehouse.outputs import FIGURES, NAMES, TEXTS, calls_in

MOST_CALLS = 200_000  # of one look, the newest; figures only, some 20 MB
IDS_ASKED = 500  # in one statement


class SqlAgentLog(Asking):
    """Implements `AgentLog`."""

    def calls(self, agent: str, since: datetime, until: datetime) -> Calls:
        stretch = self._outputs(agent, since, until)
        layout = stretch.layout
        named = [exp.alias_(layout.text(name, NAME_LIMIT), f"n_{name}") for name in NAMES]
        figures = [exp.alias_(layout.number(name), f"f_{name}") for name in FIGURES]
        query = stretch.select(exp.alias_(layout.micros(), "moment"), *named, *figures)
        newest = query.order_by(exp.column("moment").desc(), "n_request_id DESC").limit(MOST_CALLS)
        rows = self.ask(newest, stretch.bound)[::-1]
        if not rows:
            self.must_hold("AGENT_OUTPUTS")
        return calls_in(seconds_of(rows), [row[1:] for row in rows])

    def exchanges(
        self, agent: str, since: datetime, until: datetime, ids: Sequence[str]
    ) -> dict[str, Exchange]:
        found: dict[str, Exchange] = {}
        for first in range(0, len(ids), IDS_ASKED):
            stretch = self._outputs(agent, since, until)
            found |= self._texts(stretch, ids[first : first + IDS_ASKED])
        return found

    def _texts(self, stretch: Stretch, ids: Sequence[str]) -> dict[str, Exchange]:
        layout = stretch.layout
        name = layout.text("request_id", NAME_LIMIT)
        marks = {f"p_i{number}": wanted for number, wanted in enumerate(ids)}
        query = stretch.select(
            exp.alias_(name.copy(), "request"),
            *(exp.alias_(layout.text(text, TEXT_LIMIT), f"t_{text}") for text in TEXTS),
            exp.alias_(self._turn(layout, name), "turn"),
        )
        asked = [exp.Placeholder(this=mark) for mark in marks]
        query = query.where(exp.In(this=name.copy(), expressions=asked))
        # Of several attempts the last one counts, and only that one travels.
        last = exp.select("request", *(f"t_{text}" for text in TEXTS))
        last = last.from_(query.subquery("attempts")).where("turn = 1").limit(len(ids))
        rows = self.ask(last, stretch.bound | marks)
        return {str(name): Exchange(*(str(t or "") for t in texts)) for name, *texts in rows}

    def _turn(self, layout: Layout, name: exp.Expr) -> exp.Expr:
        order = exp.Order(expressions=[exp.Ordered(this=layout.moment(), desc=True)])
        return exp.Window(this=exp.func("ROW_NUMBER"), partition_by=[name.copy()], order=order)

    def _outputs(self, agent: str, since: datetime, until: datetime) -> Stretch:
        return Stretch(self.layouts.of("AGENT_OUTPUTS"), "agent_name", agent, since, until)
