"""`agentops doctor`."""


def test_a_degraded_installation_ends_with_zero(desk):
    result = desk.run("doctor")
    assert result.exit_code == 0, result.output
    assert "It works, with warnings" in result.stdout
    assert "agentops work" in result.stdout


def test_a_broken_installation_ends_with_one(desk):
    (desk.home / "components.yaml").write_text("nonsense")
    result = desk.run("doctor")
    assert result.exit_code == 1
    assert "Broken" in result.stdout
    told = desk.read("doctor", code=1)
    assert told["verdict"] == "broken"
    assert {"name", "state", "seen", "mend"} == set(told["checks"][0])
