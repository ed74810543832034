"""Where else to read, from `sources.yaml`."""

from pathlib import Path

from pydantic import ValidationError

from agentops_graph.domain.sources.declared import Sources
from agentops_graph.marked_yaml import read_marked


def read_sources(path: Path) -> Sources:
    """What the file declares; an absent or empty file declares nothing. Raises InputError with file
    and line."""
    read = read_marked(path)
    try:
        return Sources.model_validate(read.document or {})
    except ValidationError as error:
        raise read.refusal(error, kind=Sources) from None
