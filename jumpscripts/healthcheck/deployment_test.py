"""Make a test machine, see it boot (else ERROR) and write (under 50 MiB a second WARNING), and remove it."""

from __future__ import annotations

from typing import Any

descr = "Make a test machine, see it boot (else ERROR) and write (under 50 MiB a second WARNING), and remove it."
organization = "portalfw"
author = "portalfw"
name = "deployment_test"
category = "monitor.healthcheck"
roles = ("cpunode",)
queue = "process"
period = 1800
order = 0
timeout = 300
enable = True
startatboot = False
log = False
idempotent = True


def action() -> list[dict[str, Any]]:
    """Return whether a machine could be made, and how quickly it wrote; two runs wait for each other."""
    from agent.jumpscript import context, log
    from sal.errors import SalError
    from sal.exclusive import exclusive
    from sal.findings import told
    from sal.findings.deployment import failed, judge_trial
    from sal.hypervisor import Site
    from sal.hypervisor.trial import try_machine

    site = Site(context.hypervisor, context.site, context.work)
    with exclusive(context.run / "trial.lock"):
        try:
            return told(judge_trial(try_machine(site, context.run / "node.lock", log.info)))
        except SalError as error:
            return told(failed(error))
