"""A warehouse server that is down, slow, stalls, comes back, or holds something else."""

import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest

from agentops_graph.adapters.sql_warehouse import open_warehouse
from agentops_graph.errors import NotEnoughDataError, UnavailableError
from agentops_graph.gathering.measure import measure
from tests.contracts.conftest import started
from tests.contracts.sql_warehouses import in_postgres, source_of
from tests.contracts.stalling_line import StallingLine
from tests.contracts.test_counted_warehouse import COMPONENT, filled
from tests.gathering.fraud_world import MODEL, NOW

HOUR = (NOW - timedelta(hours=1), NOW)


@contextmanager
def over_a_line(url):
    """A warehouse behind a line that can be cut or stopped, and the line."""
    with in_postgres(url) as made:
        made.create_tables()
        made.write("PREDICTION_LOGS", [row()])
        with StallingLine(source_of(url)[0].host, source_of(url)[0].port) as line:
            far = {"host": "127.0.0.1", "port": line.port, "schema": made.layouts.db_schema}
            source, password = source_of(url, **far, sslmode="disable", statement_timeout_s=1)
            warehouse = open_warehouse(source, password)
            yield warehouse, line
            warehouse.session.close()


def row(**more):
    return {
        "timestamp": NOW - timedelta(minutes=5),
        "prediction_id": "p",
        "model_name": MODEL.name,
        "model_version": "2",
        "features": {"V14": 1.0},
        "prediction": 0.0,
    } | more


def test_a_line_that_says_nothing_is_given_up_and_made_anew(postgres_url, monkeypatch):
    monkeypatch.setattr("agentops_graph.adapters.sql_warehouse.postgres.GRACE_S", 0.5)
    with over_a_line(postgres_url) as (warehouse, line):
        assert len(warehouse.predictions(MODEL.name, *HOUR)) == 1
        line.stall()
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="did not answer"):
            warehouse.predictions(MODEL.name, *HOUR)
        assert time.monotonic() - began < 10
        line.flow()
        assert len(warehouse.predictions(MODEL.name, *HOUR)) == 1


def test_an_idle_line_that_was_cut_is_replaced_without_a_word(postgres_url):
    with over_a_line(postgres_url) as (warehouse, line):
        assert warehouse.latest(MODEL.name) is not None
        line.cut()
        assert warehouse.latest(MODEL.name) is not None


def test_a_line_that_breaks_in_the_middle_of_an_answer_is_no_answer(postgres_url):
    with over_a_line(postgres_url) as (warehouse, line):
        warehouse.latest(MODEL.name)
        line.cut_after(200)
        with pytest.raises(UnavailableError):
            warehouse.predictions(MODEL.name, *HOUR)
        line.flow()
        assert warehouse.latest(MODEL.name) is not None


def test_a_statement_that_takes_too_long_is_stopped_by_the_server(postgres_url):
    with in_postgres(postgres_url, statement_timeout_s=1) as made:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="took longer than 1 s"):
            made.session.read("SELECT 1 FROM pg_sleep(20)", {})
        assert time.monotonic() - began < 8


def test_a_read_can_not_write(postgres_url):
    with in_postgres(postgres_url) as made:
        made.create_tables()
        with pytest.raises(UnavailableError, match="read-only"):
            made.session.read(f"DELETE FROM {made.layouts.db_schema}.changes RETURNING 1", {})


def test_who_may_only_read_is_told_so_at_the_first_write(postgres_url):
    with in_postgres(postgres_url) as made:
        made.create_tables()
        made.write("PREDICTION_LOGS", [row()])
        schema = made.layouts.db_schema
        grants = [
            "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN END $$",
            f"GRANT USAGE ON SCHEMA {schema} TO reader",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader",
        ]
        made.session.change([(grant, {}) for grant in grants])
        source, password = source_of(postgres_url, schema=schema, user="reader")
        reader = open_warehouse(source, password)
        assert len(reader.predictions(MODEL.name, *HOUR)) == 1
        with pytest.raises(UnavailableError, match=r"refused reader.*GRANT"):
            reader.write("CHANGES", [{"timestamp": NOW, "kind": "deploy", "subject": MODEL.name}])
        reader.session.close()
        made.session.change([("DROP OWNED BY reader", {})])


def test_tables_with_other_columns_are_named_and_raise_no_alert(postgres_url):
    with in_postgres(postgres_url) as made:
        made.session.change(
            [(f"CREATE TABLE {made.layouts.db_schema}.prediction_logs (ts text, who text)", {})]
        )
        with pytest.raises(NotEnoughDataError, match="lacks the columns timestamp, model_name"):
            measure(made, COMPONENT, NOW)


def test_times_that_are_none_are_no_alert(postgres_url):
    with in_postgres(postgres_url) as made:
        table = f"{made.layouts.db_schema}.prediction_logs"
        columns = "timestamp text, model_name text, prediction_id text, prediction text"
        insert = f"INSERT INTO {table} VALUES ('soon', '{MODEL.name}', 'p', '1', '{{}}')"
        made.session.change(
            [(f"CREATE TABLE {table} ({columns}, features text)", {}), (insert, {})]
        )
        with pytest.raises(UnavailableError, match="invalid input syntax"):
            measure(made, COMPONENT, NOW)


def test_a_table_of_texts_is_read_as_well(postgres_url):
    with in_postgres(postgres_url) as made:
        names = "timestamp, model_name, model_version, prediction_id, prediction, features"
        table = f"{made.layouts.db_schema}.prediction_logs"
        columns = ", ".join(f"{name} text" for name in names.split(", "))
        values = f"'2026-02-28 13:55:00', '{MODEL.name}', '2', 'p', 'cat', '{{\"V14\": 1.5}}'"
        made.session.change(
            [
                (f"CREATE TABLE {table} ({columns})", {}),
                (f"INSERT INTO {table} ({names}) VALUES ({values})", {}),
            ]
        )
        rows = made.predictions(MODEL.name, *HOUR)
    assert rows.features["V14"].tolist() == [1.5]
    assert rows.prediction[0] > 2
    assert rows.timestamps.tolist() == [(NOW - timedelta(minutes=5)).timestamp()]


@pytest.mark.slow
def test_a_server_that_is_stopped_and_started_again_is_found_again(tmp_path):
    server = started(tmp_path / "pg")
    source, password = source_of(server.get_uri())
    warehouse = open_warehouse(source, password)
    try:
        warehouse.create_tables()
        filled(warehouse, "drifted")
        assert [f.alert_type for f in measure(warehouse, COMPONENT, NOW).findings]
        server.cleanup()
        with pytest.raises(UnavailableError, match="did not answer"):
            measure(warehouse, COMPONENT, NOW)
        server = started(tmp_path / "pg")
        assert [f.alert_type for f in measure(warehouse, COMPONENT, NOW).findings]
    finally:
        warehouse.session.close()
        server.cleanup()


def test_many_threads_share_a_few_connections(postgres_url):
    with in_postgres(postgres_url) as made:
        made.create_tables()
        made.write("PREDICTION_LOGS", [row()])
        seen = []
        threads = [
            threading.Thread(target=lambda: seen.append(made.latest(MODEL.name))) for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(seen) == 12
        held = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'agentops'"
        assert made.session.read(held, {})[0][0] <= 6
