"""Prompts: versioned files that fill in text without reading it."""

import pytest

from agentops_graph.diagnosis.prompts import prompts_folder, read_prompts
from agentops_graph.errors import RunbookError


def test_the_shipped_prompts_have_versions_and_places():
    prompts = read_prompts(prompts_folder())
    assert "$brief" in prompts["diagnose"].text
    assert "$problem" in prompts["repair"].text
    assert prompts["diagnose"].version


def test_a_value_with_a_dollar_sign_stays_as_it_is(tmp_path):
    (tmp_path / "ask.md").write_text("---\nversion: 3\n---\nAbout $what and $other.\n")
    prompt = read_prompts(tmp_path)["ask"]
    assert prompt.filled(what="$other costs $5") == "About $other costs $5 and $other.\n"
    assert prompt.version == "3"


def test_a_prompt_without_a_version_is_refused(tmp_path):
    (tmp_path / "ask.md").write_text("Hello\n")
    with pytest.raises(RunbookError, match=r"ask\.md:1"):
        read_prompts(tmp_path)
