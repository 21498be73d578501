"""Webhooks: what happens is told to programs elsewhere, each delivery on record."""

from portalfw.webhooks.documents import EVENTS, Event, Webhook, WebhookDelivery
from portalfw.webhooks.events import tell

__all__ = ["EVENTS", "Event", "Webhook", "WebhookDelivery", "tell"]
