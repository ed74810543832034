"""What is said when no incident on record fits: what the shelf knows, and what is open."""

from collections.abc import Generator, Iterator

from agentops_graph.chat.lines import LISTED, headline, page_line
from agentops_graph.chat.subject import content_of, stems_of
from agentops_graph.chat.talk import Talk, shown
from agentops_graph.domain.case import Case
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.knowledge import Page
from agentops_graph.errors import UnavailableError

PAGES = 3
# What one asks of us, and not about.
OF_THE_REQUEST = stems_of(
    "search find look read show list tell runbook runbooks incident incidents report reports "
    "document documents section sections page pages past"
)


def nothing_on_record(talk: Talk) -> Iterator[str]:
    focus = talk.focus
    if focus.component is not None:
        yield f"No incident of {shown(focus.component)} is on record."
        yield f"`check {shown(focus.component)}` measures it now."
    elif focus.topics:
        yield f"No incident that touches {' or '.join(focus.topics)} is on record."
    yield from from_the_shelf(talk)
    open_ones = [i.incident_id for i in talk.service.incidents(open_only=True)]
    if open_ones:
        yield f"Open are: {', '.join(open_ones[:LISTED])}."
    else:
        yield "No incident is open."


def spoken_of(talk: Talk, incident: Incident | None) -> Generator[str, None, Case | None]:
    """The case with its headline, or what is on record instead."""
    if incident is None:
        yield from nothing_on_record(talk)
        return None
    yield headline(incident)
    return talk.open_case(incident)


def from_the_shelf(talk: Talk) -> Iterator[str]:
    """What runbooks and past incidents say of the question; nothing when they don't speak of it."""
    try:
        pages = pages_about(talk)
    except UnavailableError:
        return  # what is on record is told all the same
    if pages:
        yield from told(talk, pages)


def pages_about(talk: Talk) -> list[Page]:
    return [p for p in talk.service.search(talk.question, limit=PAGES) if _speaks_of(p, talk)]


def told(talk: Talk, pages: list[Page]) -> Iterator[str]:
    yield "The runbooks and past incidents say:"
    for page in pages:
        talk.cite(page.reference, page.title)
        yield page_line(page)


def _speaks_of(page: Page, talk: Talk) -> bool:
    """Likeness always finds something; a page that shares less than half of the question's own
    words with it is noise."""
    text = stems_of(f"{page.title} {page.text}")
    asked = [word for word in content_of(talk.question) if word not in OF_THE_REQUEST]
    return bool(asked) and 2 * len(text.intersection(asked)) >= len(asked)
