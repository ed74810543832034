"""A data folder of one's own, from nothing."""

import sqlite3


def test_init_makes_the_tables_and_a_file_to_fill_in(desk):
    made = desk.read("init")
    assert made["is_new"] is True
    tables = sqlite3.connect(desk.home / "warehouse.db").execute(
        "select name from sqlite_master where type = 'table'"
    )
    assert {"PREDICTION_LOGS", "MODEL_METRICS", "DATA_QUALITY"} <= {name for (name,) in tables}
    assert "entry_points" in (desk.home / "components.yaml").read_text()


def test_init_again_leaves_what_is_there(desk):
    (desk.home / "components.yaml").write_text("components:\n  - name: churn\n")
    assert desk.read("init")["is_new"] is False
    assert desk.read("init")["is_new"] is False
    assert "churn" in (desk.home / "components.yaml").read_text()


def test_the_file_to_fill_in_is_a_valid_one(desk):
    desk.run("init")
    text = (desk.home / "components.yaml").read_text()
    lines = text.split("components: []\n", 1)[1].splitlines()
    (desk.home / "components.yaml").write_text("\n".join(line[2:] for line in lines))
    assert sorted(desk.workshop.components) == ["fraud-detector", "transactions"]


def test_a_lost_audit_key_is_said_and_not_made_anew(desk):
    desk.read("pause-actions")
    (desk.home / "audit.key").unlink()
    told = desk.run("incidents")
    assert told.exit_code == 2
    assert "AGENTOPS_AUDIT_KEY" in told.stderr
