"""What Article 33(3) of the General Data Protection Regulation says a notification contains."""

from agents.reports.form import Field, Form, Section

FORM = Form(
    name="gdpr33",
    title="Notification of a personal data breach (draft)",
    basis="Regulation (EU) 2016/679, Article 33(3)",
    regimes=("gdpr_33",),
    note="Whether personal data were breached at all is a person's decision; Headgate sees predictions, not persons.",
    sections=(
        Section(
            number="33(3)",
            title="Contents of the notification",
            fields=(
                Field(
                    number="(a)",
                    label="Nature of the breach",
                    facts=("what_happened", "title", "sensitivity"),
                    hint="where possible with categories and approximate number of data subjects and of records",
                ),
                Field(number="(a)", label="Categories of data subjects", facts=("groups",)),
                Field(number="(a)", label="Approximate number of data subjects", facts=("persons_affected",)),
                Field(
                    number="(a)",
                    label="Categories of personal data records",
                    facts=("sensitivity",),
                    missing="which columns hold personal data",
                ),
                Field(
                    number="(a)",
                    label="Approximate number of records",
                    facts=("predictions",),
                    missing="how many of them are personal data records",
                ),
                Field(number="(b)", label="Data protection officer or other contact point", facts=("dpo",)),
                Field(
                    number="(c)",
                    label="Likely consequences",
                    facts=("said_impact", "harm", "fact_high_risk_to_persons"),
                ),
                Field(
                    number="(d)",
                    label="Measures taken or proposed",
                    facts=("contained_by", "remedied_by", "planned", "tasks"),
                    hint="including measures to mitigate possible adverse effects",
                ),
            ),
        ),
        Section(
            number="33(1), (2), (4)",
            title="Times",
            fields=(
                Field(number="33(1)", label="Aware since", facts=("when_aware",)),
                Field(number="33(1)", label="Reasons where it is later than 72 hours", facts=("late",)),
                Field(number="33(2)", label="Processor or controller", facts=("fact_processor",)),
                Field(number="33(4)", label="Information that follows in phases", facts=("next_report", "tasks")),
            ),
        ),
    ),
)
