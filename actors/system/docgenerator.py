"""What methods there are: for clients that ask when they connect, and for the API page."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from portalfw.errors import NotFoundError
from portalfw.rest import Actor, Arg, Columns, Listing, Method, method
from portalfw.rest.answer_fields import AnswerField, answer_of
from portalfw.rest.catalogue import ArgumentRow, MethodRow, argument_row, method_row, swagger

METHODS = Columns(
    MethodRow,
    *("address", "app", "actor", "name", "title", "summary", "right", "effect"),
    search=("address", "title", "summary"),
    sort="address",
)


class AppRow(TypedDict):
    """One app: actors that belong together."""

    id: str
    name: str
    methods: int


class MethodDetail(TypedDict):
    """One method with its arguments and what it answers."""

    method: MethodRow
    arguments: list[ArgumentRow]
    answers: str  # in a word, as list of MachineRow
    fields: list[AnswerField]  # of what it answers, empty for a plain value


class DocGenerator(Actor, app="system"):
    """Descriptions of all methods."""

    @method(right="login", http=("GET", "POST"), readonly=True, title="Prepare catalogue")
    def prepare_catalog(
        self,
        group: Annotated[str, Arg("App", help="Only methods of this app.")] = "",
        actors: Annotated[list[str] | None, Arg("Actors", help="Only methods of these actors.")] = None,
    ) -> dict[str, Any]:
        """Return a Swagger 2.0 document of the methods, of one app or of some actors if asked."""
        return swagger(one for one in self._methods(group) if not actors or one.actor in actors)

    @method(right="login", http=("GET", "POST"), readonly=True, title="Get doc for actor")
    def get_doc_for_actor(
        self, actorname: Annotated[str, Arg("Actor", help="As getActors names it: app__actor.")]
    ) -> dict[str, Any]:
        """Return a Swagger 2.0 document of one actor's methods."""
        app, _, actor = actorname.replace("__", "/", 1).partition("/")
        found = [one for one in self._methods(app) if one.actor == actor]
        if not found:
            raise NotFoundError(f"There is no actor {actorname}.")
        return swagger(found)

    @method(right="login", http=("GET", "POST"), readonly=True)
    def list_apps(self) -> list[AppRow]:
        """Return the apps, with the number of their methods."""
        counts: dict[str, int] = {}
        for one in self.runtime.registry:
            counts[one.app] = counts.get(one.app, 0) + 1
        return [{"id": name, "name": name, "methods": count} for name, count in sorted(counts.items())]

    @method(right="login", http=("GET", "POST"), readonly=True)
    def list_methods(
        self,
        group: Annotated[str, Arg("App", help="All if empty.")] = "",
        *,
        listing: Annotated[Listing, METHODS],
    ) -> list[MethodRow]:
        """Return the methods by address, of one app if asked."""
        return listing.of_rows([method_row(one) for one in self._methods(group)])

    @method(right="login", http=("GET", "POST"), readonly=True)
    def get_method(self, address: Annotated[str, Arg("Address", help="app/actor/method")]) -> MethodDetail:
        """Return one method with its arguments and what it answers."""
        found = self.runtime.registry.find(address)
        answers, fields = answer_of(found)
        return {
            "method": method_row(found),
            "arguments": [argument_row(one) for one in found.arguments],
            "answers": answers,
            "fields": fields,
        }

    def _methods(self, app: str) -> list[Method]:
        return [one for one in self.runtime.registry if not app or one.app == app]
