"""The template for major ICT-related incidents: Implementing Regulation (EU) 2025/302, Annex I, all 76 data fields.

What each field asks for, and at which stage, is Annex II put in our words. Regulation (EU) 2022/2554 (DORA),
Article 19; Delegated Regulation (EU) 2025/301, Articles 2 to 5.
"""

from agents.reports.form import Field, Form, Section

_ENTITY = "Headgate does not know the legal entity; whoever files it adds it"
_CONTACT = "contacts of the entity are not in the record"
_COUNTS = "clients, counterparts and money are not in telemetry; the business has to count them"
_MET = "whether this criterion of the classification is met is a person's judgement"
_ONLY_OTHER = "only where “other” is chosen in the field before"
_MONEY = "Headgate records no money; finance has to add it"
_RESOLUTION = "only entities under a resolution regime; their resolution function has to say"
_ESTIMATE = "whoever files it says which figures are estimates"


def _f(number: str, label: str, *facts: str, hint: str = "", missing: str = "") -> Field:
    return Field(number=number, label=label, facts=facts, hint=hint, missing=missing)


_GENERAL = (
    _f(
        "1.1",
        "Type of submission",
        hint="initial notification, intermediate report, final report, or major incident reclassified as non-major",
        missing="the person who files it chooses the type",
    ),
    _f("1.2", "Name of the entity submitting the report", "submitter"),
    _f("1.3", "Identification code of the entity submitting the report", hint="LEI (ISO 17442)", missing=_ENTITY),
    _f("1.4", "Type of financial entity affected", hint="Article 2(1)(a) to (t) of the Regulation", missing=_ENTITY),
    _f("1.5", "Name of the financial entity affected", hint="where it is not the submitter", missing=_ENTITY),
    _f("1.6", "LEI code of the financial entity affected", hint="where it is not the submitter", missing=_ENTITY),
    _f("1.7", "Primary contact person name", missing=_CONTACT),
    _f("1.8", "Primary contact person email", missing=_CONTACT),
    _f("1.9", "Primary contact person telephone", hint="with the international prefix", missing=_CONTACT),
    _f("1.10", "Second contact person name", hint="a person or a team", missing=_CONTACT),
    _f("1.11", "Second contact person email", missing=_CONTACT),
    _f("1.12", "Second contact person telephone", hint="with the international prefix", missing=_CONTACT),
    _f("1.13", "Name of the ultimate parent undertaking", hint="where there is a group", missing=_ENTITY),
    _f("1.14", "LEI code of the ultimate parent undertaking", hint="where there is a group", missing=_ENTITY),
    _f("1.15", "Reporting currency", hint="ISO 4217", missing=_MONEY),
)
_INITIAL = (
    _f("2.1", "Incident reference code assigned by the financial entity", "incident"),
    _f(
        "2.2",
        "Date and time of detection of the major ICT-related incident",
        "detected",
        "when_aware",
        hint="when the entity became aware, in UTC",
    ),
    _f(
        "2.3",
        "Date and time of classification of the ICT-related incident as major",
        "when_classified_major",
        hint="in UTC",
    ),
    _f(
        "2.4",
        "Description of the major ICT-related incident",
        "what_happened",
        "title",
        "said_summary",
        "severity",
        hint="possible causes, immediate impact, systems and third parties, own severity, who leads the response",
    ),
    _f(
        "2.5",
        "Classification criteria that triggered the incident report",
        "harm",
        hint="clients, counterparts and transactions; reputation; duration and downtime; geographical spread; data "
        "losses; critical services; economic impact",
        missing="which criteria of Delegated Regulation (EU) 2024/1772 were met is not recorded",
    ),
    _f(
        "2.6",
        "Materiality thresholds for the classification criterion “Geographical spread”",
        "countries",
        hint="member states reached, ISO 3166",
    ),
    _f(
        "2.7",
        "Discovery of the major ICT-related incident",
        "how_detected",
        hint="IT security, staff, audit, clients, counterparts, third party, attacker, monitoring systems, authority",
    ),
    _f(
        "2.8",
        "Indication whether the major ICT-related incident originates from a third-party provider or another "
        "financial entity",
        "vendor",
        hint="with name and code",
    ),
    _f(
        "2.9",
        "Activation of business continuity plan, if activated",
        "fallback",
        hint="yes or no",
        missing="whether a business continuity plan was started is not recorded",
    ),
    _f("2.10", "Other relevant information", "not_reportable", hint="also why it is no major incident after all"),
)
_INTERMEDIATE = (
    _f(
        "3.1",
        "Incident reference code provided by the competent authority",
        "submitted",
        hint="what the authority answered to the initial notification",
    ),
    _f("3.2", "Date and time of occurrence of the major ICT-related incident", "occurred", hint="in UTC"),
    _f(
        "3.3",
        "Date and time when services, activities or operations have been recovered",
        "mitigated",
        "resolved",
        hint="where there was a downtime",
    ),
    _f("3.4", "Number of clients affected", "persons_affected"),
    _f("3.5", "Percentage of clients affected", missing=_COUNTS),
    _f("3.6", "Number of financial counterparts affected", missing=_COUNTS),
    _f("3.7", "Percentage of financial counterparts affected", missing=_COUNTS),
    _f("3.8", "Impact on relevant clients or financial counterparts", hint="yes or no", missing=_MET),
    _f("3.9", "Number of affected transactions", "predictions", missing=_COUNTS),
    _f("3.10", "Percentage of affected transactions", missing=_COUNTS),
    _f("3.11", "Value of affected transactions", missing=_COUNTS),
    _f(
        "3.12",
        "Information on whether the numbers are actual or estimates, or whether there has not been any impact",
        missing=_ESTIMATE,
    ),
    _f("3.13", "Reputational impact", hint="media, repeated complaints, duties unmet, clients lost", missing=_MET),
    _f("3.14", "Contextual information about the reputational impact", "said_impact"),
    _f("3.15", "Duration of the major ICT-related incident", "duration", hint="days, hours and minutes"),
    _f("3.16", "Service downtime", missing="when the service itself was down is not recorded"),
    _f(
        "3.17",
        "Information on whether the numbers for duration and service downtime are actual or estimates",
        missing=_ESTIMATE,
    ),
    _f("3.18", "Types of impact in the Member States", "countries"),
    _f(
        "3.19",
        "Description of how the major ICT-related incident has an impact in other Member States",
        "blast_radius",
    ),
    _f(
        "3.20",
        "Materiality thresholds for the classification criterion “Data losses”",
        hint="availability, authenticity, integrity, confidentiality",
        missing=_MET,
    ),
    _f("3.21", "Description of the data losses", "sensitivity", missing=_MET),
    _f("3.22", "Classification criterion “Critical services affected”", "system_scope", "system_tier", missing=_MET),
    _f(
        "3.23",
        "Type of the major ICT-related incident",
        "category",
        hint="cybersecurity-related, process failure, system failure, external event, payment-related or other",
    ),
    _f("3.24", "Other types of incidents", missing=_ONLY_OTHER),
    _f(
        "3.25", "Threats and techniques used by the threat actor", "technique", hint="where it is cybersecurity-related"
    ),
    _f("3.26", "Other types of techniques", missing=_ONLY_OTHER),
    _f("3.27", "Information about affected functional areas and business processes", "system", "system_scope"),
    _f("3.28", "Affected infrastructure components supporting business processes", "instances", hint="yes or no"),
    _f(
        "3.29",
        "Information about affected infrastructure components supporting business processes",
        "versions",
        "models",
    ),
    _f("3.30", "Impact on the financial interest of clients", hint="yes, no or not known", missing=_COUNTS),
    _f("3.31", "Reporting to other authorities", "other_reports"),
    _f("3.32", "Specification of “other” authorities", missing=_ONLY_OTHER),
    _f(
        "3.33",
        "Temporary actions/measures taken or planned to be taken to recover from the incident",
        "contained",
        hint="yes or no",
    ),
    _f(
        "3.34",
        "Description of any temporary actions and measures taken or planned to be taken to recover from the incident",
        "contained_by",
        "planned",
        hint="with dates; where none was taken, why",
    ),
    _f(
        "3.35",
        "Indicators of compromise",
        "fact_cybersecurity_breach",
        missing="a model's signals are no indicators of compromise; security has to say whether any exist",
    ),
)
_FINAL = (
    _f(
        "4.1",
        "High-level classification of root causes of the incident",
        hint="malicious actions, process failure, system failure or malfunction, human error, external event",
        missing="a person chooses the class of what is recorded in field 4.5",
    ),
    _f("4.2", "Detailed classification of root causes of the incident", missing="as field 4.1"),
    _f("4.3", "Additional classification of root causes of the incident", missing="as field 4.1"),
    _f("4.4", "Other types of root cause types", missing=_ONLY_OTHER),
    _f("4.5", "Information about the root causes of the incident", "root_causes", "other_causes"),
    _f("4.6", "Incident resolution summary", "said_resolution", "remedied_by", "said_lessons", "tasks"),
    _f("4.7", "Date and time when the incident root cause was addressed", "mitigated", hint="in UTC"),
    _f("4.8", "Date and time when the incident was resolved", "resolved", hint="in UTC"),
    _f(
        "4.9",
        "Information if the permanent resolution date of the incident differs from the initially planned "
        "implementation date",
        missing="no planned date is recorded",
    ),
    _f("4.10", "Assessment of risk to critical functions for resolution purposes", missing=_RESOLUTION),
    _f("4.11", "Information relevant for resolution authorities", missing=_RESOLUTION),
    _f("4.12", "Materiality threshold for the classification criterion “Economic impact”", missing=_MONEY),
    _f("4.13", "Amount of gross direct and indirect costs and losses", missing=_MONEY),
    _f("4.14", "Amount of financial recoveries", missing=_MONEY),
    _f("4.15", "Information on whether the non-major incidents have been recurring", "recurrence"),
    _f(
        "4.16",
        "Date and time of occurrence of recurring incidents",
        missing="it stands in the reports of the earlier incidents",
    ),
)

FORM = Form(
    name="dora",
    title="Report of a major ICT-related incident, by stages (draft)",
    basis="Regulation (EU) 2022/2554, Article 19; Implementing Regulation (EU) 2025/302, Annex I",
    regimes=("dora_19",),
    note="An initial notification needs sections 1 and 2, an intermediate report also 3, a final report all of them.",
    sections=(
        Section(number="1", title="General information about the financial entity", fields=_GENERAL),
        Section(
            number="2",
            title="Content of the initial notification",
            text="Due 4 hours from the classification as major, and 24 hours from awareness.",
            fields=_INITIAL,
        ),
        Section(
            number="3",
            title="Content of the intermediate report",
            text="Due 72 hours from the initial notification.",
            fields=_INTERMEDIATE,
        ),
        Section(
            number="4",
            title="Content of the final report",
            text="Due one month from the latest intermediate report.",
            fields=_FINAL,
        ),
    ),
)
