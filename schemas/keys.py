"""Ed25519 keys of persons and services, and the bytes that a statement's signature covers (RFC 8032).

Verification is that of OpenSSL, which refuses non-canonical signatures. What it lets pass is a public key of low
order, under which anybody can "sign" anything: such a key, a key encoded in a second way and a key that is no
point of the curve cannot become a `PublicKey`.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from schemas.errors import KeyRefusedError, SchemaError

KEY_SIZE = 32
SIGNATURE_SIZE = 64
MAX_KEY_FILE = 4096
MAX_COMMENT = 256
MIN_PASSPHRASE = 12
_PREFIX = "headgate-ed25519"
_LINE = re.compile(rf"{_PREFIX} ([A-Za-z0-9+/]{{43}}=)(?: (.{{1,{MAX_COMMENT}}}))?\n?")
_PEM = re.compile(rb"-----BEGIN ((?:ENCRYPTED )?PRIVATE KEY)-----\r?\n[A-Za-z0-9+/=\r\n]+-----END \1-----[\r\n]*")
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
# y of the eight points whose order divides 8; the two large values belong to the points of order 8.
_ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_LOW_ORDER = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})


def decode_base64(text: str) -> bytes:
    """Decode standard base64 in its one canonical form (RFC 4648 section 4); else raise KeyRefusedError."""
    try:
        data = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise KeyRefusedError("not base64") from None
    if b64encode(data).decode() != text:
        raise KeyRefusedError("base64 that is not in its canonical form")
    return data


def _require_sound(raw: bytes) -> None:
    """Refuse an encoding that is not a point of the curve in its one form, or whose order divides 8."""
    if len(raw) != KEY_SIZE:
        raise KeyRefusedError(f"an Ed25519 public key has {KEY_SIZE} bytes, not {len(raw)}")
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y >= _P:
        raise KeyRefusedError("the public key is not in its canonical encoding; ask its owner for a new one")
    if y in _LOW_ORDER:
        raise KeyRefusedError("the public key has a low order: anybody could sign for it; generate a new one")
    # x² is the quotient of these factors, and their product is a square exactly when the quotient is one.
    if pow((y * y - 1) * (_D * y * y + 1) % _P, (_P - 1) // 2, _P) != 1:
        raise KeyRefusedError("the public key is not a point of the curve; it was damaged on its way")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that was found sound; equal to every other key of the same 32 bytes."""

    raw: bytes
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _require_sound(self.raw)
        # Kept: making this object costs a good part of one verification.
        object.__setattr__(self, "_key", Ed25519PublicKey.from_public_bytes(self.raw))

    @property
    def key_id(self) -> str:
        """The first 16 hex digits of the SHA-256 of the raw key."""
        return sha256(self.raw).hexdigest()[:16]

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if `signature` is this key's over `message`; raise KeyRefusedError if not."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise KeyRefusedError(f"the signature does not verify under key {self.key_id}") from None

    @classmethod
    def from_line(cls, line: str) -> tuple[Self, str]:
        """Read `headgate-ed25519 <base64> <comment>`; return the key and the comment (empty if none)."""
        match = _LINE.fullmatch(line)
        if match is None or not (match[2] or "").isprintable():
            raise KeyRefusedError(f'a public key is one line "{_PREFIX} <base64> <comment>"')
        return cls(decode_base64(match[1])), match[2] or ""

    def to_line(self, comment: str = "") -> str:
        """Write the line that `from_line` reads, with its newline."""
        if len(comment) > MAX_COMMENT or not comment.isprintable():
            raise KeyRefusedError(f"the comment of a key is at most {MAX_COMMENT} printable characters")
        return f"{_PREFIX} {b64encode(self.raw).decode()}{' ' if comment else ''}{comment}\n"


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key; neither its text form nor any error shows its secret."""

    public: PublicKey
    _key: Ed25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls, entropy: bytes) -> Self:
        """Make the key of 32 bytes that the caller drew from the system's random source."""
        if len(entropy) != KEY_SIZE:
            raise KeyRefusedError(f"a key is made of {KEY_SIZE} random bytes, not {len(entropy)}")
        return cls._wrap(Ed25519PrivateKey.from_private_bytes(entropy))

    @classmethod
    def _wrap(cls, key: Ed25519PrivateKey) -> Self:
        return cls(PublicKey(key.public_key().public_bytes_raw()), key)

    @property
    def key_id(self) -> str:
        """The id of the public half."""
        return self.public.key_id

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature over `message`; the same message gives the same signature."""
        return self._key.sign(message)

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes | None = None) -> Self:
        """Read one PKCS#8 PEM block, encrypted exactly when a passphrase is given."""
        if len(pem) > MAX_KEY_FILE or _PEM.fullmatch(pem) is None:
            raise KeyRefusedError(f"a private key file is one PKCS#8 PEM block of at most {MAX_KEY_FILE} bytes")
        # `from None` throughout: the causes quote the file.
        try:
            key = load_pem_private_key(pem, passphrase)
        except TypeError:
            needed = "needs a passphrase" if not passphrase else "is not encrypted, yet a passphrase is given"
            raise KeyRefusedError(f"the private key file {needed}") from None
        except (ValueError, UnsupportedAlgorithm):
            raise KeyRefusedError("the private key file is damaged, or its passphrase is another") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyRefusedError("the private key file holds a key of another kind; Ed25519 is needed")
        return cls._wrap(key)

    def to_pem(self, passphrase: bytes | None = None) -> bytes:
        """Write PKCS#8 PEM, encrypted if there is a passphrase.

        The key derivation of PKCS#8 is fast here (PBKDF2, 2,048 rounds): short passphrases are refused.
        """
        encryption: KeySerializationEncryption = NoEncryption()
        if passphrase is not None:
            if not MIN_PASSPHRASE <= len(passphrase) <= 1023:
                raise KeyRefusedError(f"a passphrase has {MIN_PASSPHRASE} to 1023 bytes; take several words")
            encryption = BestAvailableEncryption(passphrase)
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def preimage(origin: str, topic: str, kind: str, incident: str, body: bytes) -> bytes:
    """Return the bytes that a statement's signature covers: no two different statements share them.

    Every field is preceded by its length (8 bytes, big-endian), as in DSSE's pre-authentication encoding. So a
    signature given for one ledger, topic, type or incident is worth nothing in another.
    """
    try:
        names = [field.encode() for field in (origin, topic, kind, incident)]
    except UnicodeEncodeError:
        raise SchemaError("origin, topic, type and incident of a statement must be valid Unicode") from None
    return b"headgate-statement-v1" + b"".join(len(part).to_bytes(8, "big") + part for part in (*names, body))
