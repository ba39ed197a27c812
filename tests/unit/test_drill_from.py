"""A drill from what happened: valid for every incident, true to rows, delays and people, and without anybody's name."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.archive.choose import INCIDENT as WHY
from agents.detection.columns import decode
from agents.drills import saying
from agents.drills.culprit import culprit
from agents.drills.from_case import Drawn, from_case
from agents.drills.observed import Numbers, Observed, Seen, Texts, numbers, texts
from schemas import commands as c
from schemas import drills
from schemas.drills import Scenario
from schemas.ids import derive
from schemas.values import Category, Role
from streams.archive import parquet
from streams.archive.evidence import evidence_store
from streams.archive.observed import observed
from streams.archive.parquet import Kept
from streams.cli.drill_from import systems_at, written
from streams.ledger.keyring import archive_key
from streams.settings import Settings
from tests import story
from tests.ledgers import INCIDENT, START, Ledger, enrolment, genesis
from tests.play import approve, evidence, evidence_kept, finish, incident_opened, proposal, recovery, start
from tests.traffic import batch

FREE = ("mine", "looks right", "it was the sensor")


def drawn(ledger: Ledger, incident: str = INCIDENT, rows: dict[str, Observed] | None = None) -> Drawn:
    """Return what an incident gives."""
    entries = [one for one in ledger.verified if one.asked is not None and one.asked.incident == incident]
    systems = systems_at(ledger.verified, entries[0].index)
    return from_case(ledger.state.cases[incident], entries, ledger.control, systems, rows or {}, ("urgent",))


def scenario(made: Drawn) -> Scenario:
    """Return the scenario as `headgate drill check` reads its file."""
    found = drills.read(written(made, "incident", []).encode())
    saying.check(found)
    return found


def lived(**opened: Any) -> Ledger:
    """Return an incident that was resolved: somebody took it after two minutes, and two approved a minute apart."""
    ledger = genesis()
    ledger.ask(c.EnrolKey(enrolment=enrolment("sam", Role.SRE)), "ada")
    ledger.ask(incident_opened(**opened), "triage")
    ledger.later(120).ask(c.Acknowledge(incident=INCIDENT, note=FREE[0]), "sam")
    ledger.ask(evidence_kept(), "evidence")
    ledger.ask(proposal(), "remediation")
    ledger.ask(c.RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    approve(ledger.later(60), "max")
    approve(ledger.later(60), "mia")
    start(ledger.later(10))
    finish(ledger)
    start(ledger.later(10), 1)
    finish(ledger, 1)
    ledger.later(10).ask(recovery(), "recovery")
    return ledger


def test_every_incident_of_the_golden_ledger_gives_a_drill() -> None:
    """Whatever occurred in it: the file is a scenario that its people can say, and it flags its systems."""
    ledger = story.told()
    assert len(ledger.state.cases) > 8
    for incident in ledger.state.cases:
        found = scenario(drawn(ledger, incident))
        assert all(system.drill for system in found.systems.values())
        assert not {"shuttle", "small", "played"} & set(found.served)


def test_an_incident_gives_a_drill_at_any_moment() -> None:
    """However far it had come: a person may ask for it while it is under way."""
    ledger = story.told()
    every = [one for one in ledger.verified if one.asked is not None and one.asked.incident == INCIDENT]
    systems = systems_at(ledger.verified, every[0].index)
    for end in range(1, len(every) + 1, 19):
        case = every[end - 1].case
        assert case is not None
        scenario(from_case(case, every[:end], ledger.control, systems, {}))


def test_what_happened_is_played_again_with_its_delays_and_expected() -> None:
    """The same people by their roles, as long after one another; the outcome with other names."""
    found = scenario(drawn(lived()))
    assert set(found.people) == {"sre-1", "ml-manager-1", "ml-manager-2", "on-call"}
    began, took, one, other = found.steps
    assert began.faults[0].model == "drill-shuttle"
    assert began.faults[0].version == "2"
    assert [(step.by, step.says, step.after, step.wait.total_seconds()) for step in (took, one, other)] == [
        ("sre-1", "Acknowledge", "declared", 120),
        ("ml-manager-1", "Approve", "planned", 60),
        ("ml-manager-2", "Approve", one.name, 60),
    ]
    expect = found.expect
    assert (expect.category, expect.phase) == (Category.DATA_DRIFT, "resolved")
    assert expect.affected == ("drill-shuttle:2",)
    assert expect.approvals == ("ml-manager-1", "ml-manager-2")
    assert expect.effects == ("envoy:drill-shuttle", "mlflow:drill-shuttle/champion")
    assert expect.within.acknowledge is not None
    assert expect.within.acknowledge.total_seconds() == 240


def test_nobody_s_name_or_words_are_in_it() -> None:
    """Neither principals, nor what people wrote, nor the names of systems' own models as targets."""
    text = written(drawn(lived()), "incident", [])
    for said in (*FREE[:2], "p-max", "p-sam", "envoy:shuttle"):
        assert said not in text


