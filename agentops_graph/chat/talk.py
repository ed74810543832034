"""One turn of a conversation: the question, what it is about, and what the answer rests on."""

import re
from dataclasses import dataclass, field
from functools import cached_property

from agentops_graph.chat.events import (
    DOMAINS,
    Asker,
    DomainName,
    PendingApproval,
    Source,
    pending_form,
)
from agentops_graph.chat.focus import Focus, focus_of
from agentops_graph.domain.approval import Approval
from agentops_graph.domain.case import Case
from agentops_graph.domain.incident import Incident
from agentops_graph.domain.redaction import redacted
from agentops_graph.errors import AgentOpsError
from agentops_graph.service import Service

LONGEST_LINE = 400
LONGEST_TITLE = 120
_PATH = re.compile(r"(?:\b(?:sqlite|file):/{2,4}|(?<![\w:/.])/)(?:[\w.@+-]+/)+(?=[\w.@+-])")


@dataclass
class Talk:
    """What replies read from, and where they leave what the result carries beside the text."""

    service: Service
    question: str
    who: Asker
    incident_id: str | None = None
    component: str | None = None
    sources: dict[str, Source] = field(default_factory=dict)
    pending: list[PendingApproval] = field(default_factory=list)
    confidence: float | None = None
    domains: tuple[DomainName, ...] = ()
    seen_incident: str | None = None

    @cached_property
    def focus(self) -> Focus:
        return focus_of(
            self.service, self.question, incident_id=self.incident_id, component=self.component
        )

    @property
    def names(self) -> set[str]:
        """Of everything that is watched or that an incident is of."""
        return {*self.service.components, *(i.component for i in self.service.incidents())}

    @property
    def is_about_something(self) -> bool:
        """The question itself names an incident or a component."""
        return focus_of(self.service, self.question).is_named

    def about(self, question: str) -> "Talk":
        """A part of the turn: it means what the part before it was about."""
        return Talk(
            self.service,
            question,
            self.who,
            self.seen_incident or self.incident_id,
            None if self.seen_incident else self.component,
            sources=self.sources,
            pending=self.pending,
        )

    def take(self, part: "Talk") -> None:
        """What the part found out."""
        self.domains = tuple(dict.fromkeys((*self.domains, *part.domains)))
        self.seen_incident = part.seen_incident or self.seen_incident
        if part.confidence is not None:
            self.confidence = part.confidence

    def cite(self, reference: str, title: str = "") -> None:
        self.sources.setdefault(
            reference, Source(reference=reference, title=shown(title, LONGEST_TITLE))
        )

    def offer(self, approvals: list[Approval]) -> None:
        self.pending += [pending_form(a) for a in approvals]

    def open_case(self, incident: Incident) -> Case:
        """The incident with everything, noted in the result."""
        case = self.service.case(incident.incident_id)
        self.seen_incident = incident.incident_id
        self.touch(case.incident)
        if case.diagnosis is not None:
            self.confidence = case.diagnosis.confidence
        self.offer(list(case.pending))
        return case

    def touch(self, incident: Incident) -> None:
        """Notes the domains of an incident that the answer speaks of."""
        self.domains = tuple(dict.fromkeys((*self.domains, *DOMAINS[incident.alert_type])))


def shown(text: str, longest: int = LONGEST_LINE) -> str:
    """Text of unknown origin on one line: invisible characters made visible, folders of this
    machine left out."""
    line = _PATH.sub("…/", " ".join(text.split()))
    plain = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line)
    return plain if len(plain) <= longest else f"{plain[:longest]}…"


def as_told(error: AgentOpsError) -> str:
    """An error as its reader may see it: folders of this machine and credentials stay out of it."""
    return redacted(_PATH.sub("…/", str(error)))
