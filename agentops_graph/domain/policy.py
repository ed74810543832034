"""The approval matrix: which actions run by themselves, and the reason people are shown."""

from agentops_graph.domain.action import NOTICE_KINDS, ActionName
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
    """Times, budget and chain of people; the matrix itself is `rule`."""

    escalate_after_s: float = 300
    expires_after_s: float = 24 * 3600
    watch_every_s: float = 60  # how often the signals behind a pending approval are looked at
    chain: tuple[str, ...] = ("on-call", "team", "manager")
    actions_per_target_per_day: int = 6

    def person_at(self, level: int) -> str:
        """Who is told at an escalation level; the last of the chain stays the last."""
        return self.chain[min(level, len(self.chain) - 1)]


def rule(action: ActionName) -> Ruling:
    """Notices run by themselves; whatever changes production asks a person."""
    return Ruling(by_itself=action in NOTICE_KINDS, reason=REASONS[action])