def test_what_cannot_be_said_again_is_named() -> None:
    """A refusal that rested on what was there just then is left out, and the file says so; a wrong role comes again."""
    ledger = lived()
    ledger.ask(c.Approve(incident=INCIDENT, plan="0" * 64, reason="", confirmed="", confirmed_at=0), "sam")
    ledger.ask(c.Declare(incident=INCIDENT, reason="again"), "max")
    made = drawn(ledger)
    assert made.left == {"Declare": 1}
    assert "what a drill cannot take over: Declare 1" in written(made, "incident", [])
    assert [step.refused for step in scenario(made).steps if step.refused] == ["wrong_role"]


CATEGORIES = [
    (Category.DATA_QUALITY, "", {"statistic": "null", "value": 0.4}, {"kind": "missing", "share": 0.4}),
    (Category.DATA_QUALITY, "", {"statistic": "stuck", "value": 90.0}, {"kind": "stuck", "value": 0.0}),
    (Category.DATA_DRIFT, "", {"value": 4.0}, {"kind": "units", "offset": 2.0}),
    (Category.PERFORMANCE, "", {}, {"kind": "poisoned"}),
    (Category.CONFIDENCE, "", {"subject": "confidence"}, {"kind": "replaced"}),
    (Category.FAIRNESS, "", {"subject": "sex=f"}, {"kind": "bias", "group": "sex", "value": "f", "outcome": "no"}),
    (Category.ATTACK, "AML.T0024.002", {"subject": "caller bot"}, {"kind": "extraction"}),
    (Category.ATTACK, "AML.T0020", {"subject": "rows"}, {"kind": "poisoned"}),
    (Category.ATTACK, "AML.T0010.003", {"subject": "answers"}, {"kind": "replaced"}),
    (Category.ATTACK, "AML.T0029", {"subject": "requests"}, {"kind": "failing"}),
    (Category.ATTACK, "AML.T0051", {"subject": "jailbreak"}, {"kind": "unsafe", "judge": "jailbreak"}),
    (Category.OUTPUT_SAFETY, "", {"subject": "toxicity"}, {"kind": "unsafe", "judge": "toxicity"}),
    (Category.INFRASTRUCTURE, "", {"subject": "latency"}, {"kind": "slow"}),
    (Category.INFRASTRUCTURE, "", {"subject": "requests"}, {"kind": "failing"}),
]


@pytest.mark.parametrize(("category", "technique", "signal", "fault"), CATEGORIES)
def test_each_category_has_its_fault(
    category: Category, technique: str, signal: dict[str, Any], fault: dict[str, Any]
) -> None:
    """A drill of it breaks what the signals measured, where such a thing breaks in life."""
    told = (evidence(category=category, **signal),)
    ledger = lived(category=category, technique=technique or None, evidence=told)
    made = scenario(drawn(ledger)).steps[0].faults[0].model_dump()
    assert {name: made[name] for name in fault} == fault
    assert made["model"] == "drill-shuttle"


