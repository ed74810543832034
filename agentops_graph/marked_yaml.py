"""YAML files that people write, with the line of every value, so that a mistake is shown there."""

from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import InputError
from agentops_graph.nearest_key import nearest_key

# A wide contract makes a long file.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Marked:
    """A parsed file that knows where its values stand."""

    file: str
    document: object
    tree: yaml.Node | None

    def place(self, *path: int | str) -> str:
        """`file:line` of the value under that path, or of the closest thing around it."""
        return f"{self.file}:{_line(self.tree, *path)}"

    def refusal(
        self, error: ValidationError, *path: int | str, kind: type[BaseModel] | None = None
    ) -> InputError:
        """The first thing wrong with the value under that path, in words, with file and line; for
        a key that `kind` has not, the nearest one that it has."""
        problems = error.errors()
        # A misspelt key also makes the one that was meant a missing one.
        problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            hint = "" if kind is None else nearest_key(str(problem["loc"][-1]), where, kind)
            return InputError(f"{where}: unknown{hint}", field=self.place(*path, *problem["loc"]))
        seen = problem["input"]
        # What stands in the wrong place may be a password.
        told = f" (seen: {redacted(str(seen))})" if isinstance(seen, int | float | str) else ""
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
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"can't be read: {error}", field=path.name) from None
    try:
        tree = yaml.compose(text, _LOADER)
        _refuse_twins(path.name, tree)
        return Marked(path.name, yaml.load(text, _LOADER), tree)
    except yaml.YAMLError as error:
        raise _misread(path.name, text, error) from None


def _misread(file: str, text: str, error: yaml.YAMLError) -> InputError:
    try:  # the slow reader says it better
        yaml.safe_load(text)
    except yaml.YAMLError as better:
        error = better
    if not isinstance(error, yaml.MarkedYAMLError):
        return InputError(f"is no YAML: {str(error).splitlines()[0]}", field=file)
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "it can't be read"
    hint = ""
    if "\\t" in problem:
        hint = "; indent with blanks, not with tabs"
    elif "block" in problem:
        hint = "; look at the indentation here and above"
    place = f"{file}:{mark.line + 1}" if mark else file
    return InputError(f"is no YAML here: {problem}{hint}", field=place)


def _refuse_twins(file: str, tree: yaml.Node | None) -> None:
    """YAML would take the last of two equal keys and drop the first without a word."""
    waiting, seen = [tree] if tree is not None else [], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        if isinstance(node, yaml.MappingNode):
            _refuse_twin_keys(file, [key for key, _ in node.value])
            waiting += [value for _, value in node.value]


def _refuse_twin_keys(file: str, keys: list[yaml.Node]) -> None:
    lines: dict[str, int] = {}
    for key in keys:
        if not isinstance(key, yaml.ScalarNode) or key.value == "<<":
            continue
        line = key.start_mark.line + 1
        if key.value in lines:
            first = lines[key.value]
            raise InputError(
                f"{redacted(key.value)} stands twice, first in line {first}", field=f"{file}:{line}"
            )
        lines[key.value] = line


def _line(node: yaml.Node | None, *path: int | str) -> int:
    line = node.start_mark.line + 1 if node else 1
    for step in path:
        found = _step(node, step)
        if found is None:  # a step of pydantic's own, such as the branch of a union, or missing
            continue
        line, node = found
    return line


def _step(node: yaml.Node | None, step: int | str) -> tuple[int, yaml.Node] | None:
    """The line and the value one step further down."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        entry = node.value[step]
        return entry.start_mark.line + 1, entry
    return None
