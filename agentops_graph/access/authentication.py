"""How it is proved who is asking: by a secret that was given out once, found by its hash."""

import getpass
import hashlib
import re
import secrets
from datetime import datetime

from agentops_graph.domain.identity import Credential, Identity, Kind
from agentops_graph.errors import UnauthenticatedError
from agentops_graph.ledger_ports import Credentials

SECRET = re.compile(r"agops_[A-Za-z0-9_-]{43}")
OPEN_NOTICE = (
    "nobody is asked for a token: whoever uses this machine may do everything; "
    "`agentops token create NAME --role admin` ends that"
)
TOKEN_NEEDED = (
    "a token is needed here: put it into AGENTOPS_TOKEN, or give --token-file; whoever has an "
    "admin's makes one with `agentops token create NAME --role ROLE`"
)


def new_secret() -> str:
    """256 random bits; shown once and never kept."""
    return f"agops_{secrets.token_urlsafe(32)}"


def hashed(secret: str) -> str:
    """What the ledger keeps of a secret.

    Passwords need a slow hash because people choose them and they can be guessed. These are 256
    random bits: trying them all is out of reach at any speed, so SHA-256 is enough. They are
    looked up by this hash, so no comparison takes longer the more of a secret was guessed.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def credential_of(
    credentials: Credentials, secret: str, at: datetime, kind: Kind = "token"
) -> Credential:
    """The credential whose secret this is; UnauthenticatedError, in the same words, when there is
    none, it is of another kind, was revoked or has expired."""
    found = credentials.find(hashed(secret)) if SECRET.fullmatch(secret) else None
    if found is None or found.kind != kind or not found.counts(at):
        raise UnauthenticatedError(f"this {kind} is unknown, was revoked or has expired")
    return found


def authenticate(credentials: Credentials, secret: str, at: datetime) -> Identity:
    """Whose token it is; UnauthenticatedError."""
    return credential_of(credentials, secret, at).identity


def identified(
    credentials: Credentials, secret: str | None, at: datetime, name: str | None = None
) -> Identity:
    """Who asks at a door that only this machine reaches: whose token it is, or, while no token
    was ever made, anybody, as an admin by the given name. A wrong token is never let pass."""
    if secret is not None:
        return authenticate(credentials, secret, at)
    if credentials.has_tokens():
        raise UnauthenticatedError(TOKEN_NEEDED)
    return Identity(name=name or login_name(), role="admin")


def login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
