"""The page on diagnoses shows what its command prints."""

import re
from pathlib import Path

import pytest

from evals.diagnosis.one import main

PAGE = (Path(__file__).parent.parent / "docs" / "diagnosis.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_incident_of_the_page_is_what_the_command_prints(capsys):
    (block,) = re.findall(
        r'```text\n\$ python -m evals.diagnosis.one "column swap" --seed 2\n(.*?)```', PAGE, re.S
    )
    assert main(["column swap", "--seed", "2"]) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.rstrip().splitlines()]
    assert printed == block.rstrip().splitlines()
