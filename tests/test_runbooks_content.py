"""The runbooks and incident reports that ship: readable, resolvable and told apart by evidence."""

import datetime
import math
import re
from pathlib import Path

import pytest
import yaml

from agentops_graph.domain.action import ACTION_KINDS, NOTICE_KINDS
from agentops_graph.domain.alert import AlertType, Severity
from agentops_graph.domain.diagnosis import RecommendedAction
from agentops_graph.domain.evidence import CHANGE_PREFIX, SIGNALS
from agentops_graph.domain.knowledge import CONDITION, Cause
from agentops_graph.domain.plan import next_action, notices

RUNBOOKS = Path(__file__).parent.parent / "runbooks"
NAMES = {
    "model_drift.md",
    "data_quality.md",
    "latency_spike.md",
    "retraining.md",
    "rollback.md",
    "incident_response.md",
    "cost_spike.md",
    "provider_outage.md",
}
ALERT_TYPES = AlertType.__args__
RUNBOOK_KEYS = {"title", "serves", "causes"}
CAUSE_KEYS = {"cause", "title", "section", "prior", "signals", "actions"}
INCIDENT_KEYS = {
    "incident_id",
    "title",
    "alert_type",
    "component",
    "severity",
    "date",
    "root_cause",
    "resolution",
    "duration_minutes",
    "confirmed",
}
REFERENCE = re.compile(r"`(?P<reference>(?P<file>[a-z_]+\.md)#[a-z0-9-]+)`")
PATHS = sorted(RUNBOOKS.glob("*.md"))
REPORTS = sorted((RUNBOOKS / "incidents").glob("*.md"))


def matter(path: Path) -> dict:
    """The front matter as any YAML reader sees it."""
    return yaml.safe_load(path.read_text(encoding="utf-8").split("---\n", 2)[1])


def document(path: Path) -> Document:
    """The document as the product reads it, which refuses what it does not know."""
    return parse_document(str(path.relative_to(RUNBOOKS)), path.read_text(encoding="utf-8"))


DOCUMENTS = {path.name: document(path) for path in (*PATHS, *REPORTS)}
CAUSES = [cause for path in PATHS for cause in DOCUMENTS[path.name].causes]
BY_NAME = {cause.cause: cause for cause in CAUSES}


def sections(path: Path) -> dict[str, Section]:
    """Numbered sections by number."""
    return {s.number: s for s in DOCUMENTS[path.name].sections if s.number}


def test_the_eight_runbooks_and_fifteen_incident_reports_are_there():
    assert {path.name for path in PATHS} == NAMES
    assert len(REPORTS) == 15
    assert {"INC-2026-0115.md", "INC-2026-0203.md"} <= {path.name for path in REPORTS}


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_a_runbook_has_known_keys_and_serves_known_alert_types(path):
    matter, body = opened(path)
    assert set(matter) <= RUNBOOK_KEYS
    assert matter["title"]
    assert matter["serves"]
    assert set(matter["serves"]) <= set(ALERT_TYPES)
    assert len(headings(body)) >= 8
    assert len(path.read_text().splitlines()) < 300


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_a_runbook_says_how_to_verify_whom_to_call_and_what_not_to_do(path):
    _, body = opened(path)
    titles = {title for title, _ in headings(body).values()}
    assert {"How to verify", "Escalation", "What not to do"} <= titles
    assert "agentops " in body
    assert "├──" in body or "inconclusive ->" in body


def test_cause_names_are_unique_over_all_runbooks():
    assert len(BY_NAME) == len(CAUSES)


def test_every_alert_type_has_at_least_two_causes():
    for alert_type in ALERT_TYPES:
        assert sum(alert_type in cause.serves for cause in CAUSES) >= 2, alert_type


@pytest.mark.parametrize("cause", CAUSES, ids=lambda c: c.cause)
def test_signals_of_a_cause_are_known_and_named_once(cause):
    signals = [weight.signal for weight in cause.signals]
    assert len(set(signals)) == len(signals)
    for weight in cause.signals:
        known = weight.signal in SIGNALS or re.fullmatch(
            re.escape(CHANGE_PREFIX) + "[a-z_]+", weight.signal
        )
        assert known, f"{cause.cause}: {weight.signal}"
    assert any(weight.seen > 0 for weight in cause.signals)


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
    assert "send_slack_alert" in earlier
    assert "close_github_issue" not in earlier
    assert earlier <= {*ACTION_KINDS, *NOTICE_KINDS}
    if "deploy_model" in earlier:
        assert "retrain_model" in earlier


@pytest.mark.parametrize("path", [*PATHS, *REPORTS], ids=lambda p: p.name)
def test_every_reference_in_a_text_leads_to_a_section(path):
    for match in REFERENCE.finditer(opened(path)[1]):
        anchors = {a for _, a in headings(opened(RUNBOOKS / match["file"])[1]).values()}
        assert match["anchor"] in anchors, match[0]


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.name)
def test_every_incident_that_a_runbook_names_has_its_report(path):
    named = set(re.findall(r"INC-\d{4}-\d{4}", path.read_text()))
    assert named <= {report.stem for report in REPORTS}


