"""Which warehouse a workshop opens, and what it says of a wrong declaration."""

import pytest

from agentops_graph.adapters.sql_warehouse import SqlWarehouse
from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.bootstrap import Workshop
from agentops_graph.doctor import examine
from agentops_graph.errors import InputError
from agentops_graph.settings import read_settings

POSTGRES = """warehouse:
  kind: postgres
  host: {host}
  port: 1
  database: ml
  user: agentops
  password_env: WAREHOUSE_PASSWORD
"""


def workshop(home, declared=None, **environ):
    home.mkdir(exist_ok=True)
    if declared is not None:
        (home / "sources.yaml").write_text(declared)
    return Workshop(read_settings({"AGENTOPS_HOME": str(home), **environ}))


def test_without_a_word_it_is_the_embedded_file(tmp_path):
    assert isinstance(workshop(tmp_path).warehouse, SqliteWarehouse)
    assert isinstance(workshop(tmp_path, "warehouse: {kind: sqlite}\n").warehouse, SqliteWarehouse)


def test_the_declared_database_is_opened_with_its_secret_from_the_environment(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("WAREHOUSE_PASSWORD", "s3cret-word")
    made = workshop(tmp_path, POSTGRES.format(host="127.0.0.1")).warehouse
    assert isinstance(made, SqlWarehouse)
    assert made.place == "Postgres at 127.0.0.1:1/ml"
    assert "s3cret-word" not in repr(vars(made.session)["_source"])


def test_a_missing_secret_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("WAREHOUSE_PASSWORD", raising=False)
    with pytest.raises(InputError, match="WAREHOUSE_PASSWORD, which holds the warehouse's secret"):
        _ = workshop(tmp_path, POSTGRES.format(host="127.0.0.1")).warehouse


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("warehouse:\n  kind: mysql\n", r"sources.yaml:1: .*'snowflake'"),
        (POSTGRES.format(host="h") + "  pasword: x\n", r"sources.yaml:8: .*pasword"),
        (POSTGRES.format(host="h") + "  password: x\n", r"sources.yaml:8: .*password"),
        (POSTGRES.format(host="h") + "  sample_rows: 5\n", r"sources.yaml:8: .*sample_rows"),
        (
            "warehouse:\n  kind: snowflake\n  account: a\n  user: u\n  database: d\n",
            r"sources.yaml:1: .*either `private_key_file` or `password_env`",
        ),
    ],
)
def test_a_mistake_is_refused_with_its_line(tmp_path, declared, said):
    with pytest.raises(InputError, match=said):
        _ = workshop(tmp_path, declared).warehouse


def test_a_password_does_not_go_to_another_machine_in_the_clear(tmp_path, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_PASSWORD", "s3cret-word")
    far = POSTGRES.format(host="db.example.test") + "  sslmode: prefer\n"
    with pytest.raises(InputError, match=r"may send the password to db\.example\.test"):
        _ = workshop(tmp_path, far).warehouse
    allowed = workshop(tmp_path, far, AGENTOPS_ALLOW_REMOTE_HOSTS="true")
    assert isinstance(allowed.warehouse, SqlWarehouse)


def test_an_address_goes_before_the_file_and_its_password_is_never_shown(tmp_path):
    url = "postgresql://mia:s3cret%2Dword@127.0.0.1:1/ml/mon?statement_timeout_s=5"
    made = workshop(tmp_path, "warehouse: {kind: sqlite}\n", AGENTOPS_WAREHOUSE_URL=url)
    assert made.warehouse.place == "Postgres at 127.0.0.1:1/ml"
    assert "s3cret-word" in made.settings.secrets
    for wrong in ("mysql://mia:s3cret@h/d", "postgresql://mia:s3cret@h/d?sslmod=x", "postgresql:"):
        with pytest.raises(InputError) as refused:
            _ = workshop(tmp_path, AGENTOPS_WAREHOUSE_URL=wrong).warehouse
        assert "s3cret" not in str(refused.value)


def test_doctor_says_that_the_database_is_down_and_how_to_mend_it(tmp_path):
    url = "postgresql://mia:s3cret-word@127.0.0.1:1/ml"
    made = workshop(tmp_path, AGENTOPS_WAREHOUSE_URL=url)
    checks = {check.name: check for check in examine(made.settings, lambda: made.ports)}
    assert checks["warehouse"].state == "broken"
    assert "did not answer" in checks["warehouse"].seen
    assert "s3cret-word" not in str(checks["warehouse"])


def test_whole_tables_of_a_server_are_not_fetched(tmp_path):
    url = "postgresql://mia:x@127.0.0.1:1/ml"
    with pytest.raises(InputError, match="no whole table is read"):
        workshop(tmp_path, AGENTOPS_WAREHOUSE_URL=url).warehouse.rows_of("DATA_QUALITY")
