"""Alerts: what somebody has to look at, from its raising to its closing."""
