"""The stages of Article 19 of Regulation (EU) 2022/2554 (DORA) and of Delegated Regulation (EU) 2025/301."""

from agents.reports.form import Field, Form, Section

FORM = Form(
    name="dora",
    title="Report of a major ICT-related incident, by stages (draft)",
    basis="Regulation (EU) 2022/2554, Article 19; Delegated Regulation (EU) 2025/301, Article 5",
    regimes=("dora_19",),
    note="Field names of the official template are not pinned here; the labels are Headgate's.",
    sections=(
        Section(
            number="I",
            title="Initial notification: 4 hours from classification, 24 hours from awareness",
            fields=(
                Field(number="I", label="Detected", facts=("detected",)),
                Field(number="I", label="Aware", facts=("when_aware",)),
                Field(
                    number="I",
                    label="Classified as major",
                    facts=("when_classified_major",),
                    hint="when, and by which criteria",
                    missing="which criteria of the classification were met is not recorded",
                ),
                Field(number="I", label="Description", facts=("what_happened", "title")),
                Field(number="I", label="How it was discovered", facts=("how_detected",)),
                Field(number="I", label="Origin, as far as known", facts=("said_trigger", "vendor")),
                Field(number="I", label="Member States concerned", facts=("countries",)),
                Field(
                    number="I",
                    label="Continuity measures",
                    facts=("fallback", "contained_by"),
                    missing="whether a business continuity plan was started is not recorded",
                ),
            ),
        ),
        Section(
            number="II",
            title="Intermediate report: 72 hours from the initial notification",
            fields=(
                Field(number="II", label="When it occurred", facts=("occurred",)),
                Field(
                    number="II",
                    label="Clients, counterparts and transactions affected",
                    facts=("persons_affected", "blast_radius"),
                ),
                Field(number="II", label="Severity and harm", facts=("severity", "harm", "said_impact")),
                Field(number="II", label="Type of incident and technique", facts=("category", "technique")),
                Field(number="II", label="Harm stopped", facts=("contained",)),
                Field(number="II", label="Every step carried out", facts=("mitigated",)),
                Field(number="II", label="Resolved", facts=("resolved",)),
                Field(number="II", label="Temporary measures", facts=("contained_by", "planned")),
            ),
        ),
        Section(
            number="III",
            title="Final report: one month from the latest intermediate report",
            fields=(
                Field(number="III", label="Root causes", facts=("root_causes", "other_causes")),
                Field(number="III", label="Resolution", facts=("said_resolution", "remedied_by")),
                Field(number="III", label="Lessons and measures against a repetition", facts=("said_lessons", "tasks")),
                Field(number="III", label="Recurring incident", facts=("recurrence",)),
                Field(
                    number="III",
                    label="Costs and losses",
                    missing="Headgate records no money; finance has to add it",
                ),
            ),
        ),
    ),
)
