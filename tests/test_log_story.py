"""A feed stops and its loader's log says why, from the declaration to the case people read."""

import fcntl
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.bootstrap import Workshop
from agentops_graph.cli.__main__ import app
from agentops_graph.errors import InputError
from agentops_graph.settings import read_settings
from tests.adapters.log_wire import loki, serving, status

NOW = datetime.now(UTC)
COMPONENTS = "components:\n  - {name: transactions, kind: pipeline, expected_rows_per_hour: 1200}\n"
FILES = """\
logs:
  - name: loader
    kind: files
    path: logs/loader.log
    components: [transactions]
"""
CAUSE = 'column "amount" does not exist'


def log_text():
    """A batch a minute: loaded until an hour ago, refused since."""
    told = []
    for minutes in range(180, -1, -1):
        said = f"INFO loader: loaded batch {minutes} with 200 rows"
        if minutes < 62:
            said = f"ERROR loader: batch {minutes} failed: {CAUSE}"
        told.append(f"{NOW - timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S} {said}")
    return "\n".join(told) + "\n"


@pytest.fixture
def agentops(tmp_path, monkeypatch):
    """The command on a folder whose feed delivered well and then, an hour ago, stopped."""
    monkeypatch.setenv("AGENTOPS_MLFLOW", "false")
    monkeypatch.setenv("AGENTOPS_MODELS_URL", "http://127.0.0.1:9")
    (tmp_path / "chroma").mkdir()
    (tmp_path / "logs").mkdir()
    (tmp_path / "components.yaml").write_text(COMPONENTS)
    (tmp_path / "logs" / "loader.log").write_text(log_text())
    warehouse = SqliteWarehouse(tmp_path / "warehouse.db")
    warehouse.create_tables()
    warehouse.write("DATA_QUALITY", [batch(10 * n + 65) for n in range(170)])

    def run(*args, sources=None, code=0):
        if sources is not None:
            (tmp_path / "sources.yaml").write_text(sources)
        result = CliRunner().invoke(app, ["--home", str(tmp_path), *args, "--json"])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if result.stdout else result.stderr

    run.home = tmp_path
    # Another owner of the Chroma folder: sections are searched exactly, which starts faster.
    with (tmp_path / "chroma" / ".owner").open("w") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        yield run


def batch(minutes_ago):
    return {
        "timestamp": NOW - timedelta(minutes=minutes_ago),
        "pipeline_name": "transactions",
        "null_rate": 0.0,
        "schema_violations": 0,
        "record_count": 200,
        "status": "ok",
    }


def story(agentops, sources):
    """The case of the feed, as `agentops show ID --json` tells it, and what its log said."""
    seen = agentops("monitor", "--once", sources=sources)
    (incident,) = seen["incidents"]
    case = agentops("show", incident["incident_id"])
    return case, [piece for piece in case["evidence"] if piece["kind"] == "logs"]


def test_the_line_that_tells_the_cause_is_in_the_evidence_and_is_cited(agentops):
    case, (piece,) = story(agentops, FILES)
    assert case["incident"]["alert_type"] == "volume_anomaly"
    assert CAUSE in piece["summary"]
    assert piece["values"]["template_1"].startswith("ERROR loader: batch <num> failed: column")
    assert CAUSE in piece["values"]["template_1.sample"]
    assert piece["signals"]["log_schema_errors"] == 1
    assert piece["evidence_id"] in case["diagnosis"]["evidence"]
    assert "log_errors_new" in case["diagnosis"]["hypotheses"][0]["signals_for"]
    (reference,) = piece["references"]
    kept = (agentops.home / reference).read_text()
    assert kept.count(CAUSE) == 62
    (shown,) = agentops("evidence", case["incident"]["incident_id"])
    assert shown == {"reference": reference, "lines": kept.splitlines()}
    (agentops.home / reference).unlink()
    assert "kept for 30 days" in agentops("evidence", "inc-2026-1001", code=7)


