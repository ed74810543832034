"""Which addresses credentials and content may be sent to."""

from urllib.parse import SplitResult, urlsplit

from agentops_graph.errors import InputError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK


def refuse_plain_http(url: str, *, field: str, allow_remote: bool) -> None:
    """For hosts that are elsewhere by nature: everything but https is refused, unless the address
    is this machine's or `allow_remote` lets a credential travel in the clear."""
    parts = _http(url, field)
    if parts.scheme == "https" or parts.hostname in LOOPBACK or allow_remote:
        return
    raise InputError(
        f"must begin with https:// (seen: {parts.scheme}://{parts.hostname}), "
        "or set AGENTOPS_ALLOW_REMOTE_HOSTS=true",
        field=field,
    )


def refuse_remote(url: str, *, field: str, allow_remote: bool, sent: str) -> None:
    """For what runs beside us: another machine is refused unless `allow_remote`; `sent` says what
    would go there."""
    parts = _http(url, field)
    if parts.hostname in LOOPBACK or allow_remote:
        return
    raise InputError(
        f"{parts.hostname} is not on this machine; set AGENTOPS_ALLOW_REMOTE_HOSTS=true if {sent} "
        "may go there",
        field=field,
    )


def _http(url: str, field: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        seen = f"{parts.scheme}://{parts.hostname}"  # not the whole: it may hold a password
        raise InputError(f"{seen} is no http address", field=field)
    return parts
