"""The on-call document: what it must say, and what is refused with the way out."""

import pytest

from agents.oncall.targets import persons_of
from schemas import oncall
from schemas.errors import PolicyError
from schemas.escalation import CaseFacts
from schemas.oncall import OnCall
from schemas.values import Category, Severity
from streams.settings import DEPLOY

SHIPPED = (DEPLOY / "oncall.toml").read_bytes()

HEAD = """version = 1
receivers = ["terminal"]
people.ada = { name = "Ada", principal = "ada", contacts = ["terminal"] }
people.grace = { name = "Grace", principal = "grace", contacts = ["terminal"] }
roles = { boss = ["user:ada"], empty = ["schedule:week"] }
"""
LAYER = """[[schedules.week.layers]]
name = "turns"
rotation = "weekly"
hand_over_day = "mon"
members = ["ada", "grace"]
start = 2026-01-05
"""
WEEK = '[schedules.week]\nzone = "Europe/Berlin"\n' + LAYER
LAST = '[[policies]]\nname = "rest"\nfinal = "boss"\nsteps = [{ targets = ["schedule:week"] }]\n'
OVERRIDE = """[[overrides]]
schedule = "week"
person = "grace"
start = 2026-01-06T09:00:00+01:00
end = 2026-01-07T09:00:00+01:00
reason = "away"
who = "Ada"
"""


def read(text: str) -> OnCall:
    """Read a document of the test's own."""
    return oncall.read(text.encode())


def facts(category: Category, severity: Severity = Severity.SEV4, clock: int | None = None) -> CaseFacts:
    """Return what is known of a case of a high-tier system."""
    return CaseFacts(severity=severity, category=category, tier="high", clock_percent=clock)


def test_the_document_that_is_shipped_pages_legal_and_ethics_for_bias_and_more_of_the_house_as_a_clock_runs() -> None:
    """Bias reaches legal and ethics, both of whom must answer; clocks reach compliance, then legal, then executive."""
    shipped = oncall.read(SHIPPED)
    bias = shipped.choose(facts(Category.FAIRNESS))
    assert bias is not None
    assert [(step.targets, step.ack.value) for step in bias.steps][1] == (("role:legal", "role:ethics"), "all")
    assert shipped.milestones == (50, 80, 100)
    told = []
    for percent in (49, 50, 80, 100):
        policy = shipped.choose(facts(Category.FAIRNESS, clock=percent))
        told.append(sorted({target for step in policy.steps for target in step.targets}) if policy else [])
    compliance, executive, legal = "role:compliance", "role:executive", "role:legal"
    assert told == [[], [compliance], [compliance, legal], [compliance, executive, legal]]


def test_the_first_policy_that_matches_wins() -> None:
    """Of two policies that match, the earlier one counts."""
    narrow = '[[policies]]\nname = "urgent"\nmatch = { severities = ["sev1"] }\nfinal = "boss"\n'
    wide = '[[policies]]\nname = "bias"\nmatch = { categories = ["fairness"] }\nfinal = "boss"\n'
    steps = 'steps = [{ targets = ["user:ada"] }]\n'
    document = read(HEAD + WEEK + narrow + steps + wide + steps + LAST)
    chosen = [document.choose(facts(Category.FAIRNESS, severity)) for severity in (Severity.SEV1, Severity.SEV4)]
    assert [policy.name for policy in chosen if policy] == ["urgent", "bias"]
    assert document.policy("rest") == document.choose(facts(Category.ATTACK))


