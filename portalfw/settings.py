"""Every setting in one class: TOML file, then ``PORTALFW_*`` variables, then flags, later ones winning."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, IPvAnyNetwork, PrivateAttr, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from portalfw.auth.issuer import JwtIssuer
from portalfw.auth.oidc_settings import OidcProviders
from portalfw.auth.origin import PublicUrl
from portalfw.errors import StartError

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_STATE = Path("~/.local/share/portalfw")
PREFIX = "PORTALFW_"
RateText = Annotated[str, BeforeValidator(str), Field(pattern=r"^\d+(\.\d+)?(/[1-9]\d*)?$")]
"""Requests a second and burst, see :meth:`portalfw.rest.limits.Rate.parse`."""


class Settings(BaseSettings):
    """What an operator may set. Names are those of the TOML file; the environment adds ``PORTALFW_`` in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    state: Path = Field(DEFAULT_STATE, description="Folder of everything that this process writes.")
    listen: str = Field("127.0.0.1", description="Address that the portal listens on.")
    port: int = Field(8200, ge=1, le=65535, description="Port of the portal and the Agent Controller.")
    public_url: PublicUrl | None = Field(
        None, description="Where people reach the portal, such as https://cloud.example.org, if a proxy stands before."
    )
    trusted_proxies: list[IPvAnyNetwork] = Field(
        [], description="Addresses and networks of proxies whose X-Forwarded-For, -Proto and -Host are believed."
    )
    tls_certificate: Path | None = Field(None, description="PEM file of the certificate (with its chain) to serve TLS.")
    tls_key: Path | None = Field(None, description="PEM file of its key, if that is not in the same file.")
    tls_authority: Path | None = Field(
        None, description="PEM file of the private authorities that agents are to trust, such as portalfw pki makes."
    )
    hsts_subdomains: bool = Field(
        default=False, description="Whether browsers that came by https must use https for all subdomains too."
    )
    mongodb_uri: str | None = Field(None, description="A MongoDB replica set to use; without it one is started here.")
    mongodb_name: str = Field("portalfw", description="Name of the database.")
    hypervisor: Literal["auto", "qemu", "test"] = Field(
        "auto", description="qemu:///system, libvirt's simulated test driver, or the better of the two that works."
    )
    content: list[Path] = Field(
        [REPOSITORY], description="Content directories with spaces/, macros/, actors/ and jumpscripts/; later ones win."
    )
    dev: bool = Field(
        default=False,
        description="Serve and edit the content directories' pages as they lie there, and take changed macros, actors.",
    )
    space_remotes: dict[str, str] = Field({}, description="Git remotes of spaces, by name of the space.")
    default_space: str = Field("cbgrid", description="Space that the address / leads to.")
    macro_deadline: float = Field(5.0, gt=0, description="Seconds that a macro may take before its box says so.")
    session_hours: float = Field(12.0, gt=0, description="Hours after which a browser session ends.")
    sign_in_failures: int = Field(10, ge=1, description="Failed sign-ins of one user before it has to wait.")
    sign_in_failures_address: int = Field(50, ge=1, description="The same of one address, for all users together.")
    sign_in_window: float = Field(15.0, gt=0, description="Minutes in which failed sign-ins are counted together.")
    jwt_name: str = Field("portalfw", description="Issuer (iss) of JWTs made here; existing clients show user@issuer.")
    jwt_issuers: list[JwtIssuer] = Field(
        [], description="Other issuers of JWTs: name, public_key (PEM) or jwks (file), algorithms, issuer, audience."
    )
    oidc: OidcProviders = Field(
        [], description="Providers of OpenID Connect to sign in with: name, issuer, client_id, see docs/access.md."
    )
    rate_per_user: RateText = Field("500/2000", description="Requests a second of one user, and burst; 0 for no limit.")
    rate_per_address: RateText = Field("200/1000", description="The same for each address without a valid credential.")
    smtp_host: str | None = Field(None, description="Mail relay that messages to people are handed to.")
    smtp_port: int = Field(587, ge=1, le=65535, description="Its port: usually 587 with starttls, 465 with tls.")
    smtp_security: Literal["starttls", "tls", "none"] = Field("starttls", description="How the relay is spoken to.")
    smtp_user: str | None = Field(None, description="Name to sign in with at the relay.")
    smtp_password: SecretStr | None = Field(None, description="Password to sign in with at the relay.")
    mail_from: str | None = Field(
        None, pattern=r"^[^@\s<>]+@[A-Za-z0-9.-]+$", description="Address that the portal's messages come from."
    )
    alert_severity: Literal["CRITICAL", "WARNING", "INFO"] = Field(
        "CRITICAL", description="How grave an unexpected failure must be to raise an alert."
    )
    alert_escalation: float = Field(
        60.0, ge=0, description="Minutes after which an alert that nobody accepts goes to the next level; 0 for never."
    )
    webhook_local_addresses: bool = Field(
        default=False, description="Whether webhooks may go to this machine and its links (loopback, link-local)."
    )
    node_checks: bool = Field(
        default=True, description="Whether the schedules of health checks on nodes begin switched on."
    )
    join_token: str | None = Field(None, description="One-time token with which an agent enters (portalfw agent).")
    ca_pin: str | None = Field(None, description="Pin of the portal's private authority (portalfw agent).")
    controller: str | None = Field(
        None, description="Addresses of the Agent Controller, commas between (portalfw agent)."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put flags before the environment before the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    def note_origins(self, origins: dict[str, str]) -> None:
        """Keep for :meth:`origin` what :func:`origins` has found."""
        self._origins.update(origins)

    def origin(self, name: str) -> str:
        """Return where a setting's value comes from."""
        return self._origins.get(name, "default")

    @property
    def state_folder(self) -> Path:
        """The state folder as an absolute path."""
        return self.state.expanduser().absolute()


def config_file() -> Path | None:
    """Return the TOML file: ``PORTALFW_CONFIG``, else the first of the usual places that exists."""
    named = os.environ.get(f"{PREFIX}CONFIG")
    if named:
        if not Path(named).is_file():
            raise StartError(f"The settings file {named} does not exist; correct {PREFIX}CONFIG.")
        return Path(named)
    usual = (Path("~/.config/portalfw.toml").expanduser(), Path("/etc/portalfw.toml"))
    return next((path for path in usual if path.is_file()), None)


def load_settings(**flags: Any) -> Settings:
    """Read all sources; ``flags`` whose value is None count as not given.

    :raises StartError: naming the setting that is malformed or unknown.
    """
    try:
        found = Settings(**{name: value for name, value in flags.items() if value is not None})
        found.note_origins(origins(flags))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise StartError(f"Setting {name}: {first['msg']}{_given(first)}.") from error
    except tomllib.TOMLDecodeError as error:
        raise StartError(f"The settings file {config_file()} is not TOML: {error}.") from error
    return found


def _given(error: ErrorDetails) -> str:
    """Show what was given, unless it is, or holds, a secret."""
    secret = isinstance(error["input"], (dict, list)) or any("secret" in str(part) for part in error["loc"])
    return "" if secret else f" (given: {error['input']!r})"


def origins(flags: dict[str, Any]) -> dict[str, str]:
    """Say for each setting where its value comes from: ``command line``, ``environment``, a file or ``default``."""
    path = config_file()
    in_file = tomllib.loads(path.read_text()) if path else {}
    found = {}
    for name in Settings.model_fields:
        if flags.get(name) is not None:
            found[name] = "command line"
        elif os.environ.get(PREFIX + name.upper()):
            found[name] = "environment"
        else:
            found[name] = f"file {path}" if name in in_file else "default"
    return found
