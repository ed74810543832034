"""What is read of strangers' text costs no more than its length."""

import time

import pytest

from agentops_graph.adapters.sqlite_shelf.own_report import own_report
from agentops_graph.chat.spelling import mended
from agentops_graph.diagnosis import (
    draft,
    fences,
    json_reply,
    precedents,
    runbook,
    vocabulary,
    weights,
)
from agentops_graph.diagnosis.guessing import with_guesses
from agentops_graph.diagnosis.runbook import heading_of, parse_document, sections_of
from agentops_graph.domain.plain_text import one_line
from agentops_graph.errors import RunbookError

LENGTH = 100_000
SECONDS = 3.0  # a busy machine takes 0.4 s; by a quadratic pattern it is minutes
ODD = {
    "spaces": "# a" + " " * LENGTH + "b",
    "spaces first": "#" + " " * LENGTH + "b",
    "spaces and hashes": "# a" + " #" * (LENGTH // 2) + "b",
    "hashes": "#" * LENGTH,
    "numbers": "# " + "1." * (LENGTH // 2),
    "section": "# section " + " " * LENGTH,
    "capitals": "A" * LENGTH + "é",
    "mixed": "AAbb" * (LENGTH // 4),
    "digits": "1" * LENGTH + "a",
    "commas": ", " * (LENGTH // 2),
    "only commas": "," * LENGTH,
    "braces": "{" * LENGTH,
    "thinking": "<think" * (LENGTH // 6),
    "root causes": "Root cause: " * (LENGTH // 12),
    "headings": "# a\n" * (LENGTH // 4),
    "zero width": "# a" + "\u200b \u200b" * (LENGTH // 3) + "b",
    "words": "".join(f"wq{n:x} " for n in range(LENGTH // 7)),
}


def read(text):
    try:
        return parse_document("x.md", text)
    except RunbookError:
        return None


def guessed(text):
    document = read(text)
    return document and with_guesses(document)


def replied(text):
    try:
        return json_reply.json_in(text, "cause")
    except json_reply.BadReplyError:
        return None


READERS = {
    "document": read,
    "guesses": guessed,
    "post-mortem": lambda text: own_report("INC-1", text, False),
    "numbered": runbook.NUMBERED.match,
    "fence": fences.FENCE.match,
    "slug": lambda text: runbook.section_slug("1", text),
    "reply": replied,
    "commas": json_reply.without_trailing_commas,
    "names": vocabulary.spelled_names,
    "terms": vocabulary.query_terms,
    "number": draft.NUMBER.findall,
    "link": draft.LINK.search,
    "root cause": precedents.ROOT_CAUSE.search,
    "one word": weights.ONE_WORD.fullmatch,
    "one line": one_line,
    "spelling": lambda text: mended(text, [f"model-{n}" for n in range(200)]),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_hundred_thousand_characters_are_read_in_their_time(reader):
    slow = {}
    for name, text in ODD.items():
        began = time.thread_time()
        READERS[reader](text)
        slow[name] = time.thread_time() - began
    assert {name: spent for name, spent in slow.items() if spent > SECONDS} == {}


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("# A", (1, "A")),
        ("###### A b ##  ", (6, "A b")),
        ("##\tC#", (2, "C")),
        ("# C# and F#", (1, "C# and F")),
        ("# #", (1, "#")),
        ("####### A", None),
        ("#A", None),
        (" # A", None),
        ("#", None),
        ("#   ", None),
        ("", None),
    ],
)
def test_a_heading_has_its_level_and_a_title_without_closing_hashes(line, heading):
    assert heading_of(line) == heading


def test_every_section_has_a_reference_of_its_own():
    long = "word " * 60
    text = (
        f"# T\n## a\n1\n## a\n2\n## a 2\n3\n## a\n4\n## {long}\n5\n## {long}\n6\n## {long} x\n7\n"
    )
    sections = sections_of("x.md", text)
    references = [section.reference for section in sections]
    assert references[:4] == ["x.md#a", "x.md#a-2", "x.md#a-2-2", "x.md#a-3"]
    assert len(set(references)) == len(sections) == 7
    assert max(len(reference) for reference in references) <= 200


def test_a_file_of_nothing_but_headings_is_refused_by_its_line():
    text = "".join(f"# a{n}\nx\n" for n in range(6000))
    with pytest.raises(RunbookError, match=r"x\.md:10001: has more than 5000 sections"):
        parse_document("x.md", text)


def test_what_is_invisible_is_dropped_before_spaces_are_made_one():
    assert one_line("a \u200b \u200b b\u200bc\u00a0d\x1b[2J") == "a bc d[2J"
    document = own_report("INC-1", "# INC-1: a\u200b\u200b\u200bb\ttab\nx\n", False)
    assert document.sections[0].title == "INC-1: ab tab"
