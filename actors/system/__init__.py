"""Users, audit and the other business of the portal itself."""
