"""Whether a node can make machines, by one that was made to see it."""

from __future__ import annotations

from typing import Final

from sal.errors import SalError
from sal.findings.finding import Finding, skipped
from sal.hypervisor.trial import Trial

CATEGORY: Final = "Deployment Test"
SPEED: Final = 50.0
"""MiB a second that a guest should write at least, as in the originals."""


def judge_trial(trial: Trial) -> list[Finding]:
    """Judge a test machine: it must boot (else ERROR) and write quickly enough (else WARNING)."""
    if trial.obstacle:
        return skipped(CATEGORY, "machine", f"No test machine was made: {trial.obstacle}")
    if trial.problem:
        return [Finding(CATEGORY, "machine", "ERROR", f"The test machine does not do: {trial.problem}")]
    if trial.seen is None:
        made = Finding(CATEGORY, "machine", "OK", "A simulated test machine was made, ran, and was removed")
        return [made, *skipped(CATEGORY, "disk", "A simulated machine writes nothing")]
    text = f"A test machine was made of {trial.image}, its console spoke after {trial.seen:.1f} s, and it was removed"
    return [Finding(CATEGORY, "machine", "OK", text), _judge_disk(trial)]


def _judge_disk(trial: Trial) -> Finding:
    if trial.speed is None:
        return Finding(CATEGORY, "disk", "SKIPPED", f"Image {trial.image} has no shell on its console to write with")
    text = f"The test machine wrote {trial.speed:.0f} MiB a second"
    if trial.emulated:  # the figure is the emulated processor's more than the disk's
        return Finding(CATEGORY, "disk", "SKIPPED", f"{text}; that is not judged where the processor is emulated")
    return Finding(CATEGORY, "disk", "WARNING" if trial.speed < SPEED else "OK", text)


def failed(error: SalError) -> list[Finding]:
    """Return what to say where a test machine could not be made, or not be removed."""
    return [Finding(CATEGORY, "machine", "ERROR", f"The test machine does not do: {error}")]
