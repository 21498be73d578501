"""The permission matrix: every method, everybody, every kind of object, against rules written down here once more."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database
from tenants import FATES, MISSING, SECRET, make_tenant, people

from portalfw.auth.principal import GUEST, Principal
from portalfw.auth.users import create_user, ensure_groups
from portalfw.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError
from portalfw.rest.arguments import parse
from portalfw.rest.declaration import Argument, Method
from portalfw.runtime import Runtime
from portalfw.settings import Settings

GROUPS = "admin|level1|level2|level3|user"
RESOURCES = r"(account|cloudspace|machine|disk):[ARCXDU]+|(user|session|token|passkey):S"
GRAMMAR = re.compile(rf"(guest|login|group:({GROUPS})(,({GROUPS}))*|{RESOURCES})(\||$)")
#: Whose letters count for a right on a resource.
COUNTING = {
    "account": {"account"},
    "cloudspace": {"account", "cloudspace"},
    "machine": {"account", "cloudspace", "machine"},
    "disk": {"account", "cloudspace", "machine"},
}
#: Arguments that name an object, the deciding one first, and what stands above it.
DECIDING: dict[str, tuple[str, ...]] = {
    "machineId": ("machine", "cloudspace", "account"),
    "diskId": ("machine", "cloudspace", "account"),
    "detachedDiskId": ("account",),
    "cloudspaceId": ("cloudspace", "account"),
    "accountId": ("account",),
}
#: What is in these states can only be read; a destroyed one does not exist.
READ_ONLY = {"DISABLED"}
#: Required arguments that name something else; the right never depends on them.
OTHERS = {"id", "sessionId", "tokenId", "passkeyId", "nid", "nodeId", "jobId", "imageId", "sizeId", "externalnetworkId"}
#: Required whole numbers that name nothing.
NUMBERS = {"disksize", "publicPort", "localPort", "destPort", "memory", "vcpus"}
#: Methods that issue something though they are called as if they only read: clients know them by these names.
ISSUING = {"getConsoleUrl"}
PLAIN: dict[str, Any] = {"str": "x", "bool": True, "int": 1, "float": 1.0, "list": [], "object": {}}


@pytest.fixture
def runtime(database: Database[dict[str, Any]]) -> Iterator[Runtime]:
    """Give the product's actors over an empty database; nothing runs."""
    folder = Path(tempfile.mkdtemp(prefix="pfw-", dir="/tmp"))
    yield Runtime(Settings(state=folder, hypervisor="test"), database)
    shutil.rmtree(folder)


def value_of(method: Method, argument: Argument) -> Any:
    """Return something that the method takes as an argument that names no tenant's object."""
    if argument.options:
        return argument.options[0]
    if argument.wire in OTHERS:
        return 1 if argument.type_name == "int" else "1"
    # For whom a group lets in, it does not matter what an argument names; elsewhere somebody must have thought of it.
    by_group = all(alternative.startswith("group:") for alternative in method.declaration.right.split("|"))
    named = argument.wire == "id" or argument.wire.endswith("Id")
    known = by_group or (not named and (argument.type_name != "int" or argument.wire in NUMBERS))
    assert known, f"{method.address}: say in OTHERS, NUMBERS or DECIDING what {argument.wire} is"
    return PLAIN[argument.type_name]


