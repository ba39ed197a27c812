"""`headgate oncall`: what a person reads, what a script gets, and that a gap is an exit status."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schemas import oncall
from streams.__main__ import headgate
from streams.oncall import words
from streams.settings import DEPLOY

SHIPPED = (DEPLOY / "oncall.toml").read_text("utf-8")
AT = "2026-03-27T12:00+01:00"  # a Friday; the clocks change on Sunday


def run(*arguments: str, exits: int = 0) -> Result:
    """Run `headgate oncall`."""
    done = CliRunner().invoke(headgate, ["oncall", *arguments])
    assert done.exit_code == exits, (done.output, done.exception)
    return done


def gapped(folder: Path) -> Path:
    """Return a document whose schedule counts on weekdays only."""
    hours = 'restrictions = [{ days = ["mon", "tue", "wed", "thu", "fri"] }]\n'
    file = folder / "gapped.toml"
    file.write_text(SHIPPED.replace("start = 2026-01-05\n", f"start = 2026-01-05\n{hours}", 1))
    return file


def test_show_says_who_is_on_call_who_follows_and_which_policy_comes_first() -> None:
    """Schedules with the next person, roles with who answers, policies in their order; as JSON with the same names."""
    said = run("show", "--at", AT).stdout
    assert "primary   Alan     Ada from Mon 2026-03-30 09:00 CEST" in said
    assert said.index("clock-overdue") < said.index("fairness") < said.index("everything-else")
    document = json.loads(run("show", "--at", AT, "--json").stdout)
    assert document["schedules"][0]["on_call"] == ["alan"]
    assert document["roles"]["executive"] == ["grace", "alan"]


def test_shifts_are_whole_and_of_the_length_that_they_have_over_a_change_of_the_clocks() -> None:
    """The shift that runs is printed from its own beginning; the week of the change has an hour less."""
    (first, second) = [line for line in run("shifts", "--at", AT, "--days", "7").stdout.splitlines()[1:] if line]
    assert "Mon 2026-03-23 09:00 CET" in first
    assert "6 d 23 h" in first
    assert second.endswith("Ada")


def test_a_gap_is_an_exit_status(tmp_path: Path) -> None:
    """Exit 1 with each gap where there is one, 0 with a sentence where there is none."""
    assert "somebody is on call" in run("gaps", "--days", "30", "--at", AT).stdout
    said = run("gaps", "--days", "3", "--at", AT, "--file", str(gapped(tmp_path)), exits=1).stdout
    assert "Sat 2026-03-28 00:00 CET Mon 2026-03-30 00:00 CEST 1 d 23 h NOBODY" in " ".join(said.split())
    found = json.loads(run("gaps", "--at", AT, "--file", str(gapped(tmp_path)), "--json", exits=1).stdout)
    assert found[0]["persons"] == []


def test_explain_says_who_would_be_paged_when() -> None:
    """Bias: on call, legal and ethics at once, and the executive after forty minutes; JSON has the events."""
    asked = ("--severity", "sev1", "--category", "fairness", "--at", AT)
    said = run("explain", *asked).stdout
    assert "Policy fairness is the first that matches." in said
    assert "at once       page Grace (role:ethics, all must acknowledge)" in said
    assert "after 40 min  nobody acknowledged in time: role executive is told, Grace, Alan" in said
    events = json.loads(run("explain", *asked, "--json").stdout)["events"]
    assert [event["type"] for event in (events[0], events[-1])] == ["PagingStarted", "EscalationExhausted"]


def test_explain_says_what_is_skipped_what_reaches_nobody_and_where_no_policy_speaks(tmp_path: Path) -> None:
    """Outside office hours, on a gapped schedule, and for a clock that has hardly run."""
    asked = ("--severity", "sev4", "--category", "data_drift")
    said = run("explain", *asked, "--at", "2026-03-28T12:00Z", "--file", str(gapped(tmp_path))).stdout
    assert "schedule:primary reaches nobody: nobody is on call in this schedule; this is recorded" in said
    assert "step 2 is skipped: outside its hours" in said
    assert "nobody could be reached: role ml_manager is told, Grace" in said
    assert "nobody is paged" in run("explain", *asked, "--clock", "3").stdout
    assert json.loads(run("explain", *asked, "--clock", "3", "--json").stdout)["policy"] is None
    assert "Policy clock-at-50" in run("explain", *asked, "--clock", "51").stdout
    urgent = run("explain", "--severity", "sev2", "--category", "data_drift", "--signals", "0").stdout
    assert "0 signals in 900 s; it needs 3" in urgent


def test_a_calendar_goes_out_and_comes_back_as_overrides_that_fit_the_document(tmp_path: Path) -> None:
    """What import prints can be put into the document as it stands; nothing else is changed."""
    file = tmp_path / "primary.ics"
    run("export", str(file), "--schedule", "primary", "--at", AT, "--days", "7")
    first = file.read_bytes()
    assert b"SUMMARY:Alan on call (primary)" in first
    printed = run("import", str(file), "--schedule", "primary", "--who", 'Ada "A"\\').stdout
    read = oncall.read((SHIPPED + "\n" + printed).encode())
    assert [(one.person, one.who) for one in read.overrides] == [("alan", 'Ada "A"\\'), ("ada", 'Ada "A"\\')]
    as_json = json.loads(run("import", str(file), "--schedule", "primary", "--who", "Ada", "--json").stdout)
    assert as_json[0]["start"] == "2026-03-23T08:00:00Z"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "--at", "tomorrow"), "is no time; write for instance"),
        (("show", "--at", "1850-01-01"), "years 2000 to 2199"),
        (("shifts", "--schedule", "other"), "there is no schedule other; there is primary"),
        (("explain", "--severity", "sev9", "--category", "fairness"), "sev9"),
        (("show", "--file", "/nowhere/oncall.toml"), "does not exist"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(arguments: tuple[str, ...], says: str) -> None:
    """A time that is none, a schedule that is none, a severity that is none: each has its sentence."""
    done = CliRunner().invoke(headgate, ["oncall", *arguments])
    assert done.exit_code != 0
    assert says in done.output + str(done.exception)


def test_durations_are_said_in_words() -> None:
    """From days down to seconds, nothing that is zero."""
    said = [words.lasting(seconds * 1000) for seconds in (0, 59, 60, 3661, 90_000)]
    assert said == ["0 s", "59 s", "1 min", "1 h 1 min 1 s", "1 d 1 h"]
