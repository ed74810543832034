"""The YAML front matter of a document, checked with the line of every fault."""

from typing import Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from agentops_graph.diagnosis.wording import nearest, refusal
from agentops_graph.domain.alert import AlertType, Severity
from agentops_graph.domain.evidence import CHANGE_PREFIX, SIGNALS
from agentops_graph.domain.knowledge import CauseAction, SignalWeight
from agentops_graph.domain.record import Name, Record
from agentops_graph.errors import RunbookError

MAX_NODES = 20_000  # a front matter of a few pages; more is an accident or an attack
MAX_DEPTH = 20
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where it was built
FENCE = "---"
NO_KEY = 'YAML: a key must be one plain text; quote a value that begins with a brace: "{{ x }}"'
Location = tuple[int | str, ...]


class KnownSignal(SignalWeight):
    """A signal weight whose signal some gatherer can measure."""

    @model_validator(mode="after")
    def _is_measured(self) -> Self:
        prefixed = self.signal.startswith(CHANGE_PREFIX) and self.signal != CHANGE_PREFIX
        if self.signal not in SIGNALS and not prefixed:
            hint = nearest(self.signal, SIGNALS)
            raise ValueError(f"signal: unknown signal {self.signal!r}{hint}")
        return self


class CauseEntry(Record):
    """One candidate cause as a runbook's front matter writes it."""

    cause: Name = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Name
    section: Name
    serves: tuple[AlertType, ...] = ()  # else those of the file
    prior: float = Field(default=0.2, gt=0, lt=1)
    signals: tuple[KnownSignal, ...] = ()
    actions: tuple[CauseAction, ...] = ()


class RunbookFront(Record):
    """Front matter of a runbook."""

    title: Name
    serves: tuple[AlertType, ...] = Field(min_length=1)
    causes: tuple[CauseEntry, ...] = ()


class IncidentFront(Record):
    """Front matter of an incident report."""

    incident_id: Name
    title: Name
    alert_type: AlertType
    root_cause: str = Field(min_length=1)
    confirmed: bool
    component: Name | None = None
    severity: Severity | None = None
    date: str | None = None
    resolution: str | None = None
    duration_minutes: float | None = Field(default=None, ge=0)


class FrontMatter:
    """Parsed front matter that remembers where each key stood."""

    def __init__(self, file: str, node: yaml.Node, first_line: int) -> None:
        self.file, self._node, self._first_line = file, node, first_line
        self.values = self._plain(node)
        if not isinstance(self.values, dict):
            raise RunbookError(file, first_line, "front matter must be a list of `key: value`")

    def runbook(self) -> RunbookFront:
        try:
            return RunbookFront.model_validate(self.values)
        except ValidationError as error:
            raise self._refused(error, RunbookFront) from None

    def incident(self) -> IncidentFront:
        try:
            return IncidentFront.model_validate(self.values)
        except ValidationError as error:
            raise self._refused(error, IncidentFront) from None

    def line(self, location: Location) -> int:
        """Line of the deepest part of `location` that exists; of the key, for a mapping's key."""
        node, line = self._node, self._first_line
        for step in location:
            found = _child(node, step)
            if found is None:
                break
            key, node = found
            line = self._first_line + (key or node).start_mark.line
        return line

    def _refused(
        self, error: ValidationError, kind: type[RunbookFront] | type[IncidentFront]
    ) -> RunbookError:
        problem = self._first(error)
        where, reason = refusal(problem, tuple(kind.model_fields))
        return RunbookError(self.file, self.line(where), reason)

    def _first(self, error: ValidationError) -> ErrorDetails:
        """The fault nearest the top, so that people mend a file from top to bottom."""
        return min(error.errors(), key=lambda problem: self.line(problem["loc"]))

    def _plain(self, node: yaml.Node) -> Any:
        """Scalars stay text: `section: 3.10` must not become 3.1, nor `no` False."""
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(member) for member in node.value]
        return None if node.tag.endswith(":null") else node.value

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            line = self._first_line + key.start_mark.line
            if not isinstance(key, yaml.ScalarNode):
                raise RunbookError(self.file, line, NO_KEY)
            if key.value in mapping:
                raise RunbookError(self.file, line, f"{key.value}: stands twice")
            mapping[str(key.value)] = self._plain(value)
        return mapping


def split(file: str, text: str) -> tuple[FrontMatter | None, str, int]:
    """Front matter (None when a document has none), the body, and the line the body starts on."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        return None, text, 1
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
    if end is None:
        raise RunbookError(file, 1, "front matter is opened by --- and never closed by ---")
    front = FrontMatter(file, _composed(file, "\n".join(lines[1:end])), first_line=2)
    return front, "\n".join(lines[end + 1 :]), end + 2


def _composed(file: str, text: str) -> yaml.Node:
    try:
        _refuse_traps(file, text)
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "unreadable"
        raise RunbookError(file, 2 + (mark.line if mark else 0), f"YAML: {reason}") from None
    except yaml.YAMLError as error:
        raise RunbookError(file, 2, f"YAML: {str(error).splitlines()[0]}") from None
    if node is None:
        raise RunbookError(file, 1, "front matter is empty; leave out the two --- lines instead")
    return node


def _refuse_traps(file: str, text: str) -> None:
    """Aliases can blow up and deep nesting can end the process; both are found by parsing events,
    which needs no recursion."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=LOADER)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        alias = isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None)
        if alias or depth > MAX_DEPTH or number > MAX_NODES:
            what = "anchors and aliases are" if alias else "nesting this deep or long is"
            line = event.start_mark.line if event.start_mark else 0
            raise RunbookError(file, 2 + line, f"YAML: {what} not taken")


def _child(node: yaml.Node, step: int | str) -> tuple[yaml.Node | None, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((k, v) for k, v in node.value if k.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    return None
