"""Canary probes: where a third-party model is asked, with which inputs, and what of its answer is compared."""

import hashlib
import json
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError, field_validator

from schemas.documents import Frozen
from schemas.errors import PolicyError

MAX_PROBES = 200
MAX_FILE = 512 * 1024

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Endpoint = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/@?#]{1,253}(/[^\s#]*)?$", max_length=1000)]


class Probe(Frozen):
    """How one model is probed; the digest pins the probe set, and whoever signs the systems document signs it."""

    endpoint: Endpoint = Field(description="http or https URL that takes one probe a POST, without user or password")
    file: FileName = Field(description="name of the probe set in the directory var/probes of the probing role")
    digest: Digest = Field(description="SHA-256 of the probe set; another file of that name is refused")
    every_seconds: int = Field(300, ge=1, le=86_400, description="seconds from one run to the next")
    timeout_seconds: float = Field(10.0, gt=0, le=120, description="seconds until an answer is given up")
    version: str | None = Field(None, max_length=256, description="version that the vendor states; else known_good")
    token: FileName | None = Field(None, description="name of the file in var/keys that holds the bearer token")


class ProbeSet(Frozen):
    """The probes of one model."""

    version: int = Field(ge=1, le=1)
    model: str = Field(min_length=1, max_length=256)
    output: str = Field("", max_length=256, description="where the answer is in the response: a.b.0; empty, all of it")
    probes: tuple[dict[str, Any], ...] = Field(min_length=1, max_length=MAX_PROBES)

    @field_validator("probes", mode="before")
    @classmethod
    def _objects(cls, probes: object) -> object:
        if isinstance(probes, list | tuple) and all(isinstance(probe, dict) for probe in probes):
            return tuple(probes)
        raise ValueError("probes is a list of JSON objects, each the body of a request")


def digest(document: bytes) -> str:
    """Return SHA-256 of a probe set's bytes, hexadecimal."""
    return hashlib.sha256(document).hexdigest()


def read(document: bytes, name: str, wanted: str | None = None) -> ProbeSet:
    """Validate a probe set; PolicyError in one sentence where it is too large, none, or not of the wanted digest."""
    if len(document) > MAX_FILE:
        raise PolicyError(f"{name} has {len(document)} bytes; a probe set has at most {MAX_FILE}")
    if wanted is not None and digest(document) != wanted:
        raise PolicyError(f"{name} has the digest {digest(document)}, but the systems document pins {wanted}")
    try:
        return ProbeSet.model_validate(json.loads(document))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise PolicyError(f"{name}: {place}: {first['msg']}") from None
    except (ValueError, RecursionError):
        raise PolicyError(f"{name} is not JSON in UTF-8") from None


def write(probes: ProbeSet) -> bytes:
    """Return the bytes of a probe set: the same set, the same bytes."""
    return json.dumps(probes.model_dump(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
