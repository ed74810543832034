"""The reasoner that needs no model: names a cause, or says what would settle it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentops_graph.diagnosis.precedents import BONUS_LIMIT
from agentops_graph.diagnosis.scoring import CONFIDENCE_LIMIT, weighed
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.domain.alert import Finding, claim_from
from agentops_graph.domain.diagnosis import Brief
from agentops_graph.domain.evidence import SIGNALS, Evidence
from agentops_graph.domain.knowledge import Cause, CauseAction, Page, SignalWeight

NOW = datetime(2026, 2, 28, 9, 30, tzinfo=UTC)


def cause(name, prior=0.2, actions=("send_slack_alert", "retrain_model"), **signals):
    return Cause(
        cause=name,
        title=name.replace("_", " ").capitalize(),
        runbook="model_drift.md",
        section="3.2",
        reference=f"model_drift.md#section-3-2-{name}",
        serves=("model_drift",),
        prior=prior,
        signals=tuple(
            SignalWeight(signal=s.replace("__", ":"), seen=seen, absent=absent)
            for s, (seen, absent) in signals.items()
        ),
        actions=tuple(CauseAction(action=a, priority=n) for n, a in enumerate(actions, 1)),
    )


SCHEMA = cause(
    "upstream_schema_change",
    0.3,
    few_features_drifted=(1.5, 0.8),
    drift_abrupt=(1.0, 0.6),
    feature_scaled=(1.2, 0.1),
    change__schema_change=(2.5, 0.5),
    new_version_before_onset=(-1.2, 0.0),
)
SEASON = cause("season", 0.2, seasonal_date=(2.2, 1.5), many_features_drifted=(1.0, 0.3))
RELEASE = cause(
    "bad_release", 0.2, new_version_before_onset=(3.0, 2.5), accuracy_dropped=(0.8, 0.8)
)
DRIFT = {
    "few_features_drifted": 1,
    "drift_abrupt": 1,
    "feature_scaled": 1,
    "accuracy_dropped": 1,
    "change:schema_change": 1,
    "new_version_before_onset": -1,
}


def incident(incident_id, root_cause, *, confirmed=True):
    text = f"Incident {incident_id}.\nRoot cause: {root_cause}\n\nIt drifted."
    return Page(
        reference=f"{incident_id}.md#section-1",
        document=incident_id,
        kind="incident",
        title="Drift",
        text=text,
        confirmed=confirmed,
    )


def brief(signals, causes=(SCHEMA, SEASON, RELEASE), precedents=()):
    finding = Finding(
        component="fraud",
        alert_type="model_drift",
        severity="critical",
        metric="drift_score",
        value=0.47,
        threshold=0.3,
        window_start=NOW,
        window_end=NOW,
        onset_at=NOW,
        features={"V17": 0.6, "V14": 0.8, "V1": 0.02, "V2": 0.01},
        summary="Model drift detected. Aggregate PSI: 0.47",
    )
    evidence = tuple(
        Evidence(
            evidence_id=f"ev-{signal}",
            incident_id="inc-1",
            kind="feature_drift",
            source="PREDICTION_LOGS",
            query="predictions()",
            summary=signal,
            signals={signal: strength},
            measured_at=NOW,
        )
        for signal, strength in signals.items()
    )
    return Brief(
        diagnosis_id="inc-1/D0",
        incident_id="inc-1",
        alert=claim_from([finding]).with_id("alert_2026-02-28_001"),
        evidence=evidence,
        causes=causes,
        pages=(),
        precedents=precedents,
        asked_at=NOW,
    )


def diagnosed(signals, **more):
    return EvidenceWeights().diagnose(brief(signals, **more))


def test_drift_after_a_schema_change_is_named_with_features_and_onset():
    diagnosis = diagnosed(DRIFT)
    assert diagnosis.cause == "upstream_schema_change"
    assert 0.7 <= diagnosis.confidence <= CONFIDENCE_LIMIT
    assert diagnosis.root_cause == (
        "Upstream schema change: V14 (0.80), V17 (0.60) of fraud since 2026-02-28 09:30 UTC"
    )
    assert diagnosis.runbook_reference == SCHEMA.reference == diagnosis.citations[0]


def test_a_diagnosis_names_the_evidence_for_and_against_each_hypothesis():
    first, *_, last = diagnosed(DRIFT).hypotheses
    assert "ev-change:schema_change" in first.evidence_for
    assert first.signals_against == ()
    assert last.cause == "bad_release"
    assert last.evidence_against == ("ev-new_version_before_onset",)


def test_actions_come_from_the_runbook_with_policys_word():
    actions = diagnosed(DRIFT).recommended_actions
    assert [(a.action, a.requires_approval) for a in actions] == [
        ("send_slack_alert", False),
        ("retrain_model", True),
    ]


def test_thin_evidence_gives_unknown_and_says_what_would_settle_it():
    diagnosis = diagnosed({"few_features_drifted": 1})
    assert (diagnosis.cause, diagnosis.confidence) == ("unknown", None)
    assert diagnosis.missing[0].startswith("change:schema_change: whether")
    assert not any(a.requires_approval for a in diagnosis.recommended_actions)


def test_evidence_against_every_cause_gives_unknown():
    against = dict.fromkeys(DRIFT, -1) | {"seasonal_date": -1}
    diagnosis = diagnosed(against)
    assert diagnosis.cause == "unknown"
    assert "none of the described causes" in diagnosis.root_cause


def test_two_causes_that_fit_alike_are_not_told_apart():
    twin = SCHEMA.model_copy(update={"cause": "twin"})
    diagnosis = diagnosed(DRIFT, causes=(SCHEMA, twin))
    assert diagnosis.cause == "unknown"
    assert "equally well" in diagnosis.root_cause


def test_no_runbook_for_the_alert_gives_unknown():
    diagnosis = diagnosed(DRIFT, causes=())
    assert (diagnosis.cause, diagnosis.hypotheses) == ("unknown", ())


def probability(name, **more):
    return next(h.probability for h in diagnosed(**more).hypotheses if h.cause == name)


SOME = {"few_features_drifted": 1, "drift_abrupt": 1}


def test_a_confirmed_incident_with_the_same_cause_raises_it_and_is_listed_first():
    past = (incident("INC-2", "bad_release"), incident("INC-1", "upstream_schema_change"))
    assert probability("upstream_schema_change", signals=SOME, precedents=past[1:]) > probability(
        "upstream_schema_change", signals=SOME
    )
    assert diagnosed(DRIFT, precedents=past).similar_incidents == ("INC-1", "INC-2")


@pytest.mark.parametrize(
    "past",
    [
        incident("INC-1", "upstream_schema_change", confirmed=False),
        incident("INC-1", "bad input\nupstream_schema_change was ruled out"),
        incident("inc-1", "upstream_schema_change"),  # the incident itself
    ],
)
def test_what_is_no_confirmed_precedent_weighs_nothing(past):
    assert probability("upstream_schema_change", signals=SOME, precedents=(past,)) == probability(
        "upstream_schema_change", signals=SOME
    )


def test_many_precedents_weigh_no_more_than_the_limit():
    pages = {f"INC-{n}": incident(f"INC-{n}", "upstream_schema_change") for n in range(30)}
    alone = weighed([SCHEMA], SOME, {})[0].score
    assert weighed([SCHEMA], SOME, pages)[0].score == pytest.approx(alone + BONUS_LIMIT)


def test_the_past_alone_names_no_cause_and_may_decide_between_two():
    seen = {"latency_ramp": 1.0, "memory_high": 1.0}
    twice = tuple(incident(f"INC-{n}", "leak") for n in range(2))
    told = diagnosed(seen, causes=(strong("leak", 0.25),), precedents=twice)
    assert (told.cause, "was the cause before" in told.root_cause) == ("unknown", True)
    rivals = (strong("leak", 0.6), strong("other", 0.6))
    assert diagnosed(seen, causes=rivals).cause == "unknown"
    assert diagnosed(seen, causes=rivals, precedents=twice).cause == "leak"


def strong(name, prior):
    return cause(name, prior, latency_ramp=(0.5, 0.0), memory_high=(0.5, 0.0))


def test_the_general_signal_of_a_similar_incident_favours_no_cause_by_itself():
    eager = cause("eager", similar_incident=(3.0, 0.0))
    one = weighed([eager], {"similar_incident": 1.0}, {})[0]
    assert one.effects == {}


NAMES = sorted(SIGNALS)[:6]
WEIGHT = st.floats(-3, 3)
WEIGHTS = st.dictionaries(st.sampled_from(NAMES), st.tuples(WEIGHT, WEIGHT))
CAUSES = st.lists(
    st.builds(
        lambda number, prior, signals: cause(f"cause_{number}", prior, **signals),
        st.integers(0, 9),
        st.floats(0.01, 0.99),
        WEIGHTS,
    ),
    max_size=5,
)
STRENGTHS = st.dictionaries(st.sampled_from(NAMES), st.floats(-1, 1))


@given(CAUSES, STRENGTHS)
def test_probabilities_leave_room_for_none_of_these(causes, signals):
    ranked = weighed(causes, signals, {})
    total = sum(w.probability for w in ranked)
    assert 0 <= total < 1 + 1e-9
    assert all(0 <= w.confidence <= CONFIDENCE_LIMIT for w in ranked)


@given(CAUSES, STRENGTHS, st.floats(0, 1), st.floats(0, 1), st.floats(0, 3))
def test_stronger_evidence_for_a_cause_alone_never_lowers_it(others, signals, one, two, weight):
    low, high = sorted((one, two))
    mine = cause("mine", 0.2, similar_to_nothing=(weight, 0.0))
    found = []
    for strength in (low, high):
        ranked = weighed([mine, *others], signals | {"similar_to_nothing": strength}, {})
        found.append(next(w for w in ranked if w.cause.cause == "mine"))
    assert found[1].probability >= found[0].probability - 1e-12
    assert found[1].confidence >= found[0].confidence - 1e-12


@given(STRENGTHS)
def test_the_same_brief_always_gives_the_same_diagnosis(signals):
    assert diagnosed(signals) == diagnosed(signals)
