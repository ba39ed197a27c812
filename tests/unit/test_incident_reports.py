"""Reports of an incident: no field is blank, no text can break them, and the anonymised one keeps no identifier."""

import json
import re
from base64 import b64encode
from dataclasses import replace

import pytest

from agents.ledger.case import Case
from agents.reports.document import Report
from agents.reports.record import Record, record
from agents.reports.reports import FORMS, NAMES, report
from schemas.case.learning import Milestone
from schemas.errors import HeadgateError
from schemas.regulation.catalogue import REGIMES
from schemas.regulation.frameworks import ISO_42001, NIST_AI_RMF, OECD_CRITERIA
from streams.reports.chart import chart
from streams.reports.made import document, written
from streams.reports.pdf import inputs, pdf
from streams.reports.places import places
from streams.reports.sheet import Seal, Sheet, sheet
from tests import story
from tests.ledgers import INCIDENT, Ledger
from tests.play import opened
from tests.poison import poisoned

SEAL = Seal(ledger="play", genesis="ab" * 32, size=180, root="cd" * 32)
HOSTILE = (
    '<script>x</script>|#panic("x") $x$ *b* _i_ `c` \x1b[31m [a](b) \\ @ref @import "é" \u202e 東京 \U0001f600 \ue000'
)
NAMED = {"p-mia": "Mía Núñez"}


@pytest.fixture(scope="module")
def told() -> Ledger:
    """The story in which every event occurs."""
    return story.told()


@pytest.fixture(scope="module")
def case(told: Ledger) -> Record:
    """The record of its first incident."""
    return record(told.case, told.verified, told.control, NAMED)


def sheet_of(told: Ledger, case: Record, form: str) -> Sheet:
    """Return a report as it is rendered."""
    return sheet(form, case, told.verified, SEAL, NAMED)


def text_of(filled: Report) -> str:
    """Return everything that a report says."""
    return json.dumps(document(Sheet(report=filled)), ensure_ascii=False)


@pytest.mark.parametrize("form", NAMES)
def test_no_field_is_blank(case: Record, form: str) -> None:
    """Each answer says something, or that it is unknown and why; each part has something in it."""
    filled = report(form, case)
    assert filled.parts
    assert all(answer.value or answer.unknown for answer in filled.answers)
    assert all(part.text or part.answers or part.rows for part in filled.parts)
    assert all(cell for part in filled.parts for row in part.rows for cell in row)


@pytest.mark.parametrize("form", NAMES)
def test_a_case_of_which_nothing_is_known_makes_a_report_too(form: str) -> None:
    """Right after the case opened, what is missing is said to be unknown, and nothing fails."""
    ledger = opened()
    filled = report(form, record(ledger.case, ledger.verified, ledger.control, {}))
    assert all(answer.value or answer.unknown for answer in filled.answers)
    assert not filled.answers or any(answer.status == "unknown" for answer in filled.answers)


def test_every_form_is_a_draft_that_a_person_files_and_says_by_when(case: Record) -> None:
    """The first notice says draft; a form with clocks says what each of them says, or that none runs."""
    for name, form in FORMS.items():
        notices = report(name, case).notices
        assert "draft" in notices[0]
        assert "named person" in notices[0]
        assert not form.regimes or any("clock" in one.lower() or "_" in one for one in notices[1:]), name
    assert any("does not apply, decided p-cleo" in one for one in report("art73", case).notices)


def test_regimes_of_forms_are_those_of_the_catalogue() -> None:
    """No form looks for clocks under a name that does not exist."""
    assert {name for form in FORMS.values() for name in form.regimes} <= set(REGIMES)


def _running(case: Case) -> set[str]:
    return {one.clock for one in case.clocks.running}


