"""A first `sources.yaml`: every section that can be declared, explained and off."""

from agentops_graph.domain.sources.declared import Sources
from agentops_graph.domain.sources.examples import EXAMPLES

HEAD = """\
# Where else agentops reads; docs/sources.md. Every section is off until you take its "# " away.
# Secrets never stand here: a field that ends in _env names the environment variable with one.
"""
NONE_YET = "# This version reads the warehouse alone: there is no section to declare.\n"


def sources_text(kind: type[Sources] = Sources) -> str:
    """The file's text; it declares nothing until somebody edits it."""
    sections = [
        commented(EXAMPLES.get(name, f"{name}:  # docs/sources.md says what it holds\n"))
        for name in kind.model_fields
    ]
    return HEAD + ("\n" + "\n".join(sections) if sections else NONE_YET)


def commented(example: str) -> str:
    lines = example.strip("\n").split("\n")
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)
