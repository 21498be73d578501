"""Figures of nodes and of what runs on them, over time: taken in, rolled up, asked for."""

from portalfw.statistics.intake import Intake

__all__ = ["Intake"]
