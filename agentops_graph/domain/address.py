"""Which addresses credentials and content may be sent to."""

import ipaddress
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from agentops_graph.errors import InputError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Where clouds answer their machines; none of them is link-local.
METADATA = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"})
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


def model_address(url: str, *, field: str, allow_remote: bool, hosts: Collection[str]) -> str:
    """The address of a language model: on this machine, or over https on one of `hosts`, or
    anywhere when `allow_remote` says so. Raises InputError."""
    parts = _http(url, field)
    if parts.hostname in hosts:
        refuse_plain_http(url, field=field, allow_remote=allow_remote)
    elif parts.hostname not in LOOPBACK and not allow_remote:
        raise InputError(
            f"{parts.hostname} is not on this machine; name it in AGENTOPS_MODEL_HOSTS if alerts "
            "and evidence may go there, or set AGENTOPS_ALLOW_REMOTE_HOSTS=true",
            field=field,
        )
    try:
        return checked_address(url)
    except ValueError as error:
        raise InputError(str(error), field=field) from None


def _http(url: str, field: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        seen = f"{parts.scheme}://{parts.hostname}"  # not the whole: it may hold a password
        raise InputError(f"{seen} is no http address", field=field)
    return parts


def checked_address(url: str) -> str:
    """The address, when it is one of http without a user in it; ValueError says what is wrong.

    A user or password in an address ends up in logs; the environment is their place.
    """
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_http = False
    if not is_http:
        raise ValueError("must be an address that begins with https:// or http://")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user or password; name environment variables for them")
    if any(character in url for character in " \t\r\n\\") or not parts.netloc.isascii():
        raise ValueError("must be one word of plain characters")
    return url


def why_refused(host: str, address: str, *, allow_private: Collection[str]) -> str | None:
    """Why a connection to `host` must not go to `address`, which it was resolved to; None when it
    may.

    This machine is reached by its own names only, a private network by the hosts that
    `allow_private` names, and link-local addresses (a cloud's metadata) only where the list names
    the very address.
    """
    reach = _reach(address)
    if reach == "public" or address in allow_private:
        return None
    if reach == "loopback" and host in LOOPBACK:
        return None
    if reach in ("private", "loopback") and host in allow_private:
        return None
    return f"{host} leads to {address}, which is {reach}"


def _reach(address: str) -> str:
    found = _inside(ipaddress.ip_address(address.partition("%")[0]))
    if found.is_loopback:
        return "loopback"
    if found.is_link_local or str(found) in METADATA:
        return "link-local or a cloud's own"
    if found.is_unspecified or found.is_multicast or found.is_reserved:
        return "no host's address"
    # `is_global` leaves out the shared range of carriers (100.64.0.0/10), too.
    return "public" if found.is_global else "private"


def _inside(found: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 address wraps, if it does."""
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found in NAT64:
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    teredo = found.teredo
    return found.ipv4_mapped or found.sixtofour or (teredo[1] if teredo else None) or found
