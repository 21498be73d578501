"""The settings in force."""

from __future__ import annotations

from typing import Annotated

from portalfw.rest import Actor, Columns, Listing, method
from portalfw.settings_shown import SettingRow, shown_settings

SETTINGS = Columns(SettingRow, "name", "value", "origin", search=("name", "value", "origin"), sort="name")


class SettingsInForce(Actor, app="system", name="settings"):
    """What this process was told, and by what."""

    @method(right="group:admin", http=("GET", "POST"), readonly=True, title="List settings")
    def list_(self, listing: Annotated[Listing, SETTINGS]) -> list[SettingRow]:
        """Return every setting of the process that answers: its value, secrets masked, and where it comes from."""
        return listing.of_rows(shown_settings(self.runtime.settings))
