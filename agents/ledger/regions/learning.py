"""The learning region of a case: its fault tree, its post-mortem, ratings of the response and verdicts on signals."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from schemas import events as e
from schemas.case import learning as s
from schemas.case.learning import CauseKind, Finding, MissedControl


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A node of the fault tree; `parent` is the node that it explains, None for the incident itself."""

    kind: CauseKind
    code: MissedControl
    parent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """What was learnt.

    signals
        Every signal that the case rests on: those can be judged.
    written
        SHA-256 of the newest PostMortemWritten; empty while there is none.
    authors
        Who wrote a version of it, in the order of their first words.
    accepted_by
        Who accepted the newest; empty where nobody did.
    ratings
        The newest rating of each person.
    verdicts
        The newest word on each signal that was judged.
    """

    signals: frozenset[str] = frozenset()
    causes: Mapping[str, Cause] = field(default_factory=dict)
    replays: tuple[str, ...] = ()
    written: str = ""
    authors: tuple[str, ...] = ()
    accepted_by: str = ""
    ratings: Mapping[str, int] = field(default_factory=dict)
    verdicts: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether the newest post-mortem is accepted."""
        return bool(self.accepted_by)

    @property
    def roots(self) -> tuple[str, ...]:
        """The ids of the root causes, in the order in which they were recorded."""
        return tuple(cause for cause, node in self.causes.items() if node.kind is CauseKind.ROOT)


def evolve(learning: Learning, event: object, digest: str) -> Learning:
    """Return the region after an event; `digest` is SHA-256 of its bytes. Other events leave it as it is."""
    match event:
        case e.CaseOpened() | e.CaseGrew():
            return replace(learning, signals=learning.signals | {item.signal for item in event.evidence})
        case s.CauseRecorded():
            node = Cause(kind=event.kind, code=event.code, parent=event.parent)
            return replace(learning, causes={**learning.causes, event.cause: node})
        case s.ReplayAttached():
            return replace(learning, replays=(*learning.replays, event.digest))
        case s.PostMortemWritten():
            authors = tuple(dict.fromkeys((*learning.authors, event.principal)))
            return replace(learning, written=digest, authors=authors, accepted_by="")
        case s.PostMortemAccepted():
            return replace(learning, accepted_by=event.principal)
        case s.ResponseRated():
            return replace(learning, ratings={**learning.ratings, event.principal: event.score})
        case s.SignalJudged():
            return replace(learning, verdicts={**learning.verdicts, event.signal: event.finding})
    return learning
