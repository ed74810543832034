"""Questions at the terminal."""


def test_a_question_is_answered(desk):
    incident_id = desk.incident()
    result = desk.run("chat", "what", "is", "wrong?")
    assert result.exit_code == 0
    assert incident_id in result.stdout


def test_an_answer_as_json_holds_text_and_sources(desk):
    incident_id = desk.incident()
    told = desk.read("chat", f"status of {incident_id}")
    assert told["incident_id"] == incident_id
    assert "text" in told
    assert "sources" in told


def test_a_conversation_ends_with_its_input_and_keeps_its_subject(desk):
    incident_id = desk.incident()
    desk.incident(segment="eu")
    result = desk.run("chat", input=f"status of {incident_id}\n\nwhy?\nexit\nnever asked\n")
    assert result.exit_code == 0
    assert result.stdout.count(incident_id) >= 2
    assert "never asked" not in result.stdout


def test_a_decision_in_words_is_made_in_the_name_of_the_person(desk):
    approval = desk.approval(desk.incident())
    desk.run("chat", f"approve {approval.approval_id}", "--as", "mia")
    decided = desk.workshop.service.approval(approval.approval_id)
    assert (decided.status, decided.decided_by) == ("approved", "mia")


def test_what_others_wrote_can_not_drive_the_terminal(desk):
    desk.incident(summary="F1 fell \x1b[2J\x07")
    assert not {"\x1b", "\x07"} & set(desk.run("chat", "what is wrong?").output)
