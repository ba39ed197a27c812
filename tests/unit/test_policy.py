"""A policy is whole: every incident has a severity, every severity somebody who can decide."""

import pytest

from schemas import policy
from schemas.errors import PolicyError
from schemas.values import Category, Severity
from tests.ledgers import POLICY

APPROVAL = "".join(f"[approval.{severity.value}]\n" for severity in Severity)
STANDING = '[[standing]]\nname = "shed"\nseverities = ["sev1"]\ntarget_kinds = ["envoy"]\n'
CATCH_ALL = '[[severity]]\nname = "all"\nseverity = "sev4"\n'


def read(text: str) -> policy.Policy:
    """Read a policy of version 1."""
    return policy.read(f"version = 1\n{text}".encode())


def test_the_policy_that_is_shipped_is_valid() -> None:
    """deploy/policy.toml can be adopted, and asks two persons for the two worst severities."""
    shipped = policy.read(POLICY)
    assert [shipped.approval[severity].quorum for severity in Severity] == [2, 2, 1, 1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (APPROVAL, "severity"),
        (CATCH_ALL, "approval"),
        (CATCH_ALL + "[approval.sev1]", "approval says nothing for sev2, sev3, sev4"),
        ('[[severity]]\nname = "x"\nseverity = "sev1"\ntiers = ["high"]\n' + APPROVAL, "every incident has one"),
        ('[[severity]]\nname = "x"\nseverity = "sev1"\ntiers = ["hgih"]\n' + CATCH_ALL + APPROVAL, "tiers"),
        (CATCH_ALL + APPROVAL.replace("sev1]", 'sev1]\nrole = "remediation"'), "services never approve"),
        (CATCH_ALL + APPROVAL.replace("sev1]", 'sev1]\nrole = "auditor"'), "nobody could ever decide"),
        (CATCH_ALL + APPROVAL.replace("sev1]", "sev1]\nquorum = 0"), "quorum"),
        (CATCH_ALL + APPROVAL.replace("sev1]", 'sev1]\nfactors = [{role = "triage"}]'), "services never approve"),
        (CATCH_ALL + APPROVAL.replace("sev1]", 'sev1]\nfactors = [{role = "legal"}, {role = "legal"}]'), "one factor"),
        (CATCH_ALL + APPROVAL + STANDING + STANDING, "a name of its own"),
        (CATCH_ALL + APPROVAL + STANDING + 'reviewer = "staff"', "nobody could ever decide"),
        (CATCH_ALL + APPROVAL + '[break_glass]\nroles = ["remediation"]', "services never approve"),
        (CATCH_ALL + APPROVAL + "[break_glass]\nminutes = 61", "minutes"),
        (CATCH_ALL + APPROVAL + '[persons]\nexcluded = ["no one"]', "is no principal"),
        (CATCH_ALL + APPROVAL + "[triage]\npromote_score = inf", "promote_score"),
    ],
)
def test_a_policy_that_leaves_something_open_is_refused(text: str, says: str) -> None:
    """What could not be judged or decided is found when the policy is read, not in an incident."""
    with pytest.raises(PolicyError, match=r"^the policy: ") as caught:
        read(text)
    assert says in str(caught.value)


def test_another_version_of_the_document_is_refused() -> None:
    """A policy of an unknown version is not guessed at."""
    with pytest.raises(PolicyError, match="version"):
        policy.read(f"version = 2\n{CATCH_ALL}{APPROVAL}".encode())


RULES = """
[[severity]]
name = "drift"
severity = "sev3"
categories = ["data_drift"]
[[severity]]
name = "high"
severity = "sev2"
tiers = ["high"]
[[severity]]
name = "high-declared"
severity = "sev2"
tiers = ["high"]
declare = true
"""


@pytest.mark.parametrize(
    ("category", "tier", "rule"),
    [
        (Category.DATA_DRIFT, "low", "drift"),
        (Category.INFRASTRUCTURE, "low", "all"),
        (Category.DATA_DRIFT, "high", "high-declared"),
    ],
)
def test_the_worst_rule_that_matches_counts(category: Category, tier: str, rule: str) -> None:
    """Order in the document decides nothing between severities; of equal ones, one that declares wins."""
    assert read(RULES + CATCH_ALL + APPROVAL).judge(category, tier).name == rule


def test_the_standing_rule_that_the_policy_shows_as_an_example_is_valid() -> None:
    """Whoever takes the comment marks away can adopt it; as shipped, people decide first."""
    text = POLICY.decode()
    assert policy.read(POLICY).standing == ()
    lines = text[text.index("# [[standing]]") :].split("\n\n")[0].splitlines()
    example = "\n".join(line.removeprefix("# ") for line in lines)
    (rule,) = policy.read(f"{text}\n{example}\n".encode()).standing
    assert (rule.name, rule.per_day) == ("shed-traffic", 3)
