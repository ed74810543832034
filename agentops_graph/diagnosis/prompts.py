"""Prompts as Markdown files with a version, from the repository or from the wheel."""

from dataclasses import dataclass
from pathlib import Path
from string import Template

import yaml

from agentops_graph.errors import RunbookError

PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Prompt:
    """A text with `$name` places, and the version that answers made with it are marked with."""

    name: str
    version: str
    text: str

    def filled(self, **values: str) -> str:
        """Each place filled once; a `$` inside a value stays as it is."""
        return Template(self.text).safe_substitute(values)


def prompts_folder() -> Path:
    """`prompts/` inside the installed package, or beside the package in the repository."""
    shipped = PACKAGE / "prompts"
    return shipped if shipped.is_dir() else PACKAGE.parent / "prompts"


def read_prompts(folder: Path) -> dict[str, Prompt]:
    """Every prompt of a folder by its file name; RunbookError when one has no version."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.md"))}


def _read(path: Path) -> Prompt:
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines[0].rstrip() != "---" or "---" not in lines[1:]:
        raise RunbookError(path.name, 1, "a prompt starts with front matter: ---, version: N, ---")
    end = lines.index("---", 1)
    front = yaml.safe_load("\n".join(lines[1:end]))
    if not isinstance(front, dict) or "version" not in front:
        raise RunbookError(path.name, 2, "version: is missing")
    return Prompt(path.stem, str(front["version"]), "\n".join(lines[end + 1 :]).strip() + "\n")
