"""The runbooks and incident reports that ship: readable, resolvable and told apart by evidence."""

import datetime
import re
from pathlib import Path

import pytest
import yaml

from agentops_graph.diagnosis.precedents import stamped
from agentops_graph.diagnosis.runbook import Document, Section, parse_document
from agentops_graph.diagnosis.scoring import doubt, weighed
from agentops_graph.diagnosis.weights import recommended
from agentops_graph.domain.alert import AlertType, Severity
from agentops_graph.domain.evidence import CHANGE_PREFIX, SIGNALS
from agentops_graph.domain.knowledge import CONDITION, Cause, Page
from agentops_graph.domain.plan import next_action, notices

RUNBOOKS = Path(__file__).parent.parent / "runbooks"
PATHS = sorted(RUNBOOKS.glob("*.md"))
REPORTS = sorted((RUNBOOKS / "incidents").glob("*.md"))
PROCEDURES = {"retraining.md", "rollback.md"}
DIAGNOSES = {
    *("model_drift.md", "data_quality.md", "latency_spike.md", "cost_spike.md"),
    *("provider_outage.md", "incident_response.md", "blind_source.md"),
    "feature_faults.md",
}
ALERT_TYPES = AlertType.__args__
INCIDENT_KEYS = {
    *("incident_id", "title", "alert_type", "component", "severity", "date", "root_cause"),
    *("resolution", "duration_minutes", "confirmed"),
}
REFERENCE = re.compile(r"(?P<reference>(?P<file>[a-z_]+\.md)#[a-z0-9-]+)")


def matter(path: Path) -> dict:
    """The front matter as any YAML reader sees it."""
    return yaml.safe_load(path.read_text(encoding="utf-8").split("---\n", 2)[1])


def document(path: Path) -> Document:
    """The document as the product reads it, which refuses what it does not know."""
    return parse_document(path.relative_to(RUNBOOKS).as_posix(), path.read_text(encoding="utf-8"))


DOCUMENTS = {path.name: document(path) for path in (*PATHS, *REPORTS)}
CAUSES = [cause for found in DOCUMENTS.values() for cause in found.causes]
BY_NAME = {cause.cause: cause for cause in CAUSES}


def numbered(name: str) -> dict[str, Section]:
    return {s.number: s for s in DOCUMENTS[name].sections if s.number}


def test_the_ten_runbooks_and_fifteen_incident_reports_are_there():
    assert {path.name for path in PATHS} == DIAGNOSES | PROCEDURES
    assert len(REPORTS) == 15
    assert {"INC-2026-0115.md", "INC-2026-0203.md"} <= {path.name for path in REPORTS}


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_a_runbook_has_known_keys_and_numbered_sections(path):
    found = DOCUMENTS[path.name]
    assert set(matter(path)) <= {"title", "serves", "causes"}
    assert set(found.alert_types) <= set(ALERT_TYPES)
    numbers = [s.number for s in found.sections[1:]]
    assert all(numbers)
    assert len(set(numbers)) == len(numbers) >= 10
    assert bool(found.causes) is (path.name not in PROCEDURES)
    assert len(path.read_text().splitlines()) < 300


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_a_runbook_says_how_to_verify_whom_to_call_and_what_not_to_do(path):
    titles = {s.title for s in DOCUMENTS[path.name].sections}
    assert {"How to verify", "Escalation", "What not to do"} <= titles
    text = path.read_text()
    assert "`agentops " in text
    assert "├──" in text or "inconclusive ->" in text


def test_cause_names_are_unique_over_all_runbooks():
    assert len(BY_NAME) == len(CAUSES)


@pytest.mark.parametrize("alert_type", ALERT_TYPES)
def test_every_alert_type_has_at_least_two_causes(alert_type):
    assert sum(alert_type in cause.serves for cause in CAUSES) >= 2


@pytest.mark.parametrize("cause", CAUSES, ids=lambda c: c.cause)
def test_a_cause_leads_to_its_own_section(cause):
    section = numbered(cause.runbook)[cause.section]
    assert cause.reference == section.reference
    assert section.reference.startswith(f"{cause.runbook}#section-")
    assert section.text


@pytest.mark.parametrize("cause", CAUSES, ids=lambda c: c.cause)
def test_signals_of_a_cause_are_known_and_named_once(cause):
    signals = [weight.signal for weight in cause.signals]
    assert len(set(signals)) == len(signals)
    for signal in signals:
        assert signal in SIGNALS or re.fullmatch(CHANGE_PREFIX + "[a-z_]+", signal), signal
    assert sum(weight.seen > 0 for weight in cause.signals) >= 2


@pytest.mark.parametrize("cause", CAUSES, ids=lambda c: c.cause)
def test_actions_of_a_cause_follow_each_other_and_conditions_name_an_earlier_action(cause):
    priorities = [step.priority for step in cause.actions]
    assert priorities == sorted(set(priorities))
    earlier: set[str] = set()
    for step in cause.actions:
        if step.condition is not None:
            assert CONDITION.match(step.condition)["action"] in earlier
        assert step.action not in earlier
        earlier.add(step.action)
    assert {"send_slack_alert", "create_github_issue"} <= earlier
    assert "close_github_issue" not in earlier
    assert "deploy_model" not in earlier or "retrain_model" in earlier


