"""Evidence says what was seen, what was looked for and absent, and what could not be asked."""

import sqlite3
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest

from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.component import Component
from agentops_graph.domain.evidence import SIGNALS, merged_signals
from agentops_graph.domain.frames import Change
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.knowledge import Page
from agentops_graph.domain.ledger import Version
from agentops_graph.errors import UnavailableError
from agentops_graph.gathering.gather import gather
from agentops_graph.gathering.measure import measure
from agentops_graph.lineage_ports import NO_LINEAGE
from tests.gathering.fraud_world import NOW

ONSET = NOW - timedelta(minutes=50)
KINDS = [
    "metric_history",
    "feature_drift",
    "data_quality",
    "changes",
    "model_versions",
    "service_health",
    "similar_incidents",
    "runbook_sections",
    "error_pattern",
    "root_cause_ranking",
    "version_diff",
    "pipeline_runs",
]


class ListedModels:
    """A registry that holds the versions it was given."""

    def __init__(self, *versions):
        self.held = list(versions)

    def production(self, model):
        return self.held[0] if self.held else None

    def version(self, model, version):
        return next(v for v in self.held if v.version == version)

    def versions(self, model):
        return self.held


class ListedPages:
    """A shelf that finds all its pages of a kind."""

    def __init__(self, *pages):
        self.pages = pages

    def search(self, query, *, kind=None, alert_type=None, component=None, limit=5):
        return [page for page in self.pages if page.kind == kind][:limit]


PAST = Page(
    reference="INC-2026-0115.md#summary",
    document="INC-2026-0115",
    kind="incident",
    title="Summary",
    text="The field that becomes feature V14 changed its unit.",
    alert_types=("model_drift",),
)
SECTION = Page(
    reference="model_drift.md#section-3-2-usual-causes",
    document="model_drift.md",
    kind="runbook",
    title="Usual causes",
    text="upstream schema change, season, source outage",
)


def made(hours_before_onset, version="2"):
    at = ONSET - timedelta(hours=hours_before_onset)
    return Version(model="fraud-detector", version=version, created_at=at)


def desk(world, **ports):
    given = {
        "warehouse": world.warehouse,
        "components": {"fraud-detector": world.component},
        "models": ListedModels(made(500)),
        "logs": (),
        "facts": (),
        "evidence_folder": None,
        "shelf": ListedPages(PAST, SECTION),
        "lineage": NO_LINEAGE,
    }
    given["surroundings"] = lambda: None
    return SimpleNamespace(**(given | ports))


def asked(ports, claim, **more):
    alert = claim.with_id("alert_2026-02-28_001")
    incident = Incident(
        incident_id="inc-1",
        component=claim.affected_component,
        alert_type=claim.alert_type,
        severity=claim.severity,
        status="investigating",
        title="t",
        plan_number=2,
        opened_at=NOW,
    )
    return gather(ports, incident, alert, NOW, **more)


def drift_claim(world):
    return measure(world.warehouse, world.component, NOW).grouped()[0]


@pytest.fixture
def drifted(world):
    world.reference()
    world.log(onset=ONSET)
    world.batches()
    return world


def test_a_vendor_change_leaves_its_signals(drifted):
    at = ONSET - timedelta(minutes=3)
    drifted.warehouse.record_change(Change(at, "schema_change", "transactions", "vendor API v2"))
    evidence = asked(desk(drifted), drift_claim(drifted))
    signals = merged_signals(tuple(evidence))
    seen = {name for name, strength in signals.items() if strength == 1}
    assert seen == {
        "drift_abrupt",
        "accuracy_dropped",
        "drift_seen",
        "drift_large",
        "errors_concentrated",
        "few_features_drifted",
        "feature_scaled",
        "feature_shifted",
        "change:schema_change",
        "similar_incident",
        "upstream_moved_first",
    }
    assert signals["change:deploy"] == signals["new_version_before_onset"] == -1
    assert signals["quality_bad"] == signals["feed_empty"] == signals["latency_high"] == -1
    assert all(name in SIGNALS or name.startswith("change:") for name in signals)


