"""Encryption at rest: what the files hold is unreadable without the key.

Fernet of the `cryptography` library (AES-128 in CBC mode with HMAC-SHA256, and an initialisation vector of its own for
every piece), under a key that scrypt (RFC 7914) derives from the owner's passphrase and a salt that the snapshot names.
What stays readable: sizes, times of writing, the numbers of entries and generations.
"""

from __future__ import annotations

import base64
import secrets

from ntm_memory_skill.errors import KeyRefused

SALT_BYTES = 16
SCRYPT = {"n": 2**15, "r": 8, "p": 1}
"""Costs about 32 MB and a tenth of a second for each guess, and for each opening."""


class Seal:
    """Encrypts and decrypts pieces of data under one key.

    Args:
        passphrase: The owner's secret, any text.
        salt: As it was when the memory was first encrypted; None draws a new one.
    """

    def __init__(self, passphrase: str, salt: bytes | None = None) -> None:
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        self.salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
        key = Scrypt(salt=self.salt, length=32, **SCRYPT).derive(passphrase.encode("utf-8", "surrogateescape"))
        self._fernet = Fernet(base64.urlsafe_b64encode(key))

    def encrypt(self, data: bytes) -> bytes:
        """Return data so that only the key makes it readable: printable ASCII, a third longer."""
        return self._fernet.encrypt(data)

    def decrypt(self, token: bytes) -> bytes:
        """Return what `encrypt` was given.

        Raises:
            KeyRefused: It was encrypted with another key, or changed since.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(token)
        except InvalidToken as error:
            raise KeyRefused("the key does not open this memory") from error
