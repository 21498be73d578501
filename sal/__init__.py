"""The System Abstraction Layer: facts about one node, and idempotent operations on it.

A leaf: it knows neither the portal nor the agent. *Facts* read and never change anything; *operations* compare what is
wanted with the facts and do only what is missing, so that running one twice changes nothing the second time. Everything
made on a node carries a name that starts with the site's prefix, so that several installations share one machine.
"""
