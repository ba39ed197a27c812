"""Serious incidents of general-purpose models with systemic risk: the form of 4 November 2025 has ten fields."""

from agents.reports.form import Field, Form, Section

_UNPINNED = "field name not pinned: the names of the ten fields are not part of this edition; take them from the form"

FORM = Form(
    name="gpai",
    title="Serious incident of a general-purpose AI model (draft)",
    basis="Regulation (EU) 2024/1689, Article 55(1)(c); form of 4 November 2025, ten fields",
    regimes=("gpai_art55",),
    note="The form asks for neither the date of awareness nor that of submission; both are kept here all the same.",
    sections=(
        Section(
            number="A",
            title="The ten fields of the form",
            fields=tuple(
                Field(number=str(number), label="field name not pinned", missing=_UNPINNED) for number in range(1, 11)
            ),
        ),
        Section(
            number="B",
            title="What the record says towards them",
            text="These labels are Headgate's, not the form's.",
            fields=(
                Field(number="B", label="Model and versions", facts=("models", "versions")),
                Field(number="B", label="It occurred", facts=("occurred",)),
                Field(number="B", label="It was detected", facts=("detected",)),
                Field(number="B", label="It was resolved", facts=("resolved",)),
                Field(number="B", label="What happened", facts=("what_happened", "said_summary", "signals")),
                Field(number="B", label="Harm and those affected", facts=("harm", "persons_affected", "blast_radius")),
                Field(number="B", label="Chain of events and causes", facts=("root_causes", "other_causes")),
                Field(
                    number="B",
                    label="Security breach, weights taken out",
                    facts=("fact_cybersecurity_breach", "technique"),
                ),
                Field(number="B", label="Measures taken", facts=("contained_by", "remedied_by")),
                Field(number="B", label="Measures planned", facts=("planned", "tasks")),
            ),
        ),
        Section(
            number="C",
            title="Dates that the form does not ask for",
            fields=(
                Field(number="C", label="Aware of the incident", facts=("when_aware",)),
                Field(number="C", label="Aware that it has to be reported", facts=("when_reportable_aware",)),
                Field(number="C", label="Submitted", facts=("submitted",)),
            ),
        ),
    ),
)