def test_a_running_clock_says_by_when(told: Ledger) -> None:
    """Before anybody decided, the notice names the due time of the clock that runs."""
    own = [found for found in told.verified if found.case is not None and found.case.incident == INCIDENT]
    running = [one for one in own if one.case and "ai_act_art73.report.death" in _running(one.case)]
    upto = [found for found in told.verified if found.index <= running[-1].index]
    then = running[-1].case
    assert then is not None
    filled = report("art73", record(then, upto, told.control, {}))
    assert any("ai_act_art73.report.death: due 2023-11-24 08:13:21 UTC" in one for one in filled.notices)


def test_the_sections_of_the_art_73_template_are_there(case: Record) -> None:
    """1.2 to 5, in order; the severity of ours stands nowhere in place of the template's class."""
    filled = report("art73", case)
    assert [part.number for part in filled.parts] == ["1.2", "1.3", "2", "3", "4", "5"]
    chosen = next(answer for answer in filled.answers if answer.label == "Class of the incident")
    assert "SEV" not in chosen.value


def test_the_oecd_form_has_its_29_criteria_and_no_severity_of_ours(case: Record) -> None:
    """Each criterion by number and name; severity is unknown, whatever ours is."""
    answers = report("oecd", case).answers
    assert [(answer.number, answer.label) for answer in answers] == [(str(c.number), c.name) for c in OECD_CRITERIA]
    assert answers[9].label == "Severity"
    assert answers[9].value == ""
    assert "never derived" in answers[9].unknown


def test_the_gpai_form_has_its_ten_fields(case: Record) -> None:
    """Their names are those of the form of 4 November 2025, in its order."""
    first = report("gpai", case).parts[0]
    assert [answer.number for answer in first.answers] == [str(number) for number in range(1, 11)]
    assert [answer.label for answer in first.answers] == [
        "Start and end dates of the serious incident",
        "Resulting harm",
        "Chain of events",
        "Model involved",
        "Evidence available",
        "Serious incident response",
        "Recommendation",
        "Root cause analysis",
        "Patterns in post-market monitoring",
        "Submitter information",
    ]


def test_the_dora_template_is_whole(case: Record) -> None:
    """All 76 data fields of Annex I of Implementing Regulation (EU) 2025/302 are there, numbered as there."""
    numbers = [answer.number for part in report("dora", case).parts for answer in part.answers]
    wanted = {1: 15, 2: 10, 3: 35, 4: 16}
    assert numbers == [f"{part}.{field}" for part, count in wanted.items() for field in range(1, count + 1)]


@pytest.mark.parametrize(("lasted", "said"), [(0, "0 seconds"), (90_000, "1 minute"), (-1, "")])
def test_a_duration_is_from_the_first_bad_row_to_the_resolution(case: Record, lasted: int, said: str) -> None:
    """Where somebody corrected the start to one after the end, it is unknown instead of nothing."""
    ended = 1_800_000_000_000
    recorded = {**case.history.recorded, Milestone.OCCURRED: ended - lasted, Milestone.RESOLVED: ended}
    answers = report("dora", replace(case, history=replace(case.history, recorded=recorded, corrected={})))
    (duration,) = [answer for part in answers.parts for answer in part.answers if answer.number == "3.15"]
    assert duration.value == said
    assert bool(duration.unknown) == (not said)


def test_the_mapping_has_every_outcome_and_control(case: Record) -> None:
    """One row each, with the pinned title."""
    nist, iso = report("mapping", case).parts
    assert [row[0] for row in nist.rows] == [control.id for control in NIST_AI_RMF]
    assert [(row[0], row[1]) for row in iso.rows] == [(control.id, control.title) for control in ISO_42001]


def test_the_summary_is_plain(case: Record) -> None:
    """Its own sentences are short, and free of the words of our trade."""
    text = [said for part in report("summary", case).parts for said in part.text]
    own = [re.sub(r"“[^”]*”", "", said) for said in text]
    assert all(len(said.split()) <= 32 for said in own)
    assert not re.search(r"\b(psi|sev\d|drift|statistic|quorum|rollback|detector|envoy)\b", " ".join(own).lower())
    assert any("Mía Núñez (ML manager) agreed to the plan" in said for said in text)


