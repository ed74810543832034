"""What is watched, from `components.yaml`."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from agentops_graph.domain.component import Component
from agentops_graph.errors import InputError


def read_components(path: Path) -> dict[str, Component]:
    """Components by name; an absent file is an empty set. Raises InputError with file and line."""
    if not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    try:
        document = yaml.safe_load(text) or {}
        tree = yaml.compose(text)
    except yaml.YAMLError as error:
        raise InputError(f"{error}", field=path.name) from None
    entries = document.get("components") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InputError(
            "must hold a list under `components:`, each with at least a `name`", field=path.name
        )
    nodes = _nodes(tree)
    components: dict[str, Component] = {}
    for number, entry in enumerate(entries):
        component = _component(entry, path.name, nodes[number])
        if component.name in components:
            place = f"{path.name}:{_line(nodes[number])}"
            raise InputError(f"{component.name} stands twice", field=place)
        components[component.name] = component
    return components


def _component(entry: object, file: str, node: yaml.Node) -> Component:
    try:
        return Component.model_validate(entry)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        seen = problem["input"]
        told = f" (seen: {seen})" if isinstance(seen, int | float | str) else ""
        place = f"{file}:{_line(node, *problem['loc'])}"
        said = problem["msg"].removeprefix("Value error, ")
        raise InputError(f"{where}: {said}{told}" if where else said, field=place) from None


def _line(node: yaml.Node, *path: int | str) -> int:
    """Where the value under that path stands, or the closest thing around it."""
    line: int = node.start_mark.line + 1
    for step in path:
        held = node.value if isinstance(node, yaml.MappingNode) else ()
        found = next(((key, value) for key, value in held if key.value == step), None)
        if found is None:
            return line
        key, node = found
        line = key.start_mark.line + 1
    return line


def _nodes(tree: yaml.Node | None) -> list[yaml.Node]:
    """The entries of the list."""
    assert isinstance(tree, yaml.MappingNode)  # the caller has seen a mapping with a list
    for key, value in tree.value:
        if key.value == "components":
            return list(value.value)
    return []
