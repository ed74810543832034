"""OpenLineage events over HTTP: from its own client, and from whoever sends something else."""

import threading
import warnings
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from agentops_graph.access import Access, Keys
from agentops_graph.bootstrap import Workshop
from agentops_graph.domain.identity import Identity
from agentops_graph.errors import UnavailableError
from agentops_graph.serving.api import create_app
from agentops_graph.settings import read_settings

COMPONENTS = """\
components:
  - {name: fraud-detector, tenant: bank}
  - {name: transactions, kind: pipeline}
"""
RUN = "0199f3c2-7d0e-7e1a-9c51-0d6c1b6a2f11"
SECRET = "hunter2hunter2"


@pytest.fixture
def workshop(tmp_path):
    (tmp_path / "components.yaml").write_text(COMPONENTS)
    (tmp_path / "sources.yaml").write_text(
        "lineage: {aliases: {fraud-detector: mlflow://models/fraud}}"
    )
    return Workshop(read_settings({}, home=tmp_path, mlflow=False, max_body_bytes=20_000))


@pytest.fixture
def page(workshop):
    with TestClient(create_app(workshop, run=False), base_url="http://localhost") as client:
        yield client


def keys_of(workshop):
    return Keys(Access(workshop.service, Identity(name="root", role="admin"), "cli"))


