"""Reviews of single decisions in sentences."""

from collections.abc import Callable
from typing import Any

from schemas.case import reviews as r
from schemas.case.reviews import ReviewVerdict

_WORDS = {ReviewVerdict.UPHOLD: "upheld", ReviewVerdict.OVERRIDE: "overrode"}

SAY: dict[type, Callable[[Any], str]] = {
    r.ReviewQueued: lambda x: (
        f"decision {x.prediction} of {x.model} {x.version} ({x.band.value}) waits for {x.assignee or 'a reviewer'}"
    ),
    r.ReviewAssigned: lambda x: f"decision {x.prediction} is for {x.assignee} to review, by {x.by}",
    r.ReviewDecided: lambda x: (
        f"{x.principal} {_WORDS[x.verdict]} decision {x.prediction}"
        + (f", it is {x.label}" if x.label else "")
        + f": {x.reason}"
    ),
    r.ReviewOverdue: lambda x: f"the review of decision {x.prediction} by {x.assignee or 'anybody'} is overdue",
}