def test_an_answer_names_the_entries_that_say_so(told: Ledger, case: Record) -> None:
    """Every entry that is cited is one of the ledger, and the narrative cites the one that opened the case."""
    answers = report("art73", case).answers
    assert {entry for answer in answers for entry in answer.entries} <= {found.index for found in told.verified}
    narrative = next(answer for answer in answers if answer.label == "Narrative")
    assert case.seen[0].entry in narrative.entries


def test_an_unknown_form_is_refused(case: Record) -> None:
    """The sentence says where they are listed."""
    with pytest.raises(HeadgateError, match="headgate report forms"):
        report("art99", case)


def test_hostile_text_breaks_no_format(told: Ledger, case: Record) -> None:
    """With every text of the record hostile, nothing of it becomes markup, and the PDF is made."""
    bad = poisoned(case, lambda text: HOSTILE + text)
    for form in NAMES:
        found = replace(sheet_of(told, case, form), report=report(form, bad))
        drawn = chart(bad)
        found = replace(found, chart=drawn.svg if drawn else "", chart_says=drawn.says if drawn else "")
        page = written(found, "html").decode()
        assert "<script" not in page
        assert "\x1b" not in page + written(found, "md").decode()
        assert not re.search(r"(?<!\\)<script", written(found, "md").decode())
    assert pdf(replace(sheet_of(told, case, "summary"), report=report("summary", bad))).startswith(b"%PDF-")


def test_the_same_record_gives_the_same_pdf(told: Ledger, case: Record) -> None:
    """No clock and no chance is in it."""
    found = sheet_of(told, case, "summary")
    assert pdf(found) == pdf(found)


def test_the_drawing_shows_the_strongest_signal_and_its_limit(case: Record) -> None:
    """Its sentence names both numbers."""
    drawn = chart(case)
    assert drawn is not None
    assert "1.5 at the last measurement, limit 0.15" in drawn.says
    assert drawn.svg.startswith("<svg")


def test_entries_are_told_as_ranges() -> None:
    """Neighbours join, and a long list is cut."""
    assert places((3, 1, 2, 9)) == "1–3, 9"
    assert places(tuple(range(0, 20, 2))) == "0, 2, 4, 6, …"


def shared(told: Ledger, found: Sheet) -> str:
    """Return everything that leaves in any format, in small letters; what Typst is given is all that the PDF says."""
    del told
    texts = [written(found, form).decode() for form in ("md", "html", "json")]
    return " ".join([*texts, json.dumps(inputs(found), ensure_ascii=False)]).lower()


def test_no_text_of_the_record_survives_in_the_anonymised_summary(told: Ledger, case: Record) -> None:
    """With a canary in every text of the record, none of them survives: whole, in pieces, in hex or in base64."""
    canaries: dict[str, str] = {}
    bad = poisoned(case, lambda text: canaries.setdefault(text, f"Zephyrine{len(canaries)}Quokka"))
    found = sheet("anonymised", bad, told.verified, SEAL, dict.fromkeys(told.control.roles, "Zephyrine Quokka"))
    text = shared(told, found)
    assert len(canaries) > 200
    assert "zephyrine" not in text
    assert "quokka" not in text
    for canary in canaries.values():
        assert canary.encode().hex() not in text
        assert b64encode(canary.encode()).decode().rstrip("=").lower()[:-1] not in text


def test_no_name_time_or_digest_of_the_story_survives_in_the_anonymised_summary(told: Ledger, case: Record) -> None:
    """The story as it is told: names, targets, persons, their words, exact times and numbers, digests, the ledger."""
    text = shared(told, sheet_of(told, case, "anonymised"))
    words = ("shuttle", "radiator", "p-m", "mía", "núñez", "envoy", "mlflow", "fahrenheit", INCIDENT, "psi")
    assert [word for word in words if word in text] == []
    assert case.control.genesis not in text
    assert SEAL.root not in text
    assert not re.search(r"[0-9a-f]{16}|\d{2}:\d{2}|20\d\d-\d\d|1700\d{6}|\b1\.5 at", text)
