"""The main job, run as a user runs it: `agentops demo`, then everything one looks at after it."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parent.parent
AGENTOPS = [sys.executable, "-m", "agentops_graph.cli"]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "AGENTOPS_HOME": str(home), "COLUMNS": "200"}


def agentops(home: Path, *words: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*AGENTOPS, *words],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The demo told once: its data folder, and what it printed as JSON."""
    home = tmp_path_factory.mktemp("story") / "home"
    done = agentops(home, "demo", "--yes", "--json", timeout=300)
    assert done.returncode == 0, done.stderr
    return home, json.loads(done.stdout)


def incident_of(told) -> str:
    return told[1]["incident"]["incident"]["incident_id"]


def test_the_story_ends_resolved_with_its_closing_line(told):
    case = told[1]["incident"]
    assert case["incident"]["status"] == "resolved"
    assert re.fullmatch(
        r"Model drift resolved\. New model v2 deployed\. F1: 0\.8\d -> 0\.9\d",
        case["resolution"]["summary"],
    )


def test_the_alert_tells_the_numbers_of_the_broken_features(told):
    alert = told[1]["incident"]["alerts"][0]
    drift = next(f for f in alert["findings"] if f["alert_type"] == "model_drift")
    assert drift["features"]["V14"] == pytest.approx(0.8, abs=0.1)
    assert drift["features"]["V17"] == pytest.approx(0.6, abs=0.1)
    others = [v for name, v in drift["features"].items() if name not in ("V14", "V17")]
    assert all(v < 0.1 for v in others)
    assert 0.4 <= alert["metrics"]["drift_score"] < 0.5
    assert alert["severity"] == "critical"
    assert re.fullmatch(r"Model drift detected\. Aggregate PSI: 0\.4\d", alert["summary"])


def test_the_evidence_of_where_it_began_names_the_feed_at_the_time_of_its_change(told):
    case = told[1]["incident"]
    (seen,) = (e for e in case["evidence"] if e["kind"] == "root_cause_ranking")
    onset = datetime.fromisoformat(case["alerts"][0]["onset_at"]).timestamp()
    assert seen["values"]["1.what"] in ("transactions.V14 delivered", "transactions.V17 delivered")
    assert seen["values"]["1.began_at"] == pytest.approx(onset, abs=120)
    assert seen["signals"] == {"upstream_moved_first": 1.0, "moved_first_here": -1.0}
    assert "record_count fell" not in seen["summary"]


def test_the_diagnosis_cites_the_section_and_the_precedent(told):
    diagnosis = told[1]["incident"]["diagnosis"]
    assert diagnosis["cause"] == "upstream_schema_change"
    assert diagnosis["runbook_reference"] == "model_drift.md#section-3-2-the-three-usual-causes"
    assert "INC-2026-0115" in diagnosis["similar_incidents"]
    assert 0.7 <= diagnosis["confidence"] <= 0.95
    known = {e["evidence_id"] for e in told[1]["incident"]["evidence"]}
    assert set(diagnosis["evidence"]) <= known


def test_every_citation_resolves_to_a_section(told):
    for reference in told[1]["incident"]["diagnosis"]["citations"]:
        shown = agentops(told[0], "runbooks", "show", reference)
        assert shown.returncode == 0, shown.stderr


def test_the_notices_lie_in_the_local_outbox(told):
    notices = told[1]["incident"]["notices"]
    assert {n["state"] for n in notices} == {"sent"}
    kinds = [n["notice"]["action"] for n in notices]
    for expected in ("send_slack_alert", "create_github_issue", "close_github_issue"):
        assert expected in kinds
    assert (told[0] / "outbox" / "NOTICES.jsonl").exists()


def test_show_prints_the_contracts_fields(told):
    shown = json.loads(agentops(told[0], "show", incident_of(told), "--json").stdout)
    alert, diagnosis, resolution = shown["alert"], shown["diagnosis"], shown["resolution"]
    for name in (
        "alert_id", "severity", "alert_type", "affected_component", "metrics", "timestamp",
    ):  # fmt: skip
        assert name in alert
    for name in (
        "alert_id", "root_cause", "confidence", "evidence", "recommended_actions",
        "runbook_reference", "similar_incidents",
    ):  # fmt: skip
        assert name in diagnosis
    for name in (
        "alert_id", "actions_taken", "resolution_status", "time_to_detect", "time_to_diagnose",
        "time_to_act",
    ):  # fmt: skip
        assert name in resolution
    assert re.fullmatch(r"alert_\d{4}-\d\d-\d\d_\d{3}", alert["alert_id"])


def test_the_registry_holds_two_versions_with_production_on_the_new_one(told):
    from agentops_graph.bootstrap import Workshop
    from agentops_graph.settings import read_settings

    models = Workshop(read_settings({}, home=told[0])).ports.models
    assert [v.version for v in models.versions("fraud-detector")] == ["2", "1"]
    assert models.production("fraud-detector").version == "2"


