"""Serious incidents of general-purpose models with systemic risk: the form of 4 November 2025, ten fields.

Fields 1 to 9 follow Measure 9.2 of the Code of Practice for General-Purpose AI, chapter on safety and security; the
names of the fields were taken from a public transcription of the form.
"""

from agents.reports.form import Field, Form, Section

FORM = Form(
    name="gpai",
    title="Serious incident of a general-purpose AI model with systemic risk (draft)",
    basis="Regulation (EU) 2024/1689, Article 55(1)(c); form of 4 November 2025; GPAI Code of Practice, 9.2 and 9.3",
    regimes=("gpai_art55",),
    note="An initial report needs fields 1 to 7 (Measure 9.3), a final one all. The form asks for neither the date of "
    "awareness nor that of submission; both are kept here all the same.",
    sections=(
        Section(
            number="A",
            title="The ten fields of the form",
            fields=(
                Field(
                    number="1",
                    label="Start and end dates of the serious incident",
                    facts=("occurred", "resolved"),
                    hint="or the best approximation",
                ),
                Field(
                    number="2",
                    label="Resulting harm",
                    facts=("harm_class", "harm", "persons_affected", "groups"),
                    hint="and the victim or group affected",
                ),
                Field(
                    number="3",
                    label="Chain of events",
                    facts=("what_happened", "said_summary", "signals", "blast_radius"),
                    hint="what led to it, directly or not",
                ),
                Field(number="4", label="Model involved", facts=("models", "versions")),
                Field(
                    number="5",
                    label="Evidence available",
                    facts=("ledger",),
                    hint="what shows the model's part in it; the evidence package can go with it",
                ),
                Field(
                    number="6",
                    label="Serious incident response",
                    facts=("contained_by", "remedied_by", "planned", "tasks"),
                    hint="done or intended, if anything",
                ),
                Field(
                    number="7",
                    label="Recommendation",
                    hint="what the AI Office or an authority should do, if anything",
                    missing="what an authority should do is a person's judgement",
                ),
                Field(
                    number="8",
                    label="Root cause analysis",
                    facts=("root_causes", "other_causes", "fact_cybersecurity_breach", "technique"),
                    hint="outputs that led to it, what contributed to them, mitigations that failed",
                ),
                Field(
                    number="9",
                    label="Patterns in post-market monitoring",
                    facts=("recurrence",),
                    hint="near misses and the like",
                    missing="`headgate report trend` counts incidents of a quarter",
                ),
                Field(
                    number="10",
                    label="Submitter information",
                    facts=("submitter", "representative"),
                    hint="in which capacity; organisation; contact's first name, last name, email and phone",
                ),
            ),
        ),
        Section(
            number="B",
            title="Dates that the form does not ask for",
            fields=(
                Field(number="B", label="Aware of the incident", facts=("when_aware",)),
                Field(number="B", label="Aware that it has to be reported", facts=("when_reportable_aware",)),
                Field(number="B", label="Submitted", facts=("submitted",)),
            ),
        ),
    ),
)
