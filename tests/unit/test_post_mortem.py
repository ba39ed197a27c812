"""The file of a post-mortem, the fault tree and the numbered signals, from a ledger in memory."""

import tomllib
from pathlib import Path

import pytest

from agents.metrics.history import History, histories
from schemas.case import learning as s
from schemas.case.learning import CauseKind, Finding, Milestone
from schemas.case.people import AddTask, AssumeDuty, Duty
from schemas.errors import HeadgateError
from schemas.values import Category
from streams.view.learning import PARTS, show_post_mortem, show_signals, signal_named, tree
from streams.view.post_mortem import read, template
from streams.view.work_lines import lines
from tests.learnt import answer_everything, cause, root, write
from tests.ledgers import INCIDENT, START, Ledger
from tests.play import evidence, incident_grew, resolved


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """A resolved case with two signals, a chain of causes and a task; nothing here changes it."""
    ledger = resolved()
    doubt = evidence(signal="s-2", category=Category.CONFIDENCE, subject="confidence", detector="adwin", score=4.0)
    ledger.ask(incident_grew(evidence=(evidence(), doubt)), "triage")
    ledger.ask(cause(text='a "new" unit\x1b[31m'), "max")
    ledger.ask(root(parent="c-1"), "max")
    ledger.ask(AddTask(incident=INCIDENT, task="t-1", title="Look", owner="p-eva", due_at=START), "max")
    moved = s.CorrectMilestone(incident=INCIDENT, milestone=Milestone.OCCURRED, at=START - 60_000, reason="the release")
    ledger.ask(moved, "max")
    ledger.ask(s.JudgeSignal(incident=INCIDENT, signal="s-1", finding=Finding.TRUE, note=""), "eva")
    return ledger


@pytest.fixture(scope="module")
def history(ledger: Ledger) -> History:
    """What the ledger tells of the case."""
    (found,) = histories(ledger.verified)
    return found


def test_a_template_is_prefilled_from_the_record(history: History) -> None:
    """Detectors, drift, confidence, the trigger and what was done stand in it; milestones and actions above it."""
    text = template(history, {"p-eva": "eva"})
    said = tomllib.loads(text)
    assert set(said) == {"incident", *PARTS}
    assert said["incident"] == INCIDENT
    assert "psi psi 1.5, threshold 0.15" in said["drift"]
    assert "adwin" in said["confidence"]
    assert said["trigger"] == 'a "new" unit�[31m'
    assert "contain envoy:shuttle: all to 1" in said["resolution"]
    assert said["went_wrong"] == ""
    assert "#   occurred: 2023-11-14 22:13:20Z; 2023-11-14 22:12:20Z: the release" in text
    assert "t-1, eva (p-eva)" in text
    assert "\x1b" not in text


def test_a_template_that_is_filled_in_is_the_post_mortem(history: History, tmp_path: Path) -> None:
    """What a person adds is read back beside what was prefilled."""
    filled = template(history, {}).replace('= ""\n', '= "unknown: nobody looked"\n')
    path = tmp_path / "learnt.toml"
    path.write_text(filled, "utf-8")
    body = read(path)
    assert (body.incident, body.text.lessons) == (INCIDENT, "unknown: nobody looked")
    assert "threshold 0.15" in body.text.drift


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"incident = ", "no TOML"),
        (b"\xff", "no TOML"),
        (b"incident = 'x'\nwhat = 'y'\n", "confidence is missing"),
        ("\n".join(["extra = 1", "incident = ''", *(f"{part} = ''" for part in PARTS)]).encode(), "extra is not known"),
        ("\n".join(["incident = 1", *(f"{part} = ''" for part in PARTS)]).encode(), "every part is a text"),
        (b"#" * 70_000, "more than 65536 bytes"),
    ],
)
def test_a_file_that_is_no_post_mortem_is_refused_in_a_sentence(text: bytes, why: str, tmp_path: Path) -> None:
    """Whatever is wrong with it is said before anything is signed."""
    path = tmp_path / "learnt.toml"
    path.write_bytes(text)
    with pytest.raises(HeadgateError, match=why):
        read(path)


def test_a_signal_is_called_by_its_number_its_subject_or_its_name(history: History) -> None:
    """The numbers are those of the list, the strongest first; what means none or several is refused."""
    assert signal_named(history, "1") == "s-1"
    assert signal_named(history, "confidence") == "s-2"
    assert signal_named(history, "s-2") == "s-2"
    for name in ("s-", "9", ""):
        with pytest.raises(HeadgateError, match="signals of the incident"):
            signal_named(history, name)


def test_signals_are_listed_with_their_verdicts(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody has judged is open."""
    show_signals(history)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:2] == ["1", "true"]
    assert lines[2].split()[:2] == ["2", "open"]


def test_the_fault_tree_stands_with_what_explains_below_what_is_explained(history: History) -> None:
    """Each why is one step further in."""
    first, second = tree(history.causes)
    assert first.startswith("c-1 [trigger, offline_validation]")
    assert second.startswith("  why? r-1 [root, ")
    assert history.causes["r-1"].kind is CauseKind.ROOT


def test_a_post_mortem_is_shown_whole_and_clean(capsys: pytest.CaptureFixture[str]) -> None:
    """Every part, the causes, the actions, its digest and who accepted it; where there is none, a sentence says so."""
    ledger = resolved()
    with pytest.raises(HeadgateError, match="no post-mortem is written"):
        show_post_mortem(histories(ledger.verified)[0], {})
    ledger.ask(write(), "max")
    (found,) = histories(ledger.verified)
    show_post_mortem(found, {"p-max": "max"})
    said = capsys.readouterr().out
    assert ledger.case.learning.written in said
    assert "written by max (p-max); not accepted yet" in said
    assert all(part.replace("_", " ") in said for part in PARTS)
    assert "none is recorded" in said


def test_an_incident_is_shown_with_what_people_do_on_it(ledger: Ledger) -> None:
    """Tasks with their owners, root causes and verdicts; nothing where nobody has done anything."""
    said = list(lines(ledger.case, ledger.control, {"p-eva": "eva"}))
    assert "tasks: 0 of 1 done" in said
    assert "  t-1, eva, until 2023-11-14 22:13:20Z: Look" in said
    assert "causes: 2, root: r-1" in said
    assert "signals judged: 1 of 2" in said
    untouched = resolved()
    assert list(lines(untouched.case, untouched.control, {})) == []
    answer_everything(untouched, "max")
    untouched.ask(write(), "max")
    untouched.ask(AssumeDuty(incident=INCIDENT, duty=Duty.SCRIBE), "eva")
    said = list(lines(untouched.case, untouched.control, {"p-eva": "eva"}))
    assert said[:2] == ["scribe: eva", "checklist: 6 of 6 answered"]
    assert said[2].endswith(": not accepted yet")