def test_a_band_matches_what_is_known_to_lie_in_it() -> None:
    """Risk from 0.5 up to 0.9 is in the band; 0.9 is not, and an unknown risk is in none."""
    band = '[[policies]]\nname = "risky"\nmatch = { risk = { at_least = 0.5, below = 0.9 } }\nfinal = "boss"\n'
    document = read(HEAD + WEEK + band + 'steps = [{ targets = ["user:ada"] }]\n' + LAST)
    names = []
    for risk in (0.49, 0.5, 0.9, None):
        policy = document.choose(CaseFacts(severity=Severity.SEV1, category=Category.ATTACK, tier="high", risk=risk))
        names.append(policy.name if policy else "")
    assert names == ["rest", "risky", "rest", "rest"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD + WEEK + LAST.replace("schedule:week", "schedule:weak"), "names schedule:weak"),
        (HEAD + WEEK + LAST.replace("schedule:week", "team:week"), "policies.0.steps.0.targets.0"),
        (HEAD + WEEK + LAST.replace("boss", "empty"), "must name at least one user"),
        (HEAD + WEEK + LAST.replace("boss", "nobody"), "names role:nobody"),
        (HEAD.replace('["user:ada"]', "[]") + WEEK + LAST, "role boss must name"),
        (HEAD.replace('["user:ada"]', '["role:empty"]') + WEEK + LAST, "role boss must name"),
        (HEAD.replace('contacts = ["terminal"]', 'contacts = ["pager"]') + WEEK + LAST, "receiver:pager"),
        (HEAD.replace('principal = "grace"', 'principal = "ada"') + WEEK + LAST, "both principal ada"),
        (HEAD + WEEK + LAST + LAST, "two policies are named rest"),
        (HEAD + WEEK + LAST + LAST.replace('"rest"', '"late"'), "late never applies, because rest"),
        (HEAD + WEEK + LAST.replace("final", 'match = { tiers = ["high"] }\nfinal'), "empty match"),
        (HEAD + WEEK + LAST.replace("schedule:week", "webhook:terminal"), "pages webhooks only"),
        (HEAD + WEEK + LAST.replace("final", "repeat = 6\nfinal"), "repeat"),
        (HEAD + WEEK + LAST.replace('"] }]', '"], only_if = { signals = 3 } }]'), "go together"),
        (HEAD + WEEK + LAST.replace('"] }]', '"], only_if = {} }]'), "only_if needs"),
        (HEAD + WEEK.replace("Europe/Berlin", "Europe/Bonn") + LAST, "is no time zone"),
        (HEAD + WEEK.replace("Europe/Berlin", "../../etc/passwd") + LAST, "is no time zone"),
        (HEAD + WEEK.replace("01-05", "01-07") + LAST, "write start = 2026-01-12"),
        (HEAD + WEEK.replace('"weekly"', '"daily"') + LAST, "goes with a weekly rotation"),
        (HEAD + WEEK + "until = 2026-01-05\n" + LAST, "not after its start"),
        (HEAD + WEEK.replace('"grace"]', '"alan"]') + LAST, "names user:alan"),
        (HEAD + WEEK + 'hand_over = "9:00"\n' + LAST, "hand_over"),
        (HEAD + WEEK + OVERRIDE.replace("-07T", "-06T") + LAST, "ends after it starts"),
        (HEAD + WEEK + OVERRIDE.replace("2026-01-07", "2027-01-09") + LAST, "within 366 days"),
        (HEAD + WEEK + OVERRIDE.replace("+01:00\nend", "\nend") + LAST, "timezone"),
        (HEAD + WEEK + OVERRIDE.replace('"week"', '"weak"') + LAST, "schedule:weak"),
        ("x = [" * 4000, "is not TOML"),
    ],
)
def test_a_document_that_would_leave_somebody_unpaged_is_refused(text: str, says: str) -> None:
    """A name that leads nowhere, a policy that never applies, an end without a person: each is said."""
    with pytest.raises(PolicyError, match="on-call document") as refused:
        read(text)
    assert says in str(refused.value)


def test_a_principal_and_an_addressee_are_found() -> None:
    """The person of a principal, the receivers of a person, and those of a webhook come from the document."""
    document = read(HEAD + WEEK + OVERRIDE + LAST)
    assert (document.person_of("grace"), document.person_of("eve")) == ("grace", None)
    found = [document.contacts_of(name) for name in ("ada", "webhook:terminal", "eve")]
    assert found == [("terminal",), ("terminal",), ()]
    assert len(document.overrides_of("week")) == 1
    at = 1_767_700_000_000  # within the override
    asked = ("user:ada", "user:eve", "schedule:week", "schedule:x", "role:boss", "role:x", "webhook:terminal", "x:y")
    assert [persons_of(document, target, at) for target in asked] == [
        *(("ada",), (), ("grace",), ()),
        *(("ada",), (), ("webhook:terminal",), ()),
    ]
