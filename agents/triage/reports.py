"""A person's report as triage takes it up: a signal that promotes, of what a person saw instead of a detector."""

import re
from collections.abc import Mapping

from schemas.case.reports import FailureReported
from schemas.signals import SignalRaised
from schemas.values import Category, Mode, Position

DETECTOR = "person"
UNKNOWN = "unknown"
"""The version of a model where the person named none, and it is not the only one."""
_MAX_SUMMARY = 600
SOMEBODY = "somebody"
_REPORTED = re.compile(r"((?:^|: )reported by )([\w.:@-]*\w)(?=: |, prediction |$)")
"""Where the words of a report name the principal who made it, in a signal's summary and in an incident's title."""


def reporter_named(text: str, names: Mapping[str, str]) -> str:
    """Return a title or summary with the reporter's name where it is known, else "somebody".

    The ledger holds the principal's random id alone, and nothing that people read shows it.
    """
    return _REPORTED.sub(lambda found: found[1] + names.get(found[2], SOMEBODY), text, count=1)


def signal_of(report: FailureReported, index: int, score: float, policy: str) -> SignalRaised:
    """Return the signal of a report that stands in an entry of the ledger.

    Parameters
    ----------
    index
        The entry's.
    score
        The score that promotes: a report is heard, and weighs no more than the weakest signal that is.
    policy
        Digest of the policy in force.
    """
    about = f", prediction {report.prediction}" if report.prediction else ""
    return SignalRaised(
        id=report.report,
        signal=f"report/{report.report}",
        at=report.reported_at,
        model=report.model,
        version=report.version or UNKNOWN,
        instance="",
        mode=Mode.REALTIME,
        category=Category.HUMAN_REPORT,
        detector=DETECTOR,
        subject="reported failure",
        statistic="report",
        value=1.0,
        threshold=1.0,
        score=score,
        baseline="limit",
        first_bad_at=report.happened_at,
        window_from=report.happened_at,
        window_to=report.reported_at,
        rows=0,
        technique=None,
        policy=policy,
        source=Position(topic_id="", partition=0, offset=index),
        summary=f"reported by {report.principal}{about}: {report.what}"[:_MAX_SUMMARY],
    )
