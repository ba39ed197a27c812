"""The stages of Article 23(4) of Directive (EU) 2022/2555 (NIS2)."""

from agents.reports.form import Field, Form, Section

_NOT_MALICIOUS = "whether unlawful or malicious acts are suspected is a person's judgement"
_BORDER = "whether it has a cross-border impact is a person's judgement"

FORM = Form(
    name="nis2",
    title="Notification of a significant incident, by stages (draft)",
    basis="Directive (EU) 2022/2555, Article 23(4)",
    regimes=("nis2_23",),
    note="What the stages contain is put in our words; the national authority's own form decides.",
    sections=(
        Section(
            number="(a)",
            title="Early warning, within 24 hours",
            fields=(
                Field(number="(a)", label="Aware since", facts=("when_aware",)),
                Field(
                    number="(a)",
                    label="Unlawful or malicious acts suspected",
                    facts=("category", "technique"),
                    missing=_NOT_MALICIOUS,
                ),
                Field(number="(a)", label="Cross-border impact possible", facts=("countries",), missing=_BORDER),
            ),
        ),
        Section(
            number="(b)",
            title="Incident notification, within 72 hours",
            fields=(
                Field(number="(b)", label="Update of the early warning", facts=("what_happened", "title", "phase")),
                Field(number="(b)", label="Severity and impact, first assessment", facts=("severity", "harm")),
                Field(
                    number="(b)",
                    label="Indicators of compromise",
                    facts=("signals",),
                    missing="a model's signals are no indicators of compromise; security has to say whether any exist",
                ),
            ),
        ),
        Section(
            number="(c)",
            title="Intermediate report, on request",
            fields=(Field(number="(c)", label="Status", facts=("phase", "contained_by", "remedied_by", "tasks")),),
        ),
        Section(
            number="(d)",
            title="Final report, one month after the notification",
            fields=(
                Field(
                    number="(d)",
                    label="Detailed description, with severity and impact",
                    facts=("said_summary", "said_impact", "severity", "persons_affected"),
                ),
                Field(number="(d)", label="Type of threat or root cause", facts=("root_causes", "said_trigger")),
                Field(
                    number="(d)",
                    label="Mitigation applied and ongoing",
                    facts=("contained_by", "remedied_by", "planned", "tasks"),
                ),
                Field(number="(d)", label="Cross-border impact", facts=("countries",), missing=_BORDER),
            ),
        ),
    ),
)
