"""The page on contracts: its commands run, its file is read, its lists are complete."""

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest

from agentops_graph.adapters.pandas_batches import read_contract
from agentops_graph.adapters.yaml_components import read_components
from agentops_graph.domain.contract import BreachKind, ColumnRule, Contract
from tests.cli.conftest import Desk
from tests.detection.feeds import payments

PAGE = (Path(__file__).parent.parent / "docs" / "contracts.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    payments().to_csv("monday.csv", index=False)
    payments(1).to_csv("tuesday.csv", index=False)
    (tmp_path / "components.yaml").write_text(blocks("yaml")[0])
    return Desk(tmp_path)


def test_commands_of_the_page_run_one_after_the_other(folder):
    commands = [line for block in blocks("console") for line in block.splitlines() if line]
    assert len(commands) == 3
    for command in commands:
        words = shlex.split(command.removeprefix("$ agentops "))
        result = folder.run(*words)
        assert result.exit_code == 0, result.output
    assert "Recorded in DATA_QUALITY." in result.output


def test_components_of_the_page_are_read(tmp_path):
    path = tmp_path / "components.yaml"
    path.write_text(blocks("yaml")[0])
    feed = read_components(path)["transactions"]
    assert (feed.contract, feed.batches) == ("transactions.yaml", "incoming/*.csv")


def test_file_of_the_page_is_a_contract_and_shows_every_key(tmp_path):
    path = tmp_path / "transactions.yaml"
    path.write_text(blocks("yaml")[1], encoding="utf-8")
    contract = read_contract(path)
    assert contract.freshness.max_age_s == 26 * 3600
    shown = set(re.findall(r"\w+", blocks("yaml")[1]))
    assert set(Contract.model_fields) | set(ColumnRule.model_fields) <= shown


def test_page_says_what_each_kind_of_breach_means():
    table = "\n".join(row for row in PAGE.splitlines() if row.startswith("| `"))
    assert [kind for kind in get_args(BreachKind) if f"`{kind}`" not in table] == []
