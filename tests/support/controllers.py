"""Domain controllers in outline: enough of Active Directory to enable people, and to fetch what was changed from one another on request
(MS-ADTS 3.1.1.3.3.18), which Samba cannot do."""

import copy
import re
import uuid

from . import berstub, scripted
from .ldif import parse, sid_bytes
from .process import SCHEMA
from .scripted import MODIFY, SEARCH, ScriptedServer, elements
from .servers import virtual_servers
from .slapd import IM_ATTRIBUTES

SUFFIX = "DC=corp,DC=example"
CONFIGURATION = f"CN=Configuration,{SUFFIX}"
DEFINITIONS = f"CN=Schema,{CONFIGURATION}"
MACHINES = f"CN=Servers,CN=Default-First-Site-Name,CN=Sites,{CONFIGURATION}"
PEOPLE = f"OU=People,{SUFFIX}"
FETCH = "replicateSingleObject"
PAGING, EXTENDED_DN = "1.2.840.113556.1.4.319", "1.2.840.113556.1.4.529"
DOMAIN_FLAGS = 3  # of a crossRef: a naming context of the forest that is a domain

Entry = dict[str, list]


def settings_dn(name: str) -> str:
    """The entry that says that it is a domain controller."""
    return f"CN=NTDS Settings,CN={name},{MACHINES}"


def guid_of(number: int) -> uuid.UUID:
    return uuid.UUID(int=0x1000 + number)


def _classes() -> dict[str, Entry]:
    rows = {"Top": ("top", "2.5.6.0", "top"), "Person": ("person", "2.5.6.6", "top"),
            "Organizational-Person": ("organizationalPerson", "2.5.6.7", "person"),
            "User": ("user", "1.2.840.113556.1.5.9", "organizationalPerson")}
    return {f"CN={cn},{DEFINITIONS}": {
        "objectClass": ["top", "classSchema"], "cn": [cn], "lDAPDisplayName": [name], "governsID": [oid], "subClassOf": [parent],
        "auxiliaryClass": ["msExchIMRecipient"] if name == "user" else []} for cn, (name, oid, parent) in rows.items()}


def forest(names: dict[str, str], count: int) -> dict[str, Entry]:
    """Entries of a domain with so many people, who are not enabled, home servers and domain controllers: name -> DNS name."""
    entries: dict[str, Entry] = {dn: {"objectClass": ["top", kind]} for dn, kind in {
        SUFFIX: "domainDNS", CONFIGURATION: "configuration", DEFINITIONS: "dMD", PEOPLE: "organizationalUnit",
        f"CN=Sites,{CONFIGURATION}": "sitesContainer", f"CN=Partitions,{CONFIGURATION}": "crossRefContainer"}.items()}
    entries[f"CN=CORP,CN=Partitions,{CONFIGURATION}"] = {
        "objectClass": ["top", "crossRef"], "nCName": [SUFFIX], "systemFlags": [str(DOMAIN_FLAGS)], "nETBIOSName": ["CORP"]}
    for name, host in names.items():
        entries[f"CN={name},{MACHINES}"] = {"objectClass": ["top", "server"], "dNSHostName": [host]}
        entries[settings_dn(name)] = {"objectClass": ["top", "nTDSDSA"], "options": ["1"], "msDS-hasMasterNCs": [SUFFIX, CONFIGURATION]}
    for file in ("samba-servers", "samba-im-user"):
        text = (SCHEMA / f"{file}.ldif").read_text().replace("@SCHEMA@", DEFINITIONS)
        entries |= {dn: values for dn, values in parse(text).items() if "lDAPDisplayName" in values}
    entries |= _classes() | parse(virtual_servers(CONFIGURATION, "corp.example", exchange_classes=False)[0])
    for number in range(count):
        name = f"user{number}"
        entries[f"CN={name},{PEOPLE}"] = {
            "objectClass": ["top", "person", "organizationalPerson", "user"], "cn": [name], "sAMAccountName": [name],
            "userAccountControl": ["512"], "objectGUID": [guid_of(number).bytes_le],
            "objectSid": [sid_bytes(f"S-1-5-21-1-2-3-{1000 + number}")], "mail": [f"{name}@corp.example"],
            "allowedAttributesEffective": [*IM_ATTRIBUTES]}
    return entries


def _text(value) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def matches(part: tuple[int, bytes], entry: Entry) -> bool:
    """Has an entry what a filter asks for? In any letter case; what is not known here is not matched."""
    kind, body = part
    if kind in (0xA0, 0xA1):
        return (all if kind == 0xA0 else any)(matches(one, entry) for one in elements(body))
    if kind == 0xA2:
        return not matches(elements(body)[0], entry)
    if kind == 0x87:
        return any(name.lower() == body.decode().lower() and values for name, values in entry.items())
    if kind == 0xA3:
        (_, wanted), (_, value) = elements(body)
        return any(name.lower() == wanted.decode().lower() and value.lower() in [_text(one).lower() for one in values]
                   for name, values in entry.items())
    return False