def test_evidence_is_numbered_in_declared_order_with_its_read(drifted):
    evidence = asked(desk(drifted), drift_claim(drifted))
    assert [piece.kind for piece in evidence] == KINDS
    numbers = range(1, len(KINDS) + 1)
    assert [piece.evidence_id for piece in evidence] == [f"inc-1/p2/E{n}" for n in numbers]
    assert evidence[1].query.startswith("predictions(model=fraud-detector, 2026-02-28 13:")
    assert evidence[6].references == (PAST.reference,)
    assert evidence[7].references == (SECTION.reference,)


def test_no_change_is_absent_evidence(drifted):
    changes = asked(desk(drifted), drift_claim(drifted))[3]
    assert changes.status == "absent"
    assert changes.signals["change:deploy"] == changes.signals["change:schema_change"] == -1


def test_without_a_table_of_changes_nobody_looked(drifted):
    with sqlite3.connect(drifted.warehouse.path) as connection:
        connection.execute("DROP TABLE CHANGES")
    found = asked(desk(drifted), drift_claim(drifted))
    (evidence,) = [e for e in found if e.kind == "changes"]
    assert (evidence.status, evidence.signals) == ("absent", {})
    assert "changes are not recorded" in evidence.summary


def test_a_change_after_the_onset_is_told_and_speaks_for_nothing(drifted):
    drifted.warehouse.record_change(
        Change(NOW - timedelta(minutes=2), "deploy", "fraud-detector", "v3")
    )
    changes = asked(desk(drifted), drift_claim(drifted))[3]
    assert "after the onset" in changes.summary
    assert changes.signals["change:deploy"] == -1


def test_a_version_made_an_hour_before_the_onset_is_seen(drifted):
    ports = desk(drifted, models=ListedModels(made(1, "3"), made(500)))
    assert asked(ports, drift_claim(drifted))[4].signals["new_version_before_onset"] == 1


def test_a_source_that_fails_is_failed_evidence_and_the_rest_still_comes(drifted):
    class Down(ListedModels):
        def versions(self, model):
            raise UnavailableError("registry: connection refused")

    evidence = asked(desk(drifted, models=Down()), drift_claim(drifted))
    assert evidence[4].status == "failed"
    assert "connection refused" in evidence[4].summary
    of_the_registry = ("model_versions", "version_diff")
    rest = [piece.status for piece in evidence if piece.kind not in of_the_registry]
    assert "failed" not in rest
    assert rest.count("ok") == 9


def test_a_source_that_hangs_costs_its_timeout_and_no_more(drifted):
    release = threading.Event()

    class Hanging(ListedPages):
        def search(self, query, **more):
            release.wait(30)
            return []

    claim = drift_claim(drifted)
    evidence = asked(desk(drifted, shelf=Hanging()), claim, timeout_s=1.5)
    release.set()
    assert [piece.status for piece in evidence[6:8]] == ["failed", "failed"]
    assert evidence[1].status == "ok"


def test_nulls_upstream_are_told_from_a_new_scale(world):
    world.reference()
    world.log(hours=2)
    world.log(hours=0.5, seed=4, features="{}")
    claim = AlertClaim(
        severity="critical",
        alert_type="model_drift",
        affected_component="fraud-detector",
        timestamp=NOW,
        onset_at=NOW - timedelta(minutes=30),
    )
    signals = asked(desk(world), claim)[1].signals
    assert signals["feature_nulls"] == signals["many_features_drifted"] == 1
    assert signals["feature_scaled"] == signals["few_features_drifted"] == -1


def test_an_agents_costs_and_tokens_are_evidence(world):
    def minutes(start, count, cost, tokens):
        return [
            {
                "timestamp": start + timedelta(minutes=m),
                "agent_name": "helper",
                "requests": 20,
                "cost_per_request": cost,
                "tokens_per_request": tokens,
                "error_rate": 0.0,
                "latency_p95": 300.0,
                "total_cost": 20 * cost,
            }
            for m in range(count)
        ]

    world.warehouse.write("AGENT_METRICS", minutes(NOW - timedelta(hours=9), 480, 0.02, 800))
    world.warehouse.write("AGENT_METRICS", minutes(NOW - timedelta(hours=1), 60, 0.3, 9000))
    agent = Component(name="helper", kind="agent")
    ports = desk(world, components={"helper": agent})
    (claim,) = measure(world.warehouse, agent, NOW).grouped()
    signals = merged_signals(tuple(asked(ports, claim)))
    assert signals["cost_high"] == signals["tokens_high"] == 1
    assert signals["errors_high"] == signals["latency_high"] == -1