def test_a_third_partys_system_is_probed_and_its_vendor_is_not_named() -> None:
    """Groups and outcomes of the rows are served; an undeclared model is a system of its own, of the strictest tier."""
    systems = b"""version = 1
[systems.bought]
scope = "Grants loans."
third_party = true
vendor = { name = "Acme", contact = "noc@acme.example", rollback = false }
protected_groups = ["Sex"]
[systems.bought.models.score]
favourable = "grant"
"""
    ledger = genesis(systems=systems)
    affected = (replace(incident_opened().affected[0], model="score"),)
    told = (evidence(model="score", category=Category.FAIRNESS, subject="Sex=f"),)
    ledger.ask(incident_opened(affected=affected, category=Category.FAIRNESS, evidence=told, system="bought"), "triage")
    rows = Observed(groups={"sex": {"f": 0.4, "m": 0.6}}, outcomes=("grant", "decline"))
    made = drawn(ledger, rows={"score": rows})
    found = scenario(made)
    served, system = found.served["drill-score"], found.systems["drill-bought"]
    assert served.probed
    assert (served.outcomes, dict(served.groups["sex"])) == (("decline", "grant"), {"f": 0.4, "m": 0.6})
    assert found.steps[0].faults[0].model_dump()["outcome"] == "decline"
    assert system.vendor is not None
    assert (system.vendor.rollback, system.protected_groups) == (False, ("sex",))
    assert "acme" not in written(made, "incident", []).lower()
    ledger = genesis(systems=b"version = 1\n")
    ledger.ask(incident_opened(), "triage")
    assert scenario(drawn(ledger)).systems["drill-of-shuttle"].tier == "high"


def test_what_people_reported_is_reported_again() -> None:
    """No machine saw it, so a person of the drill says it."""
    ledger = genesis()
    ledger.ask(incident_opened(category=Category.HUMAN_REPORT, evidence=()), "triage")
    found = scenario(drawn(ledger))
    assert (found.steps[0].says, found.steps[0].by) == ("ReportFailure", "staff-1")


def test_a_cascade_keeps_its_order() -> None:
    """Each model that it reached reads the one before, as the systems declare it."""
    systems = b"""version = 1
[systems.chain]
scope = "Two models."
[systems.chain.models.first]
versions = ["1", "2"]
known_good = "1"
[systems.chain.models.second]
depends_on = ["first"]
"""
    ledger = genesis(systems=systems)
    touched = tuple(replace(incident_opened().affected[0], model=name) for name in ("first", "second"))
    told = (evidence(model="first"), evidence(model="second", signal="s-2", score=3.0))
    ledger.ask(incident_opened(affected=touched, evidence=told, system="chain"), "triage")
    found = scenario(drawn(ledger))
    assert found.systems["drill-chain"].models["drill-second"].depends_on == ("drill-first",)
    assert "drill-first" in {feature.reads for feature in found.served["drill-second"].features.values()}
    assert (found.expect.origin, found.steps[0].faults[0].model) == ("drill-first", "drill-first")


def test_shapes_are_of_many_rows_and_of_no_person() -> None:
    """Means and deviations without the farthest rows; texts that few share are one, and identifiers are left out."""
    dice = np.random.default_rng(1)
    shape = numbers(np.append(dice.normal(100, 10, 1000), [1e9, np.nan]))
    assert shape is not None
    assert (shape.mean, shape.sd) == (pytest.approx(100, rel=0.02), pytest.approx(10, rel=0.15))
    assert not shape.skewed
    assert numbers(dice.lognormal(3, 1, 500)).skewed  # type: ignore[union-attr]
    assert numbers(np.ones(5)) is None
    told = texts(["red"] * 60 + ["blue"] * 30 + ["Ada Lovelace"] * 2 + [None])
    assert told is not None
    assert set(told.shares) == {"red", "blue", "other"}
    assert sum(told.shares.values()) == pytest.approx(1, abs=1e-9)
    assert texts([f"person {i}" for i in range(100)]) is None


