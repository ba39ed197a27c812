"""Decide what is learnt of a case: causes, replays, the post-mortem, ratings, verdicts and corrected milestones."""

import re
from dataclasses import fields

from agents.ledger.asked import Asked
from agents.ledger.case import Case, Phase
from agents.ledger.control import Control
from agents.ledger.decisions.respond import attach
from agents.ledger.lacking import lacking
from agents.ledger.refusal import refuse
from schemas.case import learning as s
from schemas.case.learning import CauseKind
from schemas.commands import AttachEvidence
from schemas.events import Refused
from schemas.ids import sound
from schemas.values import Role

MAX_CAUSES = 100
MAX_TEXT = 2_000
MAX_PART = 6_000
MAX_POST_MORTEM = 20_000
SCORES = range(1, 6)
REPLAY = "replay"
"""The kind of evidence that a counterfactual replay is kept as."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def _above(case: Case, cause: str | None) -> set[str]:
    """Return a node and all that it explains, up to the incident."""
    found: set[str] = set()
    while cause is not None and cause not in found:
        found.add(cause)
        node = case.learning.causes.get(cause)
        cause = node.parent if node else None
    return found


def _cause(case: Case, asked: Asked, body: s.RecordCause) -> list[object]:
    known = case.learning.causes
    if case.learning.accepted:
        return refuse(asked, "accepted", "the post-mortem is accepted; write it anew before its causes are changed")
    if not sound(body.cause) or not 0 < len(body.text) <= MAX_TEXT:
        return refuse(asked, "bad_cause", f"a cause has an id and a text of 1 to {MAX_TEXT} characters")
    if body.cause not in known and len(known) >= MAX_CAUSES:
        return refuse(asked, "too_much", f"a case has at most {MAX_CAUSES} causes")
    if body.parent is not None and body.parent not in known:
        return refuse(asked, "unknown_parent", "no such cause is recorded; record what it explains first")
    if body.cause in _above(case, body.parent):
        return refuse(asked, "cycle", "a cause cannot explain itself")
    if body.parent is not None and known[body.parent].kind is CauseKind.ROOT:
        return refuse(asked, "below_root", "a root cause ends its chain; amend it first where the whys go on")
    if body.kind is CauseKind.ROOT and any(node.parent == body.cause for node in known.values()):
        return refuse(asked, "below_root", "other causes explain this one, so it is no root")
    recorded = s.CauseRecorded(
        incident=case.incident,
        cause=body.cause,
        text=body.text,
        kind=body.kind,
        code=body.code,
        parent=body.parent,
        principal=asked.principal,
    )
    return [recorded]


def _replay(case: Case, asked: Asked, body: s.AttachReplay) -> list[object]:
    if _DIGEST.fullmatch(body.policy) is None or not body.sentence:
        return refuse(asked, "bad_replay", "a replay names its policy by SHA-256, and says in a sentence what it shows")
    kept = AttachEvidence(incident=case.incident, kind=REPLAY, digest=body.digest, rows=0, summary=body.sentence)
    attached = attach(case, asked, kept)
    if isinstance(attached[0], Refused):
        return attached
    replay = s.ReplayAttached(
        incident=case.incident,
        digest=body.digest,
        policy=body.policy,
        sentence=body.sentence,
        principal=asked.principal,
    )
    return [*attached, replay]


def _write(case: Case, asked: Asked, body: s.WritePostMortem) -> list[object]:
    parts = {field.name: str(getattr(body.text, field.name)) for field in fields(s.PostMortem)}
    empty = [name for name, text in parts.items() if not text.strip()]
    if empty:
        return refuse(asked, "incomplete", f"{', '.join(empty)}: nothing is said; say that it is unknown, and why")
    if max(map(len, parts.values())) > MAX_PART or sum(map(len, parts.values())) > MAX_POST_MORTEM:
        limits = f"{MAX_PART} characters in a part, and {MAX_POST_MORTEM} in all"
        return refuse(asked, "too_long", f"a post-mortem has at most {limits}")
    return [s.PostMortemWritten(incident=case.incident, text=body.text, principal=asked.principal)]


def _accept(control: Control, case: Case, asked: Asked, body: s.AcceptPostMortem) -> list[object]:
    if not case.learning.written or body.digest != case.learning.written:
        return refuse(asked, "unknown_digest", "the digest is not that of the case's newest post-mortem")
    if case.learning.accepted:
        return refuse(asked, "accepted", "it is accepted already")
    if not case.phase.over or case.phase is Phase.DISMISSED:
        return refuse(asked, "not_over", f"the case is {case.phase.value}; a post-mortem is accepted when it is over")
    if asked.principal in case.learning.authors:
        return refuse(asked, "own_work", "a post-mortem is accepted by somebody who did not write it")
    if missing := lacking(control, case):
        return refuse(asked, "unfinished", "; ".join(missing))
    return [s.PostMortemAccepted(incident=case.incident, digest=body.digest, principal=asked.principal)]


def _rate(case: Case, asked: Asked, body: s.RateResponse) -> list[object]:
    if not case.phase.over or case.phase is Phase.DISMISSED:
        return refuse(asked, "not_over", f"the case is {case.phase.value}; a response is rated when it is over")
    if body.score not in SCORES or len(body.comment) > MAX_TEXT:
        return refuse(asked, "bad_score", f"a rating is 1 to 5, and its comment has at most {MAX_TEXT} characters")
    rated = s.ResponseRated(incident=case.incident, score=body.score, comment=body.comment, principal=asked.principal)
    return [rated]


def rating_asked(case: Case) -> s.RatingAsked:
    """Return the question that follows a resolution, asked of the owner's role and the staff."""
    owner = [role for role in Role if role.value == case.owner_role and not role.service]
    return s.RatingAsked(incident=case.incident, roles=tuple(dict.fromkeys((*owner, Role.STAFF))))


def _judge(case: Case, asked: Asked, body: s.JudgeSignal) -> list[object]:
    if body.signal not in case.learning.signals:
        return refuse(asked, "unknown_signal", "the case does not rest on this signal")
    if len(body.note) > MAX_TEXT:
        return refuse(asked, "bad_note", f"a note has at most {MAX_TEXT} characters")
    judged = s.SignalJudged(
        incident=case.incident, signal=body.signal, finding=body.finding, note=body.note, principal=asked.principal
    )
    return [judged]


def _correct(case: Case, asked: Asked, body: s.CorrectMilestone, at: int) -> list[object]:
    if not 0 < body.at <= at:
        return refuse(asked, "bad_time", "a milestone was after 1970, and has been reached already")
    if not 0 < len(body.reason) <= MAX_TEXT:
        return refuse(asked, "bad_reason", f"a correction has a reason of 1 to {MAX_TEXT} characters")
    corrected = s.MilestoneCorrected(
        incident=case.incident, milestone=body.milestone, at=body.at, reason=body.reason, principal=asked.principal
    )
    return [corrected]


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a command about what is learnt, or None where it is none."""
    match asked.body:
        case s.RecordCause():
            return _cause(case, asked, asked.body)
        case s.AttachReplay():
            return _replay(case, asked, asked.body)
        case s.WritePostMortem():
            return _write(case, asked, asked.body)
        case s.AcceptPostMortem():
            return _accept(control, case, asked, asked.body)
        case s.RateResponse():
            return _rate(case, asked, asked.body)
        case s.JudgeSignal():
            return _judge(case, asked, asked.body)
        case s.CorrectMilestone():
            return _correct(case, asked, asked.body, at)
    return None
