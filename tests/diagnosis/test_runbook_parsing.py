"""Runbooks and incident reports become sections and causes; bad ones are refused by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentops_graph.diagnosis.runbook import parse_document, section_slug, sections_of
from agentops_graph.errors import RunbookError

RUNBOOK = """---
title: Model drift
serves: [model_drift, accuracy_drop]
causes:
  - cause: upstream_schema_change
    title: The feed changed
    section: "3.10"
    prior: 0.3
    signals:
      - {signal: few_features_drifted, seen: 1.5, absent: 0.8}
      - {signal: "change:schema_change", seen: 2.5}
    actions:
      - {action: send_slack_alert, priority: 1}
      - {action: retrain_model, priority: 2}
      - {action: deploy_model, priority: 3, condition: retrain_model passed or inconclusive}
---
# Model drift

Words before.

## 3. Causes

### 3.10 Usual causes, by the numbers!

A schema change.

```sh
# 3.11 Not a heading
```

## Lessons
One.

## Lessons
Two.
"""
REPORT = """---
incident_id: INC-2026-0115
title: V14 drift
alert_type: model_drift
root_cause: upstream_schema_change
confirmed: true
date: 2026-01-15
---
# Report
It happened.
"""


def refused(text, path="bad.md"):
    with pytest.raises(RunbookError) as caught:
        parse_document(path, text)
    return caught.value


def changed(old, new):
    assert old in RUNBOOK
    return RUNBOOK.replace(old, new)


def line_of(text, part):
    return next(n for n, line in enumerate(text.split("\n"), 1) if part in line)


def test_a_cause_points_at_its_section_and_keeps_its_number_as_written():
    cause = parse_document("model_drift.md", RUNBOOK).causes[0]
    assert cause.reference == "model_drift.md#section-3-10-usual-causes-by-the-numbers"
    assert cause.section == "3.10"
    assert cause.serves == ("model_drift", "accuracy_drop")
    assert cause.signals[1].signal == "change:schema_change"
    assert cause.actions[2].condition == "retrain_model passed or inconclusive"


def test_a_hash_inside_a_code_fence_is_no_heading():
    sections = parse_document("model_drift.md", RUNBOOK).sections
    assert [s.number for s in sections] == ["", "3", "3.10", "", ""]
    assert "# 3.11 Not a heading" in sections[2].text


def test_a_repeated_heading_gets_a_reference_of_its_own():
    references = [s.reference for s in parse_document("model_drift.md", RUNBOOK).sections]
    assert references[-2:] == ["model_drift.md#lessons", "model_drift.md#lessons-2"]


def test_a_document_without_front_matter_is_a_plain_runbook():
    document = parse_document("notes.md", "# Notes\nRestart the feed.\n")
    assert (document.kind, document.causes) == ("runbook", ())
    assert document.sections[0].reference == "notes.md#notes"


def test_windows_line_ends_and_a_byte_order_mark_change_nothing():
    marked = "\ufeff" + RUNBOOK.replace("\n", "\r\n")
    assert parse_document("model_drift.md", marked) == parse_document("model_drift.md", RUNBOOK)


def test_an_incident_report_takes_its_id_as_name():
    report = parse_document("incidents/some file.md", REPORT)
    assert (report.name, report.kind, report.confirmed) == ("INC-2026-0115", "incident", True)
    assert report.metadata["root_cause"] == "upstream_schema_change"
    assert report.alert_types == ("model_drift",)


@pytest.mark.parametrize(
    ("old", "new", "marker", "words"),
    [
        ("prior: 0.3", "prior: 1.3", "prior:", "out of range"),
        ("prior: 0.3", "prioor: 0.3", "prioor:", "did you mean 'prior'"),
        ("few_features_drifted,", "few_feature_drift,", "few_feature_drift", "few_features_drift"),
        ('"change:schema_change"', '"change:"', '"change:"', "unknown signal"),
        ("action: send_slack_alert", "action: send_slack", "send_slack,", "send_slack_alert"),
        ("passed or inconclusive}", "went well}", "went well", "bad condition"),
        ("accuracy_drop]", "accuracy_drops]", "accuracy_drops", "unknown alert type"),
        ('section: "3.10"', 'section: "3.9"', "3.9", "no heading"),
        ("    title: The feed changed\n", "", "- cause: upstream", "title: is missing"),
        ("title: Model drift\n", "title: [broken\n", "serves", "YAML"),
        ("    prior: 0.3", "    prior: 0.3\n    prior: 0.4", "prior: 0.4", "stands twice"),
        ("    prior: 0.3", "    prior: &p 0.3", "&p", "anchors"),
        ("title: Model drift\n", "", None, "title: is missing"),
        ("seen: 1.5", "seen: 300", "seen: 300", "out of range; it is at most 10"),
        ("seen: 1.5", "seen: nan", "seen: nan", "`seen` is a number"),
        ("seen: 1.5", "seen: much", "seen: much", "`seen` is a number (seen: 'much')"),
        ('"change:schema_change"', "few_features_drifted", "seen: 2.5", "stands twice"),
        ("n: retrain_model passed", "n: shift_traffic passed", "shift_", "does not list"),
        ("causes:\n", "cause:\n", "cause:", "did you mean 'causes'"),
        ("[model_drift, accuracy_drop]", "{a: b}", "serves", "write `serves: [latency]`"),
        ("[model_drift, accuracy_drop]", "[]", "serves", "write `serves: [latency]`"),
        ("cause: upstream_schema", "cause: Upstream", "- cause", "a name in small letters"),
        ("title: Model drift", "title: [a]", "title: [a]", "one line of text"),
    ],
)
def test_a_fault_is_named_with_its_line(old, new, marker, words):
    text = changed(old, new)
    error = refused(text)
    assert words in error.reason
    if marker:
        assert error.line == line_of(text, marker)
    assert str(error).startswith(f"bad.md:{error.line}: ")


def test_all_mistakes_of_a_file_are_told_at_once_in_the_order_of_their_lines():
    text = changed("prior: 0.3", "prior: 3").replace("seen: 2.5", "seen: 25")
    text = text.replace('section: "3.10"', 'section: "3.11"')
    error = refused(text)
    lines = [line_of(text, part) for part in ('"3.11"', "prior: 3", "seen: 25")]
    assert error.line == lines[0]
    told = [error.reason.index(f"line {line}: ") for line in lines[1:]]
    assert told == sorted(told)
    assert "no heading" in error.reason.split("; line")[0]


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ("title: Slow\ncause:\n  - {cause: hot, title: Hot}", "did you mean 'causes'"),
        ("title: Slow\nserve: latency", "did you mean 'serves'"),
    ],
)
def test_a_misspelt_key_of_ours_does_not_make_the_file_another_tools(front, words):
    error = refused(f"---\n{front}\n---\n# Slow\ntext")
    assert (error.line, words in error.reason) == (3, True)


def test_keys_of_other_tools_that_look_like_ours_are_left_alone():
    text = "---\ntitle: Slow\nservices: [api]\ncase: x\ncourses: [a]\n---\n# Slow\ntext"
    assert parse_document("slow.md", text).title == "Slow"


def test_one_alert_type_needs_no_brackets():
    text = changed("[model_drift, accuracy_drop]", "model_drift")
    assert parse_document("x.md", text).alert_types == ("model_drift",)


def test_what_another_tool_says_of_a_documents_use_stands_in_its_first_section():
    text = (
        "---\nname: disks\ndescription: |\n  Use when a volume fills up.\n"
        "tags: [storage, inodes]\n---\n# Disks\nDelete images.\n## More\nx\n"
    )
    first, second = parse_document("skills/disks/SKILL.md", text).sections
    assert first.text == "Use when a volume fills up.\nstorage, inodes\n\nDelete images."
    assert first.lines == (3, 8)
    assert "volume" not in second.text


def test_a_cause_that_stands_twice_is_refused():
    entry = RUNBOOK[RUNBOOK.index("  - cause") : RUNBOOK.index("---\n# Model")]
    text = RUNBOOK.replace(entry, entry + entry)
    error = refused(text)
    assert error.line == line_of(text, "- cause") + entry.count("\n")
    assert "stands twice" in error.reason


def test_front_matter_that_is_never_closed_is_refused():
    assert refused("---\ntitle: x\n# Text").line == 1


def test_front_matter_that_is_no_mapping_is_refused():
    assert "key: value" in refused("---\n- a\n---\n# Text\nx").reason


def test_an_unknown_field_of_a_report_is_refused():
    error = refused(REPORT.replace("date:", "dat:"), "incidents/x.md")
    assert (error.line, "did you mean 'date'" in error.reason) == (7, True)


@pytest.mark.parametrize("trap", ["a: " + "[" * 30_000, "a: " + "- " * 30_000, "- " * 99_999])
def test_deep_nesting_is_refused_and_does_not_end_the_process(trap):
    refused(f"---\n{trap}\n---\n# Text\nx")


def test_an_alias_bomb_is_refused():
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]"
    assert "anchors" in refused(f"---\n{bomb}\n---\n# Text\nx").reason


def test_slugs_follow_the_documented_form():
    assert section_slug("3.2", "Usual causes") == "section-3-2-usual-causes"
    assert section_slug("", "What -- now?") == "what-now"


@given(st.text())
def test_any_text_has_unique_references(text):
    references = [section.reference for section in sections_of("x.md", text)]
    assert len(references) == len(set(references)) > 0


@given(st.text(max_size=300))
def test_any_front_matter_is_read_or_refused_with_a_line(text):
    try:
        document = parse_document("x.md", f"---\n{text}\n---\n# Title\nbody")
    except RunbookError as error:
        refusal = error
    else:
        refusal = None
        assert document.sections
    assert refusal is None or (refusal.line >= 1 and refusal.reason)
