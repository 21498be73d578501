"""Figures of speed and memory, printed as tables: ``make bench``."""