@pytest.mark.parametrize("path", [*PATHS, *REPORTS], ids=lambda p: p.name)
def test_every_reference_in_a_text_leads_to_a_section(path):
    for match in REFERENCE.finditer(path.read_text()):
        known = {s.reference for s in DOCUMENTS[match["file"]].sections}
        assert match["reference"] in known


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_every_incident_that_a_runbook_names_has_its_report(path):
    named = set(re.findall(r"INC-\d{4}-\d{4}", path.read_text()))
    assert named <= {report.stem for report in REPORTS}


@pytest.mark.parametrize("path", REPORTS, ids=lambda p: p.stem)
def test_an_incident_report_is_complete_and_names_a_cause_of_its_alert_type(path):
    front, found = matter(path), DOCUMENTS[path.name]
    assert set(front) == INCIDENT_KEYS
    assert found.name == front["incident_id"] == path.stem
    assert front["date"].strftime("INC-%Y-%m%d") == path.stem
    assert front["date"] < datetime.date(2026, 11, 1)
    assert front["severity"] in Severity.__args__
    assert front["confirmed"] is True
    cause = BY_NAME[front["root_cause"]]
    assert front["alert_type"] in cause.serves
    assert cause.reference in numbered(path.name)["3"].text
    titles = [s.title for s in numbered(path.name).values()]
    assert titles == ["Summary", "Timeline", "Root cause", "Resolution", "Lessons"]


@pytest.mark.parametrize("path", REPORTS, ids=lambda p: p.stem)
def test_the_duration_of_a_report_is_the_time_from_alert_to_close(path):
    rows = numbered(path.name)["2"].text.splitlines()
    alert = next(row for row in rows if "| alert, " in row)
    ended = next(row for row in reversed(rows) if "closed" in row)
    start = datetime.datetime.strptime(re.findall(r"\d\d:\d\d", alert)[0], "%H:%M")
    end = datetime.datetime.strptime(re.findall(r"\d\d:\d\d", ended)[-1], "%H:%M")
    assert matter(path)["duration_minutes"] == (end - start).total_seconds() / 60


def test_the_incident_reports_cover_every_alert_type():
    assert {matter(path)["alert_type"] for path in REPORTS} == set(ALERT_TYPES)


def test_model_drift_section_3_2_gives_the_three_usual_causes():
    section = numbered("model_drift.md")["3.2"]
    assert section.reference == "model_drift.md#section-3-2-the-three-usual-causes"
    for cause in ("Upstream schema change", "Season", "Source outage"):
        assert f"**{cause}" in section.text
    assert "INC-2026-0115" in section.text
    for cause in ("upstream_schema_change", "seasonal_shift", "source_outage"):
        assert BY_NAME[cause].reference == section.reference


# What an expert expects to see for each cause, by the alert that brings it.
SHORT = {
    "BREAK": "drift_seen few_features_drifted drift_abrupt",
    "WIDE": "drift_seen many_features_drifted drift_gradual",
    "RELEASE": "new_version_before_onset",
}
TYPICAL = """
model_drift upstream_schema_change BREAK drift_large feature_scaled change:schema_change
model_drift upstream_schema_change BREAK feature_shifted accuracy_dropped change:vendor_api_change
accuracy_drop upstream_schema_change BREAK feature_scaled feature_shifted change:schema_change
model_drift seasonal_shift WIDE accuracy_steady seasonal_date
model_drift source_outage BREAK feature_nulls quality_bad accuracy_dropped change:source_outage
model_drift source_outage BREAK feature_nulls quality_bad volume_low
accuracy_drop concept_drift accuracy_dropped errors_concentrated
accuracy_drop label_fault accuracy_dropped errors_everywhere drift_abrupt
model_drift column_mix_up BREAK features_swapped drift_large
model_drift category_rename BREAK category_renamed categories_new
model_drift time_zone_shift BREAK feature_shifted feature_moved_by_hours
model_drift population_drift drift_seen drift_growing
accuracy_drop bad_release accuracy_dropped RELEASE change:deploy
accuracy_drop training_data_damage accuracy_dropped RELEASE training_data_damaged
data_quality vendor_nulls quality_bad feed_nulls feature_nulls change:vendor_api_change
data_quality vendor_nulls quality_bad feed_nulls feature_nulls
data_quality schema_violation_in_feed quality_bad feed_violations change:schema_change
volume_anomaly duplicate_load volume_high batches_repeated
volume_anomaly partial_load volume_low batches_small
volume_anomaly feed_stopped volume_low feed_empty feed_overdue
volume_anomaly late_data volume_low feed_overdue change:job_delayed
volume_anomaly time_zone_shift volume_low feed_overdue batch_times_shifted
volume_anomaly demand_peak volume_high seasonal_date change:promotion
anomaly_spike attack_wave drift_seen drift_abrupt few_features_drifted change:traffic_shift
anomaly_spike schema_violation_in_feed quality_bad feed_violations change:schema_change
latency larger_model_version latency_high latency_step RELEASE
latency infrastructure_saturation latency_high errors_high change:infrastructure
latency traffic_growth latency_high latency_ramp requests_high change:traffic_shift
latency dependency_slow latency_high latency_step change:vendor_api_change
memory_bloat memory_leak memory_growing latency_ramp RELEASE change:deploy
memory_bloat context_growth tokens_high cost_high change:config_change
cost_spike token_bloat cost_high cost_risen tokens_high change:prompt_change
cost_spike token_bloat cost_high cost_risen tokens_high RELEASE
cost_spike price_change cost_high change:price_change
cost_spike retry_storm cost_high errors_high latency_high
cost_spike routing_to_large_model cost_high latency_step change:config_change
convergence_stall looping_session sessions_long tokens_high latency_high latency_ramp
provider_outage provider_incident errors_high latency_high change:provider_incident
provider_outage key_or_quota errors_high change:key_rotation
provider_outage network_fault errors_high latency_high change:infrastructure
provider_outage bad_client_release errors_high RELEASE change:deploy
provider_outage source_down source_blind source_down
provider_outage source_slow source_blind source_slow
provider_outage source_garbled source_blind source_garbled
policy_false_positives policy_too_strict change:policy_change
policy_false_positives request_mix_shift drift_seen change:traffic_shift
policy_false_positives agent_behaviour_change RELEASE change:prompt_change
"""


