"""A data folder whose measures are read from Prometheus: monitor, evidence, doctor, commands."""

import json
from datetime import UTC, datetime

import pytest
import yaml
from typer.testing import CliRunner

from agentops_graph.bootstrap import Workshop
from agentops_graph.cli.__main__ import app
from agentops_graph.doctor import examine
from agentops_graph.errors import InputError
from agentops_graph.gathering.gather import gather
from agentops_graph.monitor import tick
from agentops_graph.settings import read_settings
from tests.prometheus_wire import prometheus_wire

COMPONENTS = """\
components:
  - name: support-bot
    kind: agent
  - name: well-bot
    kind: agent
  - name: transactions
    kind: pipeline
"""
BOT = {"latency_p95": {"query": "p95", "scale": 1000}, "error_rate": "errors", "requests": "n"}


def rising(before, after, *, minutes=40):
    """A function of time that steps up some minutes ago."""
    change = datetime.now(UTC).timestamp() - 60 * minutes
    return lambda at: after if at >= change else before


@pytest.fixture
def wire():
    with prometheus_wire() as (world, url):
        world.series |= {
            "p95": [({}, lambda at: 0.3)],
            "errors": [({}, lambda at: 0.01)],
            "n": [({}, lambda at: 100)],
            "cpu": [({}, lambda at: 0.3)],
        }
        world.url = url
        yield world


class Folder:
    def __init__(self, home):
        self.home = home
        home.mkdir()
        (home / "components.yaml").write_text(COMPONENTS)

    def declare(self, document):
        text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
        (self.home / "sources.yaml").write_text(text)

    def settings(self, **more):
        return read_settings({}, home=self.home, mlflow=False, **more)

    @property
    def ports(self):
        return Workshop(self.settings()).ports

    def run(self, *words):
        return CliRunner().invoke(app, ["--home", str(self.home), *words])

    def check(self, name="prometheus"):
        found = examine(self.settings(), lambda: self.ports)
        return next(check for check in found if check.name == name)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "home")


def section(wire, components, **server):
    return {
        "prometheus": {
            "servers": [{"url": wire.url, "timeout_s": 10, **server}],
            "components": components,
        }
    }


def bots(wire, **server):
    bot = {"agent_metrics": BOT, "infrastructure": {"cpu": "cpu"}}
    well = {"agent_metrics": {"latency_p95": "p", "error_rate": "e", "requests": "n"}}
    wire.series |= {"p": [({}, lambda at: 90)], "e": [({}, lambda at: 0)]}
    return section(wire, {"support-bot": bot, "well-bot": well}, **server)


def alerts(seen):
    return {(each.alert.affected_component, each.alert.alert_type) for each in seen.admissions}


def test_a_rise_in_prometheus_is_an_alert(folder, wire):
    folder.declare(bots(wire))
    quiet = tick(folder.ports)
    assert quiet.admissions == []
    assert quiet.readings["support-bot"]["latency_p95"] == 300
    assert "support-bot" not in quiet.unjudged
    wire.series["p95"] = [({}, rising(0.3, 2.4))]
    seen = tick(folder.ports)
    assert alerts(seen) == {("support-bot", "latency")}
    (alert,) = [each.alert for each in seen.admissions]
    assert alert.metrics["latency_p95"] == 2400.0
    assert 39 <= (datetime.now(UTC) - alert.onset_at).total_seconds() / 60 <= 43
    assert alert.findings[0].chart is not None


def test_a_source_that_dies_gives_no_alert_and_no_all_clear(folder, wire):
    folder.declare(bots(wire))
    ports = folder.ports
    assert tick(ports).unjudged == ["transactions"]
    wire.trouble = (503, b"")
    seen = tick(ports)
    assert seen.admissions == []
    assert set(seen.unjudged) == {"support-bot", "well-bot", "transactions"}
    assert "answered 503" in seen.notes["support-bot"][0]
    wire.trouble = None
    assert tick(ports).unjudged == ["transactions"]


def test_a_target_that_is_gone_is_no_quiet_agent(folder, wire):
    folder.declare(bots(wire))
    for name in ("p95", "errors", "n"):
        wire.series[name] = []
    seen = tick(folder.ports)
    assert "support-bot" in seen.unjudged
    assert seen.notes["support-bot"] == ["no agent metrics in the window"]