@pytest.mark.parametrize("path", REPORTS, ids=lambda p: p.stem)
def test_an_incident_report_is_complete_and_names_a_cause_of_its_alert_type(path):
    matter, body = opened(path)
    assert set(matter) == INCIDENT_KEYS
    assert matter["incident_id"] == path.stem
    assert isinstance(matter["date"], datetime.date)
    assert matter["date"].strftime("INC-%Y-%m%d") == path.stem
    assert matter["date"] < datetime.date(2026, 11, 1)
    assert matter["severity"] in Severity.__args__
    assert matter["confirmed"] is True
    assert matter["alert_type"] in BY_NAME[matter["root_cause"]].serves
    titles = [title for title, _ in headings(body).values()]
    assert titles == ["Summary", "Timeline", "Root cause", "Resolution", "Lessons"]
    assert BY_NAME[matter["root_cause"]].reference in body


@pytest.mark.parametrize("path", REPORTS, ids=lambda p: p.stem)
def test_the_duration_of_a_report_is_the_time_from_alert_to_close(path):
    matter, body = opened(path)
    rows = [line for line in section(body, "2").splitlines() if re.search(r"\d\d:\d\d", line)]
    alert = next(line for line in rows if re.search(r"\| alert, ", line))
    ended = next(line for line in reversed(rows) if "closed" in line)
    start, end = (
        datetime.datetime.strptime(re.findall(r"\d\d:\d\d", line)[at], "%H:%M")
        for line, at in ((alert, 0), (ended, -1))
    )
    assert matter["duration_minutes"] == (end - start).total_seconds() / 60


def test_the_incident_reports_cover_every_alert_type():
    assert {opened(path)[0]["alert_type"] for path in REPORTS} == set(ALERT_TYPES)


def test_model_drift_section_3_2_gives_the_three_usual_causes():
    _, body = opened(RUNBOOKS / "model_drift.md")
    assert headings(body)["3.2"] == (
        "The three usual causes",
        "section-3-2-the-three-usual-causes",
    )
    text = section(body, "3.2")
    for cause in ("Upstream schema change", "Season", "Source outage"):
        assert f"**{cause}" in text
    assert "INC-2026-0115" in text
    for cause in ("upstream_schema_change", "seasonal_shift", "source_outage"):
        assert BY_NAME[cause].section == "3.2"


# What an expert would expect to be seen for each cause, by the alert that brings it.
TYPICAL = [
    ("model_drift", "upstream_schema_change", "drift_seen few_features_drifted drift_abrupt "
     "feature_scaled accuracy_dropped change:schema_change"),
    ("model_drift", "upstream_schema_change", "drift_seen few_features_drifted drift_abrupt "
     "feature_shifted accuracy_dropped change:vendor_api_change"),
    ("accuracy_drop", "upstream_schema_change", "drift_seen few_features_drifted drift_abrupt "
     "feature_scaled feature_shifted accuracy_dropped change:schema_change similar_incident"),
    ("model_drift", "seasonal_shift", "drift_seen many_features_drifted drift_gradual "
     "accuracy_steady seasonal_date"),
    ("model_drift", "source_outage", "drift_seen few_features_drifted drift_abrupt feature_nulls "
     "quality_bad accuracy_dropped change:source_outage"),
    ("model_drift", "source_outage", "drift_seen few_features_drifted drift_abrupt feature_nulls "
     "quality_bad volume_low"),
    ("accuracy_drop", "concept_drift", "accuracy_dropped"),
    ("accuracy_drop", "bad_release", "accuracy_dropped new_version_before_onset change:deploy"),
    ("accuracy_drop", "training_data_damage", "accuracy_dropped new_version_before_onset "
     "training_data_damaged"),
    ("data_quality", "vendor_nulls", "quality_bad feature_nulls change:vendor_api_change"),
    ("data_quality", "vendor_nulls", "quality_bad feature_nulls"),
    ("data_quality", "schema_violation_in_feed", "quality_bad change:schema_change"),
    ("volume_anomaly", "duplicate_load", "volume_high"),
    ("volume_anomaly", "partial_load", "volume_low"),
    ("volume_anomaly", "feed_stopped", "volume_low feed_empty"),
    ("volume_anomaly", "demand_peak", "volume_high seasonal_date change:promotion"),
    ("anomaly_spike", "attack_wave", "drift_seen drift_abrupt few_features_drifted "
     "change:traffic_shift"),
    ("anomaly_spike", "schema_violation_in_feed", "drift_seen few_features_drifted quality_bad "
     "feature_scaled change:schema_change"),
    ("latency", "larger_model_version", "latency_high latency_step new_version_before_onset"),
    ("latency", "infrastructure_saturation", "latency_high errors_high change:infrastructure"),
    ("latency", "traffic_growth", "latency_high latency_ramp volume_high change:traffic_shift"),
    ("latency", "dependency_slow", "latency_high latency_step change:vendor_api_change"),
    ("memory_bloat", "memory_leak", "latency_ramp new_version_before_onset change:deploy"),
    ("memory_bloat", "context_growth", "tokens_high cost_high change:config_change"),
    ("cost_spike", "token_bloat", "cost_high tokens_high change:prompt_change"),
    ("cost_spike", "token_bloat", "cost_high tokens_high new_version_before_onset"),
    ("cost_spike", "price_change", "cost_high change:price_change"),
    ("cost_spike", "retry_storm", "cost_high errors_high latency_high"),
    ("cost_spike", "routing_to_large_model", "cost_high latency_step change:config_change"),
    ("convergence_stall", "looping_session", "tokens_high latency_high latency_ramp"),
    ("provider_outage", "provider_incident", "errors_high latency_high change:provider_incident"),
    ("provider_outage", "key_or_quota", "errors_high change:key_rotation"),
    ("provider_outage", "network_fault", "errors_high latency_high change:infrastructure"),
    ("provider_outage", "bad_client_release", "errors_high new_version_before_onset change:deploy"),
    ("policy_false_positives", "policy_too_strict", "change:policy_change"),
    ("policy_false_positives", "request_mix_shift", "drift_seen change:traffic_shift"),
    ("policy_false_positives", "agent_behaviour_change", "new_version_before_onset "
     "change:prompt_change"),
]  # fmt: skip


