"""The settings in force."""

from __future__ import annotations

from portalfw.rest import Actor, method
from portalfw.settings_shown import SettingRow, shown_settings


class SettingsInForce(Actor, app="system", name="settings"):
    """What this process was told, and by what."""

    @method(right="group:admin", http=("GET", "POST"), readonly=True, title="List settings")
    def list(self) -> list[SettingRow]:
        """Return every setting of the process that answers: its value, secrets masked, and where it comes from."""
        return shown_settings(self.runtime.settings)
