"""The end users' REST API: the addresses and shapes that existing clients know."""