def test_a_pipelines_own_violations_are_evidence(world):
    world.batches(until=NOW - timedelta(hours=1))
    world.batches(hours=1, violations=40)
    pipeline = Component(name="transactions", kind="pipeline")
    (claim,) = measure(world.warehouse, pipeline, NOW).grouped()
    evidence = asked(desk(world, components={"transactions": pipeline}), claim)
    assert [piece.kind for piece in evidence] == [
        "metric_history",
        "data_quality",
        "changes",
        "similar_incidents",
        "runbook_sections",
        "root_cause_ranking",
        "pipeline_runs",
    ]
    assert evidence[1].signals["quality_bad"] == 1
    assert evidence[1].signals["volume_low"] == evidence[1].signals["feed_empty"] == -1
    assert claim.onset_at == NOW - timedelta(minutes=55)


def test_a_feed_that_delivers_much_less_than_usual_is_seen(drifted):
    drifted.batches(hours=40, until=NOW - timedelta(hours=3), every_s=60)
    signals = asked(desk(drifted), drift_claim(drifted))[2].signals
    assert signals["volume_low"] == 1
    assert signals["feed_empty"] == -1


def test_slow_predictions_are_a_step_or_a_ramp(world):
    world.reference()
    world.log(hours=2)
    world.log(hours=0.5, per_hour=2400, seed=4, latency_ms=3000.0)
    claim = AlertClaim(
        severity="warning",
        alert_type="latency",
        affected_component="fraud-detector",
        timestamp=NOW,
        onset_at=NOW - timedelta(minutes=30),
    )
    signals = asked(desk(world), claim)[5].signals
    assert signals["latency_high"] == signals["latency_step"] == 1
    assert signals["latency_ramp"] == signals["errors_high"] == -1


def test_a_version_trained_on_bad_batches_is_seen(drifted):
    made_at = ONSET - timedelta(hours=2)
    drifted.batches(hours=10, until=made_at, every_s=60, violations=100)
    evidence = asked(desk(drifted, models=ListedModels(made(2))), drift_claim(drifted))
    assert evidence[4].signals["training_data_damaged"] == 1


def test_a_component_nobody_configured_still_gets_its_evidence(drifted):
    evidence = asked(desk(drifted, components={}), drift_claim(drifted))
    assert [piece.kind for piece in evidence] == KINDS
    assert evidence[2].status == "absent"
    assert evidence[2].signals == {}


class OddPages(ListedPages):
    """A shelf with a fault of its own in one kind of search."""

    def search(self, query, *, kind=None, **more):
        if kind == "incident":
            raise TypeError("unhashable: list \x1b[2J of postgres://ann:hunter22@db/x " + "y" * 900)
        return super().search(query, kind=kind, **more)


def test_a_fault_in_one_gatherer_is_one_failed_piece_and_never_the_end(drifted, caplog):
    evidence = asked(desk(drifted, shelf=OddPages(PAST, SECTION)), drift_claim(drifted))
    assert [piece.kind for piece in evidence] == KINDS
    failed = [piece for piece in evidence if piece.status == "failed"]
    assert [piece.kind for piece in failed] == ["similar_incidents"]
    summary = failed[0].summary
    assert summary.startswith("incident reports failed: TypeError: unhashable: list [2J of")
    assert summary.endswith("this is a fault in similar_incidents, and the log has its trace")
    assert "hunter22" not in summary
    assert summary.isprintable()
    assert len(summary) < 400
    (record,) = [r for r in caplog.records if "similar_incidents" in r.getMessage()]
    assert record.exc_info[0] is TypeError
