"""A mistake in a file that people write is told with its line, in words that mend it."""

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from agentops_graph.errors import InputError
from agentops_graph.marked_yaml import read_marked


class Server(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: str
    name: str


def read(tmp_path, text):
    path = tmp_path / "sources.yaml"
    path.write_text(text, encoding="utf-8")
    return read_marked(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a:\n  - b: 1\n   - c: 2\n", r"^sources.yaml:3: is no YAML here: .*indentation"),
        ("a:\n\tb: 1\n", r"^sources.yaml:2: is no YAML here: .*not with tabs"),
        ("a: [1, 2\nb: 3\n", r"^sources.yaml:[23]: is no YAML here"),
        ("a: 1\nb: 2\na: 3\n", r"^sources.yaml:3: a stands twice, first in line 1"),
        ("a:\n  - b: 1\n    c: 2\n    b: 3\n", r"^sources.yaml:4: b stands twice, first in line 2"),
    ],
)
def test_a_file_that_can_not_be_read_is_told_in_one_line(tmp_path, text, said):
    with pytest.raises(InputError, match=said) as raised:
        read(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_keys_of_different_mappings_may_be_the_same(tmp_path):
    document = read(tmp_path, "x: &one {a: 1}\ny: *one\nz: [{a: 1}, {a: 2}]\n").document
    assert document == {"x": {"a": 1}, "y": {"a": 1}, "z": [{"a": 1}, {"a": 2}]}


def test_a_misspelt_key_is_told_before_what_it_leaves_missing(tmp_path):
    marked = read(tmp_path, "name: main\nulr: http://x\n")
    with pytest.raises(ValidationError) as raised:
        Server.model_validate(marked.document)
    refusal = marked.refusal(raised.value, kind=Server)
    assert str(refusal) == "sources.yaml:2: ulr: unknown; did you mean url?"
