"""The order of found pages by what is known of them: alert type, component, name."""

from agentops_graph.diagnosis.features import WORD
from agentops_graph.diagnosis.vocabulary import name_parts
from agentops_graph.domain.knowledge import Page

# Added to scores between 0 and 1: a declared type always comes first, a guessed one unless the
# page hardly fits.
NAMED, DECLARED_TYPE, GUESSED_TYPE, SAME_COMPONENT = 2.0, 1.0, 0.75, 0.25


def ordered_pages(
    pages: list[Page], query: str, alert_type: str | None, component: str | None
) -> list[Page]:
    """Pages of the alert type first, a guessed type counting a little less than a declared one;
    of each incident its best section before any second one, so that a few places show several
    incidents. A runbook named as something in the query comes before all."""
    asked = {word.lower() for word in WORD.findall(query)}
    lifted = [(page.score + _lift(page, asked, alert_type, component), page) for page in pages]
    lifted.sort(key=lambda pair: -pair[0])
    seen: set[str] = set()
    first: list[Page] = []
    later: list[Page] = []
    for _, page in lifted:
        repeated = page.kind == "incident" and page.document in seen
        seen.add(page.document)
        (later if repeated else first).append(page)
    return first + later


def _lift(page: Page, asked: set[str], alert_type: str | None, component: str | None) -> float:
    name = page.document.rpartition("/")[2].rpartition(".")[0]
    lift = NAMED * (bool(name_parts(name)) and name.lower() in asked)
    if alert_type is not None and alert_type in page.alert_types:
        lift += GUESSED_TYPE if page.guessed else DECLARED_TYPE
    if component is not None and page.component == component:
        lift += SAME_COMPONENT
    return lift