def read_case(line: str) -> tuple[str, str, frozenset[str]]:
    alert_type, expected, *seen = line.split()
    return alert_type, expected, frozenset(" ".join(SHORT.get(s, s) for s in seen).split())


CASES = [read_case(line) for line in TYPICAL.strip().splitlines()]


def measured(alert_type: str, seen: frozenset[str]) -> dict[str, float]:
    """Every signal that some candidate asks for was looked for; those in `seen` were there."""
    asked = {w.signal for c in CAUSES if alert_type in c.serves for w in c.signals}
    return dict.fromkeys(asked, -1.0) | dict.fromkeys(seen, 1.0)


def candidates(alert_type: str) -> list[Cause]:
    return [cause for cause in CAUSES if alert_type in cause.serves]


@pytest.mark.parametrize(("alert_type", "expected", "seen"), CASES)
def test_typical_evidence_names_its_cause(alert_type, expected, seen):
    ranked = weighed(candidates(alert_type), measured(alert_type, seen), {})
    assert ranked[0].cause.cause == expected
    assert doubt(ranked) is None


@pytest.mark.parametrize(("alert_type", "expected", "seen"), CASES)
def test_a_cause_still_leads_when_only_what_was_seen_was_measured(alert_type, expected, seen):
    ranked = weighed(candidates(alert_type), dict.fromkeys(seen, 1.0), {})
    assert ranked[0].cause.cause == expected


@pytest.mark.parametrize("alert_type", ALERT_TYPES)
def test_no_cause_is_named_when_everything_was_looked_for_and_nothing_seen(alert_type):
    assert doubt(weighed(candidates(alert_type), measured(alert_type, frozenset()), {}))


def test_every_cause_is_tried_and_by_known_signals():
    assert {expected for _, expected, _ in CASES} == set(BY_NAME)
    for _, _, seen in CASES:
        assert all(s in SIGNALS or s.startswith(CHANGE_PREFIX) for s in seen)


def test_the_report_of_january_is_a_precedent_for_an_upstream_schema_change_alone():
    report = DOCUMENTS["INC-2026-0115.md"]
    page = Page(
        reference=report.sections[-1].reference,
        document=report.name,
        kind="incident",
        title=report.title,
        text=stamped(report, report.sections[-1]),
    )
    before = {w.cause.cause: w.score for w in weighed(candidates("model_drift"), {}, {})}
    after = weighed(candidates("model_drift"), {}, {report.name: page})
    raised = [w.cause.cause for w in after if w.score > before[w.cause.cause]]
    assert raised == ["upstream_schema_change"]


def test_an_upstream_schema_change_is_retrained_then_deployed_and_rolled_back_if_that_fails():
    plan = recommended(BY_NAME["upstream_schema_change"])
    assert notices(plan) == ["send_slack_alert", "create_github_issue", "notify_data_team"]
    assert next_action(plan, {}).action == "retrain_model"
    assert next_action(plan, {"retrain_model": "passed"}).action == "deploy_model"
    assert next_action(plan, {"retrain_model": "inconclusive"}).action == "deploy_model"
    assert next_action(plan, {"retrain_model": "failed"}).action == "rollback_model"
    assert next_action(plan, {"retrain_model": "rejected"}).action == "rollback_model"


@pytest.mark.parametrize("cause", ["seasonal_shift", "demand_peak", "attack_wave", "price_change"])
def test_what_only_a_person_should_judge_leads_to_notices_alone(cause):
    assert next_action(recommended(BY_NAME[cause]), {}) is None


def test_a_duplicate_load_is_never_loaded_again():
    assert "rerun_pipeline" not in {step.action for step in BY_NAME["duplicate_load"].actions}