def test_batches_counted_by_prometheus_raise_the_feeds_alert(folder, wire):
    wire.series |= {"rows": [({}, lambda at: 1000)], "nulls": [({}, rising(0.001, 0.3))]}
    quality = {"record_count": "rows", "null_rate": "nulls"}
    component = {"transactions": {"step_s": 300, "data_quality": quality}}
    folder.declare(section(wire, component))
    assert alerts(tick(folder.ports)) == {("transactions", "data_quality")}
    asked = [given for path, given, _ in wire.asked if path.endswith("query_range")]
    assert {given["step"] for given in asked} == {"300"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_infrastructure_that_moved_with_the_onset_is_evidence(folder, wire):
    folder.declare(bots(wire))
    wire.series |= {"p95": [({}, rising(0.3, 2.4))], "cpu": [({}, rising(0.3, 0.95))]}
    ports = folder.ports
    (admission,) = tick(ports).admissions
    incident = ports.incidents.get(admission.incident_id)
    (piece,) = [
        e
        for e in gather(ports, incident, admission.alert, ports.clock.now())
        if e.kind == "infrastructure"
    ]
    assert piece.status == "ok"
    assert piece.signals == {"infrastructure_moved": 1.0}
    assert piece.summary == "cpu 0.3 -> 0.95; moved with the onset: cpu"
    wire.series["cpu"] = [({}, lambda at: 0.31)]
    still = folder.ports
    pieces = gather(still, incident, admission.alert, still.clock.now())
    assert pieces[-1].signals == {"infrastructure_moved": -1.0}
    wire.trouble = (500, b"")
    down = folder.ports
    last = gather(down, incident, admission.alert, down.clock.now())[-1]
    assert (last.status, last.signals) == ("absent", {})
    assert "cpu: not read" in last.summary


def test_nothing_declared_reads_nothing_and_is_off(folder):
    ports = folder.ports
    assert type(ports.warehouse.series.__self__).__name__ == "SqliteWarehouse"
    assert ports.surroundings() is None
    check = folder.check("sources")
    assert (check.state, check.seen) == (
        "ok",
        "off: sources.yaml has no Prometheus or MLflow section",
    )
    assert "docs/sources.md" in folder.run("sources", "check").stdout


def test_doctor_says_of_each_source_whether_it_answers(folder, wire):
    folder.declare(bots(wire))
    good = folder.check()
    assert (good.state, good.seen) == ("ok", "Prometheus 2.42.0; 7 declared reads give points")
    wire.series["errors"] = []
    assert "no point in the last hour" in folder.check().seen
    assert folder.check().state == "degraded"
    wire.trouble = (401, b"")
    assert folder.check().state == "broken"
    assert "refuses the credentials" in folder.check().seen


def test_doctor_asks_no_table_of_a_component_that_is_read_elsewhere(folder, wire):
    folder.declare(section(wire, {"support-bot": {"agent_metrics": BOT}}))
    (folder.home / "components.yaml").write_text(
        "components:\n  - name: support-bot\n    kind: agent\n"
    )
    assert folder.check("warehouse").state == "ok"


def test_sources_check_says_nothing_of_what_it_tried_twice(folder, wire, caplog):
    wire.url = "http://127.0.0.1:9"  # where nobody listens
    folder.declare(bots(wire))
    result = folder.run("sources", "check")
    assert result.exit_code == 1
    assert "retry_scheduled" not in result.output + caplog.text


def test_sources_check_tells_points_newest_value_and_line(folder, wire):
    folder.declare(bots(wire))
    wire.series["errors"] = [({"pod": "a\x1b[31m"}, lambda at: 0), ({"pod": "b"}, lambda at: 0)]
    result = folder.run("sources", "check")
    assert result.exit_code == 1
    assert "\x1b[31m" not in result.stdout
    told = json.loads(folder.run("sources", "check", "--json").stdout)
    found = {trial["what"]: trial for trial in told}
    assert found["support-bot latency_p95"]["newest"] == 300
    assert found["support-bot latency_p95"]["points"] == 60
    broken = found["support-bot error_rate"]
    assert broken["place"] == "sources.yaml:11"
    assert "2 series" in broken["seen"]
    assert "sources.yaml:11" in result.stdout.replace("\n", "")
    only = json.loads(folder.run("sources", "check", "well-bot", "--json").stdout)
    assert {trial["what"] for trial in only} == {
        "well-bot latency_p95",
        "well-bot error_rate",
        "well-bot requests",
    }
    unknown = folder.run("sources", "check", "loki")
    assert unknown.exit_code == 2
    assert "declared: prometheus" in unknown.stderr


OTHERS = """\
warehouse: {kind: postgres, port: 1, database: ml, user: reader}
logs:
  - {name: loader, kind: files, path: loader.log, components: [transactions]}
  - {name: chats, kind: files, path: chats.log, components: [support-bot]}
rest:
  - {name: vendor, url: "http://127.0.0.1:1/x", components: [transactions], values: {state: state}}
lineage:
  edges: [transactions -> support-bot]
alertmanager: {segment_label: region}
"""


def test_sources_check_tries_logs_apis_warehouse_and_lineage_too(folder):
    folder.declare(OTHERS)
    (folder.home / "chats.log").write_text("2026-03-01T12:00:00Z INFO started\n")
    result = folder.run("sources", "check", "--json")
    found = {(trial["source"], trial["what"]): trial for trial in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert found["warehouse", "reach"]["state"] == "broken"
    assert "no file matches" in found["logs", "loader"]["seen"]
    assert "docs/sources.md" in found["rest", "vendor"]["mend"]
    assert "1 edges" in found["lineage", "reach"]["seen"]
    assert ("alertmanager", "pushed alerts") in found
    shown = folder.run("sources", "check").stdout
    assert "can't be read" in shown
    assert "No source is declared" not in shown


@pytest.mark.parametrize(
    ("name", "tried"),
    [
        ("logs", {"loader", "chats"}),
        ("chats", {"chats"}),
        ("transactions", {"loader", "vendor"}),
    ],
)
def test_sources_check_tries_one_section_entry_or_component(folder, name, tried):
    folder.declare(OTHERS)
    result = folder.run("sources", "check", name, "--json")
    assert {trial["what"] for trial in json.loads(result.stdout)} == tried
    assert "with a warning" in folder.run("sources", "check", name).stdout
    unknown = folder.run("sources", "check", "splunk")
    assert "declared: warehouse, logs, rest, lineage, alertmanager, loader" in unknown.stderr


REFUSED = {
    "prometheus:\n  servers: []\n  components: {}\n": r"sources.yaml:2: .*servers",
    "prometheus:\n  servers:\n    - url: http://127.0.0.1:9\n  components:\n    support-bot:\n"
    "      agent_metrics:\n        latency_p59: x\n": (
        r"sources.yaml:6: .*no column latency_p59; it has latency_p95"
    ),
    "prometheus:\n  servers:\n    - url: http://127.0.0.1:9\n  components:\n    support-bott:\n"
    "      agent_metrics:\n        latency_p95: x\n": (
        r"sources.yaml:5: components.yaml has no component support-bott"
    ),
    "prometheus:\n  servers:\n    - url: http://127.0.0.1:9\n  components:\n    support-bot:\n"
    "      model_metrics:\n        f1: x\n": (
        r"sources.yaml:6: support-bot is of the kind agent, whose measures are agent_metrics"
    ),
    "prometheus:\n  servers:\n    - url: http://127.0.0.1:9\n  components:\n    transactions:\n"
    "      data_quality:\n        null_rate: x\n": r"sources.yaml:6: .*needs record_count",
    "prometheus:\n  servers:\n    - url: http://127.0.0.1:9\n      token_env: NOT_SET_HERE\n"
    "  components:\n    support-bot: {agent_metrics: {requests: x}}\n": (
        r"sources.yaml:4: NOT_SET_HERE is not set"
    ),
    "prometheus:\n  servers:\n    - url: http://prom:9\n"
    "  components:\n    support-bot: {agent_metrics: {requests: x}}\n": (
        r"sources.yaml:3: must begin with https://"
    ),
    "prometheus:\n  servers:\n    - url: http://127.0.0.1:9\n      user: mia\n"
    "  components:\n    support-bot: {agent_metrics: {requests: x}}\n": (
        r"sources.yaml:3: .*`user` and `password_env` go together"
    ),
    "prometheus:\n  servers: [{name: a, url: 'http://127.0.0.1:9'}, {name: b, url: "
    "'http://127.0.0.1:9'}]\n  components:\n    support-bot: {agent_metrics: {requests: x}}\n": (
        r"name its `server`, one of a, b"
    ),
    "mlflow:\n  traces:\n    transactions: {experiment: x}\n": (
        r"sources.yaml:3: transactions is neither an agent nor a text model"
    ),
    "mlflow:\n  runs:\n    support-bot: {experiment: x, metrics: {f1: y}}\n": (
        r"sources.yaml:3: support-bot is no model"
    ),
    'mlflow:\n  traces:\n    support-bot:\n      experiment: x\n      tags: {env: "a\'b"}\n': (
        r"sources.yaml:5: .*tags.env"
    ),
    "mlflow:\n  tracking_uri: https://mia:pw@mlflow.example.com\n"
    "  traces: {support-bot: {experiment: x}}\n": (
        r"sources.yaml:1: mlflow: no user and no password stand in [^@]*\Z"
    ),
    "mlflow: {}\n": r"sources.yaml:1: mlflow: nothing is read",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: REFUSED[text][:60])
def test_a_mistake_is_refused_with_its_line(folder, text):
    folder.declare(text)
    with pytest.raises(InputError, match=REFUSED[text]):
        tick(folder.ports)
    assert folder.check("sources").state == "broken"
    assert folder.run("sources", "check").exit_code == 2


def test_a_token_comes_from_the_variable_that_is_named(folder, wire, monkeypatch):
    monkeypatch.setenv("TEAM_PROM_TOKEN", "s3cret-of-the-team")
    folder.declare(bots(wire, token_env="TEAM_PROM_TOKEN"))
    wire.trouble = (500, b"s3cret-of-the-team is what you sent")
    result = folder.run("sources", "check")
    assert wire.asked[0][2]["Authorization"] == "Bearer s3cret-of-the-team"
    assert "s3cret" not in result.output


def test_one_column_is_given_by_one_source_only(folder, wire):
    (folder.home / "components.yaml").write_text("components:\n  - name: fraud\n")
    both = section(wire, {"fraud": {"model_metrics": {"f1": "x"}}})
    folder.declare(
        both | {"mlflow": {"runs": {"fraud": {"experiment": "e", "metrics": {"f1": "f"}}}}}
    )
    with pytest.raises(InputError, match=r"fraud f1 is given by Prometheus already"):
        tick(folder.ports)
