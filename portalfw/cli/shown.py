"""Answers of a portal for people: tables, one object's fields, times; or as JSON for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
import yaml
from rich.console import Console
from rich.table import Column, Table

Cells = Mapping[str, Callable[[Any], str] | str]
"""The columns of a table: heading, and the name of a field or a function of the row."""

PIPE_WIDTH = 200  # columns where nobody says how wide the screen is


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(rows: Sequence[Mapping[str, Any]], columns: Cells) -> None:
    """Print rows."""
    # What does not fit goes on below: nothing is cut off.
    table = Table(*(Column(name, overflow="fold") for name in columns), box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(row, column) for column in columns.values()))
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    console.print(table)


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Cells, *, as_json: bool) -> None:
    """Print rows of an answer for who asked: for programs as they are, for people as a table."""
    if as_json:
        print_json(rows)
    else:
        print_table(rows, columns)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print an object's fields one below the other, without those that have no value; nested ones as YAML."""
    shown = {name: value for name, value in fields.items() if value not in (None, "", [], {})}
    width = max((len(name) for name in shown), default=0)
    for name, value in shown.items():
        if isinstance(value, (dict, list)):
            text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True).rstrip()
            click.echo(f"{name}:\n" + "\n".join(f"  {line}" for line in text.splitlines()))
        else:
            click.echo(f"{name + ':':<{width + 1}} {value}")


def moment(at: float | None) -> str:
    """Return a time as people read it, in UTC; nothing for none."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at)) if at else ""


def duration(seconds: float | None) -> str:
    """Return a span of time as people read it; nothing for none."""
    return "" if seconds is None else f"{seconds:.2f} s"


def _cell(row: Mapping[str, Any], column: Callable[[Any], str] | str) -> str:
    value = row.get(column) if isinstance(column, str) else column(row)
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)
