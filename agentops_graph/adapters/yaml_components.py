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
    lines = _lines(tree)
    components: dict[str, Component] = {}
    for number, entry in enumerate(entries):
        component = _component(entry, f"{path.name}:{lines[number]}")
        if component.name in components:
            raise InputError(f"{component.name} stands twice", field=f"{path.name}:{lines[number]}")
        components[component.name] = component
    return components


def _component(entry: object, place: str) -> Component:
    try:
        return Component.model_validate(entry)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise InputError(f"{where}: {problem['msg']}", field=place) from None


def _lines(tree: yaml.Node | None) -> list[int]:
    """The line on which each entry of the list begins."""
    assert isinstance(tree, yaml.MappingNode)  # the caller has seen a mapping with a list
    for key, value in tree.value:
        if key.value == "components":
            return [node.start_mark.line + 1 for node in value.value]
    return []
