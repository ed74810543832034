"""Prompts as Markdown files with a version, from the repository, the wheel or a team's folder."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Template

import yaml

from agentops_graph.errors import InputError, RunbookError

PACKAGE = Path(__file__).resolve().parent.parent
DIGITS = 8  # of the digest, as shown


@dataclass(frozen=True)
class Prompt:
    """A text with `$name` places, and the version that answers made with it are marked with."""

    name: str
    version: str
    text: str

    def filled(self, **values: str) -> str:
        """Each place filled once; a `$` inside a value stays as it is."""
        return Template(self.text).safe_substitute(values)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def identity(self) -> str:
        """Version and digest: an edited text is another one, whatever its front matter says."""
        return f"{self.version}-{self.digest[:DIGITS]}"

    def meets(self, pin: str) -> bool:
        """A pin is a version (`2`) or, to hold the text too, an identity (`2-1a2b3c4d`)."""
        return pin in (self.version, self.identity)


def prompts_folder() -> Path:
    """`prompts/` inside the installed package, or beside the package in the repository."""
    shipped = PACKAGE / "prompts"
    return shipped if shipped.is_dir() else PACKAGE.parent / "prompts"


def read_prompts(folder: Path) -> dict[str, Prompt]:
    """Every prompt of a folder by its file name; RunbookError when one has no version."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.md"))}


def prompts_of(shipped: Path, own: Path | None, pins: Mapping[str, str]) -> dict[str, Prompt]:
    """Those that ship, with the team's own in the place of theirs, as far as they are pinned."""
    prompts = read_prompts(shipped)
    if own is not None:
        if not own.is_dir():
            raise InputError(f"{own} is no folder", field="AGENTOPS_PROMPTS")
        theirs = read_prompts(own)
        strange = [name for name in theirs if name not in prompts]
        if strange:
            known = ", ".join(f"{name}.md" for name in prompts)
            raise InputError(
                f"{strange[0]}.md has no use; used are {known}", field="AGENTOPS_PROMPTS"
            )
        prompts |= theirs
    check_pins(prompts, pins)
    return prompts


def check_pins(prompts: Mapping[str, Prompt], pins: Mapping[str, str]) -> None:
    """Raises InputError when a prompt is not the pinned one."""
    for name, pin in pins.items():
        if name not in prompts:
            known = ", ".join(prompts)
            raise InputError(f"{name} is no prompt; known: {known}", field="AGENTOPS_PROMPT_PINS")
        prompt = prompts[name]
        if not prompt.meets(pin):
            raise InputError(
                f"{name}.md is {prompt.identity} and not {pin}; `agentops prompts diff {name}` "
                "shows what differs from the registry",
                field="AGENTOPS_PROMPT_PINS",
            )


def _read(path: Path) -> Prompt:
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines[0].rstrip() != "---" or "---" not in lines[1:]:
        raise RunbookError(path.name, 1, "a prompt starts with front matter: ---, version: N, ---")
    end = lines.index("---", 1)
    front = yaml.safe_load("\n".join(lines[1:end]))
    if not isinstance(front, dict) or "version" not in front:
        raise RunbookError(path.name, 2, "version: is missing")
    return Prompt(path.stem, str(front["version"]), "\n".join(lines[end + 1 :]).strip() + "\n")
