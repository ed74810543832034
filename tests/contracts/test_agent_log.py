"""Contract of `AgentLog`: requests in time order, texts by request, the last attempt counts."""

import numpy as np
import pytest

from agentops_graph.adapters.memory import WarehouseInMemory
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.domain.outputs import TEXT_LIMIT, Calls, Exchange
from agentops_graph.errors import NotEnoughDataError
from tests.contracts.desk import AT, after
from tests.contracts.warehouse_kinds import SQL, made_in

NAN = np.nan
TEXTS = [("why?", "because"), ("when?", "at noon"), ("who?", "")]


def in_memory(_folder):
    calls = Calls(
        ids=["r0", "r1", "r2"],
        timestamps=np.array([after(s).timestamp() for s in (0, 10, 20)]),
        version=["1", "1", "2"],
        session=["s", "s", ""],
        provider=["east", "", ""],
        failure=["", "", "HTTP 503"],
        failed=np.array([0.0, 0.0, 1.0]),
        retries=np.array([0.0, NAN, 2.0]),
        latency_ms=np.array([120.0, 130.0, NAN]),
        cost=np.array([0.01, 0.02, NAN]),
        tokens=np.array([100.0, NAN, NAN]),
        progress=np.array([1.0, 0.0, NAN]),
        false_positive=np.array([NAN, 1.0, NAN]),
    )
    texts = {f"r{n}": Exchange(*pair) for n, pair in enumerate(TEXTS)}
    return WarehouseInMemory({}, calls={"bot": calls}, exchanges={"bot": texts})


def rows():
    more = [
        {"session_id": "s", "provider": "east", "retries": 0, "latency_ms": 120.0, "cost": 0.01}
        | {"tokens": 100, "progress": 1, "version": "1"},
        {"session_id": "s", "latency_ms": 130.0, "cost": 0.02, "progress": 0, "version": "1"}
        | {"false_positive": 1},
        {"error": "HTTP 503", "retries": 2, "version": "2"},
    ]
    for number, ((request, response), extra) in enumerate(zip(TEXTS, more, strict=True)):
        yield {
            "timestamp": after(10 * number),
            "request_id": f"r{number}",
            "agent_name": "bot",
            "request": request,
            "response": response,
        } | extra


def in_sqlite(folder):
    warehouse = SqliteWarehouse(folder / "warehouse.db")
    warehouse.create_tables()
    for row in rows():
        warehouse.write("AGENT_OUTPUTS", [row])
    return warehouse


@pytest.fixture(params=["memory", "sqlite", *SQL])
def warehouse(request, tmp_path):
    if request.param in SQL:
        with made_in(request.param, request) as made:
            for row in rows():
                made.write("AGENT_OUTPUTS", [row])
            yield made
    else:
        yield in_memory(tmp_path) if request.param == "memory" else in_sqlite(tmp_path)


def test_requests_come_with_their_figures_and_names(warehouse):
    seen = warehouse.calls("bot", AT, after(99))
    assert seen.ids == ["r0", "r1", "r2"]
    assert seen.session == ["s", "s", ""]
    assert seen.failed.tolist() == [0, 0, 1]
    assert seen.failure == ["", "", "HTTP 503"]
    assert seen.version == ["1", "1", "2"]
    np.testing.assert_equal(seen.retries, [0, NAN, 2])
    np.testing.assert_equal(seen.false_positive, [NAN, 1, NAN])


def test_a_window_holds_its_first_moment_and_not_its_last(warehouse):
    assert warehouse.calls("bot", after(10), after(20)).ids == ["r1"]
    assert len(warehouse.calls("nobody", AT, after(99))) == 0


def test_texts_are_those_of_the_requests_inside_the_window(warehouse):
    texts = warehouse.exchanges("bot", AT, after(20), ["r1", "r2", "r9"])
    assert texts == {"r1": Exchange("when?", "at noon")}
    assert warehouse.exchanges("bot", AT, after(99), []) == {}


@pytest.fixture(params=["memory", "sqlite", *SQL])
def empty(request, tmp_path):
    if request.param in SQL:
        with made_in(request.param, request) as made:
            yield made
    elif request.param == "memory":
        yield WarehouseInMemory({})
    else:
        made = SqliteWarehouse(tmp_path / "w")
        made.create_tables()
        yield made


def test_a_warehouse_without_any_output_says_so(empty):
    with pytest.raises(NotEnoughDataError):
        empty.calls("bot", AT, after(99))


@pytest.mark.parametrize("warehouse", ["sqlite", *SQL], indirect=True)
def test_a_long_text_and_a_long_error_are_cut_while_reading(warehouse):
    long = {"timestamp": after(30), "request_id": "r3", "agent_name": "bot"}
    warehouse.write(
        "AGENT_OUTPUTS", [long | {"response": "x" * 2 * TEXT_LIMIT, "error": "e" * 9999}]
    )
    assert len(warehouse.exchanges("bot", AT, after(99), ["r3"])["r3"].response) == TEXT_LIMIT
    assert len(warehouse.calls("bot", after(30), after(99)).failure[0]) == 200


@pytest.mark.parametrize("warehouse", ["sqlite", *SQL], indirect=True)
def test_the_last_attempt_of_a_request_is_the_one_that_is_read(warehouse):
    again = {"timestamp": after(30), "request_id": "r2", "agent_name": "bot", "response": "mia"}
    warehouse.write("AGENT_OUTPUTS", [again])
    assert warehouse.exchanges("bot", AT, after(99), ["r2"])["r2"].response == "mia"


def test_a_table_with_the_needed_columns_only_can_be_read(tmp_path):
    import sqlite3

    with sqlite3.connect(tmp_path / "w.db") as connection:
        connection.execute("CREATE TABLE AGENT_OUTPUTS (timestamp, request_id, agent_name)")
        connection.execute("INSERT INTO AGENT_OUTPUTS VALUES ('2026-02-28T12:00:00Z', 7, 'bot')")
    connection.close()
    warehouse = SqliteWarehouse(tmp_path / "w.db")
    seen = warehouse.calls("bot", after(-9e6), after(9e6))
    assert (seen.ids, seen.failed.tolist(), seen.provider) == (["7"], [0.0], [""])
    assert warehouse.exchanges("bot", after(-9e6), after(9e6), ["7"])["7"].response == ""
