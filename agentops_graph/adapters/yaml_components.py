"""What is watched, from `components.yaml`."""

from pathlib import Path

from pydantic import ValidationError

from agentops_graph.domain.component import Component
from agentops_graph.errors import InputError
from agentops_graph.marked_yaml import Marked, read_marked


def read_components(path: Path) -> dict[str, Component]:
    """Components by name; an absent file is an empty set. Raises InputError with file and line."""
    if not path.exists():
        return {}
    read = read_marked(path)
    document = read.document or {}
    entries = document.get("components") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InputError(
            "must hold a list under `components:`, each with at least a `name`", field=path.name
        )
    components: dict[str, Component] = {}
    for number, entry in enumerate(entries):
        component = _component(entry, read, number)
        if component.name in components:
            place = read.place("components", number)
            raise InputError(f"{component.name} stands twice", field=place)
        components[component.name] = component
    return components


def _component(entry: object, read: Marked, number: int) -> Component:
    try:
        return Component.model_validate(entry)
    except ValidationError as error:
        raise read.refusal(error, "components", number, kind=Component) from None
