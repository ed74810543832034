"""What people teach: the true cause of an incident, and how sure diagnoses may be from then on."""

import re
from collections.abc import Mapping

from agentops_graph.closing import last_diagnosis
from agentops_graph.controls import Controls
from agentops_graph.diagnosis.learning import LessonReport, report_on
from agentops_graph.domain.approval import Door
from agentops_graph.domain.ledger import Chapter, Note
from agentops_graph.domain.lesson import Calibration, ConfirmedOutcome, last_words
from agentops_graph.errors import (
    InputError,
    NotEnoughDataError,
    NotFoundError,
    PortError,
    UnavailableError,
)
from agentops_graph.post_mortem import confirmed_text, lessons_of

CAUSE = re.compile(r"[a-z][a-z0-9_]{0,99}")


class Teaching(Controls):
    """The part of the service with which people confirm reports and what follows from them."""

    def postmortem(self, incident_id: str) -> str:
        """The draft as Markdown. Raises NotFoundError while there is none."""
        self._ports.incidents.get(incident_id)
        kept = self._ports.incidents.kept(incident_id, "postmortem")
        if not kept:
            raise NotFoundError(f"{incident_id} has no report; one is written when it ends")
        return _markdown(kept[-1][1])

    def confirm(
        self,
        incident_id: str,
        *,
        actor: str,
        lessons: str | None = None,
        cause: str | None = None,
        via: Door = "cli",
    ) -> str:
        """A person vouches for a post-mortem, which then counts as precedent; `lessons` is the
        section only they can write, `cause` the true one where another was named. Returns it."""
        text = self.postmortem(incident_id)
        if cause is not None and CAUSE.fullmatch(cause) is None:
            raise InputError(
                "a cause is named as in the runbooks, such as `upstream_schema_change`",
                field="cause",
            )
        text = confirmed_text(text, lessons=lessons, cause=cause)
        # The ledger first: nothing counts as precedent that nobody answers for in the audit.
        with self._ports.incidents.together():
            self._learn(incident_id, cause, actor=actor, via=via)
            self._ports.audit.write(
                "postmortem.confirmed",
                actor=actor,
                via=via,
                at=self._ports.clock.now(),
                incident_id=incident_id,
            )
            text = self._kept_confirmed(incident_id, text)
        try:
            self._ports.shelf.add_incident(incident_id, text, confirmed=True)
        except PortError as error:
            raise UnavailableError(
                f"{incident_id} is confirmed in the ledger, but its report is no precedent yet: "
                f"{error}; then `agentops runbooks sync` puts it on the shelf"
            ) from error
        return text

    def shelve_confirmed(self) -> list[str]:
        """Puts the confirmed reports that the shelf misses back on it, as they were confirmed; the
        ids of their incidents."""
        lessons = self._ports.lessons
        missed = []
        for outcome in last_words(() if lessons is None else lessons.learnt()):
            incident_id = outcome.incident_id
            text = self._confirmed(incident_id) or confirmed_text(
                self.postmortem(incident_id), lessons=None, cause=outcome.actual
            )
            if not self._is_shelved(outcome, text):
                self._ports.shelf.add_incident(incident_id, text, confirmed=True)
                missed.append(incident_id)
        return missed

    def lessons_report(self) -> LessonReport:
        """What people's words on past diagnoses say of the reasoner's confidence."""
        lessons = self._ports.lessons
        if lessons is None:
            return report_on((), None)
        return report_on(lessons.learnt(), lessons.accepted())

    def accept_lessons(self, *, actor: str, via: Door = "cli") -> Calibration:
        """Puts the offered calibration in force. NotEnoughDataError while there is too little to
        go by, or it would not be better on outcomes that it did not see."""
        report = self.lessons_report()
        if self._ports.lessons is None or report.outcomes < report.needed:
            raise NotEnoughDataError(
                f"{report.outcomes} confirmed diagnoses are too few to learn from; "
                f"{report.needed} are needed (`agentops postmortem ID --confirm`)"
            )
        if not report.is_better:
            raise NotEnoughDataError(
                "it would not be better; `agentops reasoner report` shows both"
            )
        offered = report.offer(actor=actor, via=via, at=self._ports.clock.now())
        return self._ports.lessons.accept(offered)

    def _kept_confirmed(self, incident_id: str, text: str) -> str:
        """The report as the ledger keeps it, beside those of earlier confirmations."""
        if self._confirmed(incident_id) == text:
            return text
        earlier = self._ports.incidents.kept(incident_id, "confirmed_report")
        chapter = Chapter(incident_id=incident_id, kind="confirmed_report", step=len(earlier))
        return _markdown(self._ports.incidents.keep(chapter, Note(values={"markdown": text})))

    def _confirmed(self, incident_id: str) -> str | None:
        kept = self._ports.incidents.kept(incident_id, "confirmed_report")
        return _markdown(kept[-1][1]) if kept else None

    def _is_shelved(self, outcome: ConfirmedOutcome, text: str) -> bool:
        """True when the page of its lessons shows it confirmed, with its cause and its lessons."""
        try:
            page = self._ports.shelf.page(f"{outcome.incident_id}.md#section-7-lessons")
        except NotFoundError:
            return False
        has_words = f"Root cause: {outcome.actual}\n" in page.text and lessons_of(text) in page.text
        return page.confirmed and has_words

    def _learn(self, incident_id: str, cause: str | None, *, actor: str, via: Door) -> None:
        diagnosis = last_diagnosis(self._ports, incident_id)
        if diagnosis is None or self._ports.lessons is None:
            return
        incident = self._ports.incidents.get(incident_id)
        self._ports.lessons.learn(
            ConfirmedOutcome(
                incident_id=incident_id,
                component=incident.component,
                alert_type=incident.alert_type,
                named=diagnosis.cause_before or diagnosis.cause,
                confidence=diagnosis.told_confidence,
                actual=cause or diagnosis.cause,
                actor=actor,
                via=via,
                at=self._ports.clock.now(),
            )
        )


def _markdown(document: Mapping[str, object]) -> str:
    return str(Note.model_validate(document).values["markdown"])
