"""YAML files that people write, with the line of every value, so that a mistake is shown there."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from agentops_graph.errors import InputError


@dataclass(frozen=True)
class Marked:
    """A parsed file that knows where its values stand."""

    file: str
    document: object
    tree: yaml.Node | None

    def place(self, *path: int | str) -> str:
        """`file:line` of the value under that path, or of the closest thing around it."""
        return f"{self.file}:{_line(self.tree, *path)}"

    def refusal(self, error: ValidationError, *path: int | str) -> InputError:
        """The first thing wrong with the value under that path, in words, with file and line."""
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        seen = problem["input"]
        told = f" (seen: {seen})" if isinstance(seen, int | float | str) else ""
        said = problem["msg"].removeprefix("Value error, ")
        return InputError(
            f"{where}: {said}{told}" if where else said, field=self.place(*path, *problem["loc"])
        )


def read_marked(path: Path) -> Marked:
    """The file, parsed; an empty or absent one holds None. Raises InputError with file and line."""
    if not path.exists():
        return Marked(path.name, None, None)
    try:
        text = path.read_text(encoding="utf-8")
        return Marked(path.name, yaml.safe_load(text), yaml.compose(text))
    except yaml.YAMLError as error:
        raise InputError(f"{error}", field=path.name) from None
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"can't be read: {error}", field=path.name) from None


def _line(node: yaml.Node | None, *path: int | str) -> int:
    line = node.start_mark.line + 1 if node else 1
    for step in path:
        # A step that the file has not is the name of a kind, which the schema puts in between.
        line, node = _step(node, step) or (line, node)
    return line


def _step(node: yaml.Node | None, step: int | str) -> tuple[int, yaml.Node] | None:
    """The line and the value one step further down."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        entry = node.value[step]
        return entry.start_mark.line + 1, entry
    return None
