"""The approval matrix: which actions run by themselves, and the reason people are shown."""

from pydantic import Field, PositiveInt

from agentops_graph.domain.action import NOTICE_KINDS, ActionKind, ActionName
from agentops_graph.domain.record import Record

INFORMS = "low risk, informs"
REASONS: dict[ActionName, str] = {
    "send_slack_alert": INFORMS,
    "create_github_issue": "low risk, tracks",
    "close_github_issue": "low risk, tracks",
    "notify_data_team": INFORMS,
    "acknowledge_page": INFORMS,
    "retrain_model": "costs resources, can bring new faults",
    "deploy_model": "changes production predictions",
    "rollback_model": "changes production predictions",
    "shift_traffic": "changes production predictions",
    "rerun_pipeline": "could process data twice",
    "scale_infrastructure": "costs money",
}


class Ruling(Record):
    """What policy says of one kind of action."""

    by_itself: bool
    reason: str


class Policy(Record):
    """Times, budget, chain and number of people; the matrix itself is `rule`."""

    escalate_after_s: float = 300
    expires_after_s: float = 24 * 3600
    watch_every_s: float = 60  # how often the signals behind a pending approval are looked at
    # Another cause replaces what a person is reading only when it is far from a toss-up: a cause is
    # named from 0.5 on, none is ever surer than 0.95, and a diagnosis for which next to nothing
    # could be looked at stays under 0.7.
    supersede_confidence: float = 0.7
    recurrence_window_s: float = 7 * 24 * 3600  # what comes back inside it is the same story
    recurrence_trust: float = 0.6  # a past answer that is trusted less is not offered again
    unanswered_pause_s: float = 900  # doubles with each time that nobody found the cause
    replans_per_incident: int = 3  # how often the world may take a question back; then a person
    chain: tuple[str, ...] = ("on-call", "team", "manager")
    actions_per_target_per_day: int = 6
    work_deadline_s: float = 4 * 3600  # detached work may run so long, unless it has its own
    work_silent_s: float = 600  # without a heartbeat for so long it counts as silent
    quorum: dict[ActionKind, PositiveInt] = Field(default_factory=dict)  # one where not named
    four_eyes: bool = True  # who edited an action may not approve it

    def person_at(self, level: int) -> str:
        """Who is told at an escalation level; the last of the chain stays the last."""
        return self.chain[min(level, len(self.chain) - 1)]

    def goes_on_after(self, level: int) -> bool:
        """True while somebody of the chain is still to be told after this level."""
        return level == 0 or level < len(self.chain) - 1

    def people_for(self, action: ActionKind) -> int:
        """How many different people have to approve an action of this kind."""
        return self.quorum.get(action, 1)


def rule(action: ActionName) -> Ruling:
    """Notices run by themselves; whatever changes production asks a person."""
    return Ruling(by_itself=action in NOTICE_KINDS, reason=REASONS[action])