def test_the_incident_has_a_run_and_a_trace(told):
    from agentops_graph.bootstrap import Workshop
    from agentops_graph.settings import read_settings

    store = Workshop(read_settings({}, home=told[0])).store
    client = store.client()
    experiment = store.experiment("agentops")
    (run,) = client.search_runs(
        [experiment], filter_string=f"tags.incident_id = '{incident_of(told)}'"
    )
    assert run.info.status == "FINISHED"
    assert client.search_traces(locations=[experiment])


def test_the_post_mortem_is_found_by_the_next_search(told):
    found = agentops(told[0], "runbooks", "search", "V14 V17 drift vendor API", "--json")
    assert incident_of(told) in found.stdout


def test_the_new_version_no_longer_drifts(told):
    assert told[1]["drift_after"] < 0.3


def test_the_audit_of_the_whole_story_verifies(told):
    assert agentops(told[0], "audit", "verify").returncode == 0


def test_a_second_look_at_the_mended_model_raises_nothing(told):
    seen = agentops(told[0], "monitor", "--once", "--json")
    assert seen.returncode == 0, seen.stderr
    assert json.loads(seen.stdout).get("alerts", []) == []


def commands_in(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, re.S)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [line for line in lines if line.startswith("agentops ") and "serve" not in line]


# These pages change who may use the folder and how it is kept, or speak of files of their own;
# their own tests run their commands.
APART = {"access.md", "audit.md", "contracts.md", "rules.md"}
PAGES = [
    "README.md",
    *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md") if p.name not in APART),
]
# What needs a file or a language model of one's own, or a model of that name: the tests of those
# pages bring them.
OWN_FILES = ("agentops ingest ", "agentops rca ", "agentops reference churn ", "agentops eval ")
# Each once, on the first page that shows it: of those that only the docs show, a process each is
# too much for the fast tests.
SHOWN = {
    command: page
    for page in reversed(PAGES)
    for command in reversed(commands_in(page))
    if not command.startswith(OWN_FILES)
}
# After the demo both approvals are decided, so deciding again is refused.
REFUSED = ("approve", "reject", "edit", "ask")


@pytest.mark.parametrize(
    ("page", "command"),
    [
        pytest.param(page, command, marks=() if page == "README.md" else pytest.mark.slow)
        for command, page in reversed(SHOWN.items())
    ],
)
def test_a_command_shown_in_a_page_works(told, page, command):
    words = shlex.split(command.replace("INC-2026-1001", incident_of(told)))[1:]
    done = agentops(told[0], *words)
    allowed = (4,) if words[0] in REFUSED else (0,)
    if words[0] == "reference":  # the page's week lies before the demo's few hours
        allowed = (6,)
    assert done.returncode in allowed, f"{page}: {command}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(check, seconds: float, what: str):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = check()
        if answer:
            return answer
        time.sleep(0.3)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


def pending(home: Path) -> list[dict]:
    done = agentops(home, "approvals", "--json")
    return json.loads(done.stdout) if done.returncode == 0 else []


@pytest.mark.slow
def test_killed_while_it_waits_the_demo_is_finished_from_the_cli_and_over_http(tmp_path):
    home = tmp_path / "home"
    child = subprocess.Popen(
        [*AGENTOPS, "demo"],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    (first,) = eventually(
        lambda: home.joinpath("ledger.db").exists() and pending(home), 120, "the first approval"
    )
    child.send_signal(signal.SIGKILL)
    child.wait()

    decided = agentops(home, "approve", first["approval_id"])
    assert decided.returncode == 0, decided.stderr
    assert "no runner" in (decided.stdout + decided.stderr).lower()
    (second,) = eventually(lambda: pending(home), 120, "the second approval")
    assert second["proposal"]["action"]["action"] == "deploy_model"

    port = free_port()
    service = subprocess.Popen(
        [sys.executable, str(ROOT / "serve.py")],
        env={**environment(home), "AGENTOPS_HTTP_PORT": str(port)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: is_up(url), 60, "the service")
        answer = httpx.post(
            f"{url}/api/v1/approvals/{second['approval_id']}/decision", json={"verdict": "approve"}
        )
        assert answer.status_code == 200, answer.text
        again = httpx.post(
            f"{url}/api/v1/approvals/{second['approval_id']}/decision", json={"verdict": "approve"}
        )
        assert again.status_code == 409
        eventually(lambda: serving_version(home) == "2", 60, "the new version in production")
    finally:
        service.terminate()
        assert service.wait(timeout=30) == 0


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def serving_version(home: Path) -> str:
    from agentops_graph.bootstrap import Workshop
    from agentops_graph.settings import read_settings

    return Workshop(read_settings({}, home=home)).ports.models.production("fraud-detector").version
