"""Signatures of webhooks as Standard Webhooks 1.0.0 has them: HMAC-SHA256 over ``id.timestamp.body``.

Libraries that verify them exist for most languages; `verify` is what a receiver does.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from schemas.errors import KeyRefusedError

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX = "whsec_"
TOLERANCE = 300
"""Seconds by which a timestamp may differ from the receiver's clock."""

_LEAST, _MOST = 24, 64


def secret_of(text: str) -> bytes:
    """Return the key in a secret such as ``whsec_…`` (Base64 of 24 to 64 bytes); KeyRefusedError says what is wrong."""
    text = text.strip()
    if not text.startswith(PREFIX):
        raise KeyRefusedError(f"a webhook's secret begins with {PREFIX}")
    try:
        key = base64.b64decode(text[len(PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        raise KeyRefusedError(f"a webhook's secret is Base64 after {PREFIX}") from None
    if not _LEAST <= len(key) <= _MOST:
        raise KeyRefusedError(f"a webhook's secret has {_LEAST} to {_MOST} bytes; this one has {len(key)}")
    return key


def headers(keys: Sequence[bytes], identifier: str, at: int, body: bytes) -> dict[str, str]:
    """Return the headers that sign a body at a time (seconds), with a signature for each key."""
    signatures = [_signature(key, identifier, str(at), body) for key in keys]
    return {ID: identifier, TIMESTAMP: str(at), SIGNATURE: " ".join(signatures)}


def verify(keys: Sequence[bytes], received: Mapping[str, str], body: bytes, now: int) -> None:
    """Check a signed body at a time (seconds); KeyRefusedError where no signature fits, or it is too old or too new."""
    try:
        identifier, stamp, given = received[ID], received[TIMESTAMP], received[SIGNATURE]
        at = int(stamp)
    except (KeyError, ValueError):
        raise KeyRefusedError(f"a signed webhook has {ID}, {TIMESTAMP} and {SIGNATURE}") from None
    if abs(now - at) > TOLERANCE:
        raise KeyRefusedError(f"the webhook's timestamp differs from the clock by more than {TOLERANCE} s")
    wanted = [_signature(key, identifier, stamp, body) for key in keys]
    if not any(hmac.compare_digest(one.encode(), other.encode()) for one in wanted for other in given.split()):
        raise KeyRefusedError("no signature of the webhook fits")


def _signature(key: bytes, identifier: str, stamp: str, body: bytes) -> str:
    signed = b".".join((identifier.encode(), stamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
