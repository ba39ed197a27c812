"""Which incidents a case ends: itself, and those that go on in it; a merged one has not ended by being merged."""

from collections.abc import Iterator, Mapping

from agents.ledger.case import Case, Phase
from agents.ledger.regions.course import end_of


def endings(case: Case, merged: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Return the incidents whose response is over with this case's, and when it was (ms); none while it goes on.

    The signals of a merged incident still belong to it until the one that it went on in is over.
    """
    if not case.phase.over or case.phase is Phase.MERGED:
        return
    yield case.incident, case.course.over_at
    for incident in merged:
        if end_of(merged, incident) == case.incident:
            yield incident, case.course.over_at
