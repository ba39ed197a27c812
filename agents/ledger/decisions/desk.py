"""Decide on what people tell beside the cases: a suspected failure, and a silence."""

import re

from agents.ledger.asked import Asked
from agents.ledger.control import Control
from agents.ledger.refusal import refuse
from schemas.case import reports as r
from schemas.case import silences as s
from schemas.ids import derive
from schemas.policy import Policy

MAX_NAME = 256
MAX_WHAT = 1000
MAX_REASON = 500
MAX_MATCHERS = 8
MIN_WINDOW_SECONDS = 60
_HOUR_MS = 3_600_000
_DAY_MS = 86_400_000

_NUMBERS = r"-?\d{1,3}(,-?\d{1,3}){0,30}"
_DAYS = r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)"
_PART = (
    rf"(INTERVAL=[1-9]\d{{0,2}}|BYDAY={_DAYS}(,{_DAYS}){{0,30}}|BYMONTHDAY={_NUMBERS}|BYMONTH={_NUMBERS}"
    rf"|BYSETPOS={_NUMBERS}|WKST=(MO|TU|WE|TH|FR|SA|SU))"
)
_RULE = re.compile(rf"FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;{_PART}){{0,6}}", re.ASCII)
"""Recurrence rules whose windows are at least a day apart: what they mean is found outside of the ledger."""
_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}", re.ASCII)


def _report(policy: Policy, control: Control, asked: Asked, body: r.ReportFailure, at: int) -> list[object]:
    """Record a person's report, as many as the policy allows."""
    if not 0 < len(body.model) <= MAX_NAME or max(len(body.version), len(body.prediction)) > MAX_NAME:
        return refuse(asked, "bad_report", f"a report names a model; names have at most {MAX_NAME} characters")
    if not body.what.strip() or len(body.what) > MAX_WHAT:
        return refuse(asked, "bad_report", f"say what fails in 1 to {MAX_WHAT} characters")
    limit = policy.reports
    since = at - limit.within_seconds * 1000
    newest = [then for then in control.desk.reported.get(asked.principal, ()) if then > since]
    if len(newest) >= limit.per_person:
        return refuse(
            asked, "too_often", f"one person reports at most {limit.per_person} times in {limit.within_seconds} s"
        )
    reported = r.FailureReported(
        report=derive("report", asked.statement),
        model=body.model,
        version=body.version,
        what=body.what,
        prediction=body.prediction,
        happened_at=min(max(body.happened_at, 0) or at, at),
        reported_at=at,
        principal=asked.principal,
    )
    return [reported]


def _bad_times(policy: Policy, body: s.AddSilence, at: int) -> str:
    """Return what is wrong with the times of a silence, or nothing."""
    longest, renew = policy.silences.longest_hours, policy.silences.renew_days
    if body.until <= max(body.starts_at, at):
        return "a silence ends after it starts, and after now"
    if body.until - at > renew * _DAY_MS:
        return f"a silence ends within {renew} days"
    if not body.rule:
        short = body.window_seconds == 0 and body.until - max(body.starts_at, at) <= longest * _HOUR_MS
        return "" if short else f"a silence without a rule has no window, and lasts at most {longest:g} hours"
    if _RULE.fullmatch(body.rule) is None or _ZONE.fullmatch(body.zone) is None:
        return "a rule begins with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, has no COUNT or UNTIL, and needs a time zone"
    if not MIN_WINDOW_SECONDS <= body.window_seconds <= longest * 3600:
        return f"a window lasts {MIN_WINDOW_SECONDS} seconds to {longest:g} hours"
    if body.starts_at < at - 366 * _DAY_MS:
        return "a rule starts at most a year ago"
    return ""


def _silence(policy: Policy, control: Control, asked: Asked, body: s.AddSilence, at: int) -> list[object]:
    """Silence what the matchers match, within the limits of the policy."""
    named = [matcher.aspect for matcher in body.matchers]
    if not 0 < len(named) <= MAX_MATCHERS or len(set(named)) < len(named):
        return refuse(asked, "bad_matchers", f"a silence has 1 to {MAX_MATCHERS} matchers, each of another aspect")
    if not {s.Aspect.SYSTEM, s.Aspect.MODEL} & set(named):
        return refuse(asked, "too_broad", "a silence names a system or a model; else it would hold for all of them")
    if not all(0 < len(matcher.value) <= MAX_NAME for matcher in body.matchers):
        return refuse(asked, "bad_matchers", f"a matcher's value has 1 to {MAX_NAME} characters")
    if not body.reason.strip() or len(body.reason) > MAX_REASON:
        return refuse(asked, "no_reason", f"a silence needs a reason of at most {MAX_REASON} characters")
    if why := _bad_times(policy, body, at):
        return refuse(asked, "bad_times", why)
    if len(control.desk.silences) >= policy.silences.most:
        return refuse(asked, "too_many", f"at most {policy.silences.most} silences are in force at a time")
    added = s.SilenceAdded(
        silence=derive("silence", asked.statement),
        matchers=body.matchers,
        starts_at=body.starts_at,
        until=body.until,
        rule=body.rule,
        zone=body.zone if body.rule else "",
        window_seconds=body.window_seconds,
        reason=body.reason,
        principal=asked.principal,
    )
    return [added]


def _end(control: Control, asked: Asked, body: s.EndSilence) -> list[object]:
    if body.silence not in control.desk.silences:
        return refuse(asked, "unknown_silence", "no such silence is in force")
    if not body.reason.strip() or len(body.reason) > MAX_REASON:
        return refuse(asked, "no_reason", f"say why it ends, in at most {MAX_REASON} characters")
    return [s.SilenceEnded(silence=body.silence, why="ended", principal=asked.principal, reason=body.reason)]


def _expire(control: Control, asked: Asked, body: s.ExpireSilence, at: int) -> list[object]:
    silence = control.desk.silences.get(body.silence)
    if silence is None or silence.until != body.until:
        return refuse(asked, "stale", "no such silence is in force")
    if at < silence.until:
        return refuse(asked, "early", "the silence has not ended")
    return [s.SilenceEnded(silence=body.silence, why="expired", principal="", reason=f"it ended at {silence.until}")]


def decide(control: Control, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a report or a silence, or None where the command is none."""
    body, policy = asked.body, control.policy
    if not isinstance(body, r.ReportFailure | s.AddSilence | s.EndSilence | s.ExpireSilence):
        return None
    if policy is None:
        return refuse(asked, "no_policy", "no policy is adopted, so there are no limits to go by")
    match body:
        case r.ReportFailure():
            return _report(policy, control, asked, body, at)
        case s.AddSilence():
            return _silence(policy, control, asked, body, at)
        case s.EndSilence():
            return _end(control, asked, body)
        case _:
            return _expire(control, asked, body, at)
