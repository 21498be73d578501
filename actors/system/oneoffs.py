"""A few lines of bash or Python on a node, once: for those who may do anything there, and never without a trace."""

from __future__ import annotations

from typing import Annotated

from actors.system.agentcontroller import check_limits
from portalfw.controller.oneoff import Language, digest, oneoff
from portalfw.controller.submission import Terms
from portalfw.rest import Actor, Arg, method

CHIEFS = "group:level3"
USUAL = 300.0  # seconds

NodeId = Annotated[int, Arg("Node", choices="system/gridmanager/getNodes")]
Timeout = Annotated[float, Arg("Time limit", help="Seconds, 3600 at most.")]


class OneOffs(Actor, app="system"):
    """Commands on nodes, once."""

    @method(right=CHIEFS, title="Run bash", creates="jobId")
    def bash(self, nid: NodeId, text: Annotated[str, Arg("Bash", multiline=True)], timeout: Timeout = USUAL) -> int:
        """Run bash on a node, as the agent (root on most nodes), and return the job's id."""
        return self._run("bash", nid, text, timeout)

    @method(right=CHIEFS, title="Run Python", creates="jobId")
    def python(self, nid: NodeId, text: Annotated[str, Arg("Python", multiline=True)], timeout: Timeout = USUAL) -> int:
        """Run Python on a node, as the agent (root on most nodes; ``sal`` can be imported), and return the job's id."""
        return self._run("python", nid, text, timeout)

    def _run(self, language: Language, nid: int, text: str, timeout: float) -> int:
        """Run a text; the audit record is flagged, and has the text's hash, under which the job keeps it whole."""
        self.call.tag("oneoff")
        self.call.tag(f"sha256:{digest(text)}")
        check_limits(timeout=timeout)
        controller, user = self.runtime.controller, self.call.principal.name
        script = controller.scripts.add_text(language, oneoff(language, text, user, timeout))
        return int(controller.orders.on_node(script, nid, {}, Terms(timeout, submitted_by=user)))
