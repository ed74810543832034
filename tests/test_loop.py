"""The loop from alert to end, on the real graph and ledger."""

from datetime import timedelta

import pytest

from agentops_graph.errors import ConflictError, GoneError, InputError, RefusedError
from tests.desk import MODEL, NOON, Desk, traffic


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "home")


def deployed(desk: Desk) -> str:
    """An incident whose retrained version has just been deployed."""
    incident = desk.report()
    desk.work()
    desk.approve(incident)
    desk.training_ends(incident)
    desk.approve(incident)
    return incident


def test_a_broken_feed_ends_resolved_after_two_approvals(desk):
    incident = deployed(desk)
    desk.minutes_pass(2)
    case = desk.case(incident)
    assert case.incident.status == "resolved"
    assert case.resolution.summary == (
        "Model drift resolved. New model v2 deployed. F1: 0.80 -> 0.93"
    )
    assert desk.models.serving[MODEL] == "2"
    assert desk.actuator.keys == ["A-1:do", "A-2:do"]
    assert incident in desk.shelf.incidents
    assert desk.warehouse.history[0][0].incident_id == incident


def test_every_agent_is_seen_and_hands_over(desk):
    incident = deployed(desk)
    desk.minutes_pass(2)
    timeline = desk.case(incident).timeline
    assert {e.agent for e in timeline} >= {"Monitor", "Investigator", "Remediator"}
    handovers = [e.text.split(":")[0] for e in timeline if e.kind == "handover"]
    assert handovers[0] == "Monitor hands over to Investigator"
    assert "Investigator hands over to Remediator" in handovers


def test_nothing_is_carried_out_before_a_person_approves(desk):
    incident = desk.report()
    desk.work()
    desk.clock.move(3600)
    desk.work()
    assert desk.actuator.keys == []
    assert desk.case(incident).incident.status == "awaiting_approval"


def test_notices_go_out_without_a_person(desk):
    desk.report()
    desk.work()
    assert any("send_slack_alert" in marker for marker in desk.notifier.sent)


def test_a_rejected_retrain_leads_to_the_next_recommended_action(desk):
    incident = desk.report()
    desk.work()
    desk.reject(incident)
    (waiting,) = desk.case(incident).pending
    assert waiting.proposal.action.action == "rollback_model"
    assert waiting.proposal.action.to_version == "0"
    assert desk.actuator.keys == []


def test_rejecting_everything_ends_with_a_person_and_never_in_silence(desk):
    incident = desk.report()
    desk.work()
    desk.reject(incident)
    desk.reject(incident, "v0 is worse")
    case = desk.case(incident)
    assert case.incident.status == "escalated"
    assert case.incident.owner == "on-call"
    assert any("handed_over" in marker for marker in desk.notifier.sent)
    assert [a.status for a in case.resolution.actions_taken if a.action != "send_slack_alert"] == [
        "rejected",
        "rejected",
    ]


def test_a_failed_gate_leads_to_the_rollback(desk):
    incident = desk.report()
    desk.work()
    desk.approve(incident)
    desk.training_ends(incident, candidate=0.70)
    (waiting,) = desk.case(incident).pending
    assert waiting.proposal.action.action == "rollback_model"


def test_a_training_that_dies_leads_to_the_rollback(desk):
    incident = desk.report()
    desk.work()
    desk.approve(incident)
    desk.training_ends(incident, error="MemoryError")
    (waiting,) = desk.case(incident).pending
    assert waiting.proposal.action.action == "rollback_model"


def test_a_guard_that_fires_undoes_the_deploy_without_a_click(desk):
    incident = deployed(desk)
    desk.minutes_pass(2, failed=0.5)
    assert desk.models.serving[MODEL] == "1"
    assert desk.actuator.keys == ["A-1:do", "A-2:do", "A-2:undo"]
    case = desk.case(incident)
    assert case.incident.status == "escalated"
    assert "undone" in {a.status for a in case.resolution.actions_taken}


def test_an_undo_that_failed_goes_to_a_person_who_has_nothing_to_reconcile(desk):
    incident = deployed(desk)
    desk.actuator.refusal = "the registry is frozen for the audit"
    desk.minutes_pass(2, failed=0.5)
    case = desk.case(incident)
    (undo,) = [e for e in case.effects if e.direction == "undo"]
    assert (undo.state, case.incident.status) == ("failed", "escalated")
    assert not case.incident.needs_reconcile
    assert desk.service.to_reconcile() == []
    told = " ".join(event.text for event in case.timeline if event.node == "escalate")
    assert "the undo failed: the registry is frozen for the audit" in told


def test_an_undo_whose_answer_was_lost_goes_to_a_person_to_reconcile(desk):
    incident = deployed(desk)
    desk.actuator.loses_answers = True
    desk.minutes_pass(2, failed=0.5)
    case = desk.case(incident)
    (undo,) = [e for e in case.effects if e.direction == "undo"]
    assert (undo.state, case.incident.status) == ("unknown", "escalated")
    assert case.incident.needs_reconcile
    assert [effect.key for effect in desk.service.to_reconcile()] == [undo.key]


