"""What a recorder was told, checked once."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

MAX_ROWS = 4096
MAX_FEATURES = 500
MAX_NAMES = 504
"""Names of features, groups and explanations in a batch: 512 columns less the fixed ones."""
MAX_TEXT = 256
MODES = ("realtime", "batch", "shadow")
_LEAST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The arguments of a Recorder; ValueError where one cannot be used."""

    model: str
    version: str
    instance: str | None
    mode: str
    bootstrap_servers: str
    ledger: str
    kafka: Mapping[str, object]
    features: frozenset[str] | None
    hash_key: bytes | None
    hashed: frozenset[str]
    max_rows: int
    max_delay: float
    max_bytes: int
    sample: float

    def __post_init__(self) -> None:
        for name in ("model", "version", "ledger", "bootstrap_servers"):
            _check_name(name, getattr(self, name))
        if self.instance is not None:
            _check_name("instance", self.instance)
        _require(self.mode in MODES, f"mode must be one of {', '.join(MODES)}, not {self.mode!r}")
        _require(1 <= self.max_rows <= MAX_ROWS, f"max_rows must be from 1 to {MAX_ROWS}")
        _require(0.001 <= self.max_delay <= 3600, "max_delay must be from 0.001 to 3600 seconds")
        _require(self.max_bytes >= _LEAST_BYTES, f"max_bytes must be at least {_LEAST_BYTES}")
        _require(0 < self.sample <= 1, "sample must be above 0 and at most 1")
        _require(not self.hashed or bool(self.hash_key), "hashed columns need a hash_key")
        _require(len(self.hash_key or b"") <= 64, "hash_key must be at most 64 bytes")

    @property
    def topic(self) -> str:
        """Where telemetry goes."""
        return f"{self.ledger}.telemetry.v1"

    def keeps(self, prediction_id: str) -> bool:
        """Whether the sample holds this prediction: the same answer for the prediction and its labels."""
        if self.sample >= 1:
            return True
        digest = blake2b(prediction_id.encode("utf-8", "replace"), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self.sample * 2**64

    def digest(self, text: str) -> str:
        """Return the keyed hash that stands for a value in a hashed column."""
        data = text.encode("utf-8", "replace")
        return blake2b(data, key=self.hash_key or b"", digest_size=16).hexdigest()


def _check_name(name: str, value: object) -> None:
    _require(
        isinstance(value, str) and 0 < len(value) <= MAX_TEXT, f"{name} must be text of 1 to {MAX_TEXT} characters"
    )
    _require(_is_unicode(str(value)), f"{name} must be Unicode without lone surrogates")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
