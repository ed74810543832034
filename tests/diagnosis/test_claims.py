"""What a diagnosis says stands in its evidence, and causes of two failures hold side by side."""

import pytest

from agentops_graph.diagnosis.claims import claims_from
from agentops_graph.diagnosis.scoring import doubt, holding_too, led, weighed
from agentops_graph.diagnosis.weights import EvidenceWeights
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.knowledge import Page
from evals.diagnosis.world import Told
from evals.grounding.checks import checks
from tests.desk import NOON
from tests.diagnosis.test_evidence_weights import DRIFT, SCHEMA, brief, cause


def observed(evidence_id, kind, signals):
    return Evidence(
        evidence_id=evidence_id,
        incident_id="INC-2026-1",
        kind=kind,
        source="s",
        query="q",
        summary="seen",
        signals=signals,
        measured_at=NOON,
    )


PRECEDENT = (
    observed("E2", "feature_drift", {"drift_seen": 1.0, "drift_growing": -1.0}),
    observed("E7", "similar_incidents", {"similar_incident": 0.3}),
)


class Pages:
    def page(self, reference):
        return Page(reference=reference, document="d", kind="runbook", title="t", text="some text")


def diagnosed_brief():
    given = brief(DRIFT)
    first, *rest = given.evidence
    first = first.model_copy(update={"values": {"drifted_features": 2, "features": 30}})
    given = given.model_copy(update={"evidence": (first, *rest)})
    return Told(given, EvidenceWeights().diagnose(given))


def test_a_claim_names_its_evidence_with_the_figures_that_stand_there():
    claim = next(
        c for c in diagnosed_brief().diagnosis.claims if c.signal == "few_features_drifted"
    )
    assert claim.evidence_id == "ev-few_features_drifted"
    assert claim.text.endswith("yes (drifted_features = 2, features = 30)")
    assert claim.weight == 1.5


def test_a_precedent_that_is_in_the_sum_is_among_the_claims():
    claims = claims_from({"similar_incident": 0.5, "drift_seen": 0.6}, PRECEDENT)
    assert [(c.signal, c.weight, c.evidence_id) for c in claims] == [
        ("drift_seen", 0.6, "E2"),
        ("similar_incident", 0.5, "E7"),
    ]
    assert "looks the same: yes" in claims[1].text


def test_every_claim_of_a_diagnosis_holds():
    found = list(checks(diagnosed_brief(), Pages()))
    assert len(found) > 10
    assert all(holds for _, holds in found)


@pytest.mark.parametrize(
    "lie",
    [
        {"text": "one to five features drifted: yes (drifted_features = 3, features = 30)"},
        {"text": "one to five features drifted: yes (drifted_features = 2)"},
        {"seen": False},
        {"evidence_id": "ev-drift_abrupt"},
        {"evidence_id": "nowhere"},
    ],
)
def test_a_claim_that_says_other_than_its_evidence_is_found_out(lie):
    told = diagnosed_brief()
    claims = tuple(
        c.model_copy(update=lie) if c.signal == "few_features_drifted" else c
        for c in told.diagnosis.claims
    )
    told.diagnosis = told.diagnosis.model_copy(update={"claims": claims})
    assert sum(not holds for _, holds in checks(told, Pages())) == 1


SLOW = cause("slow_vendor", 0.2, latency_step=(2.0, 0.5), log_timeouts=(2.0, 0.0))
TWO = DRIFT | {"latency_step": 1, "log_timeouts": 1}


def test_a_second_failure_with_marks_of_its_own_holds_beside_the_first():
    ranked = weighed([SCHEMA, SLOW], TWO, {})
    assert [w.cause.cause for w in holding_too(ranked)] == ["slow_vendor"]
    assert doubt(ranked) is None
    assert led(ranked)[0].probability > ranked[0].probability
    diagnosis = EvidenceWeights().diagnose(brief(TWO, causes=(SCHEMA, SLOW)))
    assert (diagnosis.cause, diagnosis.also) == ("upstream_schema_change", ("slow_vendor",))


def test_what_follows_from_most_failures_marks_no_second_one():
    world = cause("concept_drift", 0.3, accuracy_dropped=(1.5, 0.0), errors_concentrated=(2.2, 0.0))
    follows = DRIFT | {"accuracy_dropped": 1, "errors_concentrated": 1}
    assert holding_too(weighed([SCHEMA, world], follows, {})) == []


def test_two_suspects_of_one_failure_do_not_both_hold():
    rival = SLOW.model_copy(update={"cause": "slow_machines"})
    ranked = weighed([SLOW, rival], {"latency_step": 1, "log_timeouts": 1}, {})
    assert holding_too(ranked) == []
    assert "equally well" in doubt(ranked)


def test_each_action_says_what_it_does_and_what_it_risks():
    actions = EvidenceWeights().diagnose(brief(DRIFT)).recommended_actions
    retrain = next(a for a in actions if a.action == "retrain_model")
    assert (retrain.risk, retrain.reversible) == ("low", True)
    assert "production stays as it is" in retrain.effect
    assert "training run" in retrain.cost


@pytest.mark.parametrize(("told_as", "wrong"), [("0.80", 0), ("0.90", 1)])
def test_a_feature_whose_name_is_quoted_is_held_against_its_figure_as_well(told_as, wrong):
    told = diagnosed_brief()
    name = "petal width (cm)"
    (finding,) = told.brief.alert.findings
    alert = told.brief.alert.model_copy(
        update={"findings": (finding.model_copy(update={"features": {name: 0.8}}),)}
    )
    again = told.brief.model_copy(update={"alert": alert})
    found = EvidenceWeights().diagnose(again)
    assert f"«{name}» (0.80) of fraud" in found.root_cause
    said = found.root_cause.replace("(0.80)", f"({told_as})")
    told = Told(again, found.model_copy(update={"root_cause": said}))
    assert sum(not holds for _, holds in checks(told, Pages())) == wrong
