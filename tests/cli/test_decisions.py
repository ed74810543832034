"""A person decides at the terminal."""

from agentops_graph.domain.policy import Policy


def test_the_exact_action_is_shown_before_it_is_decided(desk):
    approval = desk.approval(desk.incident(), notes=("F1 0.93 against 0.89",))
    result = desk.run("approve", approval.approval_id, "--no-run", "--as", "mia")
    assert result.exit_code == 0
    for text in (
        "rollback_model",
        "model:ghost-model",
        "production_version is 3",
        "if error_rate > 0.05 within 300.0 s",
        "F1 0.93 against 0.89",
        "changes production predictions",
        approval.digest,
        "approved by mia",
    ):
        assert text in result.stdout
    decided = desk.workshop.service.approval(approval.approval_id)
    assert (decided.status, decided.decided_by, decided.decided_via) == ("approved", "mia", "cli")


def test_no_run_only_decides_and_says_that_no_runner_is_alive(desk):
    incident_id = desk.incident()
    approval = desk.approval(incident_id)
    result = desk.run("approve", approval.approval_id, "--no-run")
    assert "No runner is alive" in result.stdout
    assert "agentops work" in result.stdout
    assert desk.workshop.service.case(incident_id).incident.status == "detected"


def test_without_a_runner_an_approval_is_carried_out_here_until_the_incident_ends(desk):
    incident_id = desk.incident()
    approval = desk.approval(incident_id)
    result = desk.run("approve", approval.approval_id)
    assert result.exit_code == 0, result.output
    assert "No runner is alive, so it is carried out here" in result.stdout
    assert "Investigator" in result.stdout
    assert "not configured here" in result.stdout
    assert desk.workshop.service.case(incident_id).incident.status == "escalated"
    assert desk.workshop.service.runners_alive() == []


def test_a_live_runner_is_left_to_carry_it_out(desk):
    incident_id = desk.incident()
    approval = desk.approval(incident_id)
    desk.workshop.ports.leases.beat("work@here:1", "work")
    told = desk.read("approve", approval.approval_id)
    assert told["runners"] == ["work@here:1"]
    assert told["ran_here"] is False
    assert told["approval"]["status"] == "approved"
    assert told["incident"]["status"] == "detected"


def test_json_of_a_decision_that_ran_here_is_not_mixed_with_progress(desk):
    incident_id = desk.incident()
    told = desk.read("approve", desk.approval(incident_id).approval_id)
    assert told["ran_here"] is True
    assert told["incident"]["status"] == "escalated"


def test_an_approval_that_was_decided_is_refused_with_who_was_first(desk):
    approval = desk.approval(desk.incident())
    desk.run("approve", approval.approval_id, "--no-run", "--as", "mia")
    result = desk.run("reject", approval.approval_id, "--reason", "too late", "--as", "tom")
    assert result.exit_code == 4
    assert result.stderr.startswith("agentops: ")
    assert "already approved by mia" in result.stderr
    assert "Traceback" not in result.output


def test_an_expired_approval_is_gone(desk):
    approval = desk.approval(desk.incident(), policy=Policy(expires_after_s=0))
    result = desk.run("approve", approval.approval_id, "--no-run")
    assert result.exit_code == 4
    assert "expired" in result.stderr


def test_a_rejection_without_a_reason_is_refused_and_nothing_is_decided(desk):
    approval = desk.approval(desk.incident())
    for reason in ((), ("--reason", "  ")):
        result = desk.run("reject", approval.approval_id, *reason)
        assert result.exit_code == 2
        assert "needs a reason" in result.stderr
    assert desk.workshop.service.approval(approval.approval_id).status == "pending"


def test_a_rejection_keeps_its_reason_and_the_plan_goes_on(desk):
    incident_id = desk.incident()
    approval = desk.approval(incident_id)
    result = desk.run("reject", approval.approval_id, "--reason", "release in progress")
    assert result.exit_code == 0, result.output
    assert desk.workshop.service.approval(approval.approval_id).reason == "release in progress"
    assert desk.workshop.service.case(incident_id).incident.status == "escalated"


def test_a_digest_that_is_not_the_one_asked_for_is_refused(desk):
    approval = desk.approval(desk.incident())
    result = desk.run("approve", approval.approval_id, "--digest", "0" * 64, "--no-run")
    assert result.exit_code == 2
    assert "digest" in result.stderr
    assert desk.workshop.service.approval(approval.approval_id).status == "pending"


def test_twelve_characters_of_the_digest_are_enough_and_eleven_are_not(desk):
    approval = desk.approval(desk.incident())
    few = desk.run("approve", approval.approval_id, "--digest", approval.digest[:11], "--no-run")
    assert few.exit_code == 2
    told = desk.run("approve", approval.approval_id, "--digest", approval.digest[:12], "--no-run")
    assert told.exit_code == 0


def test_an_unknown_approval_ends_with_three(desk):
    result = desk.run("approve", "A-99")
    assert result.exit_code == 3
    assert "agentops approvals" in result.stderr


def test_the_list_holds_what_waits_and_with_all_what_was_decided(desk):
    first = desk.approval(desk.incident())
    second = desk.approval(first.proposal.incident_id, step=1)
    desk.run("approve", first.approval_id, "--no-run", "--as", "mia")
    assert [a["approval_id"] for a in desk.read("approvals")] == [second.approval_id]
    everything = desk.read("approvals", "--all")
    assert [a["status"] for a in everything] == ["approved", "pending"]
    assert everything[1]["digest"] == second.digest
    assert ["target", "model:ghost-model"] in everything[1]["shown"]
    shown = desk.run("approvals", "--all").stdout
    assert "approved by mia" in shown
    assert "expires in" in shown


def test_an_id_may_be_typed_in_small_letters(desk):
    approval = desk.approval(desk.incident())
    assert desk.run("approve", approval.approval_id.lower(), "--no-run").exit_code == 0


def test_a_name_that_is_empty_or_endless_is_refused(desk):
    approval = desk.approval(desk.incident())
    for name in ("", "x" * 300):
        result = desk.run("approve", approval.approval_id, "--as", name, "--no-run")
        assert result.exit_code == 2
        assert "--as" in result.stderr
