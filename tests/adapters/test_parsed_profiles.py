"""A profile is parsed once for one text, seen anew when it changes, and forgotten in time."""

from datetime import UTC, datetime

from agentops_graph.adapters.sqlite_warehouse import SqliteWarehouse
from agentops_graph.detection.profile import profile_of
from agentops_graph.warehouse.profiles import ParsedProfiles

AT = datetime(2026, 2, 28, tzinfo=UTC)


def profile(rows):
    return profile_of("m", "1", {}, {"f1": rows / 1000}, AT)


def test_the_same_text_is_parsed_once():
    parsed = ParsedProfiles()
    text = profile(3).model_dump_json()
    assert parsed.of(text) is parsed.of(text)
    assert parsed.of(text) == profile(3)


def test_the_least_used_is_forgotten_when_there_is_no_room():
    texts = [profile(rows).model_dump_json() for rows in (1, 2, 3)]
    parsed = ParsedProfiles(most_characters=2 * len(texts[0]))
    first, second = parsed.of(texts[0]), parsed.of(texts[1])
    assert parsed.of(texts[0]) is first
    parsed.of(texts[2])
    assert parsed.of(texts[0]) is first
    assert parsed.of(texts[1]) is not second


def test_a_profile_larger_than_the_room_is_read_all_the_same():
    text = profile(4).model_dump_json()
    assert ParsedProfiles(most_characters=1).of(text) == profile(4)


def test_a_reference_taken_again_is_seen_at_once(tmp_path):
    warehouse = SqliteWarehouse(tmp_path / "w.db")
    for rows in (5, 6):
        warehouse.save_reference(profile(rows))
        assert warehouse.reference("m", "1") == profile(rows)
