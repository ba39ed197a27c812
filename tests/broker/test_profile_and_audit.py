"""A profile lets detection judge from the first row, and the incident's outputs are audited, all through Kafka."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.detection import reference
from agents.detection.reference import Reference
from schemas.codec import frame
from schemas.evidence import LINEAGE, OUTPUT_AUDIT
from schemas.policy import read
from schemas.profiles import AdoptProfile
from schemas.selection import NO_RULE, Selected
from schemas.telemetry import InferenceBatch
from streams.backtest.layout import Layout
from streams.documents import file
from streams.kafka import Record
from streams.profiles.building import Recipe, build
from streams.settings import Settings
from tests.crew import POLICY, Crew
from tests.plain import wait_until
from tests.traffic import batch, column

pytestmark = pytest.mark.broker

ROWS = 50
SYSTEMS = b"""version = 1
[systems.lending]
scope = "who gets a loan"
[systems.lending.models.loans]
[[systems.lending.models.loans.output_rules]]
name = "answers"
kind = "allowed"
values = ["yes", "no"]
[[systems.lending.models.loans.output_rules]]
name = "refusals"
kind = "adverse_rate"
adverse = ["no"]
max_rate = 0.9
[[systems.lending.models.loans.output_rules]]
name = "alike"
kind = "disparity"
adverse = ["no"]
group = "sex"
max_gap = 0.2
"""


@pytest.fixture
def crew(settings: Settings, environ: dict[str, str]) -> Iterator[Crew]:
    """A ledger with a registrar that runs, and a system that declares what its outputs keep to."""
    with Crew(settings, environ) as made:
        yield made.open(systems=SYSTEMS)


def columns(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    """Return rows as they should be."""
    return {"income": rng.normal(50, 10, rows), "debt": rng.normal(5, 2, rows), "confidence": rng.beta(12, 2, rows)}


def profile(folder: Path) -> Reference:
    """Build the profile of such rows under the test's policy."""
    made = columns(np.random.default_rng(0), 1000)
    lines = [",".join(made), *(",".join(map(repr, map(float, row))) for row in zip(*made.values(), strict=True))]
    path = folder / "rows.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    layout = Layout(features=("income", "debt"), confidence="confidence")
    selected = Selected(NO_RULE, read(POLICY).detection)
    return build(path, layout, Recipe(model="loans", version="2", policy="p", selected=selected))


def faulty(rng: np.random.Generator, first: int) -> InferenceBatch:
    """Return a batch whose income is in another currency, and whose outputs break two of three rules."""
    made = columns(rng, ROWS)
    made["income"] = made["income"] * 1.5
    sex = ["f" if dice < 0.5 else "m" for dice in rng.random(ROWS)]
    refused = rng.random(ROWS) < np.where(np.array(sex) == "f", 0.7, 0.2)
    drawn = zip(rng.random(ROWS), refused, strict=True)
    said = ["maybe" if dice < 0.05 else "no" if no else "yes" for dice, no in drawn]
    made |= {"prediction": said, "sex": column("sex", sex, "group")}
    return batch(made, first, model="loans", version="2")


def shown(crew: Crew, incident: str) -> dict[str, Any]:
    """Return what `headgate incidents show` says."""
    command = [sys.executable, "-m", "streams", "incidents", "show", incident, "--json"]
    done = subprocess.run(command, env=crew.environ, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def taken(crew: Crew) -> int:
    """Return how many partitions detect has taken since its start."""
    return crew.log("detect").read_text("utf-8").count("partition taken")


def test_a_profile_judges_the_first_rows_and_the_outputs_are_audited(crew: Crew, tmp_path: Path) -> None:
    """Detection changes over to a profile as it is adopted; the incident's audit names each rule with its counts."""
    for role in ("detect", "triage", "output_audit,lineage"):
        crew.start(role)
    data = reference.written(profile(tmp_path))
    digest = file(crew.clients, crew.settings.ledger, data)
    wait_until(lambda: taken(crew) >= crew.settings.partitions, "detect judges without a profile")
    crew.ask(crew.identity("admin"), AdoptProfile(model="loans", version="2", digest=digest))
    wait_until(lambda: dict(crew.audit.state().control.profiles) == {("loans", "2"): digest}, "the profile is adopted")
    wait_until(lambda: taken(crew) >= 2 * crew.settings.partitions, "detect goes on under the profile")
    rng = np.random.default_rng(1)
    # As many rows as a monitor without a profile would learn from, and so be silent about.
    batches = read(POLICY).detection.reference_rows // ROWS
    telemetry = crew.topic("telemetry")
    crew.send(*(Record(telemetry, b"loans", frame(faulty(rng, number * ROWS))) for number in range(batches)))
    wait_until(lambda: bool(crew.audit.state().cases), "an incident opens")
    (incident,) = crew.audit.state().cases
    wait_until(
        lambda: len(crew.audit.state().cases[incident].evidence) > 1, "its outputs are audited, its lineage read"
    )
    evidence = {kept.kind: kept for kept in crew.audit.state().cases[incident].evidence}
    assert evidence[LINEAGE].summary == "loans version 2: lineage unknown, no model registry is configured"
    kept = evidence[OUTPUT_AUDIT]
    assert kept.rows >= 100
    assert "failed: answers, alike, passed: refusals" in kept.summary
    said = shown(crew, incident)
    assert said["lineage"]["versions"][0]["unknown"] == "no model registry is configured"
    (report,) = said["output_audit"]
    results = {rule["rule"]: rule for rule in report["models"][0]["rules"]}
    assert report["digest"] == kept.digest
    assert {name: rule["result"] for name, rule in results.items()} == {
        "answers": "failed",
        "refusals": "passed",
        "alike": "failed",
    }
    assert 0 < results["answers"]["against"] < 0.2 * results["answers"]["outputs"]
    assert {one["rule"] for one in said["evidence"]} == {"default"}
