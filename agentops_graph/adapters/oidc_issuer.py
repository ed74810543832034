"""Bearer JWTs of an OpenID Connect issuer, verified against the keys it publishes."""

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from agentops_graph.domain.identity import ROLES, Identity, Role
from agentops_graph.errors import InputError, UnauthenticatedError, UnavailableError

if TYPE_CHECKING:
    from jwt import PyJWK

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Only signatures with a public key: with a shared one, whoever verifies could sign, too.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
PATIENCE_S = 5.0
LARGEST = 1_000_000  # bytes of what an issuer publishes
KEYS_LAST_S = 300
ASK_AGAIN_S = 15.0  # whatever tokens are shown, an issuer is asked no more often than this
CLOCKS_APART_S = 30
NEEDED = ["exp", "iat", "iss", "aud", "sub"]


class OidcIssuer:
    """Implements `Issuer`; its keys are fetched at the first token, again every five minutes, and
    for a key that is not known yet."""

    def __init__(
        self,
        issuer: str,
        audience: str | None,
        *,
        roles: Mapping[str, Role],
        name_claim: str = "sub",
        role_claim: str = "roles",
        tenant_claim: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        _check_address(issuer, "AGENTOPS_OIDC_ISSUER")
        if not audience:
            raise InputError(
                "is needed with an issuer, whose tokens for others would be taken otherwise",
                field="AGENTOPS_OIDC_AUDIENCE",
            )
        try:
            import jwt as _  # noqa: F401
        except ModuleNotFoundError:
            raise InputError(
                "needs `pip install 'agentops-graph[oidc]'`", field="AGENTOPS_OIDC_ISSUER"
            ) from None
        self._issuer, self._audience, self._roles = issuer, audience, roles
        self._name_claim, self._role_claim = name_claim, role_claim
        self._tenant_claim = tenant_claim
        self._published = _Published(issuer, clock)

    def identity_of(self, token: str) -> Identity:
        import jwt

        try:
            key = self._published.key(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=CLOCKS_APART_S,
                options={"require": NEEDED},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise UnauthenticatedError(f"this token is not accepted: {error}") from None
        return self._identity(claims)

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        said = claims.get(self._role_claim)
        named = said.split() if isinstance(said, str) else said if isinstance(said, list) else []
        held = {
            self._roles[each] for each in named if isinstance(each, str) and each in self._roles
        }
        tenant = claims.get(self._tenant_claim) if self._tenant_claim else None
        if not held or (self._tenant_claim is not None and not tenant):
            missing = "role" if not held else "tenant"
            raise UnauthenticatedError(f"this token names no {missing} that is known here")
        try:
            return Identity(
                name=claims.get(self._name_claim),
                role=max(held, key=ROLES.index),
                tenant=tenant,
                subject=f"{claims['iss']}|{claims['sub']}",
            )
        except ValidationError:
            raise UnauthenticatedError("this token's name or tenant can't be used here") from None


class _Published:
    """The keys of an issuer. One caller at a time asks for them, and after it nobody for a while:
    an issuer that is slow, or tokens that name made-up keys, hold up nobody else."""

    def __init__(self, issuer: str, clock: Callable[[], float]) -> None:
        self._issuer, self._clock = issuer, clock
        self._keys: Mapping[str, PyJWK] = {}
        self._fetched_at = self._asked_at = -math.inf
        self._failure: str | None = None
        self._asking = threading.Lock()

    def key(self, kid: object) -> "PyJWK":
        """UnauthenticatedError for one that is not published; UnavailableError when that can't be
        said now."""
        if (found := self._held(kid, KEYS_LAST_S)) is not None:
            return found
        if not self._asking.acquire(blocking=False):
            # What was known a moment ago serves while it is asked for anew.
            if (found := self._held(kid, 2 * KEYS_LAST_S)) is not None:
                return found
            raise UnavailableError(f"{self._issuer} is being asked for its keys; ask again")
        try:
            if self._clock() - self._asked_at >= ASK_AGAIN_S:
                self._ask()
        finally:
            self._asking.release()
        if self._failure is not None:
            raise UnavailableError(self._failure)
        if (found := self._held(kid, KEYS_LAST_S)) is None:
            raise UnauthenticatedError("this token is signed with a key that nobody published")
        return found

    def _held(self, kid: object, for_s: float) -> "PyJWK | None":
        is_fresh = self._clock() - self._fetched_at < for_s
        return self._keys.get(kid) if is_fresh and isinstance(kid, str) else None

    def _ask(self) -> None:
        try:
            keys = _keys_in(_document_at(_jwks_uri(self._issuer)), self._issuer)
        except UnavailableError as error:
            self._failure = str(error)
        else:
            self._keys, self._failure, self._fetched_at = keys, None, self._clock()
        self._asked_at = self._clock()


def _jwks_uri(issuer: str) -> str:
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    document = _document_at(url)
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise UnavailableError(f"{url} does not speak for {issuer}")
    keys_at = str(document.get("jwks_uri"))
    if not _is_safe(keys_at):
        raise UnavailableError(f"jwks_uri of {issuer} is not https (seen: {keys_at!r:.200})")
    return keys_at


def _keys_in(document: object, issuer: str) -> "dict[str, PyJWK]":
    import jwt

    listed = document.get("keys") if isinstance(document, dict) else None
    known = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    try:
        keys = jwt.PyJWKSet.from_dict({"keys": known}).keys
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise UnavailableError(f"{issuer} publishes no keys that can be used: {error}") from error
    return {k.key_id: k for k in keys if k.key_id and k.public_key_use in (None, "sig")}


def _document_at(url: str) -> object:
    """What is there as JSON, if it came whole within the patience, not in drips without end."""
    import httpx

    ends, body = time.monotonic() + PATIENCE_S, bytearray()
    try:
        with httpx.stream("GET", url, timeout=PATIENCE_S) as answer:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > LARGEST or time.monotonic() > ends:
                    raise UnavailableError(f"{url} is too long, or too slow to be read")
        return json.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
        raise UnavailableError(f"{url} did not answer as an issuer does: {error}") from error


def _is_safe(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _check_address(address: str, field: str) -> None:
    if not _is_safe(address):
        raise InputError(f"must be https (seen: {address!r:.200})", field=field)
