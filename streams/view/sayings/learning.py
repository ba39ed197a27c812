"""Causes, replays, the post-mortem, ratings, verdicts and corrected milestones in sentences."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from schemas.case import learning as s


def _at(at: int) -> str:
    try:
        return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{at} ms"


SAY: dict[type, Callable[[Any], str]] = {
    s.CauseRecorded: lambda x: (
        f"{x.kind.value} cause {x.cause}{f', why {x.parent}' if x.parent else ''}: {x.text} ({x.code.value})"
    ),
    s.ReplayAttached: lambda x: f"replayed under policy {x.policy[:12]}: {x.sentence}",
    s.PostMortemWritten: lambda x: f"post-mortem written by {x.principal}: {x.text.summary}",
    s.PostMortemAccepted: lambda x: f"post-mortem {x.digest[:12]} accepted by {x.principal}",
    s.RatingAsked: lambda x: f"{', '.join(role.value for role in x.roles)}: how was the response, from 1 to 5?",
    s.ResponseRated: lambda x: (
        f"{x.principal} rates the response {x.score} of 5" + (f": {x.comment}" * bool(x.comment))
    ),
    s.SignalJudged: lambda x: f"{x.principal} judges {x.signal} {x.finding.value}" + (f": {x.note}" * bool(x.note)),
    s.MilestoneCorrected: lambda x: f"{x.milestone.value} was at {_at(x.at)}, says {x.principal}: {x.reason}",
}
