"""Encryption at rest: AES-256-GCM under a key from the environment, and under the one before it."""

import base64
import binascii
import hashlib
import os
from typing import TYPE_CHECKING

from agentops_graph.errors import ForgedError, InputError, WrongKeyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NAME, OLD_NAME = "AGENTOPS_ENCRYPTION_KEY", "AGENTOPS_ENCRYPTION_KEY_OLD"
KEY_BYTES = 32
NONCE_BYTES = 12  # random; one key is good for some four billion of them
# Text that is encrypted begins with the one; text of others that looks like it, with the other.
SEALED, SPARED = "enc1.", "enc0."


class Ring:
    """The key that writes, if there is one, and those that still read.

    Each sealed text carries its key's id and is bound to its place, which is a column: it can't be
    put into another column. To which row it belongs is no part of it.
    """

    def __init__(self, key: str | None, old: str | None = None) -> None:
        self._keys: dict[str, AESGCM] = {}
        self.key_id = self._add(key, NAME) if key else None
        if old:
            self._add(old, OLD_NAME)

    def knows(self, key_id: str) -> bool:
        return key_id in self._keys

    def encrypt(self, plaintext: bytes, place: str) -> bytes:
        """Under the key that writes, which there has to be."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._keys[self.key_id or ""].encrypt(nonce, plaintext, place.encode())

    def decrypt(self, key_id: str, sealed: bytes, place: str) -> bytes:
        """WrongKeyError when the key is not at hand, ForgedError when the bytes were changed."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra

        if key_id not in self._keys:
            raise wrong_key(key_id, self.key_id)
        try:
            return self._keys[key_id].decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode()
            )
        except InvalidTag:
            raise ForgedError(
                f"what is kept in {place} was changed after it was encrypted"
            ) from None

    def seal(self, text: str, place: str) -> str:
        """As it is stored; as it is when nothing writes encrypted."""
        if self.key_id is None:
            return spared(text)
        sealed = base64.urlsafe_b64encode(self.encrypt(text.encode(), place)).decode()
        return f"{SEALED}{self.key_id}.{sealed}"

    def is_current(self, stored: str) -> bool:
        """True when it is stored as this ring would store it."""
        if self.key_id is None:
            return not stored.startswith(SEALED)
        return stored.startswith(f"{SEALED}{self.key_id}.")

    def unseal(self, stored: str, place: str) -> str:
        if not stored.startswith(SEALED):
            return stored.removeprefix(SPARED)
        key_id, _, sealed = stored.removeprefix(SEALED).partition(".")
        try:
            content = base64.b64decode(sealed, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise ForgedError(
                f"what is kept in {place} was damaged after it was encrypted"
            ) from None
        return self.decrypt(key_id, content, place).decode()

    def _add(self, key: str, name: str) -> str:
        raw = key_bytes(key, name)
        try:
            from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415 - an extra
                AESGCM,
            )
        except ImportError:
            raise InputError(
                'encryption needs another package: pip install "agentops-graph[encryption]"',
                field=name,
            ) from None
        key_id = hashlib.sha256(b"agentops encryption key id " + raw).hexdigest()[:8]
        self._keys[key_id] = AESGCM(raw)
        return key_id


NO_RING = Ring(None)  # reads what is plain, writes plain


def spared(text: str) -> str:
    return SPARED + text if text.startswith((SEALED, SPARED)) else text


def key_bytes(key: str, name: str = NAME) -> bytes:
    """32 bytes; InputError says what is wrong with the text and how a good one is made."""
    try:
        raw = base64.b64decode(key.strip(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        seen = "it is not url-safe base64"
    else:
        if len(raw) == KEY_BYTES:
            return raw
        seen = f"it holds {len(raw)} bytes"
    raise InputError(
        f"must be {KEY_BYTES} random bytes as url-safe base64, 44 characters ({seen}); make one: "
        "`python -c 'import base64,os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'`",
        field=name,
    )


def wrong_key(held: str, given: str | None) -> WrongKeyError:
    """What was written with another key is not touched."""
    seen = f"this is {given}" if given else "none is set"
    return WrongKeyError(
        f"what is kept was encrypted with key {held}, and {seen}; nothing was changed. Set the "
        f"key it was made with, or keep that one in {OLD_NAME} until `agentops encrypt` has run",
        field=NAME,
    )


def no_key_any_more(given: str) -> WrongKeyError:
    return WrongKeyError(
        f"what is kept is plain text now, and this process writes with key {given}; nothing was "
        "changed. Start it again without the key",
        field=NAME,
    )
