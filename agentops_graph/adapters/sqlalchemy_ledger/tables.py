"""The ledger's tables and the indexes that hold its rules."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from agentops_graph.adapters.sqlalchemy_ledger.delivery_tables import deliveries as deliveries
from agentops_graph.adapters.sqlalchemy_ledger.delivery_tables import (
    outside_alerts as outside_alerts,
)
from agentops_graph.adapters.sqlalchemy_ledger.delivery_tables import outside_ends as outside_ends
from agentops_graph.adapters.sqlalchemy_ledger.lesson_tables import (
    calibrations as calibrations,
)
from agentops_graph.adapters.sqlalchemy_ledger.lesson_tables import outcomes as outcomes
from agentops_graph.adapters.sqlalchemy_ledger.lineage_tables import (
    lineage_edges as lineage_edges,
)
from agentops_graph.adapters.sqlalchemy_ledger.lineage_tables import (
    lineage_failures as lineage_failures,
)
from agentops_graph.adapters.sqlalchemy_ledger.people_tables import credentials as credentials
from agentops_graph.adapters.sqlalchemy_ledger.people_tables import votes as votes
from agentops_graph.adapters.sqlalchemy_ledger.schema import Instant
from agentops_graph.adapters.sqlalchemy_ledger.schema import metadata as metadata
from agentops_graph.adapters.sqlalchemy_ledger.sealed import Document, Sealed, Words
from agentops_graph.adapters.sqlalchemy_ledger.sight_table import sights as sights
from agentops_graph.adapters.sqlalchemy_ledger.verdict_table import (
    incident_verdicts as incident_verdicts,
)
from agentops_graph.adapters.sqlalchemy_ledger.work_columns import WORK_COLUMNS
from agentops_graph.domain.incident import OPEN

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
    Column("title", Words("incidents.title"), nullable=False),
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
    Column("summary", Words("incidents.summary"), nullable=False, server_default=""),
    Column("hourly_cost", Float),
    Column("currency", String(3)),
    Column("metric_loss", Float),
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
Index("incidents_by_end", incidents.c.ended_at)

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", String(60), primary_key=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("payload", Document("alerts.payload"), nullable=False),
    # Of rows that an older version wrote these are the incident's.
    Column("component", String(200)),
    Column("segment", String(200)),
    Column("alert_type", String(40)),
    Column("severity", String(10)),
    Column("excess", Float),
)

records = Table(
    "records",
    metadata,
    Column("incident_id", String(40), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("plan_number", Integer, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("payload", Document("records.payload"), nullable=False),
)

timeline = Table(
    "timeline",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("payload", Document("timeline.payload"), nullable=False),
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
    Column("proposal", Sealed("approvals.proposal"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("status", String(12), nullable=False),
    Column("policy_reason", Words("approvals.policy_reason"), nullable=False),
    Column("notes", Document("approvals.notes"), nullable=False, server_default="[]"),
    Column("requested_by", String(200), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("escalation_level", Integer, nullable=False, server_default="0"),
    Column("decided_by", String(200)),
    Column("decided_via", String(12)),
    Column("decided_at", Instant),
    Column("reason", Words("approvals.reason")),
    Column("superseded_by", String(40)),
    Column("requested_with", String(40)),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("quorum", Integer),  # of an older ledger's rows, whose votes nobody wrote down: none
    Column("four_eyes", Boolean, nullable=False, server_default=text("true")),
    # What an edit replaced makes room in `action`: one approval of a step is the current one.
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
    Column("day", String(10), nullable=False),  # read by older versions only
    Column("intent_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("receipt", Document("effects.receipt")),
    Column("error", Words("effects.error")),
)
# While one effect on a target is open or unknown, no other may start there.
Index(
    "one_open_effect",
    effects.c.target,
    unique=True,
    sqlite_where=text("state IN ('intent', 'unknown')"),
    postgresql_where=text("state IN ('intent', 'unknown')"),
)
IS_UNSETTLED = text("effects.state IN ('intent', 'unknown')")
Index("effects_by_intent", effects.c.target, effects.c.intent_at)

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
    Column("reason", Words("silences.reason"), nullable=False),
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
    Column("set_at", Instant),
    Column("back_due_at", Instant),  # when it ends by a clock that was put behind `set_at`
    Column("claimed_at", Instant),
    Column("claimed_until", Instant),
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
    Column("error", Words("jobs.error")),
    Column("put_off_at", Instant),
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

work = Table("work", metadata, *WORK_COLUMNS)

outbox = Table(
    "outbox",
    metadata,
    Column("notification_id", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(40), nullable=False, index=True),
    Column("approval_id", String(40), nullable=False),
    Column("notice", Sealed("outbox.notice"), nullable=False),
    Column("marker", String(120), nullable=False, unique=True),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("not_before", Instant, nullable=False),
    Column("reference", Text),
    Column("error", Words("outbox.error")),
    Column("claim", Integer, nullable=False, server_default="0"),
    Column("claimed_by", Text),  # a Writer; empty while nobody sends it
    Column("claimed_until", Float),  # seconds of the clock that leases run on
    Column("put_off_at", Instant),
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