def test_the_undo_is_refused_when_somebody_else_moved_production(desk):
    incident = deployed(desk)
    desk.models.serving[MODEL] = "0"
    desk.minutes_pass(1, failed=0.5)
    desk.models.serving[MODEL] = "0"
    rows = desk.case(incident)
    assert "A-2:undo" not in desk.actuator.keys
    assert rows.incident.status in ("verifying", "escalated")


def test_a_health_window_without_fresh_data_is_not_called_healthy(desk):
    incident = deployed(desk)
    desk.clock.move(600)
    for _ in range(12):
        desk.clock.move(20)
        desk.work()
    assert desk.case(incident).incident.status == "escalated"


def test_a_claim_that_no_longer_holds_is_suppressed(desk):
    desk.warehouse.give(MODEL, traffic(NOON - timedelta(hours=3), 180, version="1", broken=False))
    incident = desk.report()
    desk.work()
    assert desk.case(incident).incident.status == "suppressed"
    assert desk.case(incident).pending == ()


def test_a_claim_that_can_not_be_measured_is_taken_as_it_came(desk):
    incident = desk.report(alert_type="cost_spike", summary="cost per request 0.31")
    desk.work()
    case = desk.case(incident)
    assert "taken as it came" in case.timeline[0].text
    assert case.incident.status == "awaiting_approval"


def test_the_same_alert_joins_the_open_incident(desk):
    first = desk.report()
    desk.work()
    approval = desk.pending(first)
    second = desk.report()
    desk.work()
    assert second == first
    assert desk.pending(first) == approval
    assert len(desk.case(first).alerts) == 2


def test_an_accuracy_drop_joins_the_drift_that_explains_it(desk):
    first = desk.report()
    desk.work()
    second = desk.report(alert_type="accuracy_drop", summary="F1 dropped")
    desk.work()
    assert desk.case(second).incident.status == "suppressed"
    assert any(second in e.text for e in desk.case(first).timeline)


def test_information_is_recorded_and_not_investigated(desk):
    incident = desk.report(severity="info")
    desk.work()
    assert desk.case(incident).incident.status == "suppressed"


def test_a_second_decision_is_told_who_was_first(desk):
    incident = desk.report()
    desk.work()
    approval = desk.pending(incident)
    desk.service.decide(approval, "approve", actor="mia", via="cli")
    with pytest.raises(ConflictError, match="already approved by mia"):
        desk.service.decide(approval, "reject", actor="tom", via="http", reason="no")


def test_a_rejection_needs_a_reason(desk):
    incident = desk.report()
    desk.work()
    with pytest.raises(InputError, match="reason"):
        desk.service.decide(desk.pending(incident), "reject", actor="mia", via="cli")


def test_a_decision_says_so_when_nobody_runs(desk):
    incident = desk.report()
    desk.work()
    decided = desk.service.decide(desk.pending(incident), "approve", actor="mia", via="cli")
    assert "no runner is alive" in decided.hint


def test_an_unanswered_approval_tells_the_next_person_and_stays_open(desk):
    incident = desk.report()
    desk.work()
    approval = desk.pending(incident)
    desk.clock.move(301)
    desk.work()
    told = [n.text for m, n in desk.notifier.sent.items() if m.endswith(":told")]
    assert len(told) == 1
    assert "For team" in told[0]
    desk.clock.move(301)
    desk.work()
    desk.work()
    assert len([m for m in desk.notifier.sent if m.endswith(":told")]) == 2
    assert desk.pending(incident) == approval
    desk.approve(incident)
    assert desk.actuator.keys == [f"{approval}:do"]


def test_an_expired_approval_is_gone_and_the_plan_is_made_anew(desk):
    incident = desk.report()
    desk.work()
    first = desk.pending(incident)
    desk.clock.move(86401)
    shifted = desk.warehouse.predictions(MODEL, NOON - timedelta(hours=3), NOON)
    desk.warehouse.give(
        MODEL, type(shifted)(**{**shifted.__dict__, "timestamps": shifted.timestamps + 86401})
    )
    with pytest.raises(GoneError):
        desk.service.decide(first, "approve", actor="mia", via="cli")
    desk.work()
    second = desk.pending(incident)
    assert second != first
    fresh = desk.service.approval(second)
    assert fresh.digest != desk.service.approval(first).digest
    assert fresh.proposal.plan_number == 1
    assert desk.actuator.keys == []


def test_an_unknown_outcome_waits_for_a_person_and_is_not_repeated(desk):
    incident = desk.report()
    desk.work()
    desk.actuator.loses_answers = True
    desk.approve(incident)
    case = desk.case(incident)
    assert case.incident.status == "escalated"
    assert case.incident.needs_reconcile
    (effect,) = desk.service.to_reconcile()
    assert desk.actuator.keys == [effect.key]
    settled = desk.service.reconcile(effect.key, True, actor="mia", note="it runs")
    assert settled.state == "done"


