"""Made-up pages of a cloud, rendered with the real templates: what the browser tests look at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flask
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from portalfw.web import frame
from portalfw.wiki.once import Once

MACROS = Path(__file__).parents[2] / "macros" / "templates"
NOW = time.time()

look = Environment(loader=FileSystemLoader(MACROS), autoescape=True)
look.globals["once"] = Once(look)


def macro(key: str, template: str, topics: str = "", **values: Any) -> Markup:
    """Return the output of a macro in the wrapper that the wiki puts around it."""
    inner = look.get_template(template).render(**values)
    address = f"{flask.request.path}?_macro={key}"
    attributes = f'data-topics="{topics}" hx-get="{address}" hx-trigger="portal:refresh" hx-swap="outerHTML"'
    return Markup(f'<div class="macro" id="macro-{key}" {attributes}>{inner}</div>')  # noqa: S704 - rendered with autoescape


NAMES = [
    "db-primary",
    "db-replica",
    "web-01",
    "web-02",
    "web-03",
    "legacy-ftp",
    "build-runner-11",
    "build-runner-12",
    "erp-app-01",
    "erp-app-02",
    "mail-relay",
    "monitor-ams",
    "qa-win-2022",
    "staging-api",
    "training-lab-04",
    "vpn-gateway",
]
STATES = {"legacy-ftp": "ERROR", "build-runner-12": "STARTING", "erp-app-02": "PAUSED", "qa-win-2022": "HALTED"}
STATES["training-lab-04"] = "HALTED"
ACCOUNTS = ["Harbor Health", "Fern & Co", "Kestrel Labs", "Nordlicht AG", "Platform"]

CREATE = {
    "address": "cloudapi/machines/create",
    "label": "Create machine",
    "icon": "plus-lg",
    "style": "primary",
    "goto": "/machine?id={result}",
    "done": "Machine created",
    "text": "It starts as soon as its disk is there, and takes its address from the cloudspace.",
    "fields": [
        {"name": "cloudspaceId", "type": "hidden", "value": 4},
        {
            "name": "name",
            "label": "Name",
            "required": True,
            "help": "Its host name: lower case letters, digits, dashes.",
        },
        {
            "name": "sizeId",
            "label": "Size",
            "type": "select",
            "required": True,
            "value": 2,
            "choices": [{"value": 1, "label": "1 vCPU, 512 MiB"}, {"value": 2, "label": "2 vCPU, 4 GiB"}],
        },
        {"name": "disksize", "label": "Boot disk in GiB", "type": "number", "required": True, "value": 10, "min": 1},
        {"name": "userdata", "label": "Cloud-init user data", "type": "textarea"},
    ],
}
START: dict[str, Any] = {
    "address": "cloudapi/machines/start",
    "label": "Start",
    "icon": "play",
    "fields": [{"name": "machineId", "type": "hidden", "value": 3}],
}
STOP: dict[str, Any] = {
    "address": "cloudapi/machines/stop",
    "label": "Stop",
    "icon": "stop",
    "fields": [{"name": "machineId", "type": "hidden", "value": 3}],
}
DELETE = {
    "address": "cloudapi/machines/delete",
    "label": "Delete machine",
    "icon": "trash3",
    "style": "danger",
    "title": "Delete web-01?",
    "text": "Its disks are gone with it. Nobody can bring them back.",
    "confirm_name": "web-01",
    "fields": [{"name": "machineId", "type": "hidden", "value": 3}],
    "goto": "/machines",
    "done": "Machine web-01 deleted",
}


def row(states: Mapping[str, str], number: int, name: str) -> dict[str, Any]:
    """Return the table row of a machine."""
    state = states.get(name, "RUNNING")
    cells = [
        {"text": name, "href": f"/machine?id={number}", "note": f"#{number}"},
        {"state": state, "percent": 18 if state == "STARTING" else None, "reason": None},
        ACCOUNTS[number % 5],
        {"text": "production", "href": "/cloudspace"},
        {"text": f"vie-n0{number % 9 + 1}", "mono": True},
        [1, 2, 4, 8][number % 4],
        {"text": f"{[2, 4, 8, 32][number % 4]}\u00a0GiB", "sort": [2, 4, 8, 32][number % 4]},
        None if state == "STARTING" else {"text": f"10.12.4.{number + 10}", "mono": True},
        {"meter": number * 23 % 97} if state == "RUNNING" else None,
        {"at": NOW - number * 86000},
    ]
    return {"key": number, "cells": cells, "actions": [START, STOP, DELETE], "muted": state == "DELETED"}


COLUMNS = [
    {"label": "Name"},
    {"label": "State"},
    {"label": "Account"},
    {"label": "Cloudspace"},
    {"label": "Node"},
    {"label": "vCPU", "num": True},
    {"label": "Memory", "num": True, "keep": True},
    {"label": "Address", "mono": True},
    {"label": "CPU now", "num": True},
    {"label": "Created"},
]


def home(states: Mapping[str, str]) -> dict[str, Markup]:
    """Return the macros of the home page."""
    halted = sum(state == "HALTED" for state in states.values())
    stats = [
        {
            "label": "vCPU",
            "value": 1042,
            "unit": "of 1,536 given out",
            "percent": 68,
            "text": "494 left, about 61 medium machines",
        },
        {
            "label": "Memory",
            "value": 7.6,
            "unit": "of 9.2 TiB in use",
            "percent": 83,
            "text": "Vienna reaches 90 % in 12 days",
        },
        {
            "label": "Storage",
            "value": 218,
            "unit": "of 384 TiB in use",
            "percent": 57,
            "text": "Grew 3.1 TiB in 7 days",
        },
        {
            "label": "Public addresses",
            "value": 341,
            "unit": "of 508 in use",
            "percent": 67,
            "text": "167 free in 4 networks",
        },
    ]
    for place, stat in enumerate(stats):
        stat["spark"] = [(n * (7 + place) + n * n) % 23 for n in range(24)]
    locations = [
        {
            "cells": [
                {"text": "Amsterdam", "href": "#", "note": "ams-1"},
                9,
                164,
                {"meter": 71},
                {"meter": 64},
                {"state": "OK"},
            ]
        },
        {
            "cells": [
                {"text": "Vienna", "href": "#", "note": "vie-1"},
                9,
                158,
                {"meter": 78},
                {"meter": 83},
                {"state": "ERROR", "word": "1 problem"},
            ]
        },
        {
            "cells": [
                {"text": "Oslo", "href": "#", "note": "osl-1"},
                6,
                90,
                {"meter": 46},
                {"meter": 52},
                {"state": "WARNING", "word": "2 warnings"},
            ]
        },
    ]
    return {
        "head": macro(
            "head",
            "head.html",
            "machine",
            title="Dashboard",
            sub="3 locations, 24 nodes, 412 machines",
            actions=[CREATE],
        ),
        "stats": macro("stats", "stats.html", "machine", stats=stats),
        "locations": macro(
            "locations",
            "table.html",
            "location",
            title="Locations",
            link={"label": "All locations", "href": "#"},
            columns=[
                {"label": "Location"},
                {"label": "Nodes", "num": True},
                {"label": "Machines", "num": True},
                {"label": "vCPU"},
                {"label": "Memory"},
                {"label": "Health"},
            ],
            rows=locations,
        ),
        "shares": macro(
            "shares",
            "shares.html",
            "machine",
            title="Machines by state",
            aside="412 in 96 cloudspaces",
            shares=[
                {"state": "RUNNING", "count": 368, "href": "#"},
                {"state": "HALTED", "count": 31 + halted, "href": "#"},
                {"state": "PAUSED", "count": 6, "href": "#"},
                {"state": "STARTING", "count": 3, "word": "In transition", "href": "#"},
                {"state": "ERROR", "count": 2, "href": "#"},
            ],
        ),
        "attention": macro(
            "attention",
            "feed.html",
            "node",
            title="Needs attention",
            link={"label": "Nodes", "href": "#"},
            items=[
                {
                    "state": "ERROR",
                    "text": "vie-n04: disk sdf has 148 bad sectors",
                    "href": "#",
                    "at": NOW - 240,
                    "two": "Storage pool is degraded. Drain the node, then replace the disk.",
                    "icon": "exclamation-octagon-fill",
                },
                {"state": "WARNING", "text": "osl-n02: clock is 1.8 s off", "href": "#", "at": NOW - 1320},
            ],
        ),
        "recent": macro(
            "recent",
            "feed.html",
            "job",
            title="Recent operations",
            link={"label": "All jobs", "href": "#"},
            items=[
                {
                    "state": "RUNNING",
                    "parts": ["Migrate", {"text": "db-primary", "href": "#"}, "to vie-n07"],
                    "percent": 62,
                    "two": "Mira Olsen: drain vie-n04, CHG-2291",
                },
                {
                    "state": "RUNNING",
                    "parts": ["Create", {"text": "build-runner-12", "href": "#"}],
                    "percent": 18,
                    "two": "Kestrel Labs, started by the API",
                },
                {"state": "OK", "parts": ["Snapshot", {"text": "erp-app-02", "href": "#"}], "at": NOW - 660},
                {
                    "state": "ERROR",
                    "parts": ["Start", {"text": "legacy-ftp", "href": "#"}],
                    "at": NOW - 1560,
                    "two": "Image ubuntu-16.04 is no longer in osl-1",
                },
            ],
        ),
    }


def machines(states: Mapping[str, str]) -> dict[str, Markup]:
    """Return the macros of the list of machines."""
    rows = [row(states, number, name) for number, name in enumerate(NAMES)]
    return {
        "head": macro(
            "head", "head.html", "machine", title="Machines", sub=f"{len(rows)} in 4 cloudspaces", actions=[CREATE]
        ),
        "table": macro("table", "table.html", "machine", columns=COLUMNS, rows=rows, name="machines", wide=True),
    }


def machine(states: Mapping[str, str]) -> dict[str, Markup]:
    """Return the macros of one machine's page."""
    state = states.get("web-01", "RUNNING")
    facts = [
        {"label": "Size", "value": "8 vCPU, 32\u00a0GiB"},
        {"label": "Image", "value": {"text": "Debian 12", "href": "#"}},
        {"label": "Created", "value": {"at": NOW - 400 * 86400}},
        {"label": "Private address", "value": {"text": "10.12.4.11", "mono": True, "copy": True}},
        {"label": "Public address", "value": "185.14.22.40", "mono": True, "copy": True},
        {"label": "Node", "value": {"text": "vie-n04", "mono": True, "href": "#"}},
        {"label": "Agent", "value": {"state": "CONNECTED"}},
        {"label": "Hypervisor", "value": "QEMU, software emulation"},
        {"label": "Last change", "value": {"at": NOW - 53}},
    ]
    disks = [
        {"cells": [{"text": "root", "two": "60 GiB, boot"}, {"meter": 41}]},
        {"cells": [{"text": "data", "two": "300 GiB"}, {"meter": 86}]},
    ]
    error: dict[str, Any] = {"name": "forwards", "message": "argument cloudspaceId must be a number, not 'four'"}
    error |= {
        "text": "Correct the macro on the page. The rest of the page is fine.",
        "page": "cbgrid/virtual machine",
        "line": 24,
    }
    return {
        "head": macro(
            "head",
            "head.html",
            "machine:3",
            title="web-01",
            state=state,
            sub=[
                {"text": "#3", "mono": True},
                "in",
                {"text": "production", "href": "#"},
                "of",
                {"text": "Harbor Health", "href": "#"},
                "on vie-n04",
            ],
            actions=[{**START, "disabled_reason": "It runs already"}, {**STOP, "style": "primary"}],
            more=[{"address": "x/y/z", "label": "Restart", "icon": "arrow-clockwise"}, DELETE],
        ),
        "op": macro(
            "op",
            "operation.html",
            "job",
            title="Live migration from vie-n04 to vie-n07",
            percent=62,
            left="38 s left",
            meta=[
                "Copying memory: 19.8 of 32 GiB at 1.2 GiB/s",
                "Step 3 of 5",
                "Mira Olsen, 53 s ago",
                "Reason: drain vie-n04",
            ],
            log={"label": "Open job log", "href": "#"},
            cancel={"address": "x/y/cancel", "label": "Cancel"},
        ),
        "facts": macro("facts", "facts.html", "machine:3", facts=facts),
        "ports": macro("ports", "error.html", "", **error, source="{{forwards cloudspaceId:four}}", id="e-41c0"),
        "log": macro(
            "log",
            "log.html",
            "job_output",
            title="libvirt/startmachine",
            state="RUNNING",
            running=True,
            lines=[
                {"n": 1, "at": "09:12:04.118", "level": "info", "text": "job 8f3c21 accepted by agent vie-n04"},
                {"n": 2, "at": "09:12:07.015", "level": "warning", "text": "vie-pool-a is degraded (35 of 36 disks)"},
                {
                    "n": 3,
                    "at": "09:12:24.871",
                    "level": "error",
                    "text": "channel 3 closed by peer: connection reset\n  retry 1 of 5 in 500 ms",
                },
                {"n": 4, "at": "09:12:25.402", "level": "info", "text": "channel 3 is open again"},
            ],
        ),
        "disks": macro(
            "disks", "table.html", "disk", title="Disks", columns=[{"label": "Name"}, {"label": "Used"}], rows=disks
        ),
        "note": macro(
            "note",
            "note.html",
            "",
            text="Do not stop outside the window, Sunday 02:00 to 04:00.",
            kind="warning",
            title="Careful.",
        ),
        "snapshots": macro(
            "snapshots",
            "empty.html",
            "",
            title="No snapshots yet",
            text="A snapshot keeps the disks as they are now, so that you can go back.",
            icon="camera",
        ),
    }


