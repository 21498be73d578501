"""Charts, gauges, diagrams and tabs."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any, ClassVar

import pytest

from macros.series import Line, fewer
from portalfw.rest.declaration import Actor, method
from wiki.pad import Pad


class Numbers(Actor, app="demo"):
    """Numbers over time."""

    asked: ClassVar[list[tuple[float | None, float | None]]] = []

    @method(right="login", readonly=True, live=("node",))
    def load(self, start: float | None = None, end: float | None = None) -> list[dict[str, Any]]:
        """Return points with several values."""
        self.asked.append((start, end))
        return [{"at": 1000.0 + n, "cpu": n, "memory": None if n == 1 else 2 * n, "text": "x"} for n in range(3)]

    @method(right="login", readonly=True)
    def many(self) -> list[dict[str, Any]]:
        """Return more lines than can be told apart."""
        return [{"label": f"<b>{n}", "points": [[1000, n], [1060, n + 1]]} for n in range(6)]

    @method(right="login", readonly=True)
    def none(self) -> list[dict[str, Any]]:
        """Return nothing."""
        return []


@pytest.fixture(autouse=True)
def numbers(pad: Pad) -> None:
    pad.options = {"actors": (Numbers,)}
    Numbers.asked = []


def told(html: str) -> dict[str, Any]:
    found = re.search(r'data-chart="([^"]*)"', html)
    assert found
    answer: dict[str, Any] = json.loads(unescape(found[1]))
    return answer


def test_a_chart_of_wide_points(pad: Pad) -> None:
    """Named fields of the points become lines, drawn, told in words, and listed in a table; gaps stay gaps."""
    html = pad.html("{{chart api:demo/numbers/load title:Load unit:ms series:${ {'CPU': 'cpu', 'Memory': 'memory'} }}}")
    found = told(html)
    assert found["series"] == ["CPU", "Memory"]
    assert found["times"] == [1000, 1001, 1002]
    assert found["values"] == [[0, 1, 2], [0, None, 4]]
    assert 'aria-label="Load. CPU: 0\u00a0ms to 2\u00a0ms, at last 2\u00a0ms. Memory' in html
    assert html.count("<polyline") == 2
    assert "<table" in html
    assert 'data-topics="node"' in html
    assert "style=" not in html


def test_ranges_where_the_method_takes_them(pad: Pad) -> None:
    """The viewer chooses among ranges and the method is asked for just that time; nonsense changes nothing."""
    call = "{{chart api:demo/numbers/load series:${ {'CPU': 'cpu'} }}}"
    html = pad.html(call)
    assert [span[1] - span[0] for span in Numbers.asked if span[0] and span[1]] == [3600]
    assert "range-chart-1=7d" in html
    pad.html(call, **{"range-chart-1": "7d"})
    pad.html(call, **{"range-chart-1": "<script>"})
    assert [round(end - start) for start, end in Numbers.asked if start and end] == [3600, 604800, 3600]
    assert "a range looks like" in pad.html("{{chart api:demo/numbers/load ranges:[soon]}}")
    assert "range-chart" not in pad.html("{{chart api:demo/numbers/many}}")


def test_lines_of_a_list(pad: Pad) -> None:
    """Of many lines four are shown, and how many are not is said; labels are text."""
    html = pad.html("{{chart api:demo/numbers/many}}")
    assert told(html)["series"] == ["<b>0", "<b>1", "<b>2", "<b>3"]
    assert "2 more not shown" in html
    assert "<b>0" not in html


def test_charts_without_numbers(pad: Pad) -> None:
    """No values is said calmly; what is no number is said as a mistake."""
    assert "No values in this time" in pad.html("{{chart api:demo/numbers/none}}")
    assert "which is no number" in pad.html("{{chart api:demo/numbers/load series:${ {'T': 'text'} }}}")
    assert "either api: or data:" in pad.html("{{chart}}")


def test_long_lines_keep_their_peaks() -> None:
    """A line with too many points is made shorter; its highest and lowest points stay."""
    points = [(float(n), 100.0 if n == 5003 else -5.0 if n == 77 else 1.0) for n in range(10_000)]
    short = fewer([Line("a", points)])[0]
    assert len(short.points) <= 600
    assert {100.0, -5.0} <= set(short.known)


def test_states_that_people_read(pad: Pad) -> None:
    """What is allowed is green, what is refused or critical red, each with its word."""
    for state, look, word in (
        ("ALLOWED", "s-ok", "Allowed"),
        ("REFUSED", "s-bad", "Refused"),
        ("CRITICAL", "s-bad", "Critical"),
    ):
        html = pad.html(f"{{{{state {state}}}}}")
        assert look in html
        assert f"{word}</span>" in html


def test_gauge(pad: Pad) -> None:
    """A gauge tells its number to everybody, and is amber or red from its bounds on."""
    html = pad.html("{{gauge 85 label:Memory unit:%}}")
    assert 'class="gauge warn" role="meter" aria-valuemin="0' in html
    assert "85\u00a0%" in html
    assert "gauge bad" in pad.html("{{gauge api:demo/numbers/load field:cpu high:2}}")
    assert "nothing known" in pad.html("{{gauge api:demo/numbers/none label:Disk}}")
    assert "high must be more than low" in pad.html("{{gauge 1 low:5 high:5}}")


def test_graph(pad: Pad) -> None:
    """Arrows become a flowchart whose words Mermaid cannot read as anything else."""
    html = pad.html("{{graph\n- Kettle -> Pot: hot water\n- Kettle -> 'x\"] click a'\n}}")
    assert "n1[&#34;Kettle&#34;] --&gt;|&#34;hot water&#34;| n2[&#34;Pot&#34;]" in html
    assert "#34;" in html
    assert "x&#34;]" not in html
    assert "data-diagram" in pad.html("{{graph\nsource: |\n  flowchart LR\n    A --> B\n}}")
    assert "an arrow looks like" in pad.html("{{graph\n- nothing\n}}")


TABS = """\
{{tabs}}

{{tab First one}}

Text {{state RUNNING}}

{{tab '<b>Second'}}

More

{{end}}

After
"""


def test_tabs(pad: Pad) -> None:
    """Tabs are parts with their titles, balanced however the author leaves them; titles are text."""
    html = pad.html(TABS)
    assert '<section class="tab-part" data-tab="First one"><h3 class="tab-title">First one</h3>' in html
    assert 'data-tab="&lt;b&gt;Second"' in html
    assert html.index("</section></div>") < html.index("After")
    for text in (TABS.replace("{{end}}", ""), "{{tab x}}\n\n{{end}}", "{{columns}}\n\n{{tab x}}\n\n{{end}}"):
        page = pad.html(text)
        assert page.count("<section") == page.count("</section")
        assert page.count("<div") == page.count("</div")
