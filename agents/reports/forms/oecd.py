"""The 29 criteria of the OECD's common reporting framework for AI incidents, and how the record maps to each."""

from collections.abc import Mapping

from agents.reports.form import Field, Form, Section
from schemas.regulation.frameworks import OECD_CRITERIA, OECD_VERSION

_FACTS: Mapping[int, tuple[str, ...]] = {
    1: ("title",),
    2: ("what_happened", "said_summary"),
    3: ("how_detected", "signals"),
    4: ("submitter",),
    5: ("occurred",),
    6: ("countries",),
    7: ("evidence",),
    8: ("system", "versions"),
    9: ("operator_role", "vendor"),
    10: ("oecd_severity",),
    14: ("persons_affected", "groups"),
    17: ("industry",),
    19: ("fact_critical_infrastructure",),
    21: ("training_data", "lineage"),
    22: ("lineage",),
    24: ("blast_radius",),
    25: ("system_scope",),
    27: ("contained_by", "remedied_by", "said_resolution"),
    28: ("replays",),
    29: ("said_lessons", "ledger"),
}
_MISSING: Mapping[int, str] = {
    11: "the OECD's harm types are chosen by a person; Headgate's dimensions of harm are not the same",
    12: "harm is not counted; predictions are",
    13: "whether the use was unintended or wrongful is a person's judgement",
    15: "whether rights were affected is a person's judgement",
    16: "the AI principles concerned are chosen by a person",
    18: "the business function is not declared",
    20: "the breadth of deployment is not declared",
    23: "usage rights are not recorded",
    26: "the level of autonomy is not declared",
}


def _field(number: int, name: str, *, mandatory: bool) -> Field:
    return Field(
        number=str(number),
        label=name,
        facts=_FACTS.get(number, ()),
        hint="mandatory" if mandatory else "optional",
        missing=_MISSING.get(number, ""),
    )


FORM = Form(
    name="oecd",
    title="AI incident by the OECD's criteria (draft)",
    basis=OECD_VERSION,
    note="A criterion is “known” where the record answers it, “partly” where something is missing, else “unknown”. "
    "Severity is entered by a person and never derived from Headgate's.",
    sections=(
        Section(
            number="",
            title="The 29 criteria",
            fields=tuple(_field(one.number, one.name, mandatory=one.mandatory) for one in OECD_CRITERIA),
        ),
    ),
)
