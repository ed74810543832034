"""`agentops contract`: inferred, edited, checked, recorded."""

import json

import pytest

from tests.cli.conftest import Desk
from tests.detection.feeds import payments

COMPONENTS = """\
components:
  - name: payments
    kind: pipeline
    contract: payments.yaml
"""


@pytest.fixture
def shop(tmp_path):
    """A data folder with a contract made from a good batch, and two batches."""
    desk = Desk(tmp_path)
    payments().to_csv(tmp_path / "good.csv", index=False)
    payments(1).to_csv(tmp_path / "next.csv", index=False)
    payments(2).assign(country="XX").to_csv(tmp_path / "bad.csv", index=False)
    (tmp_path / "components.yaml").write_text(COMPONENTS)
    made = desk.run(
        "contract", "infer", str(tmp_path / "good.csv"), "--name", "payments",
        "--out", str(tmp_path / "payments.yaml"),
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    return desk


def test_a_contract_is_shown_unless_it_is_written(shop):
    result = shop.run("contract", "infer", str(shop.home / "good.csv"))
    assert result.stdout.startswith("# The contract of good, inferred from good.csv on ")
    assert "  amount:\n    dtype: number\n    nullable: false" in result.stdout


def test_an_edited_contract_is_not_overwritten_by_chance(shop):
    path = str(shop.home / "payments.yaml")
    again = ["contract", "infer", str(shop.home / "next.csv"), "--out", path]
    refused = shop.run(*again)
    assert refused.exit_code == 2
    assert "--force replaces it" in refused.stderr
    assert shop.run(*again, "--force").exit_code == 0


def test_a_batch_that_holds_ends_with_zero_and_one_that_does_not_with_one(shop):
    assert shop.read("contract", "check", str(shop.home / "next.csv"))["status"] == "ok"
    found = shop.read("contract", "check", str(shop.home / "bad.csv"), code=1)
    assert (found["status"], found["violations"], found["violation_rate"]) == ("violated", 2000, 1)
    assert found["breaches"][0]["column"] == "country"


def test_the_table_names_kind_column_and_rows(shop):
    result = shop.run("contract", "check", str(shop.home / "bad.csv"))
    assert result.exit_code == 1
    assert "unseen category  country  2000  100.0%" in result.stdout
    assert "bad.csv: 2000 of 2000 rows break the contract (100.0%)" in result.stdout
    assert "bad.csv breaks the contract of payments" in result.stderr


def test_a_contract_can_be_named_by_its_file(shop):
    path = shop.home / "own.yaml"
    path.write_text("name: own\ncolumns:\n  amount: {dtype: number, range: [0, 1]}\n")
    found = shop.read(
        "contract", "check", str(shop.home / "next.csv"), "--contract", str(path), code=1
    )
    assert {b["kind"] for b in found["breaches"]} == {"out_of_range", "added_column"}


def test_a_recorded_batch_is_seen_by_the_monitor_and_counts_once(shop):
    check = ["contract", "check", str(shop.home / "bad.csv"), "--record"]
    assert shop.read(*check, code=1)["recorded"] is True
    assert shop.read(*check, code=1)["recorded"] is False
    seen = shop.workshop
    rows = seen.warehouse.rows_of("DATA_QUALITY")[1]
    assert len(rows) == 1
    measured = seen.service.readings("payments")
    assert measured.readings["quality_violations"] == 1
    assert "country" in measured.findings[0].summary
    (entry,) = [e for e in seen.ports.audit.rows() if e["what"] == "batch.recorded"]
    assert json.loads(entry["fields"])["violations"] == 2000


def test_a_column_that_not_every_batch_has_is_left_out(shop):
    result = shop.run("contract", "infer", str(shop.home / "good.csv"), "--leave-out", "share")
    assert "  share:" not in result.stdout
    refused = shop.run("contract", "infer", str(shop.home / "good.csv"), "--leave-out", "nobody")
    assert "there is no column nobody" in refused.stderr


def test_a_table_of_the_warehouse_makes_a_contract(shop):
    rows = [
        {"timestamp": f"2026-03-01T10:{n:02d}:00", "agent_name": "helper", "requests": n}
        for n in range(60)
    ]
    shop.workshop.warehouse.write("AGENT_METRICS", rows)
    result = shop.run("contract", "infer", "--table", "AGENT_METRICS", "--name", "helper")
    assert "  requests:\n    dtype: integer" in result.stdout
    refused = shop.run("contract", "infer", "--table", "NOTHING")
    assert "the warehouse has no table NOTHING; it has AGENT_METRICS" in refused.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["infer"], "name one FILE, or a table with --table"),
        (["check", "none.csv"], "there is no such file"),
        (["check", "bad.csv", "--name", "nobody"], "no component 'nobody'; known: payments"),
        (["check", "bad.csv", "--record", "--contract", "x.yaml"], "leave --contract out"),
        (["check", "bad.csv", "--contract", "none.yaml"], "the contract can't be read"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(shop, args, said):
    given = [str(shop.home / a) if a.endswith(".csv") else a for a in args]
    result = shop.run("contract", *given)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
