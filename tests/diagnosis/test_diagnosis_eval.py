"""The evaluation of diagnoses can fail: what it counts, what it leaves out, and what it refuses."""

import json
from copy import deepcopy

import pytest

from agentops_graph.domain.diagnosis import UNKNOWN_CAUSE
from evals.diagnosis.__main__ import document, main
from evals.diagnosis.ablation import rows
from evals.diagnosis.judged import Share, calibration_error, report
from evals.diagnosis.running import of_trunk
from evals.diagnosis.scenarios import FAULTS, SCENARIOS
from evals.diagnosis.world import Lived
from evals.grounding.__main__ import document as grounding
from evals.grounding.__main__ import main as ground
from evals.grounding.checks import unfounded

KINDS = {one.name.partition(",")[0] for one in FAULTS}


def test_there_are_enough_kinds_and_cases_that_can_not_flatter():
    assert len(KINDS) >= 16
    groups = {one.group for one in SCENARIOS.values()}
    assert groups >= {"red herring", "dual fault", "missing signals", "recovered"}
    assert groups >= {"poisoned precedent", "no guilty change", "ambiguous", "control"}


def test_an_empty_run_fails_and_so_does_one_that_could_not_run():
    assert report([]).failed
    broken = [Lived("unit change", seed, trouble="no disk") for seed in range(3)]
    assert report(broken).failed == ("only 0 of 3 cases could run",)


@pytest.fixture(scope="module")
def lived():
    return of_trunk(["token bloat", "provider outage, nothing recorded", "late evening"], 2)


@pytest.mark.slow
def test_cases_are_lived_through_and_judged(lived):
    found = report(lived)
    assert found.shares["top-1 cause"] == Share(1, 1)
    assert found.shares["rightly abstaining"] == Share(1, 1)
    assert found.shares["controls without a diagnosis"] == Share(1, 1)
    assert lived[1].told[0].diagnosis.missing
    checked, wrong = unfounded(lived)
    assert checked > 20
    assert wrong == []


@pytest.mark.slow
def test_a_sure_and_wrong_answer_is_the_headline(lived):
    bloat, outage = deepcopy(lived[:2])
    lie = {"cause": "price_change", "confidence": 0.9}
    bloat.told[0].diagnosis = bloat.told[0].diagnosis.model_copy(update=lie)
    found = report([bloat, outage])
    assert found.surely_wrong == Share(1, 2)
    assert any(line.startswith("surely wrong") for line in found.failed)
    told = {row[0]: row for row in rows([bloat])}
    assert told["service_health"][1] == 0.0
    assert bloat.told[0].diagnosis.cause != UNKNOWN_CAUSE


def test_confidence_that_is_always_right_when_it_says_ninety_percent_is_off_by_ten():
    assert calibration_error([(0.9, True)] * 20) == pytest.approx(0.1)


def test_an_unknown_case_is_refused():
    with pytest.raises(KeyError):
        main(["--only", "no such case", "--quick"])


@pytest.mark.slow
def test_what_the_runner_reads_holds_figures_and_what_was_missed(lived):
    told = json.loads(json.dumps(document(lived, report(lived))))
    assert told["failed"] == []
    assert told["shares"]["top-1 cause"] == 1.0
    assert told["counted"]["top-1 cause"].endswith("1 of 1")
    bloat = lived[0].told[0]
    bloat.diagnosis = bloat.diagnosis.model_copy(update={"also": ("provider_incident",)})
    assert any(line.startswith("nothing wrong named") for line in report(lived[:1]).failed)
    bloat.diagnosis = bloat.diagnosis.model_copy(update={"also": ()})


def test_grounding_of_nothing_fails_and_what_could_not_run_is_not_wrong():
    assert grounding([])["failed"] == ["nothing was checked"]
    broken = [Lived("unit change", seed, trouble="no disk") for seed in range(3)]
    assert grounding(broken)["could_not_run"] == 3
    assert not any("does not hold" in line for line in grounding(broken)["failed"])


@pytest.mark.slow
def test_grounding_prints_its_figures_as_json(capsys):
    assert ground(["--json", "--seeds", "1", "--only", "token bloat"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["held"], told["failed"]) == (1.0, [])
    assert told["checked"] > 10
    assert told["by_kind"]["service_health"] > 0
