"""``portalfw pki``: a private authority, and the certificate that it signs for the portal."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from portalfw.cli.shown import json_option, print_fields, print_json
from portalfw.errors import InvalidError
from portalfw.pki.folder import PkiFolder, signed_by
from portalfw.pki.making import names_of, pin
from portalfw.settings import load_settings


@click.group()
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where the files lie; pki in the state folder."
)
@click.option("--state", type=click.Path(path_type=Path), help="The state folder.")
@click.pass_context
def pki(ctx: click.Context, folder: Path | None, state: Path | None) -> None:
    """Make and renew the certificate of a portal without a public authority.

    Agents trust it by its pin, which join tokens carry; browsers and programs need ca.pem.
    """
    ctx.obj = PkiFolder((folder or load_settings(state=state).state_folder / "pki").absolute())


@pki.command()
@click.argument("names", nargs=-1)
@click.option("--force", is_flag=True, help="Replace those there are: every node has to enter again.")
@click.pass_obj
def init(folder: PkiFolder, names: tuple[str, ...], *, force: bool) -> None:
    """Make an authority and a certificate for NAMES: host names and addresses by which the portal is reached.

    Without NAMES it is for the host of the setting public_url.
    """
    folder.init(names or _public_host(), force=force)
    click.echo("Set, for the portal:\n")
    click.echo(f'tls_certificate = "{folder.portal_file}"\ntls_authority = "{folder.authorities_file}"\n')
    _print(_shown(folder))


@pki.command()
@click.argument("names", nargs=-1)
@click.pass_obj
def renew(folder: PkiFolder, names: tuple[str, ...]) -> None:
    """Sign a new certificate, with a new key, for NAMES or else for those of the present one.

    A running portal takes it within a second.
    """
    folder.renew(names)
    _print(_shown(folder))


@pki.command()
@click.pass_obj
def roll(folder: PkiFolder) -> None:
    """Make a new authority beside the present one; nodes are told of it by the present one's word.

    Give them some time (an agent asks every ten minutes), then renew the certificate, then retire the old authority.
    """
    folder.roll()
    _print(_shown(folder))
    click.echo("Once every node has been there (ten minutes): portalfw pki renew, then portalfw pki retire.", err=True)


@pki.command()
@click.pass_obj
def retire(folder: PkiFolder) -> None:
    """Forget all authorities but the newest; a node that has not heard of it needs its pin (--ca-pin)."""
    folder.retire()
    _print(_shown(folder))


@pki.command()
@json_option
@click.pass_obj
def show(folder: PkiFolder, *, as_json: bool) -> None:
    """Show the authorities with their pins, and the portal's certificate."""
    (print_json if as_json else _print)(_shown(folder))


def _shown(folder: PkiFolder) -> dict[str, Any]:
    portal, authorities = folder.portal(), folder.authorities()
    signer = signed_by(portal, authorities)
    return {
        "authorities": [{"pin": pin(one), "until": _day(one)} for one in authorities],
        "pin": pin(signer) if signer else "",
        "names": names_of(portal),
        "until": _day(portal),
        "certificate_file": str(folder.portal_file),
        "authority_file": str(folder.authorities_file),
    }


def _print(shown: dict[str, Any]) -> None:
    print_fields(
        {
            "Certificate for": ", ".join(shown["names"]),
            "Good until": shown["until"],
            "Signed by": shown["pin"] or "none of the authorities here",
            "Authorities": [f"{one['pin']} until {one['until']}" for one in shown["authorities"]],
            "Files": [shown["certificate_file"], shown["authority_file"]],
        }
    )


def _day(certificate: Any) -> str:
    return f"{certificate.not_valid_after_utc:%Y-%m-%d}"


def _public_host() -> list[str]:
    found = load_settings().public_url
    if found is None:
        raise InvalidError("Give the names and addresses by which the portal is reached, or set public_url.")
    return [str(urlsplit(found).hostname)]
