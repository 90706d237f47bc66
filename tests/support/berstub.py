"""Scripts for ScriptedServer: a directory in outline, a domain controller that is not schema master, and the faults servers have."""

import collections
import re
import sys
from collections.abc import Callable

from . import scripted
from .scripted import BIND, BIND_DONE, EXTENDED, EXTENDED_DONE, MODIFY, MODIFY_DONE, SEARCH, SEARCH_DONE, Request

ADD, ADD_DONE, ABANDON = 0x68, 0x69, 0x50
DONE = {BIND: BIND_DONE, SEARCH: SEARCH_DONE, MODIFY: MODIFY_DONE, ADD: ADD_DONE, EXTENDED: EXTENDED_DONE}
REFERRAL, ADMIN_LIMIT, NO_SUCH_OBJECT, BUSY, UNAVAILABLE, UNWILLING = 10, 11, 32, 51, 52, 53
Fault = Callable[[Request], object]

# ---- faults: what may stand in StubDirectory(faults={operation: …}) ----


def fails(code: int, diagnostic: str = "") -> Fault:
    """The operation ends with this result code."""
    return lambda request: request.reply(scripted.result(DONE[request.tag], code, diagnostic))


def refers(*urls: str) -> Fault:
    """The operation ends with a referral."""
    return lambda request: request.reply(scripted.result(DONE[request.tag], REFERRAL, referrals=urls))


def answers_as_extended(code: int = 12, diagnostic: str = "critical control") -> Fault:
    """The result comes as an extended response, as some servers tell of a critical control they do not know."""
    return lambda request: request.reply(scripted.result(EXTENDED_DONE, code, diagnostic))


def answers_as(tag: int) -> Fault:
    """The result comes in a message of another operation."""
    return lambda request: request.reply(scripted.result(tag))


def says_goodbye(diagnostic: str = "shutting down") -> Fault:
    """A notice of disconnection, and the connection ends."""
    def answer(request: Request) -> str:
        request.send(scripted.notice(diagnostic))
        return "close"
    return answer


def hangs_up(_: Request) -> str:
    """The connection ends without an answer."""
    return "close"


def breaks_off(request: Request) -> str:
    """Half an answer, and the connection ends."""
    whole = scripted.message(request.id, scripted.result(DONE[request.tag], diagnostic="all is well"))
    request.send(whole[:len(whole) // 2])
    return "close"


def is_silent(_: Request):
    """No answer at all."""


class StubDirectory:
    """A script with a root DSE and entries, read by base searches; binds and writes succeed and change nothing.

    range_size: so many values of an attribute in one answer, the others by `attribute;range=…`. faults: operation (BIND, SEARCH, …) ->
    fault, or (n, fault): the fault appears when n of these operations have gone well, or (range, fault): these meet it, counted from 0.
    """

    def __init__(self, root_dse: dict | None = None, entries: dict | None = None, range_size: int | None = None, faults: dict | None = None):
        self._entries = {dn.lower(): (dn, values) for dn, values in ({"": root_dse or {}} | (entries or {})).items()}
        self._range_size = range_size
        self._faults: dict[int, tuple[range, Fault]] = {}
        for tag, fault in (faults or {}).items():
            first, fault = fault if isinstance(fault, tuple) else (0, fault)
            self._faults[tag] = (first if isinstance(first, range) else range(first, sys.maxsize), fault)
        self._seen: collections.Counter = collections.Counter()

    def __call__(self, request: Request):
        met, fault = self._faults.get(request.tag, (range(0), self.serve))
        number = self._seen[request.tag]
        self._seen[request.tag] += 1
        return fault(request) if number in met else self.serve(request)

    def serve(self, request: Request):
        """The answer of a healthy server; an abandoned operation has ended by then, and abandoning has no answer."""
        if request.tag == ABANDON:
            return
        if request.tag != SEARCH:
            request.reply(scripted.result(DONE[request.tag]))
        elif request.name.lower() in self._entries:
            dn, values = self._entries[request.name.lower()]
            request.reply(scripted.entry(dn, self._chosen(values, request.attributes)), scripted.result(SEARCH_DONE))
        else:
            request.reply(scripted.result(SEARCH_DONE, NO_SUCH_OBJECT))

    def _chosen(self, values: dict, wanted: list[str]) -> dict:
        bases = {word.split(";")[0].lower(): word for word in wanted}
        everything = not bases or "*" in bases or "+" in bases
        found = {name: rows for name, rows in values.items() if everything or name.lower() in bases}
        return dict(self._part(name, rows, bases.get(name.lower(), name)) for name, rows in found.items())

    def _part(self, name: str, rows: list, asked: str) -> tuple[str, list]:
        match = re.search(r";range=(\d+)-", asked)
        first = int(match[1]) if match else 0
        if not self._range_size or (not match and len(rows) <= self._range_size):
            return name, rows
        end = first + self._range_size
        return f"{name};range={first}-{'*' if end >= len(rows) else end - 1}", rows[first:end]


def domain_controller(suffix: str = "DC=corp,DC=example", schema_master: str = "DC2", faults: dict | None = None) -> StubDirectory:
    """DC1 of a domain, as far as finding the schema master needs it; another DC holds the role unless it is DC1 itself."""
    configuration = f"CN=Configuration,{suffix}"
    schema = f"CN=Schema,{configuration}"
    machines = f"CN=Servers,CN=Default-First-Site-Name,CN=Sites,{configuration}"
    domain = ".".join(re.findall("=([^,]+)", suffix))
    root_dse = {"defaultNamingContext": [suffix], "rootDomainNamingContext": [suffix], "configurationNamingContext": [configuration],
                "schemaNamingContext": [schema], "namingContexts": [suffix, configuration, schema], "supportedLDAPVersion": ["3", "2"],
                "dnsHostName": [f"dc1.{domain}"], "serverName": [f"CN=DC1,{machines}"], "dsServiceName": [f"CN=NTDS Settings,CN=DC1,{machines}"],
                "supportedCapabilities": ["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670", "1.2.840.113556.1.4.1791"],
                "supportedControl": ["1.2.840.113556.1.4.319", "1.2.840.113556.1.4.417", "1.2.840.113556.1.4.529", "1.2.840.113556.1.4.801"],
                "supportedSASLMechanisms": ["GSSAPI", "GSS-SPNEGO"], "subschemaSubentry": [f"CN=Aggregate,{schema}"],
                "isGlobalCatalogReady": ["TRUE"], "highestCommittedUSN": ["12345"]}
    entries = {schema: {"objectClass": ["top", "dMD"], "fSMORoleOwner": [f"CN=NTDS Settings,CN={schema_master},{machines}"]}}
    for name in ("DC1", "DC2"):
        entries[f"CN={name},{machines}"] = {"objectClass": ["top", "server"], "dNSHostName": [f"{name.lower()}.{domain}"]}
    return StubDirectory(root_dse, entries, faults=faults)
