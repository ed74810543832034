"""Writes drafts of the files that people edit, and leaves alone what they configured."""

from pathlib import Path

from agentops_graph.errors import InputError

BESIDE = ".new"  # ends the name of a file that is written beside one that people edited
KEPT = ".old"  # ends the name of the comments that somebody wrote where nothing was configured


def written(path: Path, text: str, *, force: bool) -> Path:
    """Where the text stands now: there, or beside what people configured."""
    target = path if force or not _configures(path) else path.with_name(path.name + BESIDE)
    try:
        if _text(path) == text:
            return path
        if target == path and not (force or _is_ours(path)):
            path.replace(path.with_name(path.name + KEPT))
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"can't be written: {error}", field=str(target)) from None
    return target


def _configures(path: Path) -> bool:
    """False for a file of comments and empty lists; what can't be read may be anything."""
    import yaml

    text = _text(path)
    if text is None:
        return path.exists()
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return True
    return any(document.values()) if isinstance(document, dict) else bool(document)


def _is_ours(path: Path) -> bool:
    """True where there is nothing, or a draft in which nobody wrote a line."""
    from agentops_graph.data_folder import COMPONENTS_TO_FILL_IN
    from agentops_graph.domain.first_components import NOTHING
    from agentops_graph.domain.first_sources import sources_text

    text = _text(path) or ""
    is_first = text in (COMPONENTS_TO_FILL_IN, sources_text()) or text.endswith(NOTHING)
    return is_first or not text.strip()


def _text(path: Path) -> str | None:
    """None for what is not there or no text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
