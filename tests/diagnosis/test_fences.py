"""Code in Markdown is told from headings and text, whatever fences it has."""

import pytest

from agentops_graph.diagnosis.fences import with_fences
from agentops_graph.diagnosis.runbook import LONGEST_PLAIN, sections_of, title_of

LONGER = "````md\n```sh\n# no\n```\n# nor this\n````\n# Yes"
TILDES = "~~~\n```\n# no\n~~~\n# Yes"
SAID = "```sh\n# no\n```sh\n# nor this\n```\n# Yes"
ONE_LINE = "```kubectl get pods```\n# Yes"


@pytest.mark.parametrize("text", [LONGER, TILDES, SAID, ONE_LINE])
def test_only_a_fence_of_its_own_kind_and_length_ends_code(text):
    outside = [line for _, line, inside in with_fences(text.split("\n")) if not inside]
    assert [line for line in outside if line.startswith("#")] == ["# Yes"]
    assert title_of(text) == "Yes"
    assert [s.title for s in sections_of("x.md", f"{text}\nwords")] == ["x", "Yes"]


def test_code_that_is_never_closed_goes_on_to_the_end():
    assert title_of("```\n# no\n# no\n") is None


def test_a_long_plain_section_is_cut_outside_of_code():
    code = "```\n" + "line of code\n" * (LONGEST_PLAIN // 10) + "```"
    text = "# Long\n" + "words and words\n" * 200 + code + "\nafter\n"
    parts = [s.text for s in sections_of("x.md", text, longest=LONGEST_PLAIN)]
    holding = [part for part in parts if "```" in part]
    assert all(part.count("```") == 2 for part in holding)
