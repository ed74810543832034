"""Past incidents as precedents: what their pages say of the cause, and what that weighs."""

import re
from collections.abc import Iterable

from agentops_graph.diagnosis.runbook import Document, Section
from agentops_graph.domain.knowledge import Cause, Page

ROOT_CAUSE = re.compile(r"^Root cause: (.+)$", re.MULTILINE)
BONUS_EACH = 0.5  # log-odds of one confirmed incident with the same root cause
BONUS_LIMIT = 1.0  # the past may tip a balance, it may not outweigh measurements


def stamped(document: Document, section: Section) -> str:
    """A section's text with, for a report, the first lines that every reader of it needs."""
    if document.kind == "runbook":
        return section.text
    state = "confirmed" if document.confirmed else "unconfirmed"
    cause = " ".join(str(document.metadata.get("root_cause") or "not stated").split())
    return f"Incident {document.name} ({state}).\nRoot cause: {cause}\n\n{section.text}"


def incident_id(page: Page) -> str:
    """The id of the incident an incident page belongs to."""
    return page.document.removesuffix(".md")


def names_cause(page: Page, cause: Cause) -> bool:
    """True when a report's root cause is this cause, by its name or its title; only the stamped
    line counts, so that a report which merely mentions a cause is no precedent for it."""
    match = ROOT_CAUSE.search(page.text)
    if match is None:
        return False
    stated = f" {_words(match[1])} "
    return any(f" {_words(name)} " in stated for name in (cause.cause, cause.title))


def confirmed_incidents(pages: Iterable[Page]) -> dict[str, Page]:
    """Confirmed incidents among pages, each once, in the order found."""
    found: dict[str, Page] = {}
    for page in pages:
        if page.kind == "incident" and page.confirmed:
            found.setdefault(incident_id(page), page)
    return found


def bonus(cause: Cause, incidents: dict[str, Page]) -> float:
    """Log-odds that confirmed precedents add to a cause; never more than `BONUS_LIMIT`."""
    alike = sum(names_cause(page, cause) for page in incidents.values())
    return min(BONUS_LIMIT, BONUS_EACH * alike)


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))