def test_paused_actions_do_nothing_and_say_so(desk):
    incident = desk.report()
    desk.work()
    desk.service.pause_actions(everything=False, actor="mia")
    desk.approve(incident)
    case = desk.case(incident)
    assert desk.actuator.keys == []
    assert case.incident.status == "escalated"
    assert "paused" in case.timeline[-1].text
    desk.service.resume_actions(actor="mia")
    desk.service.retry(incident, actor="mia")
    desk.work()
    desk.approve(incident)
    assert len(desk.actuator.keys) == 1


def test_a_production_that_moved_since_the_approval_stops_the_act(desk):
    incident = desk.report()
    desk.work()
    desk.models.serving[MODEL] = "0"
    desk.approve(incident)
    assert desk.actuator.keys == []
    assert "is 0 now" in desk.case(incident).timeline[-1].text


def test_a_node_that_fails_hands_the_incident_to_a_person(desk):
    class Broken:
        def diagnose(self, brief):
            raise ZeroDivisionError("a bug in a reasoner")

    object.__setattr__(desk.ports, "reasoner", Broken())
    incident = desk.report()
    desk.work()
    case = desk.case(incident)
    assert case.incident.status == "escalated"
    assert any("ZeroDivisionError" in e.text for e in case.timeline)


def test_a_restart_while_waiting_loses_nothing(desk):
    incident = desk.report()
    desk.work()
    approval = desk.pending(incident)
    desk.again()
    assert desk.pending(incident) == approval
    desk.approve(incident)
    assert desk.actuator.keys == [f"{approval}:do"]


def test_an_escalated_incident_is_closed_by_a_person(desk):
    incident = desk.report()
    desk.work()
    desk.reject(incident)
    desk.reject(incident)
    closed = desk.service.close(incident, actor="mia", note="turned the vendor's switch back")
    assert closed.status == "closed"
    with pytest.raises(ConflictError):
        desk.service.close(incident, actor="mia", note="again")


def test_a_notice_that_fails_is_tried_again_and_holds_up_nothing(desk):
    from agentops_graph.errors import UnavailableError

    desk.notifier.failure = UnavailableError("Slack is down")
    incident = desk.report()
    desk.work()
    assert desk.case(incident).incident.status == "awaiting_approval"
    desk.notifier.failure = None
    desk.clock.move(10)
    desk.work()
    assert desk.notifier.sent


def test_only_a_runner_with_the_lease_may_act(desk):
    from agentops_graph.effects import carry_out

    incident = desk.report()
    desk.work()
    approval = desk.pending(incident)
    desk.service.decide(approval, "approve", actor="mia", via="cli")
    with pytest.raises(RefusedError, match="lease"):
        carry_out(desk.ports, desk.service.approval(approval))


def test_the_audit_chain_holds_over_a_whole_incident(desk):
    deployed(desk)
    desk.minutes_pass(2)
    assert desk.ports.audit.verify() is None
    what = [row["what"] for row in desk.ports.audit.rows()]
    for expected in ("incident.opened", "approval.approved", "effect.intent", "effect.done"):
        assert expected in what


def test_every_effect_has_an_approval_a_digest_and_an_actor(desk):
    incident = deployed(desk)
    desk.minutes_pass(2)
    case = desk.case(incident)
    decided = {a.approval_id: a for a in case.approvals}
    for effect in case.effects:
        approval = decided[effect.approval_id]
        assert approval.status == "approved"
        assert approval.decided_by == "mia"
        assert approval.digest == approval.proposal.digest


def test_a_metric_in_which_lower_is_better_passes_the_gate_in_its_own_direction(tmp_path):
    from agentops_graph.domain.gate import Trial, judge
    from agentops_graph.domain.metric import Metric

    rmse = Metric(name="rmse", direction="lower_is_better", tolerance=0.1, task="regression")
    trial = Trial(
        metric="rmse",
        candidate=2.0,
        incumbent=3.0,
        baseline=2.0,
        holdout_rows=1000,
        holdout_positives=1000,
        holdout_sha256="x",
        candidate_version="2",
    )
    assert judge(trial, rmse, holdout_sha256="x", min_positives=100).verdict == "passed"
    worse = trial.model_copy(update={"candidate": 3.5})
    assert judge(worse, rmse, holdout_sha256="x", min_positives=100).verdict == "failed"


def test_an_action_after_which_nothing_can_be_judged_is_not_called_a_success(desk):
    incident = desk.report(alert_type="cost_spike", summary="cost per request 0.31")
    desk.work()
    desk.reject(incident)
    desk.approve(incident)
    desk.minutes_pass(5)
    case = desk.case(incident)
    assert desk.models.serving[MODEL] == "0"
    assert case.incident.status == "escalated"
    assert "can't be judged" in case.timeline[-1].text
