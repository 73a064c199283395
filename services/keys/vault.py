"""Sealing with AES-256-GCM (NIST SP 800-38D): values under a key, keys under the installation's secret."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


class Unsealable(Exception):
    """None of the keys opens this value: the secret changed, or the value was tampered with or moved."""


def new_key() -> bytes:
    """32 random bytes."""
    return os.urandom(_KEY_BYTES)


def seal(cipher: AESGCM, clear: bytes, context: bytes) -> bytes:
    """Nonce and ciphertext; `context` binds the value to its place, so that it opens nowhere else."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, clear, context)


def unseal(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes:
    """The clear value.

    Raises:
        Unsealable: another key, another place or changed bytes.
    """
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as error:  # ValueError: shorter than a nonce
        raise Unsealable("the key does not open this value") from error


def event_context(event_id: bytes, revision: int) -> bytes:
    """What binds a fact's personal part: its event id and revision."""
    return event_id + revision.to_bytes(2, "big")


class Vault:
    """Wraps keys under the secrets of TAMAS_SECRET_KEY: the first seals, all open (so that it can be rotated)."""

    def __init__(self, secrets: tuple[bytes, ...]) -> None:
        """`secrets` as `Settings.secrets()` gives them."""
        self._ciphers: Final = [AESGCM(_derived(secret)) for secret in secrets]

    def wrap(self, key: bytes, context: bytes) -> bytes:
        """Seal a key (or another small secret) for storage."""
        return seal(self._ciphers[0], key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Open it again.

        Raises:
            Unsealable: wrapped under a secret that is no longer in TAMAS_SECRET_KEY.
        """
        for cipher in self._ciphers:
            try:
                return unseal(cipher, wrapped, context)
            except Unsealable:
                continue
        raise Unsealable("no key in TAMAS_SECRET_KEY opens this value: add the one it was sealed with to the list")


def _derived(secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"tamas/wrap").derive(secret)