def shares(alert_type: str, seen: set[str], *, all_looked_for: bool) -> dict[str, float]:
    """Share of each candidate cause when log-odds are added up and normalised."""
    scores = {}
    for cause in CAUSES:
        if alert_type not in cause.serves:
            continue
        score = math.log(cause.prior)
        for weight in cause.signals:
            if weight.signal in seen:
                score += weight.seen
            elif all_looked_for:
                score -= weight.absent
        scores[cause.cause] = math.exp(score)
    total = sum(scores.values())
    return {cause: value / total for cause, value in scores.items()}


@pytest.mark.parametrize(("alert_type", "expected", "signals"), TYPICAL)
def test_typical_evidence_tells_a_cause_from_all_others(alert_type, expected, signals):
    share = shares(alert_type, set(signals.split()), all_looked_for=True)
    assert max(share, key=share.__getitem__) == expected, share
    assert share[expected] >= 0.7, share


@pytest.mark.parametrize(("alert_type", "expected", "signals"), TYPICAL)
def test_a_cause_still_leads_when_nothing_was_looked_for_beyond_what_was_seen(
    alert_type, expected, signals
):
    share = shares(alert_type, set(signals.split()), all_looked_for=False)
    assert max(share, key=share.__getitem__) == expected, share


def test_every_cause_is_tried_against_typical_evidence():
    assert {expected for _, expected, _ in TYPICAL} == set(BY_NAME)


@pytest.mark.parametrize(("alert_type", "_expected", "signals"), TYPICAL)
def test_typical_evidence_uses_known_signals(alert_type, _expected, signals):
    assert alert_type in ALERT_TYPES
    for signal in signals.split():
        assert signal in SIGNALS or signal.startswith(CHANGE_PREFIX)


def recommended(cause: str) -> tuple[RecommendedAction, ...]:
    return tuple(
        RecommendedAction(
            action=step.action,
            priority=step.priority,
            requires_approval=step.action in ACTION_KINDS,
            condition=step.condition,
        )
        for step in BY_NAME[cause].actions
    )


def test_an_upstream_schema_change_is_retrained_then_deployed_and_rolled_back_if_that_fails():
    plan = recommended("upstream_schema_change")
    assert notices(plan) == ["send_slack_alert", "create_github_issue", "notify_data_team"]
    assert next_action(plan, {}).action == "retrain_model"
    assert next_action(plan, {"retrain_model": "passed"}).action == "deploy_model"
    assert next_action(plan, {"retrain_model": "inconclusive"}).action == "deploy_model"
    assert next_action(plan, {"retrain_model": "failed"}).action == "rollback_model"
    assert next_action(plan, {"retrain_model": "rejected"}).action == "rollback_model"


@pytest.mark.parametrize("cause", ["seasonal_shift", "demand_peak", "attack_wave", "price_change"])
def test_what_only_a_person_should_judge_leads_to_notices_alone(cause):
    assert next_action(recommended(cause), {}) is None


def test_a_duplicate_load_is_never_loaded_again():
    assert "rerun_pipeline" not in {step.action for step in BY_NAME["duplicate_load"].actions}
