"""Reads what front matter of other tools says of a document: its title, and when to use it."""

from agentops_graph.diagnosis.front_matter import FrontMatter

TITLES = ("title", "name")
# In the order in which they are shown.
SAID = ("description", "summary", "when_to_use", "when-to-use", "tags", "keywords", "aliases")
LONGEST = 2000  # characters of one key: more is no summary


def stated_title(front: FrontMatter) -> str | None:
    stated = (front.values.get(key) for key in TITLES)
    return next((v.strip() for v in stated if isinstance(v, str) and v.strip()), None)


def summary(front: FrontMatter) -> tuple[str, int] | None:
    """What it says of its use, with the line it begins on; None when it says nothing."""
    told = {key: _words(front.values.get(key)) for key in SAID}
    keys = [key for key in SAID if told[key]]
    if not keys:
        return None
    return "\n".join(told[key] for key in keys), min(front.line((key,)) for key in keys)


def _words(value: object) -> str:
    if isinstance(value, str):
        return value.strip()[:LONGEST]
    if isinstance(value, list):
        return ", ".join(member for member in value if isinstance(member, str))[:LONGEST]
    return ""
