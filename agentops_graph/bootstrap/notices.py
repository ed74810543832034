"""Chooses where notices go: Slack and GitHub when they are configured, else a local outbox."""

from agentops_graph.data_folder import Places
from agentops_graph.later import later
from agentops_graph.ports import Notifier
from agentops_graph.settings import Settings


def notifiers(settings: Settings, places: Places) -> dict[str, Notifier]:
    """By the name of the notice."""
    slack = later(lambda: _slack(settings, places))
    github = later(lambda: _github(settings, places))
    return {
        "send_slack_alert": slack,
        "notify_data_team": slack,
        "acknowledge_page": slack,
        "create_github_issue": github,
        "close_github_issue": github,
    }


def _slack(settings: Settings, places: Places) -> Notifier:
    if settings.slack_bot_token is None:
        return _local_outbox(places)
    from agentops_graph.adapters.slack_notifier import SlackNotifier

    return SlackNotifier(
        settings.slack_bot_token.get_secret_value(),
        channel=settings.slack_channel,
        data_team_channel=settings.data_team_channel,
        pager_channel=settings.pager_channel,
        api_url=settings.slack_api_url,
        allow_remote=settings.allow_remote_hosts,
    )


def _github(settings: Settings, places: Places) -> Notifier:
    if settings.github_token is None or settings.github_repository is None:
        return _local_outbox(places)
    from agentops_graph.adapters.github_notifier import GithubNotifier

    return GithubNotifier(
        settings.github_token.get_secret_value(),
        repository=settings.github_repository,
        api_url=settings.github_api_url,
        allow_remote=settings.allow_remote_hosts,
    )


def _local_outbox(places: Places) -> Notifier:
    from agentops_graph.adapters.file_notifier import FileNotifier

    return FileNotifier(places.outbox)