@pytest.mark.parametrize(
    ("before", "during", "fault"),
    [
        (Numbers(mean=10, sd=2), Numbers(mean=32.8, sd=6.56), {"kind": "units", "factor": 3.28, "offset": 0.0}),
        (Numbers(mean=10, sd=2), Numbers(mean=14, sd=2), {"kind": "units", "factor": 1.0, "offset": 4.0}),
        (Numbers(mean=10, sd=2), Numbers(mean=7, sd=0), {"kind": "stuck", "value": 7}),
        (Numbers(mean=10, sd=2), Numbers(mean=10.1, sd=2), {"kind": "units", "offset": 2 * 1.5**0.5}),
        (Texts(shares={"a": 0.9, "b": 0.1}), Texts(shares={"a": 0.2, "b": 0.8}), {"kind": "stuck", "value": "b"}),
        (None, Numbers(mean=10, sd=2), {"kind": "units", "offset": 2 * 1.5**0.5}),
    ],
)
def test_a_fault_makes_of_the_usual_rows_those_of_the_incident(before: Any, during: Any, fault: dict[str, Any]) -> None:
    """The change of unit that leads from the one mean and deviation to the other; a default, where it stood still."""
    features = {"f1": Seen(before=before, during=during)}
    found = culprit(Category.DATA_DRIFT, "", (evidence(),), features, ("drill-m", "2")).fault
    assert found is not None
    for name, value in fault.items():
        assert found.get(name) == (pytest.approx(value, rel=1e-3) if isinstance(value, float) else value)


def test_two_columns_that_were_exchanged_are_so_in_the_drill() -> None:
    """Both arrive in each other's place; where the drill serves only one of them, that is moved."""
    told = (evidence(category=Category.DATA_QUALITY, subject="f1, f2", statistic="exchanged", value=0.9),)
    given = (Category.DATA_QUALITY, "", told)
    found = culprit(*given, {"f1": Seen(), "f2": Seen()}, ("drill-m", None)).fault
    assert found == {"model": "drill-m", "kind": "swapped", "features": ["f1", "f2"]}
    found = culprit(*given, {"f1": Seen()}, ("drill-m", None)).fault
    assert found is not None
    assert (found["kind"], found["feature"]) == ("units", "f1")


def test_kept_rows_give_inputs_groups_and_outcomes(tmp_path: Path) -> None:
    """Before the first bad row and from it on; a file that was changed, or is not here, is passed."""
    settings = Settings.model_validate({"var": tmp_path / "var", "bootstrap_servers": "127.0.0.1:1"})
    store = evidence_store(settings, archive_key(settings.keys_directory))
    dice, count = np.random.default_rng(2), 200
    at = START - 100 + np.arange(count)
    columns: dict[str, Any] = {
        "prediction_id": [f"p-{i}" for i in range(count)],
        "f1": np.where(at < START, dice.normal(10, 2, count), dice.normal(100, 20, count)),
        "color": ["red", "blue"] * (count // 2),
        "prediction": ["grant"] * 150 + ["decline"] * 50,
        "at": at,
    }
    rows = decode(batch(columns, model="shuttle", version="2"))
    data = parquet.write([Kept(rows, np.full(count, WHY, dtype=np.uint8), START)])
    window = {"model": "shuttle", "files": [{"digest": store.put(data, INCIDENT)}, {"digest": "0" * 64}]}
    manifest = store.put(json.dumps({"windows": [window]}).encode(), INCIDENT)
    ledger = lived()
    ledger.ask(evidence_kept(digest=manifest), "evidence")
    found = observed(settings, ledger.case)
    seen = found["shuttle"].features["f1"]
    assert (seen.before.mean, seen.during.mean) == (pytest.approx(10, rel=0.1), pytest.approx(100, rel=0.1))  # type: ignore[union-attr]
    assert found["shuttle"].outcomes == ("grant", "decline")
    made = scenario(drawn(ledger, rows=found))
    assert made.served["drill-shuttle"].outcomes == ("grant", "decline")
    assert made.served["drill-shuttle"].features["color"].values == {"red": 0.5, "blue": 0.5}
    fault = made.steps[0].faults[0].model_dump()
    assert (fault["kind"], fault["factor"]) == ("units", pytest.approx(10, rel=0.2))
    ledger = lived()
    ledger.ask(evidence_kept(digest=derive("not here")), "evidence")
    assert observed(settings, ledger.case) == {}
