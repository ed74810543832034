"""Bearer JWTs of an OpenID Connect issuer, verified against the keys it publishes."""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from agentops_graph.domain.identity import ROLE_MAY, Identity, Role
from agentops_graph.errors import InputError, UnauthenticatedError, UnavailableError

if TYPE_CHECKING:
    from jwt import PyJWKClient

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Only signatures with a public key: with a shared one, whoever verifies could sign, too.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
PATIENCE_S = 5.0
KEYS_LAST_S = 300
CLOCKS_APART_S = 30
NEEDED = ["exp", "iat", "iss", "aud", "sub"]


class OidcIssuer:
    """Implements `Issuer`; its keys are fetched at the first token and again every five minutes."""

    def __init__(
        self,
        issuer: str,
        audience: str | None,
        *,
        roles: Mapping[str, Role],
        name_claim: str = "sub",
        role_claim: str = "roles",
        tenant_claim: str | None = None,
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
        self._found: PyJWKClient | None = None
        self._lock = threading.Lock()

    def identity_of(self, token: str) -> Identity:
        import jwt

        try:
            key = self._keys().get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=CLOCKS_APART_S,
                options={"require": NEEDED},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise UnavailableError(f"the keys of {self._issuer} can't be had: {error}") from error
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
                role=max(held, key=list(ROLE_MAY).index),
                tenant=tenant,
                subject=f"{claims['iss']}|{claims['sub']}",
            )
        except ValidationError:
            raise UnauthenticatedError("this token's name or tenant can't be used here") from None

    def _keys(self) -> "PyJWKClient":
        with self._lock:
            if self._found is None:
                self._found = self._discovered()
            return self._found

    def _discovered(self) -> "PyJWKClient":
        import httpx
        from jwt import PyJWKClient

        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            answer = httpx.get(url, timeout=PATIENCE_S)
            answer.raise_for_status()
            document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UnavailableError(f"{url} did not answer as an issuer does: {error}") from error
        if not isinstance(document, dict) or document.get("issuer") != self._issuer:
            raise UnavailableError(f"{url} does not speak for {self._issuer}")
        keys_at = str(document.get("jwks_uri"))
        _check_address(keys_at, "jwks_uri")
        return PyJWKClient(keys_at, lifespan=KEYS_LAST_S, timeout=PATIENCE_S)


def _check_address(address: str, field: str) -> None:
    parts = urlsplit(address)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not is_safe:
        raise InputError(f"must be https (seen: {address!r:.200})", field=field)
