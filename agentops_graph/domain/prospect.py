"""What each action does, what it risks, whether it can be taken back, and what it costs."""

from typing import Literal

from agentops_graph.domain.action import ActionName
from agentops_graph.domain.record import Record

Risk = Literal["none", "low", "medium", "high"]
TOLD = "people know, nothing in production changes"
A_MESSAGE = "one message"


class Prospect(Record):
    """What a person weighs before saying yes."""

    effect: str
    risk: Risk
    reversible: bool
    cost: str


PROSPECTS: dict[ActionName, Prospect] = {
    "send_slack_alert": Prospect(effect=TOLD, risk="none", reversible=True, cost=A_MESSAGE),
    "create_github_issue": Prospect(effect=TOLD, risk="none", reversible=True, cost="one issue"),
    "close_github_issue": Prospect(effect=TOLD, risk="none", reversible=True, cost=A_MESSAGE),
    "notify_data_team": Prospect(effect=TOLD, risk="none", reversible=True, cost=A_MESSAGE),
    "acknowledge_page": Prospect(effect=TOLD, risk="none", reversible=True, cost=A_MESSAGE),
    "retrain_model": Prospect(
        effect="a new version learns the rows since the onset; production stays as it is",
        risk="low",
        reversible=True,
        cost="one training run and one approval",
    ),
    "deploy_model": Prospect(
        effect="the new version answers in production, watched by a health window",
        risk="medium",
        reversible=True,
        cost="one approval; requests see two versions for a while",
    ),
    "rollback_model": Prospect(
        effect="the version before answers again within a minute",
        risk="medium",
        reversible=True,
        cost="one approval; what the newer version was made for is lost",
    ),
    "shift_traffic": Prospect(
        effect="requests go to another target, which has to bear them",
        risk="medium",
        reversible=True,
        cost="one approval; the other target's price and load",
    ),
    "rerun_pipeline": Prospect(
        effect="the window's rows are processed again from their source",
        risk="medium",
        reversible=False,
        cost="one approval and one run; rows stand twice where the job appends",
    ),
    "scale_infrastructure": Prospect(
        effect="more replicas share the requests",
        risk="low",
        reversible=True,
        cost="one approval; replicas are paid by the hour",
    ),
}


def prospect(action: ActionName) -> Prospect:
    return PROSPECTS[action]