def calls_of(method: Method, tenant: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """Yield the method's arguments on a tenant's objects: the required ones, and each optional object added."""
    objects = [argument for argument in method.arguments if argument.wire in DECIDING]
    base = {
        argument.wire: value_of(method, argument)
        for argument in method.arguments
        if argument.required and argument not in objects
    }
    base |= {argument.wire: tenant[argument.wire] for argument in objects if argument.required}
    yield base
    for argument in objects:
        if not argument.required:
            yield {**base, argument.wire: tenant[argument.wire]}
    if "diskId" in base:
        yield {**base, "diskId": tenant["detachedDiskId"]}
    if "user:" in method.declaration.right:
        yield {**base, "user": "stranger"}


def expected(person: Principal, right: str, given: Mapping[str, Any], tenant: Mapping[str, int], fate: str) -> str:
    """Say by the rules how a call must be decided: yes, no, sign in, or nothing there."""
    if right == "guest":
        return "yes"
    if person.guest:
        return "sign in"
    for alternative in right.split("|"):
        kind, _, rest = alternative.partition(":")
        if kind in COUNTING:
            decision = by_lists(person, kind, set(rest), chain_of(given, tenant), fate)
        elif rest == "S":  # as self: on one's own user; the sessions and tokens asked for are nobody's here
            decision = "yes" if kind == "user" and given.get("user") in {None, person.name} else "no"
        else:
            decision = "yes" if kind != "group" or person.groups & {"admin", *rest.split(",")} else "no"
        if decision != "no":
            return decision
    return "no"


def by_lists(person: Principal, kind: str, needed: set[str], chain: tuple[str, ...], fate: str) -> str:
    """Say what the access control lists from an object up to its account decide."""
    states = {level: FATES.get(fate, {}).get(level, "fine") for level in chain}
    if fate == "missing" or not chain or "DESTROYED" in states.values():
        return "nothing there"
    if "admin" in person.groups:
        return "yes"
    counting = COUNTING[kind] & set(chain)
    letters = letters_of(person, counting, fate)
    if READ_ONLY & {states[level] for level in counting}:
        letters &= {"R"}
    return "yes" if needed <= letters else "no"


def chain_of(given: Mapping[str, Any], tenant: Mapping[str, int]) -> tuple[str, ...]:
    """Return the levels from the object that decides up to its account."""
    if given.get("diskId") == tenant["detachedDiskId"]:
        return DECIDING["detachedDiskId"]
    return next((chain for wire, chain in DECIDING.items() if wire in given), ())


def letters_of(person: Principal, levels: set[str], fate: str) -> set[str]:
    """Return what the person was given on some levels: its name says it (see :mod:`tenants`)."""
    level, _, rest = person.name.partition("-")
    return set(rest.removesuffix("-member")) if level in levels and fate != "other" else set()


def decided(runtime: Runtime, method: Method, person: Principal, given: Mapping[str, Any]) -> str:
    """Let the product decide."""
    try:
        runtime.policy.require(person, method.declaration.right, parse(method.model, given))
    except UnauthenticatedError:
        return "sign in"
    except ForbiddenError:
        return "no"
    except NotFoundError:
        return "nothing there"
    return "yes"


def test_everybody_may_do_exactly_what_the_rules_say(runtime: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    """Each method, for everybody, on each kind of object, is decided as its right and the rules of the lists say."""
    began = time.monotonic()
    tenants = {fate: make_tenant(fate) for fate in FATES}
    tenants["missing"] = {name: MISSING + number for number, name in enumerate(tenants["open"])}
    everybody = list(people())
    counts: Counter[str] = Counter()
    wrong = []
    for method in runtime.registry:
        for fate, tenant in tenants.items():
            for given in calls_of(method, tenant):
                for person in everybody:
                    right = method.declaration.right
                    want = expected(person, right, given, tenant, fate)
                    found = decided(runtime, method, person, given)
                    counts[found] += 1
                    if found != want:
                        wrong.append(f"{method.address} ({right}) {given} {person.name}, {fate}: {found}, not {want}")
    assert not wrong, "\n".join(wrong[:40])
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(  # noqa: T201 - the counts are what an operator of the tests wants to see
            f"\npermission matrix: {len(list(runtime.registry))} methods × {len(everybody)} people × {len(tenants)} "
            f"kinds of objects = {counts.total()} decisions in {seconds:.1f} s: {dict(counts)}"
        )
    assert set(counts) == {"yes", "no", "sign in", "nothing there"}
    assert seconds < 60


def test_a_limited_credential_may_do_less_never_more(runtime: Runtime) -> None:
    """A credential that only reads, or knows one app, is refused all else, even an administrator's, for each method."""
    tenant = make_tenant("open")
    counts: Counter[bool] = Counter()
    for method in runtime.registry:
        given = parse(method.model, next(calls_of(method, tenant)))
        right, readonly = method.declaration.right, method.declaration.readonly
        for groups in ({"user"}, {"admin"}):
            whole = Principal("stranger", frozenset(groups))
            reading, narrow = replace(whole, readonly=True), replace(whole, apps=frozenset({"cloudapi"}))
            fits = {whole: True, reading: readonly, narrow: method.app == "cloudapi"}
            free = right == "guest" or method.address == "system/task/get"
            for person, fitting in fits.items():
                found = allowed(runtime, method, person, given)
                assert found == (allowed(runtime, method, whole, given) and (fitting or free)), (method.address, person)
                counts[found] += 1
            assert readonly or not allowed(runtime, method, reading, given), method.address
    assert min(counts.values()) > 50


def allowed(runtime: Runtime, method: Method, person: Principal, given: Mapping[str, Any]) -> bool:
    """Let the product decide for one credential, as its dispatcher asks."""
    declaration = method.declaration
    try:
        runtime.policy.require(person, declaration.right, given, address=method.address, readonly=declaration.readonly)
    except (ForbiddenError, NotFoundError):
        return False
    return True


def test_every_right_is_of_the_grammar(runtime: Runtime) -> None:
    """A right is guest, login, known groups or letters on a known resource; a new kind must be added here."""
    for method in runtime.registry:
        right = method.declaration.right
        assert "".join(found[0] for found in GRAMMAR.finditer(right)) == right, f"{method.address}: {right}"
        assert not right.endswith("|")


def test_reading_and_changing_are_kept_apart(runtime: Runtime) -> None:
    """What changes something answers no GET, and what is called list or get changes nothing."""
    for method in runtime.registry:
        declaration = method.declaration
        assert declaration.readonly or "GET" not in declaration.http, f"{method.address} changes something on GET"
        assert not (declaration.readonly and declaration.destructive), method.address
        if re.match(r"(list|get)([A-Z]|$)", method.name) and method.name not in ISSUING:
            assert declaration.readonly, f"{method.address} is called as if it only read"


def test_strangers_see_nothing_of_another_tenant(runtime: Runtime) -> None:
    """What any signed-in user may read shows nothing of another tenant's, whatever object it names."""
    tenant = make_tenant("open")
    stranger, owner = Principal("stranger", frozenset({"user"})), Principal("account-ARCXDU", frozenset({"user"}))
    seen: dict[str, set[str]] = {"stranger": set(), "account-ARCXDU": set()}
    called = 0
    for method in runtime.registry:
        if not method.declaration.readonly or method.app != "cloudapi":
            continue
        for person in (GUEST, stranger, owner):
            for given in reading_calls(method, tenant):
                try:
                    answer = runtime.dispatcher.call(person, method.address, given)
                except (ForbiddenError, NotFoundError, UnauthenticatedError, ValueError):
                    continue
                called += 1
                if SECRET in json.dumps(answer, default=str):
                    seen.setdefault(person.name, set()).add(method.address)
    assert not seen["stranger"]
    assert "guest" not in seen
    assert {"cloudapi/accounts/list", "cloudapi/cloudspaces/list", "cloudapi/machines/list"} <= seen["account-ARCXDU"]
    assert {"cloudapi/images/list", "cloudapi/externalnetwork/list"} <= seen["account-ARCXDU"]
    assert called > 20


def reading_calls(method: Method, tenant: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    """Yield arguments that name the tenant's objects in every way that the method knows."""
    yield from calls_of(method, tenant)
    everything = {argument.wire: tenant[argument.wire] for argument in method.arguments if argument.wire in tenant}
    for argument in method.arguments:
        if argument.required and argument.wire not in everything:
            everything[argument.wire] = value_of(method, argument)
    yield everything
    if method.actor == "externalnetwork" and "id" in everything:
        yield {**everything, "id": tenant["externalnetworkId"]}


def test_a_later_user_of_the_same_name_inherits_nothing(runtime: Runtime) -> None:
    """What a deleted user or group was given is not left for whoever is created under its name afterwards."""
    tenant = make_tenant("open")
    ensure_groups()
    create_user("root", "root-password", groups=["admin"])
    root = Principal("root", frozenset({"admin"}))
    user, team = "account-ARCXDU", "team-account-ARCXDU"
    create_user(user, "some-password", groups=[])
    runtime.dispatcher.call(root, "system/usermanager/createGroup", {"name": team})
    method = runtime.registry.find("cloudapi/accounts/get")
    given = {"accountId": tenant["accountId"]}
    for person in (Principal(user), Principal("x", frozenset({team}))):
        assert decided(runtime, method, person, given) == "yes"
    runtime.dispatcher.call(root, "system/usermanager/delete", {"username": user})
    runtime.dispatcher.call(root, "system/usermanager/deleteGroup", {"name": team})
    for person in (Principal(user), Principal("x", frozenset({team}))):
        assert decided(runtime, method, person, given) == "no"
    assert decided(runtime, method, Principal("account-R"), given) == "yes"


def test_nobody_can_be_called_guest_or_system(runtime: Runtime) -> None:
    """The names of the portal's own principals cannot be a user's, who would see what is recorded as theirs."""
    root = Principal("root", frozenset({"admin"}))
    for name in ("guest", "system"):
        with pytest.raises(InvalidError, match="the portal's own"):
            runtime.dispatcher.call(root, "system/usermanager/create", {"username": name, "password": "long-enough"})
