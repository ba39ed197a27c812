"""Documents that people write in TOML: read within limits, validated whole, named by their digest."""

import hashlib
import tomllib
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import PolicyError

MAX_DOCUMENT_BYTES = 24 * 1024

Document = TypeVar("Document", bound="Frozen")


class Frozen(BaseModel):
    """A validated, immutable part of a document; a name that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_max_length=2000, allow_inf_nan=False)


def digest(document: bytes) -> str:
    """Return SHA-256 of the document's bytes, hexadecimal."""
    return hashlib.sha256(document).hexdigest()


def read(model: type[Document], document: bytes, name: str) -> Document:
    """Validate a TOML document.

    Raises
    ------
    PolicyError
        In one sentence that names the place: too large, not UTF-8, not TOML, or a field that is wrong.
    """
    if len(document) > MAX_DOCUMENT_BYTES:
        raise PolicyError(f"{name} has {len(document)} bytes; at most {MAX_DOCUMENT_BYTES} can be adopted")
    try:
        parsed = tomllib.loads(document.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise PolicyError(f"{name} is not UTF-8: byte {error.start} cannot be read") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError(f"{name} is not TOML: {error}") from None
    try:
        return model.model_validate(parsed)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise PolicyError(f"{name}: {place}: {first['msg']}{more}") from None
