"""Writes the graph, as it is drawn from the code, into the README; `--check` only compares."""

import sys
from pathlib import Path

from agentops_graph.graph import build_graph
from agentops_graph.journal import AGENTS

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- graph -->\n", "<!-- /graph -->"
COLOURS = {"Monitor": "#dbeafe", "Investigator": "#ede9fe", "Remediator": "#dcfce7"}


def drawn() -> str:
    """Mermaid of the compiled graph, each node in the colour of its agent."""
    lines = build_graph().get_graph().draw_mermaid().splitlines()
    front = ("---", "config:", "  flowchart", "    ")
    body = [line for line in lines if line.strip() and not line.startswith(front)]
    body = [line for line in body if "classDef" not in line]
    classes = [f"\tclassDef {agent} fill:{colour},color:#111" for agent, colour in COLOURS.items()]
    members = [f"\tclass {node} {agent}" for node, agent in AGENTS.items()]
    return "\n".join(["```mermaid", *body, *classes, *members, "```"]) + "\n"


def main() -> int:
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    fresh = f"{before}{BEGIN}{drawn()}{END}{after}"
    if "--check" in sys.argv:
        if fresh != text:
            sys.stderr.write("README.md: stale graph; run `python scripts/readme_graph.py`\n")
            return 1
        return 0
    README.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
