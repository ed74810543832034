"""The closed catalogue of what the agent may do outside, as typed records."""

from typing import Annotated, Literal, get_args

from pydantic import Field, TypeAdapter

from agentops_graph.domain.record import Moment, Name, Record, Text

Version = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._-]+$")]


class RetrainModel(Record):
    """Train a new version on labelled rows after the onset; the holdout is frozen by hash."""

    action: Literal["retrain_model"] = "retrain_model"
    model: Name
    base_version: Version
    train_from: Moment
    train_until: Moment
    holdout_until: Moment  # the holdout is train_until .. holdout_until
    holdout_sha256: str
    holdout_rows: int
    segment: Text | None = Field(default=None, max_length=200)  # the part that went bad, if one

    @property
    def target(self) -> str:
        return f"training:{self.model}"


class DeployModel(Record):
    """Move the production alias of a model to a version."""

    action: Literal["deploy_model"] = "deploy_model"
    model: Name
    version: Version
    strategy: Literal["blue_green"] = "blue_green"

    @property
    def target(self) -> str:
        return f"model:{self.model}"


class RollbackModel(Record):
    """Move the production alias of a model back to an earlier version."""

    action: Literal["rollback_model"] = "rollback_model"
    model: Name
    to_version: Version

    @property
    def target(self) -> str:
        return f"model:{self.model}"


class RerunPipeline(Record):
    """Run a data pipeline again for a window."""

    action: Literal["rerun_pipeline"] = "rerun_pipeline"
    pipeline: Name
    window_from: Moment
    window_until: Moment

    @property
    def target(self) -> str:
        return f"pipeline:{self.pipeline}"


class ScaleInfrastructure(Record):
    """Set the number of replicas of a component."""

    action: Literal["scale_infrastructure"] = "scale_infrastructure"
    component: Name
    replicas: int = Field(ge=1, le=20)

    @property
    def target(self) -> str:
        return f"replicas:{self.component}"


class ShiftTraffic(Record):
    """Send a share of a model's traffic to a version."""

    action: Literal["shift_traffic"] = "shift_traffic"
    model: Name
    version: Version
    percent: int = Field(ge=0, le=100)

    @property
    def target(self) -> str:
        return f"model:{self.model}"


class SendSlackAlert(Record):
    """Tell a channel; the channel comes from configuration."""

    action: Literal["send_slack_alert"] = "send_slack_alert"
    text: str = Field(max_length=4000)

    target: str = "notice:slack"


class CreateGithubIssue(Record):
    """Open an issue; the repository comes from configuration."""

    action: Literal["create_github_issue"] = "create_github_issue"
    title: str = Field(max_length=200)
    text: str = Field(max_length=20000)

    target: str = "notice:github"


class CloseGithubIssue(Record):
    """Close the incident's issue with the resolution."""

    action: Literal["close_github_issue"] = "close_github_issue"
    text: str = Field(max_length=20000)

    target: str = "notice:github"


class NotifyDataTeam(Record):
    """Tell the owners of the upstream data."""

    action: Literal["notify_data_team"] = "notify_data_team"
    text: str = Field(max_length=4000)

    target: str = "notice:data_team"


class AcknowledgePage(Record):
    """Tell the pager that someone is on it."""

    action: Literal["acknowledge_page"] = "acknowledge_page"
    text: str = Field(max_length=4000)

    target: str = "notice:pager"


Action = Annotated[
    RetrainModel | DeployModel | RollbackModel | RerunPipeline | ScaleInfrastructure | ShiftTraffic,
    Field(discriminator="action"),
]
Notice = Annotated[
    SendSlackAlert | CreateGithubIssue | CloseGithubIssue | NotifyDataTeam | AcknowledgePage,
    Field(discriminator="action"),
]
ActionKind = Literal[
    "retrain_model",
    "deploy_model",
    "rollback_model",
    "rerun_pipeline",
    "scale_infrastructure",
    "shift_traffic",
]
NoticeKind = Literal[
    "send_slack_alert",
    "create_github_issue",
    "close_github_issue",
    "notify_data_team",
    "acknowledge_page",
]
ActionName = ActionKind | NoticeKind
ACTION_KINDS: tuple[str, ...] = get_args(ActionKind)
NOTICE_KINDS: tuple[str, ...] = get_args(NoticeKind)
ACTION = TypeAdapter[Action](Action)
NOTICE = TypeAdapter[Notice](Notice)
