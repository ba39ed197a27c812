"""MITRE ATLAS techniques that signals name as hypotheses: id, name and tactics.

From MITRE ATLAS data, version 5.6.0 (2026-05-05). Changed: trimmed to the techniques that signals may name, and to
their ids, names and tactics.

    Copyright 2021-2025 MITRE

    Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in compliance
    with the License. You may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0

    Unless required by applicable law or agreed to in writing, software distributed under the License is distributed
    on an "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the License for
    the specific language governing permissions and limitations under the License.
"""

from types import MappingProxyType
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

VERSION = "5.6.0"


class Technique(NamedTuple):
    """One technique; a sub-technique has the tactics of its parent."""

    id: str
    name: str
    tactics: tuple[str, ...]


TACTICS = MappingProxyType(
    {
        "AML.TA0000": "AI Model Access",
        "AML.TA0001": "AI Attack Staging",
        "AML.TA0003": "Resource Development",
        "AML.TA0004": "Initial Access",
        "AML.TA0005": "Execution",
        "AML.TA0006": "Persistence",
        "AML.TA0007": "Defense Evasion",
        "AML.TA0010": "Exfiltration",
        "AML.TA0011": "Impact",
        "AML.TA0012": "Privilege Escalation",
    }
)
"""Names of the tactics in use, by id."""

TECHNIQUES = MappingProxyType(
    {
        technique.id: technique
        for technique in (
            Technique("AML.T0010", "AI Supply Chain Compromise", ("AML.TA0004",)),
            Technique("AML.T0010.003", "Model", ("AML.TA0004",)),
            Technique("AML.T0015", "Evade AI Model", ("AML.TA0004", "AML.TA0007", "AML.TA0011")),
            Technique("AML.T0018", "Manipulate AI Model", ("AML.TA0006", "AML.TA0001")),
            Technique("AML.T0018.000", "Poison AI Model", ("AML.TA0006", "AML.TA0001")),
            Technique("AML.T0020", "Poison Training Data", ("AML.TA0003", "AML.TA0006")),
            Technique("AML.T0024", "Exfiltration via AI Inference API", ("AML.TA0010",)),
            Technique("AML.T0024.000", "Infer Training Data Membership", ("AML.TA0010",)),
            Technique("AML.T0024.001", "Invert AI Model", ("AML.TA0010",)),
            Technique("AML.T0024.002", "Extract AI Model", ("AML.TA0010",)),
            Technique("AML.T0029", "Denial of AI Service", ("AML.TA0011",)),
            Technique("AML.T0031", "Erode AI Model Integrity", ("AML.TA0011",)),
            Technique("AML.T0034", "Cost Harvesting", ("AML.TA0011",)),
            Technique("AML.T0034.000", "Excessive Queries", ("AML.TA0011",)),
            Technique("AML.T0034.001", "Resource-Intensive Queries", ("AML.TA0011",)),
            Technique("AML.T0034.002", "Agentic Resource Consumption", ("AML.TA0011",)),
            Technique("AML.T0040", "AI Model Inference API Access", ("AML.TA0000",)),
            Technique("AML.T0042", "Verify Attack", ("AML.TA0001",)),
            Technique("AML.T0043", "Craft Adversarial Data", ("AML.TA0001",)),
            Technique("AML.T0043.001", "Black-Box Optimization", ("AML.TA0001",)),
            Technique("AML.T0043.003", "Manual Modification", ("AML.TA0001",)),
            Technique("AML.T0046", "Spamming AI System with Chaff Data", ("AML.TA0011",)),
            Technique("AML.T0051", "LLM Prompt Injection", ("AML.TA0005",)),
            Technique("AML.T0051.000", "Direct", ("AML.TA0005",)),
            Technique("AML.T0051.001", "Indirect", ("AML.TA0005",)),
            Technique("AML.T0054", "LLM Jailbreak", ("AML.TA0012", "AML.TA0007")),
            Technique("AML.T0056", "Extract LLM System Prompt", ("AML.TA0010",)),
            Technique("AML.T0057", "LLM Data Leakage", ("AML.TA0010",)),
            Technique("AML.T0059", "Erode Dataset Integrity", ("AML.TA0011",)),
            Technique("AML.T0070", "RAG Poisoning", ("AML.TA0006",)),
            Technique("AML.T0109", "AI Supply Chain Rug Pull", ("AML.TA0007",)),
        )
    }
)
"""The techniques by id."""

EVADE = "AML.T0015"
POISON = "AML.T0020"
ERODE_DATASET = "AML.T0059"
EXTRACT = "AML.T0024.002"
FLOOD = "AML.T0029"
EXCESSIVE_QUERIES = "AML.T0034.000"
INTENSIVE_QUERIES = "AML.T0034.001"
RUG_PULL = "AML.T0109"


def check(technique: str) -> str:
    """Return the id; ValueError where the table has none of that name."""
    if technique not in TECHNIQUES:
        raise ValueError(f"{technique[:40]} is no technique of the table in schemas/atlas.py; AML.T0051 is one")
    return technique


TechniqueId = Annotated[str, AfterValidator(check)]
"""An id in a policy document."""
