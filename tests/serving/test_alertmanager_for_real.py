"""A rule fires in a real Prometheus, real Alertmanagers post it, and the incident ends with it."""

import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.serving.prometheus_servers import METRICS_TOKEN, need_prometheus, servers

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
PROMETHEUS = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting:
  alertmanagers: [{{static_configs: [{{targets: [{alertmanagers}]}}]}}]
scrape_configs:
  - job_name: models
    static_configs: [{{targets: ["127.0.0.1:{exporter}"]}}]
"""
RULES = """\
groups:
  - name: models
    rules:
      - alert: ModelSlow
        expr: model_latency_seconds > 1
        for: 0s
        labels: {severity: critical, alert_type: latency}
        annotations: {summary: "p99 of {{ $labels.model }} above 1 s", value: "{{ $value }}"}
"""
WAITS = "  group_wait: 1s\n  group_interval: 1s\n  repeat_interval: 1h\n"


def shown(name):
    """A YAML file of the page, by the comment in its first line."""
    (text,) = re.findall(rf"```yaml\n(# {name}\n.*?)```", PAGE, re.S)
    return text


def alertmanager_yml(home):
    """The page's own, with the short waits of a test and the address and token of its service."""
    text = shown("alertmanager.yml").replace("http://127.0.0.1:8000", home.url)
    token = home.folder / "agentops.token"
    token.write_text(home.sender)
    text = text.replace("/etc/alertmanager/agentops.token", str(token))
    return re.sub(r"(?m)^( +)receiver: agentops\n", lambda m: m[0] + WAITS, text, count=1)


def prometheus_yml(home):
    """A scrape of the models, and the page's own scrape of us."""
    ports = ", ".join(f'"127.0.0.1:{port}"' for port in home.alertmanager_ports)
    text = PROMETHEUS.format(alertmanagers=ports, exporter=home.exporter.port)
    token = home.folder / "metrics.token"
    token.write_text(METRICS_TOKEN)
    ours = shown("prometheus.yml").partition("scrape_configs:\n")[2]
    ours = ours.replace("scrape_interval: 15s", "scrape_interval: 2s")
    ours = ours.replace("127.0.0.1:8000", home.url.removeprefix("http://"))
    return text + ours.replace("/etc/prometheus/agentops.token", str(token))


@pytest.mark.slow
def test_a_rule_opens_an_incident_and_its_end_resolves_it(tmp_path):
    need_prometheus()
    with servers(tmp_path) as home:
        home.serve()
        home.monitor(alertmanager_yml(home), prometheus_yml(home), RULES)
        home.until(lambda: home.queried('up{job="models"}') == 1)
        assert home.incidents() == []

        home.exporter.latency = 2.5
        (opened,) = home.until(home.incidents)
        assert (opened["component"], opened["alert_type"]) == ("fraud_model", "latency")
        assert opened["severity"] == "critical"
        assert opened["title"] == "ModelSlow: p99 of fraud_model above 1 s"
        assert opened["opened_by"] == "alertmanager"
        home.until(lambda: home.incidents()[0]["status"] == "escalated")

        home.exporter.latency = 0.1
        ended = home.until(lambda: [i for i in home.incidents() if i["status"] == "resolved"])
        assert [i["incident_id"] for i in ended] == [opened["incident_id"]]
        # Both Alertmanagers told of it, and it is one alert of one incident.
        assert len(home.incidents()) == 1
        assert len(home.asked("/api/v1/alerts")["alerts"]) == 1
        posted = 'agentops_http_request_seconds_count{route="/api/v1/alerts/alertmanager"}'
        assert home.until(lambda: (home.queried(posted) or 0) >= 4)

        assert home.until(lambda: home.queried('up{job="agentops"}') == 1)
        assert home.queried("agentops_ledger_up") == 1
        assert home.queried("agentops_alerts_admitted_total") == 1
        headers = {"authorization": f"Bearer {METRICS_TOKEN}"}
        text = httpx.get(f"{home.url}/metrics", headers=headers, trust_env=False).text
        checked = subprocess.run(
            [shutil.which("promtool"), "check", "metrics"],
            input=text,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert (checked.returncode, checked.stderr) == (0, "")
