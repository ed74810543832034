"""Routes of the reports incidents end with, and of what is learnt from them."""

from fastapi import APIRouter
from pydantic import Field

from agentops_graph.diagnosis.learning import LessonReport
from agentops_graph.domain.lesson import Calibration
from agentops_graph.domain.record import Name, Record, Text
from agentops_graph.post_mortem import cause_in, is_confirmed
from agentops_graph.serving.api.door import InService

routes = APIRouter(prefix="/api/v1", tags=["lessons"])


class PostMortem(Record):
    """The report of an incident, as Markdown."""

    incident_id: str
    confirmed: bool
    cause: str
    replaces: str | None = None  # the cause that was named before this confirmation
    markdown: str


class ConfirmBody(Record):
    """A person's word on a report."""

    actor: Name = "http"
    cause: str | None = Field(default=None, pattern="^[a-z][a-z0-9_]{0,99}$")
    new_cause: bool = False  # no runbook knows it yet
    lessons: Text | None = Field(default=None, max_length=2000)


class AcceptBody(Record):
    """Who puts a calibration in force."""

    actor: Name = "http"


@routes.get("/incidents/{incident_id}/postmortem")
def postmortem(incident_id: str, service: InService) -> PostMortem:
    """A draft until a person confirms it."""
    named = incident_id.upper()
    return _form(named, service.postmortem(named))


@routes.post("/incidents/{incident_id}/postmortem/confirm")
def confirm(incident_id: str, service: InService, body: ConfirmBody | None = None) -> PostMortem:
    """It counts as precedent from then on; `cause` corrects the one that was named, and is one
    that a runbook knows unless `new_cause` says that it is new."""
    said, named = body or ConfirmBody(), incident_id.upper()
    service.needs("operate")  # who may not is told so, whether there is a report or none
    before = cause_in(service.postmortem(named))
    text = service.confirm(
        named,
        actor=said.actor,
        lessons=said.lessons,
        cause=said.cause,
        is_new=said.new_cause,
        via="http",
    )
    return _form(named, text, before)


@routes.get("/reasoner/report")
def report(service: InService) -> LessonReport:
    """How sure diagnoses were, and how often right."""
    return service.lessons_report()


@routes.post("/reasoner/accept")
def accept(service: InService, body: AcceptBody | None = None) -> Calibration:
    """Puts the calibration that the report offers in force."""
    return service.accept_lessons(actor=(body or AcceptBody()).actor, via="http")


def _form(incident_id: str, text: str, before: str | None = None) -> PostMortem:
    cause = cause_in(text)
    return PostMortem(
        incident_id=incident_id,
        confirmed=is_confirmed(text),
        cause=cause,
        replaces=before if before not in (None, cause) else None,
        markdown=text,
    )
