"""Reads a post-mortem of this ledger, whatever its form."""

from dataclasses import replace

from agentops_graph.diagnosis.runbook import Document, parse_document, sections_of
from agentops_graph.domain.plain_text import printable
from agentops_graph.errors import RunbookError


def own_report(incident_id: str, markdown: str, confirmed: bool) -> Document:
    """What was learnt is never lost to a slip of form: a report whose front matter can't be read
    is kept as plain text, without alert type and root cause."""
    file = f"{incident_id}.md"
    text = "\n".join(printable(line) for line in markdown.split("\n"))
    try:
        parsed = parse_document(f"incidents/{file}", text)
    except RunbookError:
        parsed = Document(file, "incident", incident_id, sections_of(file, text))
    return replace(parsed, name=incident_id, kind="incident", confirmed=confirmed)
