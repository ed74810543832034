"""What every shelf promises: kinds, components, guesses behind declarations, unknown pages."""

import pytest

from agentops_graph.adapters.memory.outside import ShelfInMemory
from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.diagnosis.lsa import LsaLearner
from agentops_graph.errors import NotFoundError
from tests.adapters.shelf_documents import report, write_documents

PLAIN = "# DriftOfFeature\n\n## Meaning\n\nThe model drift of a feature: its PSI drifted.\n"


@pytest.fixture(params=["sqlite", "memory"])
def shelf(request, tmp_path):
    folder = write_documents(tmp_path / "runbooks")
    (folder / "DriftOfFeature.md").write_text(PLAIN)
    for number in (1, 2):
        text = report(f"INC-2030-000{number}", text="The quagga feed drifted.")
        owned = text.replace("confirmed:", f"component: model-{number}\nconfirmed:")
        (folder / "incidents" / f"INC-2030-000{number}.md").write_text(owned)
    kept = SqliteShelf(tmp_path / "knowledge.db", [folder], LsaLearner())
    if request.param == "sqlite":
        yield kept
    else:
        pages = kept.search("vendor quagga drift model feed schema feature psi", limit=50)
        asked = [kept.causes("model_drift", question=q) for q in ("", "model drift of a feature")]
        guessed = [cause for cause in asked[1] if cause.guessed]
        yield ShelfInMemory(pages, guessed + asked[0])
    kept.close()


def test_reports_of_the_component_come_first(shelf):
    for number in (1, 2):
        named = f"model-{number}"
        first = shelf.search("quagga feed", kind="incident", component=named, limit=1)[0]
        assert first.component == named


def test_only_the_kind_that_is_asked_for_is_found_and_no_more_than_the_limit(shelf):
    for kind in ("runbook", "incident"):
        found = shelf.search("drift feed drifted", kind=kind, limit=2)
        assert 0 < len(found) <= 2
        assert {page.kind for page in found} == {kind}


def test_a_guess_comes_behind_what_is_declared_and_only_for_its_question(shelf):
    assert [cause.guessed for cause in shelf.causes("model_drift")] == [False]
    asked = shelf.causes("model_drift", question="model drift of a feature")
    assert [cause.guessed for cause in asked] == [False, True]


def test_a_page_that_is_not_there_is_told(shelf):
    with pytest.raises(NotFoundError):
        shelf.page("nowhere.md#x")
