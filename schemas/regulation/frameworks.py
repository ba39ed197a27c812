"""What Headgate records, beside the outcomes, controls, criteria and phases that other people's frameworks name.

Titles are pinned, because public mappings often have them wrong: many quote ISO/IEC 27001 for ISO/IEC 42001 A.8.
"""

from typing import NamedTuple

NIST_AI_RMF_VERSION = "1.0 (NIST AI 100-1, January 2023)"
ISO_42001_VERSION = "ISO/IEC 42001:2023"
ISO_27035_VERSION = "ISO/IEC 27035-1:2023"
OECD_VERSION = "Towards a common reporting framework for AI incidents (OECD, 2025)"


class Control(NamedTuple):
    """One outcome or control, its title, and what Headgate records for it."""

    id: str
    title: str
    records: str
    verified: bool = True


class Criterion(NamedTuple):
    """One OECD criterion; None for a dimension that was not read."""

    number: int
    name: str
    mandatory: bool
    dimension: str | None = None


_PLAN = "case: containment, approval, plan, canary, recovery"
NIST_AI_RMF = (
    Control(
        "GOVERN 4.3",
        "Organizational practices are in place to enable AI testing, identification of incidents, and information "
        "sharing.",
        "signals, drills, anonymised summary",
    ),
    Control(
        "GOVERN 6.2",
        "Contingency processes are in place to handle failures in third-party data or AI systems deemed high-risk.",
        "vendor record, fallback of the system",
        verified=False,
    ),
    Control(
        "MEASURE 2.4",
        "The functionality and behavior of the AI system and its components – as identified in the MAP function – are "
        "monitored when in production.",
        "detectors, profiles, prediction archive",
    ),
    Control(
        "MEASURE 2.6",
        "The AI system is evaluated regularly for safety risks – as identified in the MAP function.",
        "output rules, fallback, containment that was read back",
    ),
    Control(
        "MEASURE 2.7",
        "AI system security and resilience – as identified in the MAP function – are evaluated and documented.",
        "attack signals with ATLAS techniques, drills",
    ),
    Control(
        "MEASURE 2.9",
        "The AI model is explained, validated, and documented, and AI system output is interpreted within its context "
        "– as identified in the MAP function – to inform responsible use and governance.",
        "one prediction rebuilt: headgate explain",
    ),
    Control(
        "MEASURE 2.10",
        "Privacy risk of the AI system – as identified in the MAP function – is examined and documented.",
        "output rules for personal data, access to evidence",
    ),
    Control(
        "MEASURE 2.11",
        "Fairness and bias – as identified in the MAP function – are evaluated and results are documented.",
        "fairness signals by group",
    ),
    Control(
        "MEASURE 3.3",
        "Feedback processes for end users and impacted communities to report problems and appeal system outcomes are "
        "established and integrated into AI system evaluation metrics.",
        "human reports, decisions upheld or overridden",
    ),
    Control(
        "MANAGE 2.3",
        "Procedures are followed to respond to and recover from a previously unknown risk when it is identified.",
        _PLAN,
    ),
    Control(
        "MANAGE 2.4",
        "Mechanisms are in place and applied, and responsibilities are assigned and understood, to supersede, "
        "disengage, or deactivate AI systems that demonstrate performance or outcomes inconsistent with intended use.",
        "containment and fallback, with approval or break-glass",
    ),
    Control(
        "MANAGE 3.1",
        "AI risks and benefits from third-party resources are regularly monitored, and risk controls are applied and "
        "documented.",
        "vendor record, canary probes of third-party models",
    ),
    Control(
        "MANAGE 3.2",
        "Pre-trained models which are used for development are monitored as part of AI system regular monitoring and "
        "maintenance.",
        "canary probes, supply-chain signals",
    ),
    Control(
        "MANAGE 4.1",
        "Post-deployment AI system monitoring plans are implemented, including mechanisms for capturing and evaluating "
        "input from users and other relevant AI actors, appeal and override, decommissioning, incident response, "
        "recovery, and change management.",
        _PLAN,
    ),
    Control(
        "MANAGE 4.2",
        "Measurable activities for continual improvements are integrated into AI system updates and include regular "
        "engagement with interested parties, including relevant AI actors.",
        "post-mortem, actions with owners, threshold proposals",
    ),
    Control(
        "MANAGE 4.3",
        "Incidents and errors are communicated to relevant AI actors, including affected communities. Processes for "
        "tracking, responding to, and recovering from incidents and errors are followed and documented.",
        "ledger of the case, communication, statutory clocks and reports",
    ),
)
"""Outcomes of the NIST AI Risk Management Framework; MEASURE 2.6 is pinned to its first sentence."""

ISO_42001 = (
    Control("10.2", "Nonconformity and corrective action", "post-mortem, actions with owners"),
    Control("A.3.3", "Reporting of concerns", "human reports"),
    Control("A.6.2.6", "AI system operation and monitoring", "detectors, profiles, cases"),
    Control("A.6.2.8", "AI system recording of event logs", "ledger, prediction archive"),
    Control("A.8.2", "System documentation and information for users", "notes to users of a system"),
    Control("A.8.3", "External reporting", "human reports from outside: interested parties report adverse impacts"),
    Control("A.8.4", "Communication of incidents", "communication per audience, sent record"),
    Control("A.8.5", "Information for interested parties", "statutory reports, anonymised summary"),
    Control("A.10.2", "Allocating responsibilities", "roles assumed and handed over"),
    Control("A.10.3", "Suppliers", "vendor record"),
)
"""Controls of Annex A and one clause; A.8.3 is a way in for others, and A.8.4 the way out."""

ISO_27035_PHASES = ("Plan and prepare", "Detect and report", "Assess and decide", "Respond", "Learn lessons")
"""The phases of ISO/IEC 27035-1:2023, in order."""

_MANDATORY = {1, 2, 3, 4, 7, 10, 11}
_CRITERIA = (
    "Title",
    "Description of incident",
    "How AI system relates to incident",
    "Submitter information",
    "Date of first known occurrence",
    "Country(ies) where incident occurred",
    "Supporting materials",
    "AI system/product name and version",
    "Developer/deployer organisations",
    "Severity",
    "Harm type",
    "Quantification of harm",
    "Unintended/wrongful use",
    "Affected stakeholders",
    "Human/fundamental-rights impacts",
    "Associated AI Principles",
    "Industries",
    "Business functions",
    "Critical functions/infrastructure",
    "Breadth of deployment",
    "Link to training data",
    "Link to AI model",
    "Usage rights",
    "Multiple-AI-system interaction",
    "AI system tasks",
    "Maximum autonomy level",
    "Actions taken",
    "Steps to reproduce",
    "Additional information",
)
OECD_CRITERIA = tuple(Criterion(n, name, n in _MANDATORY) for n, name in enumerate(_CRITERIA, 1))
"""The 29 criteria of the OECD's framework; names as a public mapping lists them, dimensions not read.

Severity (10) is entered by a person and never derived from ours.
"""
