"""Code blocks of pages: coloured by Pygments as classes, and diagrams set aside for the browser to draw."""

from __future__ import annotations

import re
from functools import cache
from html import escape, unescape
from typing import Final

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name

from portalfw.wiki.expressions import SECRET

BLOCK = re.compile(r'<pre><code class="(?:[^"]* )?language-([\w+#.-]+)[^"]*">(.*?)</code></pre>', re.DOTALL)
LONGEST: Final = 20_000  # characters of a block; longer ones stay plain
DIAGRAM: Final = "mermaid"

#: Languages that are coloured. Lexers of odd ones may take very long over hostile text.
LANGUAGES: Final = frozenset(
    (
        *("bash", "c", "console", "cpp", "css", "diff", "docker", "dockerfile", "go", "hcl", "html", "http", "ini"),
        *("java", "javascript", "js", "json", "json5", "jinja", "kotlin", "lua", "make", "makefile", "md", "markdown"),
        *("nginx", "perl", "php", "powershell", "properties", "proto", "ps1", "py", "pycon", "python", "python3"),
        *("rb", "ruby", "rs", "rust", "scala", "sh", "shell", "shell-session", "sql", "swift", "systemd", "terraform"),
        *("tf", "toml", "ts", "typescript", "xml", "yaml", "yml", "zsh"),
    )
)


def colour(html: str) -> str:
    """Return cleaned HTML with its code blocks coloured and its diagrams marked."""
    return BLOCK.sub(_block, html) if "language-" in html else html


def diagram(source: str) -> str:
    """Return the place of a diagram; until it is drawn, and where it cannot be, its source is shown."""
    return f'<div class="diagram" data-diagram><pre><code>{escape(source, quote=False)}</code></pre></div>'


def _block(found: re.Match[str]) -> str:
    language, text = found[1].lower(), unescape(found[2])
    if language == DIAGRAM:
        return diagram(text)
    if language not in LANGUAGES or len(text) > LONGEST or SECRET in text:
        return found[0]
    coloured = highlight(text, _lexer(language), _formatter())
    return f'<pre><code class="language-{language}">{coloured}</code></pre>'


@cache
def _formatter() -> HtmlFormatter[str]:
    """Return the one formatter; to make one takes longer than many a block."""
    return HtmlFormatter(nowrap=True)


@cache
def _lexer(language: str) -> Lexer:
    return get_lexer_by_name(language, stripnl=False)
