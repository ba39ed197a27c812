"""The template of the draft guidance on Article 73 of Regulation (EU) 2024/1689, version 1.0.0, sections 1.2 to 5."""

from agents.reports.form import Field, Form, Section

FORM = Form(
    name="art73",
    title="Report of a serious incident (draft)",
    basis="Regulation (EU) 2024/1689, Article 73; template v1.0.0 of the draft guidance of 26 September 2025",
    regimes=("ai_act_art73",),
    note="The template belongs to a draft; check that no final version has replaced it.",
    sections=(
        Section(
            number="1.2",
            title="Administrative information: dates, type and class",
            fields=(
                Field(number="1.2", label="Date of submission", facts=("submitted",), hint="the day it is filed"),
                Field(number="1.2", label="Date of the incident", facts=("occurred",), hint="a range is allowed"),
                Field(number="1.2", label="Date of detection", facts=("detected",), hint="when it was first known"),
                Field(
                    number="1.2",
                    label="Date of awareness of reportability",
                    facts=("when_reportable_aware", "when_aware"),
                    hint="when it was known that it has to be reported",
                ),
                Field(
                    number="1.2",
                    label="Type of report",
                    hint="initial, follow-up, combined, final reportable or final non-reportable",
                    missing="the person who files it chooses the type",
                ),
                Field(number="1.2", label="Next report expected", facts=("next_report",)),
                Field(
                    number="1.2",
                    label="Class of the incident",
                    facts=("harm_class", "fact_serious_incident", "reportability"),
                    hint="death, health, infrastructure management, infrastructure operation, fundamental rights, "
                    "property, environment or other",
                ),
            ),
        ),
        Section(
            number="1.3",
            title="Who submits, and for whom",
            fields=(
                Field(number="1.3", label="Submitter", facts=("submitter",), hint="name and contact"),
                Field(number="1.3", label="Provider", facts=("provider", "vendor", "operator_role")),
                Field(number="1.3", label="Authorised representative", facts=("representative",)),
                Field(number="1.3", label="Reports under other laws", facts=("other_reports",)),
            ),
        ),
        Section(
            number="2",
            title="The AI system",
            fields=(
                Field(number="2", label="EU database identifier", facts=("eu_database_id",)),
                Field(number="2", label="Name", facts=("system", "system_scope")),
                Field(number="2", label="Model", facts=("models",)),
                Field(number="2", label="Versions", facts=("versions", "instances")),
            ),
        ),
        Section(
            number="3",
            title="The incident",
            fields=(
                Field(
                    number="3",
                    label="Narrative",
                    facts=("what_happened", "title", "said_summary", "signals"),
                    hint="what happened, in order",
                ),
                Field(number="3", label="Users affected", facts=("persons_affected", "groups", "said_impact")),
                Field(
                    number="3",
                    label="Remedial action",
                    facts=("contained_by", "remedied_by", "planned", "said_resolution"),
                ),
                Field(number="3", label="Initial reporter", facts=("how_detected",), hint="who noticed it first"),
            ),
        ),
        Section(
            number="4",
            title="Analysis",
            fields=(
                Field(number="4", label="Preliminary analysis", facts=("said_trigger", "other_causes", "replays")),
                Field(
                    number="4",
                    label="Root cause, or rationale for not reportable",
                    facts=("root_causes", "not_reportable"),
                ),
                Field(
                    number="4",
                    label="Risk assessment reviewed, and still adequate",
                    facts=("harm",),
                    missing="whether the risk assessment was reviewed and is still adequate is not recorded",
                ),
            ),
        ),
        Section(
            number="5",
            title="Comments",
            fields=(
                Field(
                    number="5",
                    label="Comments",
                    facts=("evidence", "hold", "ledger"),
                    missing="the filer's own comments",
                ),
            ),
        ),
    ),
)
