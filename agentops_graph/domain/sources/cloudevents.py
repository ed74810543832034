"""CloudEvents 1.0 as we take them: which types there are, and what they become."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, JsonValue

from agentops_graph.domain.alert import AlertClaim
from agentops_graph.domain.delivery import Outside, Short, key_of, plain
from agentops_graph.domain.frames import Change
from agentops_graph.domain.record import Moment, Name, Record, Text, storable

FIRING, RESOLVED, CHANGE = "agentops.alert.firing", "agentops.alert.resolved", "agentops.change"
TYPES = (FIRING, RESOLVED, CHANGE)
LONGEST_SUMMARY = 500


class CloudEvent(Record):
    """One event with the attributes that we read; extensions are passed over."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                {
                    "specversion": "1.0",
                    "id": "deploy-81",
                    "source": "/ci/fraud",
                    "type": CHANGE,
                    "time": "2026-02-28T10:00:00Z",
                    "data": {
                        "kind": "deploy",
                        "subject": "fraud_model",
                        "summary": "version 4 went live",
                    },
                }
            ]
        },
    )

    specversion: Literal["1.0"]
    id: Short
    source: Short
    type: Short
    subject: Short | None = None
    time: Moment | None = None
    data: dict[Text, JsonValue] = Field(default_factory=dict)

    def key(self, source: str) -> str:
        """Source and id name an event, as the specification has it."""
        return key_of("cloudevent", source, self.id)


def _plain_summary(text: str) -> str:
    return plain(text, LONGEST_SUMMARY)


def _web_address(text: str) -> str:
    if not text.startswith(("https://", "http://")) or not text.isprintable() or " " in text:
        raise ValueError("must be an http or https address")
    return text


class ChangeTold(Record):
    """The data of a change."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]  # deploy, schema_change ...
    subject: Annotated[Name, AfterValidator(storable)]
    summary: Annotated[Text, Field(min_length=1, max_length=20_000), AfterValidator(_plain_summary)]
    at: Moment | None = None  # by default the event's own time
    link: Annotated[Text, Field(max_length=500), AfterValidator(_web_address)] | None = None

    def change(self, now: Moment) -> Change:
        return Change(
            at=self.at or now,
            kind=self.kind,
            subject=self.subject,
            summary=self.summary,
            link=self.link,
        )


def fires(event: CloudEvent, claim: AlertClaim, source: str) -> Outside:
    """Its subject names the alert for the event that will say its end; without one, its id."""
    return Outside(
        source=source,
        key=event.key(source),
        fingerprint=event.subject or event.id,
        starts_at=claim.timestamp,
        claim=claim,
    )


def ends(event: CloudEvent, now: Moment, source: str) -> Outside:
    over_at = event.time or now
    return Outside(
        source=source,
        key=event.key(source),
        fingerprint=event.subject or event.id,
        starts_at=over_at,
        over_at=over_at,
    )
