"""What happened around the components: changes, and incidents that ended."""

from collections.abc import Sequence
from datetime import datetime

from sqlglot import exp

from agentops_graph.adapters.sql_warehouse.asking import Asking, moment_of
from agentops_graph.adapters.sql_warehouse.windows import told
from agentops_graph.domain.frames import Change, PastIncident
from agentops_graph.domain.incident import Incident, Resolution
from agentops_graph.domain.profile import ReferenceProfile
from agentops_graph.errors import NotEnoughDataError
from agentops_graph.warehouse.history import change_row, incident_row, minutes_of, reference_row

MOST = 5000
LONGEST = 20_000  # characters of a summary


class SqlHistory(Asking):
    """Implements `History`, and the reads of CHANGES."""

    def changes(self, subjects: Sequence[str], since: datetime, until: datetime) -> list[Change]:
        layout = self.layouts.of("CHANGES")
        names = {f"p_s{number}": name for number, name in enumerate(subjects)}
        if not names:
            return []
        texts = [layout.text(n, LONGEST) for n in ("kind", "subject", "summary", "link")]
        columns = [exp.alias_(text, f"t{n}") for n, text in enumerate(texts)]
        query = exp.select(exp.alias_(layout.micros(), "moment"), *columns)
        query = self.between(query.from_(layout.table.copy()), layout)
        marks = [exp.Placeholder(this=name) for name in names]
        query = query.where(exp.In(this=layout.text("subject"), expressions=marks))
        bound: dict[str, object] = {**names, "p_since": told(since), "p_until": told(until)}
        rows = self.ask(query.order_by("moment").limit(MOST), bound)
        return [
            Change(moment_of(at), kind or "", subject or "", summary or "", link)
            for at, kind, subject, summary, link in rows
        ]

    def past_incidents(self, since: datetime, until: datetime) -> list[PastIncident]:
        try:
            layout = self.layouts.of("INCIDENTS")
        except NotEnoughDataError:
            return []
        columns = [
            exp.alias_(layout.micros(), "moment"),
            exp.alias_(layout.text("incident_id"), "incident"),
            exp.alias_(layout.text("alert_type"), "kind"),
            exp.alias_(layout.number("duration_minutes"), "minutes"),
        ]
        query = self.between(exp.select(*columns).from_(layout.table.copy()), layout)
        bound: dict[str, object] = {"p_since": told(since), "p_until": told(until)}
        return [
            PastIncident(moment_of(at), str(name), str(kind or ""), minutes_of(lasted))
            for at, name, kind, lasted in self.ask(query.order_by("moment").limit(MOST), bound)
        ]

    def record_incident(self, incident: Incident, resolution: Resolution, root_cause: str) -> None:
        self.writer.write("INCIDENTS", [incident_row(incident, resolution, root_cause)])

    def save_reference(self, profile: ReferenceProfile) -> None:
        self.writer.write("MODEL_REFERENCE", [reference_row(profile)])

    def record_change(self, change: Change) -> None:
        self.writer.write("CHANGES", [change_row(change)])
