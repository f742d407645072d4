"""Opens and seals texts, as shared/sealing does; both open the texts of shared/sealing/sealed_texts.tsv in their tests.

A sealed text is a version octet, an octet for the form of the plain text, the id of the key, a nonce of 12 octets, the
ciphertext and a tag. Its key is derived by HKDF-SHA256 from a secret, the purpose, and the name of the row that stores
the text. The form is 0, or the number of the dictionary with which the text was deflated.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import zlib
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from infra.local.layout import ROOT

CALLBACK_BODY = "callback-body"
SIGNING_SECRET = "signing-secret"
CALLBACK_HEADERS = "callback-headers"
PERSONAL_KEY = "personal-key"
PERSONAL_DATA = "personal-data"
RECEIVED_ANSWER = "received-answer"
IDEMPOTENT_ANSWER = "idempotent-answer"
CANARY = "canary"

MIN_CHARACTERS = 32
"""Of a data key."""
_DICTIONARIES = ROOT / "shared/sealing/dictionaries"
_VERSION = 1
_ID = 4
_NONCE = 12
_HEAD = 2 + _ID + _NONCE
_TAG = 16
_MAX_TEXT = 1024 * 1024


class CannotOpen(Exception):
    """The text is malformed, of an unknown version, or sealed under another key, purpose or row."""


class Key:
    """A secret from which the keys of all rows are derived."""

    def __init__(self, secret: bytes) -> None:
        self._prk = hmac.digest(b"tandem data key v1", secret, hashlib.sha256)
        self.id = self._expand(b"id")[:_ID]
        """Names the key in the texts that it seals."""

    def of_row(self, purpose: str, bound_to: str) -> AESGCM:
        """The key of one row."""
        return AESGCM(self._expand(b"seal\0" + purpose.encode() + b"\0" + bound_to.encode()))

    def _expand(self, info: bytes) -> bytes:
        # The first block of HKDF's expansion is as long as the key.
        return hmac.digest(self._prk, info + b"\x01", hashlib.sha256)


class Sealer:
    """Opens under each of its keys, and seals under the first."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = list(keys)

    @classmethod
    def from_secret(cls, text: str) -> Sealer:
        """The sealer of a deployment: the secret has a key in each line, the newest first."""
        return cls(Key(line.encode()) for line in keys_of(text))

    def open(self, purpose: str, bound_to: str, sealed: bytes) -> bytes:
        """The plain text. Raises `CannotOpen`."""
        return _unpacked(*self.open_form(purpose, bound_to, sealed))

    def open_form(self, purpose: str, bound_to: str, sealed: bytes) -> tuple[int, bytes]:
        """The form of the plain text, and the plain text in this form."""
        if len(sealed) < _HEAD + _TAG:
            raise CannotOpen("it is not a sealed text")
        if sealed[0] != _VERSION:
            raise CannotOpen(f"version {sealed[0]} of a sealed text is unknown; is this checkout older than the stack?")
        key = next((key for key in self.keys if key.id == key_id(sealed)), None)
        if key is None:
            raise CannotOpen("it is sealed under another key")
        context = _context(sealed[1], purpose, bound_to)
        try:
            octets = key.of_row(purpose, bound_to).decrypt(sealed[_HEAD - _NONCE : _HEAD], sealed[_HEAD:], context)
        except InvalidTag:
            raise CannotOpen("it was changed, or sealed for another purpose or row") from None
        return sealed[1], octets

    def seal_form(self, purpose: str, bound_to: str, form: int, octets: bytes) -> bytes:
        """Seal a plain text that is in this form already."""
        key, nonce = self.keys[0], os.urandom(_NONCE)
        text = key.of_row(purpose, bound_to).encrypt(nonce, octets, _context(form, purpose, bound_to))
        return bytes([_VERSION, form]) + key.id + nonce + text

    def personal(self, customer: str, sealed_key: bytes) -> Sealer:
        """The sealer of one person."""
        return Sealer([Key(self.open(PERSONAL_KEY, customer, sealed_key))])


def keys_of(text: str) -> list[str]:
    """The lines of the secret that have a key."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def key_id(sealed: bytes) -> bytes:
    """The id of the key under which a text is sealed."""
    return sealed[2 : 2 + _ID]


def _context(form: int, purpose: str, bound_to: str) -> bytes:
    return bytes([_VERSION, form]) + purpose.encode() + b"\0" + bound_to.encode()


def _unpacked(form: int, octets: bytes) -> bytes:
    """The text, inflated, with the secrets that were kept apart back in their places."""
    if form == 0:
        return octets
    dictionary = _DICTIONARIES / f"{form}.txt"
    if not dictionary.is_file():
        raise CannotOpen(f"dictionary {form} is unknown; is this checkout older than the stack?")
    secrets, at = [], 1
    for _ in range(octets[0]):
        place, length = int.from_bytes(octets[at : at + 2], "big"), octets[at + 2]
        secrets.append((place, octets[at + 3 : at + 3 + length]))
        at += 3 + length
    inflater = zlib.decompressobj(-zlib.MAX_WBITS, dictionary.read_bytes())
    text = inflater.decompress(octets[at:], _MAX_TEXT)
    if not inflater.eof:
        raise CannotOpen("it is too long")
    for place, secret in secrets:
        text = text[:place] + secret + text[place:]
    return text
