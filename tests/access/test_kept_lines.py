"""Lines that were kept for an incident are shown to whoever may see the incident."""

from typer.testing import CliRunner

from agentops_graph.access import Keys
from agentops_graph.cli.__main__ import app
from agentops_graph.domain.evidence import Evidence
from agentops_graph.domain.ledger import Chapter


def kept_lines(desk, incident):
    ports = desk.workshop.ports
    reference = ports.evidence_folder.keep(incident, "p0-loader", ["load failed"])
    piece = Evidence(
        evidence_id=f"{incident}/p0/E1",
        incident_id=incident,
        kind="logs",
        source="log loader",
        query="lines()",
        summary="load failed",
        references=(reference,),
        measured_at=ports.clock.now(),
    )
    ports.incidents.keep(Chapter(incident_id=incident, kind="evidence", plan_number=0), piece)


def test_an_incident_without_kept_lines_says_so(desk):
    line = ["--home", str(desk.workshop.places.home), "evidence", desk.report()]
    result = CliRunner().invoke(app, line)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "No lines were kept for INC-" in result.stderr


def test_another_tenants_viewer_never_sees_them(desk):
    Keys(desk.open).create("root", "admin")
    incident = desk.report()
    kept_lines(desk, incident)
    seen = {}
    for tenant in ("north", "south"):
        made = Keys(desk.open).create(tenant, "viewer", tenant=tenant)
        line = ["--home", str(desk.workshop.places.home), "evidence", incident]
        env = {"AGENTOPS_TOKEN": made.secret}
        seen[tenant] = CliRunner().invoke(app, line, env=env)
    assert seen["north"].exit_code == 0, seen["north"].output
    assert "load failed" in seen["north"].stdout
    assert seen["south"].exit_code == 3
    assert "load failed" not in seen["south"].output