def test_the_same_line_is_read_from_a_loki_that_asks_for_a_token(agentops, monkeypatch):
    lines = []
    for line in log_text().splitlines():
        at = datetime.fromisoformat(line[:19]).replace(tzinfo=UTC)
        lines.append((int(at.timestamp()) * 10**9, line[20:]))
    streams = loki({(("app", "loader"),): lines})

    def answer(wire, asked):
        known = asked.headers.get("Authorization") == "Bearer a-loki-token"
        (streams if known else status(401))(wire, asked)

    with serving(answer) as server:
        sources = f"""\
logs:
  - name: loader
    kind: loki
    url: {server.url}
    query: '{{app="loader"}}'
    token_env: LOKI_TOKEN
    components: [transactions]
"""
        monkeypatch.setenv("LOKI_TOKEN", "a-loki-token")
        case, (piece,) = story(agentops, sources)
    assert CAUSE in piece["summary"]
    assert piece["evidence_id"] in case["diagnosis"]["evidence"]
    assert "a-loki-token" not in json.dumps(case)


def test_a_log_that_is_down_is_told_and_the_candidates_stand(agentops):
    with serving(status(500)) as server:
        sources = FILES.replace("files", "loki").replace(
            "path: logs/loader.log", f"url: {server.url}\n    query: '{{app=\"loader\"}}'"
        )
        case, (piece,) = story(agentops, sources)
    assert piece["status"] == "failed"
    assert "500" in piece["summary"]
    # Without it nothing tells a feed that stopped from one that is late.
    first, second = case["diagnosis"]["hypotheses"][:2]
    assert {first["cause"], second["cause"]} == {"feed_stopped", "late_data"}
    assert case["diagnosis"]["cause"] == "unknown"
    assert any(line.startswith("logs: ") for line in case["diagnosis"]["degraded"])


def doctor(agentops, sources):
    checks = agentops("doctor", sources=sources)["checks"]
    return {check["name"]: check for check in checks}


def test_doctor_says_off_ok_and_down(agentops):
    checks = doctor(agentops, "")
    assert checks["logs"]["seen"] == "off: sources.yaml has no `logs`"
    assert checks["rest"]["seen"] == "off: sources.yaml has no `rest`"
    with serving(status(200, {"status": "good"})) as server:
        rest = (
            f"rest:\n  - name: vendor\n    url: {server.url}/status\n"
            "    components: [transactions]\n    values: {state: /status}\n"
        )
        checks = doctor(agentops, FILES + rest)
        assert (checks["logs loader"]["state"], checks["rest vendor"]["state"]) == ("ok", "ok")
        assert checks["rest vendor"]["seen"] == "vendor: state good"
        rest += "    token_env: NO_SUCH_VARIABLE\n"
        checks = doctor(agentops, FILES.replace("loader.log", "other.log") + rest)
    assert "no file matches" in checks["logs loader"]["seen"]
    assert "NO_SUCH_VARIABLE is not set" in checks["rest vendor"]["seen"]
    assert {checks[n]["state"] for n in ("logs loader", "rest vendor")} == {"degraded"}


def test_an_address_that_may_not_be_asked_takes_only_its_own_source_down(agentops):
    remote = (
        "  - {name: far, kind: loki, query: '{}', components: [transactions],\n"
        "     url: 'http://loki.example'}\n"
    )
    checks = doctor(agentops, FILES + remote)
    assert checks["logs loader"]["state"] == "ok"
    assert checks["logs far"]["state"] == "degraded"
    assert "must begin with https://" in checks["logs far"]["seen"]
    assert "sources.yaml:7" in checks["logs far"]["seen"]
    assert checks["ledger"]["state"] == "ok"


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (FILES.replace("files", "splunk"), r"sources\.yaml:2: logs\.0"),
        (FILES + "    timezone: Mars/Base\n", r"sources\.yaml:6: .*is no time zone"),
        (FILES + "    colour: red\n", r"sources\.yaml:6: .*colour: unknown"),
        (FILES + FILES.removeprefix("logs:\n"), r"sources\.yaml:1: .*loader stands twice"),
        (FILES.replace("[transactions]", "[]"), r"sources\.yaml:5: "),
        (
            "logs:\n  - {name: a, kind: loki, query: '{}', components: [x],\n"
            "     url: 'https://me:hunter2@loki.example'}\n",
            r"sources\.yaml:3: .*must not hold a user or password",
        ),
    ],
)
def test_a_mistake_in_the_file_is_refused_with_its_line(tmp_path, sources, said):
    (tmp_path / "sources.yaml").write_text(sources)
    with pytest.raises(InputError, match=said) as refused:
        _ = Workshop(read_settings({}, home=tmp_path)).ports
    assert "hunter2" not in str(refused.value)