@contextmanager
def served(workshop):
    """The service on a free port of this machine."""
    config = uvicorn.Config(create_app(workshop, run=False), port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        pass
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def event(kind="COMPLETE", job="load_transactions", **more):
    return {
        "eventType": kind,
        "eventTime": datetime.now(UTC).isoformat(),
        "run": {"runId": RUN, "facets": more.pop("facets", {})},
        "job": {"namespace": "airflow", "name": job},
        "inputs": [{"namespace": "postgres://shop:5432", "name": "shop.public.payments"}],
        "outputs": [{"namespace": "snowflake://acme", "name": "PROD.RAW.TRANSACTIONS"}],
        "producer": "https://example.com/airflow",
    } | more


def failed(message="no space left on device", **more):
    facet = {"errorMessage": {"message": message, "programmingLanguage": "python"}}
    return event("FAIL", facets=facet, **more)


def send(page, document, code=201, path="/api/v1/lineage", **more):
    answer = page.post(path, json=document, **more)
    assert answer.status_code == code, answer.text
    return answer.json()


def changes(workshop, *subjects):
    now = datetime.now(UTC)
    return workshop.warehouse.changes(subjects, now - timedelta(days=60), now + timedelta(days=60))


def test_the_client_of_openlineage_posts_a_run_and_its_edges_are_on_the_map(workshop):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from openlineage.client import OpenLineageClient
        from openlineage.client.event_v2 import (
            InputDataset,
            Job,
            OutputDataset,
            Run,
            RunEvent,
            RunState,
        )
        from openlineage.client.transport.http import (
            ApiKeyTokenProvider,
            HttpConfig,
            HttpTransport,
        )

    secret = keys_of(workshop).create("root", "admin").secret
    with served(workshop) as url:
        auth = ApiKeyTokenProvider({"api_key": secret})
        client = OpenLineageClient(transport=HttpTransport(HttpConfig(url=url, auth=auth)))
        for state in (RunState.START, RunState.COMPLETE, RunState.COMPLETE):
            client.emit(
                RunEvent(
                    eventTime=datetime.now(UTC).isoformat(),
                    producer="https://example.com",
                    run=Run(RUN),
                    job=Job("airflow", "load_transactions"),
                    eventType=state,
                    inputs=[InputDataset("postgres://shop:5432", "shop.public.payments")],
                    outputs=[OutputDataset("snowflake://acme", "PROD.RAW.TRANSACTIONS")],
                )
            )
        client.close()
    chart = workshop.ports.lineage.current()
    assert chart.way("postgres://shop:5432/shop.public.payments", "transactions") == [
        "postgres://shop:5432/shop.public.payments",
        "airflow/load_transactions",
        "transactions",
    ]
    assert len(workshop.ports.lineage_log.kept().edges) == 2


def test_an_event_sent_twice_changes_nothing(workshop, page):
    sent = event()
    assert send(page, sent) == {"edges": 2, "failed": []}
    edition = workshop.ports.lineage_log.edition()
    send(page, sent, path="/v1/lineage")
    assert workshop.ports.lineage_log.edition() == edition


def test_a_failed_job_that_fills_a_watched_table_is_one_change_however_often_it_is_told(
    workshop, page
):
    sent = failed(f"copy failed, password={SECRET}\n\x1b[2J at line 3")
    assert send(page, sent)["failed"] == ["transactions"]
    assert send(page, sent)["failed"] == []
    (change,) = changes(workshop, "transactions")
    assert (change.kind, change.subject) == ("job_failed", "transactions")
    assert change.at.isoformat() == sent["eventTime"]
    assert SECRET not in change.summary
    assert change.summary.isprintable()
    assert "copy failed" in change.summary


def test_a_failed_job_far_upstream_stands_under_its_own_name(workshop, page):
    trained = [{"namespace": "mlflow://models", "name": "fraud"}]
    send(page, event(job="train", outputs=trained))
    assert send(page, failed(job="train", outputs=[]))["failed"] == ["airflow/train"]
    assert len(changes(workshop, "airflow/train")) == 1


def test_a_failed_job_that_nothing_watched_rests_on_is_no_change(workshop, page):
    elsewhere = [{"namespace": "snowflake://acme", "name": "PROD.HR.LEAVE"}]
    assert send(page, failed(outputs=elsewhere))["failed"] == []


def test_a_failure_of_long_ago_is_no_news_and_one_from_the_future_is_of_now(workshop, page):
    long_ago = (datetime.now(UTC) - timedelta(days=40)).isoformat()
    assert send(page, failed(eventTime=long_ago))["failed"] == []
    ahead = (datetime.now(UTC) + timedelta(days=300)).isoformat()
    assert send(page, failed(eventTime=ahead))["failed"] == ["transactions"]
    (change,) = changes(workshop, "transactions")
    assert change.at <= datetime.now(UTC)


class Down:
    """A warehouse that does not answer."""

    def record_change(self, change):
        raise UnavailableError("the warehouse does not answer")


def test_a_failure_that_the_warehouse_did_not_take_is_taken_when_it_is_sent_again(workshop):
    healthy = workshop.ports
    workshop.__dict__["ports"] = replace(healthy, history=Down())
    with TestClient(create_app(workshop, run=False), base_url="http://localhost") as page:
        send(page, failed(), 503)
    workshop.__dict__.pop("service", None)
    workshop.__dict__["ports"] = healthy
    with TestClient(create_app(workshop, run=False), base_url="http://localhost") as page:
        assert send(page, failed())["failed"] == ["transactions"]
    assert len(changes(workshop, "transactions")) == 1


WRONG = {
    "no time": (lambda e: e.pop("eventTime"), "eventTime"),
    "time without zone": (lambda e: e.update(eventTime="2026-02-28T10:15:00"), "eventTime"),
    "no run id": (lambda e: e.update(run={}), "run.runId"),
    "no job name": (lambda e: e.update(job={"namespace": "x"}), "job.name"),
    "inputs": (lambda e: e.update(inputs="all"), "inputs"),
    "nul": (lambda e: e.update(job={"namespace": "x", "name": "a\x00b"}), "job.name"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_event_is_refused_with_the_field(page, case):
    change, field = WRONG[case]
    sent = event()
    change(sent)
    assert send(page, sent, 422)["field"] == field


@pytest.mark.parametrize(
    "content", [b"not json", b"[1]", b"\xff\xfe", b'{"a":' * 2000, b'{"eventTime": "2026']
)
def test_garbage_is_refused(page, content):
    answer = page.post(
        "/api/v1/lineage", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 422)


def test_a_body_beyond_the_limit_is_refused(page):
    many = [{"namespace": "x", "name": f"table_{n}"} for n in range(2000)]
    send(page, event(inputs=many), 413)


def test_a_dataset_event_and_a_job_event_are_taken_as_far_as_they_draw(page):
    static = {"eventTime": "2026-02-28T10:15:00Z", "schemaURL": "x"}
    named = {"namespace": "x", "name": "y"}
    assert send(page, static | {"dataset": named})["edges"] == 0
    assert send(page, static | {"job": named, "inputs": [named]})["edges"] == 1


def test_who_may_not_report_and_who_is_of_one_tenant_are_refused(workshop, page):
    keys = keys_of(workshop)
    admin = keys.create("root", "admin").secret
    answer = page.post("/api/v1/lineage", json=event())
    assert answer.status_code == 401
    headers = {"authorization": f"Bearer {admin}"}
    made = {
        name: keys.create(name, role, tenant=tenant).secret
        for name, role, tenant in (
            ("v", "viewer", None),
            ("t", "admin", "bank"),
            ("o", "operator", None),
        )
    }
    codes = {
        name: page.post(
            "/api/v1/lineage", json=event(), headers={"authorization": f"Bearer {secret}"}
        ).status_code
        for name, secret in made.items()
    }
    assert codes == {"v": 403, "t": 403, "o": 201}
    assert page.post("/api/v1/lineage", json=event(), headers=headers).status_code == 201


def test_events_are_refused_while_lineage_is_off(workshop):
    (workshop.places.home / "sources.yaml").unlink()
    fresh = Workshop(workshop.settings)
    with TestClient(create_app(fresh, run=False), base_url="http://localhost") as page:
        assert "sources.yaml switches it on" in send(page, event(), 404)["detail"]


def test_events_at_once_are_kept_whole(workshop):
    with served(workshop) as url:
        errors = []

        def post(number):
            sent = event(job=f"job_{number}")
            with httpx.Client(trust_env=False) as client:
                answer = client.post(f"{url}/api/v1/lineage", json=sent, timeout=30)
            if answer.status_code != 201:
                errors.append(answer.text)

        threads = [threading.Thread(target=post, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert len(workshop.ports.lineage_log.kept().edges) == 16
    assert workshop.ports.lineage.current().troubles == []
