"""Mail: messages to configured relays only, each delivery on record, tried again until it has arrived or cannot."""
