"""Encrypted files: AES-256-GCM in chunks under a key of the file's own, which is wrapped under the archive's key.

The chunks follow the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO 2015): the nonce counts them
and marks the last, so that none can be cut off, moved or repeated. A file's name is SHA-256 of its bytes.
"""

import hmac
import secrets
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.errors import KeyRefusedError

CHUNK = 1 << 20
_MAGIC = b"HGSEAL1\n"
_TAG, _NONCE, _KEY = 16, 12, 32
_HEADER = len(_MAGIC) + _NONCE + _KEY + _TAG


def subkey(key: bytes, purpose: str) -> bytes:
    """Return the key for one purpose, so that none serves two."""
    return hmac.digest(key, purpose.encode(), "sha256")


def seal(data: bytes, key: bytes) -> Iterator[bytes]:
    """Yield the encrypted file of some bytes, part by part; the same bytes give another file each time."""
    own, nonce = secrets.token_bytes(_KEY), secrets.token_bytes(_NONCE)
    yield _MAGIC + nonce + AESGCM(subkey(key, "wrap")).encrypt(nonce, own, _MAGIC)
    cipher = AESGCM(own)
    for number, first in enumerate(range(0, max(len(data), 1), CHUNK)):
        last = first + CHUNK >= len(data)
        yield cipher.encrypt(_count(number, last=last), data[first : first + CHUNK], _MAGIC)


def unseal(file: bytes, key: bytes) -> bytes:
    """Return what was sealed; KeyRefusedError where the file was changed or the key is another."""
    if not file.startswith(_MAGIC) or len(file) < _HEADER + _TAG:
        raise KeyRefusedError("the file is no sealed file of Headgate")
    nonce, wrapped = file[len(_MAGIC) : len(_MAGIC) + _NONCE], file[len(_MAGIC) + _NONCE : _HEADER]
    try:
        cipher = AESGCM(AESGCM(subkey(key, "wrap")).decrypt(nonce, wrapped, _MAGIC))
        parts = []
        step = CHUNK + _TAG
        for number, first in enumerate(range(_HEADER, len(file), step)):
            last = first + step >= len(file)
            parts.append(cipher.decrypt(_count(number, last=last), file[first : first + step], _MAGIC))
    except InvalidTag:
        raise KeyRefusedError("the file was changed, or it was sealed under another key") from None
    return b"".join(parts)


def _count(number: int, *, last: bool) -> bytes:
    return number.to_bytes(8, "big") + (b"\0\0\0\1" if last else b"\0\0\0\0")
