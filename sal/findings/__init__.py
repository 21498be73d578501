"""What a health check of a node finds: facts read from the node, and pure functions that judge them."""

from sal.findings.finding import Finding, State, graded, skipped, told

__all__ = ["Finding", "State", "graded", "skipped", "told"]