LAYOUT = {
    "home": (home, '{head}{stats}<div class="cols"><div>{locations}{shares}</div><div>{attention}{recent}</div></div>'),
    "machines": (machines, "{head}{table}"),
    "machine": (
        machine,
        (
            '{head}{op}<div class="cols"><div>{facts}<h2>Port forwards</h2>{ports}{log}</div>'
            "<div>{disks}{note}{snapshots}</div></div>"
        ),
    ),
}
TITLES = {"home": "Dashboard", "machines": "Virtual machines", "machine": "web-01"}


def view(name: str, html: Markup, title: str) -> frame.Frame:
    """Return a page in the sample's portal."""
    items = [
        frame.NavItem("Dashboard", "/home", "speedometer2", active=name == "home"),
        frame.NavItem("Virtual machines", "/machines", "pc-display", active=name.startswith("machine"), count=412),
        frame.NavItem("Cloud spaces", "#", "boxes", count=96),
        frame.NavItem("Accounts", "#", "buildings", count=38),
    ]
    infrastructure = [
        frame.NavItem("Physical nodes", "#", "hdd-rack", count=24),
        frame.NavItem("Images", "#", "disc", count=27),
        frame.NavItem("External networks", "#", "diagram-3", count=4),
    ]
    crumbs = [("Cloud Broker", "/home"), ("Virtual machines", "/machines"), (title, "")]
    return frame.Frame(
        page=frame.PageView(
            title,
            html,
            f"cbgrid/{name}",
            crumbs if name != "home" else [crumbs[0], (title, "")],
            "Shipped page, unchanged",
        ),
        nav=[frame.NavGroup(None, items), frame.NavGroup("Infrastructure", infrastructure)],
        portals=[
            frame.PortalLink("Cloud Broker", "/home", "hdd-stack", active=True),
            frame.PortalLink("Grid", "/grid", "grid-3x3-gap"),
            frame.PortalLink("System", "/system", "gear"),
        ],
        user=frame.Viewer("Mira Olsen", frame.initials("Mira Olsen")),
        theme=flask.request.cookies.get("theme", "auto"),  # type: ignore[arg-type]
        render_ms=12.4,
    )


TEXT = """<h1>Drain a node</h1>
<p>Move every machine off a node before you open, update or replace it.
Live machines keep running.</p><div class="admonition warning"><p class="admonition-title">Check the pool first.</p>
<p>If the storage pool is already degraded, do not drain two nodes of the same location at once.</p></div>
<h2>Before you start</h2><p>The location needs free memory for all machines of the node.</p>
<table>
<thead><tr><th>Location</th><th>Free memory</th></tr></thead>
<tbody><tr><td>Amsterdam</td><td>1.2 TiB</td></tr>
<tr><td>Vienna</td><td>0.5 TiB</td></tr></tbody></table><h2>From the command line</h2>
<p>Use <code>--plan</code>.</p>
<pre><code>portalfw api cloudbroker/node/drain --node-id 4 --plan</code></pre><ul>
<li>It changes nothing.</li><li>It prints every target.</li></ul>"""
