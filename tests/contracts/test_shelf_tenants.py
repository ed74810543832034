"""What holds for every shelf: what is found, and whose reports are."""

import pytest

from agentops_graph.adapters.memory.outside import ShelfInMemory
from agentops_graph.adapters.sqlite_shelf import SqliteShelf
from agentops_graph.diagnosis.embedding import LexicalEmbedding
from agentops_graph.diagnosis.runbook import parse_document
from agentops_graph.domain.knowledge import Page
from agentops_graph.errors import NotFoundError

OWN, FOREIGN = "scorer-a", "scorer-b"
RUNBOOK = "# Vendor feeds\n\n## 1. Look\n\nAsk the vendor what changed in the feed.\n"


def report(number, component, text="The vendor feed drifted."):
    of = "" if component is None else f"component: {component}\n"
    return (
        f"---\nincident_id: INC-2026-{number}\ntitle: Report {number}\nalert_type: model_drift\n"
        f"{of}root_cause: schema_change\nconfirmed: true\n---\n"
        f"# Report {number}\n\n## 1. Summary\n\n{text}\n"
    )


REPORTS = {
    "INC-2026-0001": report("0001", OWN),
    "INC-2026-0002": report("0002", FOREIGN, "The vendor feed drifted: SECRET-CLIENT."),
    "INC-2026-0003": report("0003", None),
}


def in_memory(reports):
    pages = []
    for name, text in {"vendor.md": RUNBOOK, **reports}.items():
        path = f"incidents/{name}.md" if name in reports else name
        document = parse_document(path, text)
        pages += [
            Page(
                reference=section.reference,
                document=name,
                kind=document.kind,
                title=section.title,
                text=section.text,
                component=document.metadata.get("component"),
                alert_types=("model_drift",),
            )
            for section in document.sections
        ]
    return ShelfInMemory(pages)


def on_sqlite(reports, folder):
    (folder / "runbooks" / "incidents").mkdir(parents=True)
    (folder / "runbooks" / "vendor.md").write_text(RUNBOOK)
    for name, text in reports.items():
        (folder / "runbooks" / "incidents" / f"{name}.md").write_text(text)
    return SqliteShelf(folder / "k.db", [folder / "runbooks"], LexicalEmbedding())


@pytest.fixture(params=["memory", "sqlite"])
def shelf_of(request, tmp_path):
    """Makes a shelf of one runbook and these reports."""
    opened = []

    def make(reports):
        if request.param == "memory":
            return in_memory(reports)
        opened.append(on_sqlite(reports, tmp_path))
        return opened[0]

    yield make
    for shelf in opened:
        shelf.close()


def found(shelf, **more):
    return {page.document for page in shelf.search("vendor feed drifted", limit=50, **more)}


def test_every_report_is_found_where_no_components_are_named(shelf_of):
    assert found(shelf_of(REPORTS)) == {"vendor.md", *REPORTS}


@pytest.mark.parametrize("more", [{}, {"alert_type": "model_drift"}, {"component": FOREIGN}])
def test_of_reports_only_those_of_the_named_components_are_found(shelf_of, more):
    shelf = shelf_of(REPORTS)
    assert found(shelf, components={OWN}, **more) == {"vendor.md", "INC-2026-0001"}
    assert found(shelf, components={OWN}, kind="incident", **more) == {"INC-2026-0001"}


def test_runbooks_are_everybodys(shelf_of):
    shelf = shelf_of(REPORTS)
    assert found(shelf, components=(), kind="runbook") == {"vendor.md"}
    assert found(shelf, components=frozenset()) == {"vendor.md"}
    assert found(shelf, components=(), kind="incident") == set()


def test_a_crowd_of_others_reports_does_not_hide_ones_own(shelf_of):
    crowd = {
        f"INC-2026-{n}": report(n, FOREIGN, "Vendor feed drifted. " * 3) for n in range(1000, 1200)
    }
    own = report("0001", OWN, "Long before the vendor told us of it, something in a feed changed.")
    pages = shelf_of(crowd | {"INC-2026-0001": own}).search(
        "vendor feed drifted", kind="incident", components=[OWN], limit=3
    )
    assert [page.document for page in pages] == ["INC-2026-0001"]
    assert pages[0].score > 0


def test_a_page_is_there_by_its_reference_or_not_at_all(shelf_of):
    shelf = shelf_of(REPORTS)
    page = next(iter(shelf.search("vendor feed drifted", components={OWN}, kind="incident")))
    assert shelf.page(page.reference).text == page.text
    with pytest.raises(NotFoundError):
        shelf.page("nowhere.md#x")
