"""A reference profile: what a monitor learns, learnt beforehand from a table of rows that were accepted as normal.

It holds edges, counts and the learnt numbers of detectors, never a row. The same rows under the same policy give the
same bytes, and its name is the SHA-256 of them.
"""

import hashlib
from dataclasses import dataclass, replace

from agents.detection.detectors.catalogue import CATALOGUE
from agents.detection.detectors.fairness import Fairness
from agents.detection.monitor import Monitor
from agents.detection.monitor_state import MonitorState
from agents.detection.profile import Profile
from agents.detection.scope import Scope
from schemas.avro import Millis, decode, encode
from schemas.errors import SchemaError
from schemas.selection import Selected
from schemas.thresholds import Thresholds
from schemas.values import Mode

MAX_GAPS = 50
"""Standing gaps between groups that a profile tells of."""

MAGIC = b"headgate profile 1\n"
"""What a file of a profile begins with; another number is another program's."""

MAX_BYTES = 900 * 1024
"""Bytes of a profile; more would not fit into one record of the documents topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about the reference that is worth knowing before it is trusted; `value` is a share, count or size."""

    kind: str
    subject: str
    value: float
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A profile of one model version; version 1.

    source
        SHA-256 of the rows that it was learnt from, as detection decoded them.
    policy
        Digest of the policy whose thresholds it was learnt under.
    """

    model: str
    version: str
    source: str
    policy: str
    rows: int
    at_from: Millis
    at_to: Millis
    findings: tuple[Finding, ...]
    learnt: MonitorState


@dataclass(frozen=True, slots=True)
class Adopted:
    """A reference that a monitor shall judge against, and its name."""

    digest: str
    learnt: MonitorState


def written(reference: Reference) -> bytes:
    """Return the bytes of a profile's file; SchemaError where they are more than can be adopted."""
    data = MAGIC + encode(reference)
    if len(data) > MAX_BYTES:
        raise SchemaError(
            f"the profile has {len(data)} bytes; at most {MAX_BYTES} can be adopted: name fewer features, or bin them "
            "more coarsely (bins)"
        )
    return data


def read(data: bytes) -> Reference:
    """Return the profile in a file; SchemaError where it is none, or no monitor could go on from it."""
    if len(data) > MAX_BYTES:
        raise SchemaError(f"a profile has at most {MAX_BYTES} bytes, not {len(data)}")
    if not data.startswith(MAGIC):
        raise SchemaError("these bytes are no profile; `headgate profile build` makes one")
    reference = decode(Reference, data[len(MAGIC) :])
    if reference.learnt.profile is None or reference.learnt.learning is not None:
        raise SchemaError("the profile has learnt nothing")
    return reference


def digest(data: bytes) -> str:
    """Return the name of a profile: SHA-256 of its file, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def try_out(known: Reference) -> None:
    """Make a monitor of the profile and save it again; SchemaError where its parts do not fit one another."""
    try:
        again = Monitor.of_state(known.learnt, Thresholds()).state()
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise SchemaError(f"no monitor can go on from the profile: {error}") from None
    if again.profile != known.learnt.profile:
        raise SchemaError("a monitor made from the profile does not hold the same profile")


def distilled(state: MonitorState, thresholds: Thresholds) -> tuple[MonitorState, tuple[Finding, ...]]:
    """Return what a monitor that has just learnt knows, without what it saw, and what that tells against it.

    A stream that moves is told and left out; gaps between groups that stand already are told.

    Raises
    ------
    SchemaError
        It has not learnt enough rows yet.
    """
    if state.profile is None:
        raise SchemaError("there are too few rows to learn a profile from; 200 are the least")
    scope = Scope("", thresholds, whole=True)
    scope.restore(state.whole, Profile.of_state(state.profile))
    of_rows = {entry.name for entry in CATALOGUE if entry.of_rows}
    wrong = {name: d.levels()[0] for name, d in scope.detectors.items() if name not in of_rows and d.levels()}
    found = tuple(
        Finding(
            kind="unsteady",
            subject=name,
            value=level.value,
            summary=f"{level.statistic} of {name} changes within the reference; a monitor learns it from live rows",
        )
        for name, level in sorted(wrong.items())
    )
    found += _standing_gaps(scope)
    parts = tuple(part for part in state.whole.parts if part.name not in wrong)
    whole = replace(state.whole, total=0, seen=0, filled=0, parts=parts)
    bare = Monitor("", Mode.REALTIME, thresholds).state()
    learnt = replace(bare, learning=None, profile=state.profile, forest=state.forest, whole=whole)
    return replace(learnt, findings=state.findings), found


def _standing_gaps(scope: Scope) -> tuple[Finding, ...]:
    fairness = scope.detectors.get("fairness")
    gaps = fairness.standing() if isinstance(fairness, Fairness) else []
    return tuple(
        Finding(kind="standing_gap", subject="groups", value=gap, summary=f"{said}; only a change of it is a fault")
        for gap, said in gaps[:MAX_GAPS]
    )


def monitor_of(
    adopted: Adopted, version: str, mode: Mode, selected: Selected, before: Monitor | None = None
) -> Monitor:
    """Return a monitor that judges against a reference from its first row.

    Where another one judged before, rows go on counting, and what stands is cleared by the rows that follow.
    """
    state = replace(adopted.learnt, version=version, mode=mode, reference=adopted.digest)
    if before is not None:
        earlier = before.state()
        state = replace(
            state,
            rows=earlier.rows,
            clear_rows=earlier.clear_rows,
            unobserved=earlier.unobserved,
            standing=earlier.standing,
        )
    return Monitor.of_state(state, selected.thresholds, selected.rule)
