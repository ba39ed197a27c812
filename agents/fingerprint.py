"""What an answer looks like: its exact digest, and a coarse form that sampling and rounding leave alone."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

SHORT = 64
"""Texts up to so many characters are labels, compared whole; of longer ones only the form is compared."""

_ITEMS = 8
_DEPTH = 4
_REFUSALS = ("i can't", "i can’t", "i cannot", "i'm sorry", "i’m sorry", "i am sorry", "i'm unable", "as an ai")


def exact(answer: Any) -> str:
    """Return 16 hex digits of the SHA-256 of the answer's canonical JSON."""
    text = json.dumps(answer, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def coarse(answer: Any, depth: int = _DEPTH) -> str:
    """Return the form of an answer: numbers to two digits, labels folded, of long texts length and refusal."""
    match answer:
        case None | bool():
            return str(answer).lower()
        case int() | float():
            return _number(float(answer)) if abs(answer) < 1e300 else "large"
        case str():
            return _text(answer)
        case list() if depth:
            return f"[{','.join(coarse(item, depth - 1) for item in answer[:_ITEMS])};{len(answer)}]"[:SHORT]
        case dict() if depth:
            items = sorted(answer.items())[:_ITEMS]
            return f"{{{','.join(f'{key[:16]}:{coarse(value, depth - 1)}' for key, value in items)}}}"[:SHORT]
        case _:
            return "deep"


def whole(digests: Sequence[str]) -> str:
    """Return the fingerprint of all answers, in the order of the probes."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def at(response: Any, path: str) -> Any:
    """Return the part of a response that a dotted path names; LookupError where it has none."""
    for part in path.split(".") if path else ():
        if isinstance(response, dict):
            response = response[part]
        elif isinstance(response, list) and part.isdecimal():
            response = response[int(part)]
        else:
            raise LookupError(part)
    return response


def _number(number: float) -> str:
    return f"{number + 0.0:.2g}" if math.isfinite(number) else "nan"


def _text(text: str) -> str:
    folded = " ".join(text.split()).casefold()
    if len(folded) <= SHORT:
        return hashlib.sha256(folded.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    refused = folded.startswith(_REFUSALS)
    return f"text:{'refused' if refused else round(math.log2(len(folded)))}"
