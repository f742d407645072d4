"""Opens sealed texts, as shared/sealing does; both open the texts of shared/sealing/sealed_texts.tsv in their tests.

A sealed text is the base64 of a version octet, a nonce of 12 octets, the ciphertext and a tag. Its key is derived by
HKDF-SHA256 from a secret, the purpose, and the name of the row that stores the text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PERSONAL_KEY = "personal-key"
PERSONAL_DATA = "personal-data"
RECEIVED_ANSWER = "received-answer"
IDEMPOTENT_ANSWER = "idempotent-answer"

_VERSION = 1
_NONCE = 12
_TAG = 16


class CannotOpen(Exception):
    """The text is malformed, of an unknown version, or sealed under another key, purpose or row."""


class Sealer:
    """Opens under the keys that are derived from one secret."""

    def __init__(self, secret: str) -> None:
        self._prk = hmac.digest(b"tandem data key v1", secret.encode(), hashlib.sha256)

    def key(self, purpose: str, bound_to: str) -> bytes:
        """The key of one row."""
        info = b"seal\0" + purpose.encode() + b"\0" + bound_to.encode()
        # The first block of HKDF's expansion is as long as the key.
        return hmac.digest(self._prk, info + b"\x01", hashlib.sha256)

    def open(self, purpose: str, bound_to: str, sealed: str) -> str:
        """The plain text. Raises `CannotOpen`."""
        try:
            octets = base64.b64decode(sealed, validate=True)
        except ValueError:
            raise CannotOpen("it is not a sealed text") from None
        if len(octets) < 1 + _NONCE + _TAG:
            raise CannotOpen("it is not a sealed text")
        if octets[0] != _VERSION:
            raise CannotOpen(f"version {octets[0]} of a sealed text is unknown; is this checkout older than the stack?")
        context = octets[:1] + purpose.encode() + b"\0" + bound_to.encode()
        try:
            opened = AESGCM(self.key(purpose, bound_to)).decrypt(octets[1 : 1 + _NONCE], octets[1 + _NONCE :], context)
        except InvalidTag:
            raise CannotOpen("it was changed, or sealed under another key, for another purpose or row") from None
        return opened.decode()

    def personal(self, customer: str, sealed_key: str) -> Sealer:
        """The sealer of one person."""
        return Sealer(self.open(PERSONAL_KEY, customer, sealed_key))
