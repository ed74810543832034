"""The ledger's tables and the indexes that hold its rules."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from agentops_graph.domain.incident import OPEN

metadata = MetaData()
Instant = String(32)  # ISO 8601 in UTC with microseconds: sorts as text on every database

counters = Table(
    "counters",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("value", Integer, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", String(40), primary_key=True),
    Column("component", String(200), nullable=False),
    Column("segment", String(200), nullable=False, server_default=""),
    Column("alert_type", String(40), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("status", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("opened_by", String(200), nullable=False),
    Column("owner", String(200)),
    Column("needs_reconcile", Boolean, nullable=False, server_default=text("false")),
    Column("graph_version", String(20), nullable=False),
    Column("plan_number", Integer, nullable=False, server_default="0"),
    Column("onset_at", Instant),
    Column("opened_at", Instant, nullable=False),
    Column("diagnosed_at", Instant),
    Column("acted_at", Instant),
    Column("ended_at", Instant),
    Column("summary", Text, nullable=False, server_default=""),
)
_OPEN_WORDS = ", ".join(f"'{status}'" for status in OPEN)
# As text, word for word, so that both databases see that the partial index below serves it.
IS_OPEN = text(f"incidents.status IN ({_OPEN_WORDS})")
# Two alerts of one story can't open two incidents, whoever admits them.
Index(
    "one_open_incident",
    incidents.c.component,
    incidents.c.segment,
    incidents.c.alert_type,
    unique=True,
    sqlite_where=text(f"status IN ({_OPEN_WORDS})"),
    postgresql_where=text(f"status IN ({_OPEN_WORDS})"),
)
Index("incidents_by_time", incidents.c.opened_at)

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", String(60), primary_key=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("payload", Text, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("incident_id", String(40), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("plan_number", Integer, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("payload", Text, nullable=False),
)

timeline = Table(
    "timeline",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("payload", Text, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", String(40), primary_key=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("plan_number", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("kind", String(10), nullable=False),  # action | notice
    Column("action", String(40), nullable=False),
    Column("target", String(200), nullable=False),
    Column("proposal", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("status", String(12), nullable=False),
    Column("policy_reason", Text, nullable=False),
    Column("notes", Text, nullable=False, server_default="[]"),
    Column("requested_by", String(200), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("escalation_level", Integer, nullable=False, server_default="0"),
    Column("decided_by", String(200)),
    Column("decided_via", String(12)),
    Column("decided_at", Instant),
    Column("reason", Text),
    Column("superseded_by", String(40)),
    UniqueConstraint("incident_id", "plan_number", "step", "action"),
)
Index("approvals_by_status", approvals.c.status, approvals.c.kind)

effects = Table(
    "effects",
    metadata,
    Column("key", String(60), primary_key=True),
    Column("approval_id", String(40), nullable=False, index=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("target", String(200), nullable=False),
    Column("direction", String(4), nullable=False),
    Column("state", String(8), nullable=False),
    Column("writer", Text, nullable=False),
    Column("lease_token", Integer, nullable=False),
    Column("day", String(10), nullable=False),
    Column("intent_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("receipt", Text),
    Column("error", Text),
)
# While one effect on a target is open or unknown, no other may start there.
Index(
    "one_open_effect",
    effects.c.target,
    unique=True,
    sqlite_where=text("state IN ('intent', 'unknown')"),
    postgresql_where=text("state IN ('intent', 'unknown')"),
)
Index("effects_by_day", effects.c.target, effects.c.day)

switches = Table(
    "switches",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(20), nullable=False),
)

silences = Table(
    "silences",
    metadata,
    Column("silence_id", String(20), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("component", String(200), nullable=False),
    Column("alert_type", String(40)),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
    Column("by", String(200), nullable=False),
    Column("reason", Text, nullable=False),
)

timers = Table(
    "timers",
    metadata,
    Column("timer_id", String(120), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("approval_id", String(40)),
    Column("due_at", Instant, nullable=False),
    Column("done", Boolean, nullable=False, server_default=text("false")),
)
Index("timers_due", timers.c.done, timers.c.due_at)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("why", String(200), nullable=False),
    Column("done", Boolean, nullable=False, server_default=text("false")),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Instant, nullable=False),
    Column("error", Text),
)
Index("jobs_waiting", jobs.c.done, jobs.c.not_before)

leases = Table(
    "leases",
    metadata,
    Column("incident_id", String(40), primary_key=True),
    Column("token", Integer, nullable=False),
    Column("holder", Text, nullable=False),  # a Writer; empty when released
    Column("boot_id", String(60), nullable=False),
    Column("until", Float, nullable=False),  # seconds of the clock that `boot_id` names
)

runners = Table(
    "runners",
    metadata,
    Column("runner_id", String(120), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("holder", Text, nullable=False),
    Column("boot_id", String(60), nullable=False),
    Column("beat", Float, nullable=False),
    Column("stopped", Boolean, nullable=False, server_default=text("false")),
)

work = Table(
    "work",
    metadata,
    Column("key", String(60), primary_key=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("action", Text, nullable=False),
    Column("entry_point", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("writer", Text),
    Column("share", Float, nullable=False, server_default="0"),
    Column("progress", Text, nullable=False, server_default=""),
    Column("result", Text, nullable=False, server_default="{}"),
    Column("error", Text),
    Column("opened_at", Instant, nullable=False),
    Column("ended_at", Instant),
)

outbox = Table(
    "outbox",
    metadata,
    Column("notification_id", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("approval_id", String(40), nullable=False),
    Column("notice", Text, nullable=False),
    Column("marker", String(120), nullable=False, unique=True),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Instant, nullable=False),
    Column("reference", Text),
    Column("error", Text),
)
# Runners ask for these all the time, and there are few of them among all that were ever sent.
Index(
    "outbox_queued",
    outbox.c.not_before,
    sqlite_where=text("state = 'queued'"),
    postgresql_where=text("state = 'queued'"),
)
IS_QUEUED = text("outbox.state = 'queued'")

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("what", String(60), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("via", String(12), nullable=False),
    Column("incident_id", String(40), index=True),
    Column("fields", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)
