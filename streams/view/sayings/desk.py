"""Reports of people and silences in sentences."""

from collections.abc import Callable, Sequence
from typing import Any

from schemas.case import reports as r
from schemas.case import silences as s


def matched(matchers: Sequence[s.Matcher]) -> str:
    """Return what a silence matches, as its command line says it."""
    return " ".join(f"{matcher.aspect.value}={matcher.value}" for matcher in matchers)


def _failure(x: r.FailureReported) -> str:
    version = f" version {x.version}" if x.version else ""
    prediction = f" (prediction {x.prediction})" if x.prediction else ""
    return f"{x.principal} reported of {x.model}{version}{prediction}: {x.what}"


SAY: dict[type, Callable[[Any], str]] = {
    r.FailureReported: _failure,
    s.SilenceAdded: lambda x: f"{x.principal} silenced {matched(x.matchers)}: {x.reason}",
    s.SilenceEnded: lambda x: f"silence {x.silence[:12]} {x.why}: {x.reason}",
}