class Controller(berstub.StubDirectory):
    """One domain controller of a forest; `others` are those that it can fetch from. Names of objects may be <GUID=...>.

    faults: as in StubDirectory, but for MODIFY they meet only the requests to fetch, which `fetches` keeps."""

    def __init__(self, name: str, host: str, entries: dict[str, Entry], others: dict, faults: dict | None = None):
        self.entries = copy.deepcopy(entries)
        self.others = others
        self.fetches: list[scripted.Request] = []
        root = {"objectClass": ["top"], "defaultNamingContext": [SUFFIX], "rootDomainNamingContext": [SUFFIX],
                "configurationNamingContext": [CONFIGURATION], "schemaNamingContext": [DEFINITIONS],
                "namingContexts": [SUFFIX, CONFIGURATION, DEFINITIONS], "dnsHostName": [host], "dsServiceName": [settings_dn(name)],
                "supportedLDAPVersion": ["3"], "supportedCapabilities": ["1.2.840.113556.1.4.800"],
                "supportedControl": [PAGING, EXTENDED_DN], "supportedSASLMechanisms": ["GSSAPI"]}
        super().__init__(root, faults=faults)
        self.root = root

    def __call__(self, request):
        is_fetch = request.tag == MODIFY and request.name == "" and request.changes[0][1] == FETCH
        if is_fetch:
            self.fetches.append(request)
        return super().__call__(request) if is_fetch or request.tag != MODIFY else self.serve(request)

    def serve(self, request):
        if request.tag == SEARCH and (request.name or request.scope):
            return self._search(request)
        if request.tag == MODIFY:
            return request.reply(scripted.result(scripted.MODIFY_DONE, *self._change(request)))
        return super().serve(request)

    def find(self, name: str) -> str | None:
        """The DN of an entry by DN or GUID."""
        match = re.fullmatch(r"<GUID=([-0-9a-fA-F]{36})>", name)
        wanted = [uuid.UUID(match[1]).bytes_le] if match else None
        for dn, entry in self.entries.items():
            if dn.lower() == name.lower() or (match and entry.get("objectGUID") == wanted):
                return dn
        return None

    def _search(self, request):
        base = self.find(request.name)
        if base is None:
            return request.reply(scripted.result(scripted.SEARCH_DONE, berstub.NO_SUCH_OBJECT))
        for dn, entry in list(self.entries.items()):
            below = dn.lower().endswith("," + base.lower())
            is_meant = dn == base if request.scope == 0 else below and (request.scope == 2 or "," not in dn[:-len(base) - 1])
            if (is_meant or (request.scope == 2 and dn == base)) and matches(request.filter, entry):
                request.reply(scripted.entry(dn, self._chosen(entry, request.attributes)))
        return request.reply(scripted.result(scripted.SEARCH_DONE))

    def _change(self, request) -> tuple:
        """Result code and text."""
        if request.name == "" and request.changes[0][1] != FETCH:
            return berstub.UNWILLING, "00002105: SvcErr: DSID-032601C8, problem 5003 (WILL_NOT_PERFORM), data 0"
        if request.name == "":
            return self.fetch(request)
        dn = self.find(request.name)
        if dn is None:
            return (berstub.NO_SUCH_OBJECT,)
        for kind, name, values in request.changes:
            kept = [] if kind == "replace" or not values else [value for value in self.entries[dn].get(name, []) if _text(value) not in values]
            self.entries[dn][name] = kept + ([] if kind == "delete" else values)
        return (0,)

    def fetch(self, request) -> tuple:
        """SOURCE:OBJECT; the answer comes when the object is there."""
        source, _, name = request.changes[0][2][0].decode().partition(":")
        other = self.others.get(source)
        dn = other.find(name) if other else None
        if dn is None:
            return 1, "000020D6: SvcErr: DSID-031A0FC0, problem 5012 (DIR_ERROR), data 0"
        self.entries[dn] = copy.deepcopy(other.entries[dn])
        return (0,)


class Controllers:
    """Domain controllers DC1, DC2, ... that run for the with block, one for each dict of faults, on addresses of loopback and one port."""

    def __init__(self, *faults: dict, people: int = 3):
        self.names = {f"DC{number}": f"127.0.0.{number}" for number in range(1, len(faults) + 1)}
        known: dict[str, Controller] = {}
        entries = forest(self.names, people)
        self.all = [Controller(name, host, entries, known, fault) for (name, host), fault in zip(self.names.items(), faults)]
        known |= {settings_dn(name): one for name, one in zip(self.names, self.all)}

    def __enter__(self):
        self.servers: list[ScriptedServer] = []
        for host, one in zip(self.names.values(), self.all):
            server = ScriptedServer(one, host, self.servers[0].port if self.servers else 0)
            self.servers.append(server.__enter__())
        self.uri = self.servers[0].uri
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.__exit__()
