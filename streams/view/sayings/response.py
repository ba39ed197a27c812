"""How people led the response, in sentences."""

from collections.abc import Callable
from typing import Any

from schemas.case import by_hand as b
from schemas.case import response as r

SAY: dict[type, Callable[[Any], str]] = {
    r.CaseInvestigating: lambda x: f"{x.principal} looks for the cause: {x.reason}",
    r.CaseMerged: lambda x: f"merged into {x.into} by {x.principal}: {x.reason}",
    r.CaseAbsorbed: lambda x: f"{x.merged} goes on here, merged by {x.principal}",
    r.CaseSplit: lambda x: f"{len(x.evidence)} signals left it for {x.into}, split by {x.principal}: {x.reason}",
    r.CaseRegressed: lambda x: f"the recovery failed, to be contained again, says {x.by}: {x.reason}",
    r.CaseReopened: lambda x: f"reopened by {x.principal}, for the {x.number}. time: {x.reason}",
    r.CaseReviewed: lambda x: f"under review, begun by {x.principal}" + (f": {x.note}" if x.note else ""),
    b.ContainedByHand: lambda x: f"{x.principal} stopped the harm by hand: {x.statement}; shown by {x.evidence}",
    b.RemediedByHand: lambda x: f"{x.principal} put it right by hand: {x.statement}; shown by {x.evidence}",
    b.RecoveryJudged: lambda x: f"recovered, judges {x.principal}: {x.statement}; shown by {x.evidence}",
    r.SignalsFollowed: lambda x: f"{len(x.evidence)} signals of a fault that had left it go to {x.into}",
    r.FollowingTaken: lambda x: f"what was raised of its fault at {x.origin} is told here",
    r.CaseClosed: lambda x: f"closed by {x.principal}" + (f": {x.note}" if x.note else ""),
}
