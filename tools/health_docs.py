"""Write the list of checks in docs/health.md from what the checks say of themselves; ``--check`` only compares."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import importlib  # noqa: E402

from portalfw.controller.header import read_header  # noqa: E402
from portalfw.extension import extensions_of  # noqa: E402

PAGE = ROOT / "docs" / "health.md"
BEGIN, END = "## The checks", "A file `.dontreportusage`"
MODULES = (
    "portalfw.health.checks",
    "portalfw.health.certificate",
    "portalfw.health.load",
    "portalfw.health.queues",
    "actors.system.emailsender",
    "actors.cloud.fair_use",
    "actors.cloud.health",
    "actors.cloud.steal",
)


def rows() -> list[str]:
    """Return the lines of the two tables."""
    lines = ["| on nodes | every | what it looks at, and its limits |", "|---|---|---|"]
    for file in sorted((ROOT / "jumpscripts" / "healthcheck").glob("*.py")):
        header = read_header(file.read_text(encoding="utf-8"))
        lines.append(f"| `healthcheck/{file.stem}` | {header.period} s | {header.descr} |")
    lines += ["", "| of the platform | every | what it looks at |", "|---|---|---|"]
    checks = [one for name in MODULES for one in extensions_of(importlib.import_module(name)).health_checks]
    lines += [f"| `{one.name}` | {one.every:g} s | {one.title} |" for one in sorted(checks, key=lambda one: one.name)]
    return lines


def main() -> int:
    """Write or compare; return the exit status."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    new = f"{before}{BEGIN}\n\n" + "\n".join(rows()) + f"\n\n{END}{after}"
    if "--check" in sys.argv:
        return int(new != text)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
