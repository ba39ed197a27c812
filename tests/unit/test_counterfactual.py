"""What another policy would have made of an incident, from the telemetry of its models."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from agents.ledger.case import Case
from agents.received import Received
from schemas import policy
from schemas.documents import digest
from schemas.signals import Affected
from schemas.systems import Systems
from streams.backtest.counterfactual import Replayed, document, replay, says
from streams.backtest.trial import Judged
from streams.view.rendering import when
from tests import play, traffic

ROWS, BATCHES, SHIFT = 200, 60, 30
SHIFTED = traffic.START + SHIFT * 1000


def case() -> Case:
    """Return a case of the model whose data shifted."""
    made = play.opened().case
    affected = (Affected(model="m", version="1"),)
    return replace(made, affected=affected, course=replace(made.course, first_bad_at=SHIFTED - 5_000))


def judged(promote: str = "1.5") -> Judged:
    """Return a policy that promotes from this score on."""
    text = b"".join(
        (
            b'version = 1\n[[severity]]\nname = "all"\nseverity = "sev3"\n',
            *(f"[approval.sev{n}]\n".encode() for n in range(1, 5)),
            b"[detection]\nreference_rows = 2000\n",
            f"[triage]\npromote_score = {promote}\n".encode(),
        )
    )
    return Judged(policy.read(text), digest(text))


def telemetry() -> Iterator[tuple[Received, int]]:
    """Yield batches of one feature that shifts, and as many of another model that the incident does not touch."""
    rng = np.random.default_rng(7)
    for number in range(BATCHES):
        values = rng.normal(4.0 if number >= SHIFT else 0.0, 1.0, ROWS)
        for model in ("m", "other"):
            made = traffic.batch({"f": values}, first=number * ROWS, model=model)
            yield traffic.received(made, number, topic_id=model), ROWS


def found(other: Judged) -> Replayed:
    """Replay the telemetry under the usual policy and another."""
    return replay(telemetry(), case(), (judged(), other), Systems(version=1))


def test_the_same_policy_finds_it_at_the_same_time() -> None:
    """Only rows of the incident's models are judged; the result can be kept as JSON, with what differs."""
    told = found(judged())
    assert told.rows == ROWS * BATCHES
    assert "would have found it at the same time, as sev3" in says(case(), told)
    kept = document(case(), told, ("0", ""), when)
    assert kept["shows"] == says(case(), told)
    assert kept["incidents"]
    assert kept["compare"]["both"]


def test_a_policy_that_is_blind_would_not_have_found_it() -> None:
    """It says so, and how many incidents fewer there would have been; the other way round the other one does."""
    told = found(judged("1000000.0"))
    assert "would not have found it over 12000 predictions" in says(case(), told)
    turned = Replayed(told.other, told.own, told.rows)
    assert "which its own policy does not" in says(case(), turned)


def test_what_was_opened_before_the_harm_began_is_not_it() -> None:
    """An incident that a policy opens earlier is another one, and counts as cost alone."""
    told = found(judged())
    late = replace(case(), course=replace(case().course, first_bad_at=traffic.START + 10_000_000))
    assert "nor does its own policy in this replay" in says(late, told)
