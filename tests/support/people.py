"""A workforce as directories hold it: mostly healthy, some of it with every oddity that instant messaging trips over."""

import random
import unicodedata
import uuid
from dataclasses import dataclass

from .ldif import rdn_value, record, sid_bytes

FIRST = """Jörg Anna Björn Céline Emre Françoise Günther Håkon Inês Jana Łukasz Márta Nils Özlem Peter Quirin Renée Søren Thomas Ursula
Viktor Wiebke Xenia Yusuf Zoë Maria Hans Klaus Sabine Petra Michael Stefan Andrea Christian Julia Martin Susanne Markus Katrin Frank Heike
Olaf Birgit Kevin Laura Tobias Nadine""".split()
LAST = """Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder Neumann
Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Werner Krause Lehmann Köhler Maier Dvořák Ångström Nowak Yıldız García O'Brien
Nguyen Großmann Fuß Lefèvre von|Löwenstein de|la|Cruz Meyer-Lüdenscheid""".replace("|", "_").split()
PLACES = ["Berlin", "München", "R+D, Labs", "Zürich"]
OWN_DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"
OTHER_DOMAIN = "S-1-5-21-3623811015-3361044348-30300820"
SELF = "S-1-5-10"
LONG_AGO, SET, RECENT, NEVER = 125911584000000000, 133485408000000000, 133536384000000000, 9223372036854775807
PASSWORD = "Passw0rd.1"
# One in so many is of that kind; what is left over is healthy. The first of each kind come early, so that small sets have them too.
KINDS = {"disabled": 9, "umlaut": 5, "comma": 3, "disabled-no-expiry": 3, "linked": 5, "resource": 3, "sid-history-placeholder": 4, "migrated": 7,
         "contact": 8, "computer": 5, "inetorgperson": 5, "unsafe-alias": 3, "duplicate": 4, "expired": 2, "locked": 2, "must-change": 2,
         "no-alias": 3, "group": 3, "master-sid-leftover": 1}
HISTORY = ("sid-history-placeholder", "migrated")
PLAIN = ("umlaut", "comma", "unsafe-alias")


@dataclass(frozen=True)
class People:
    """LDIF to load, and what is in it."""

    ldif: str
    manifest: list[dict]

    def of(self, *kinds: str) -> list[dict]:
        """Those of some kinds, in order."""
        return [person for person in self.manifest if person["kind"] in kinds]

    def one(self, kind: str) -> dict:
        """The first of a kind."""
        return self.of(kind)[0]


def ascii_name(text: str) -> str:
    """Lower case letters, digits and dots only."""
    for letter, plain in {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "ł": "l", "ı": "i"}.items():
        text = text.lower().replace(letter, plain)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(c for c in text if c.isalnum() or c == ".")


class _Crowd:
    """Deals out names that nobody else has."""

    def __init__(self, suffix: str, domain: str, flavor: str, seed: int):
        self.suffix, self.domain, self.flavor = suffix, domain, flavor
        self.random = random.Random(seed)
        self.taken: set[str] = set()
        self.relative_id = 1200
        self.ldif: list[str] = []
        self.manifest: list[dict] = []

    def account_name(self, given: str, family: str) -> str:
        base = ascii_name(f"{given[0]}.{family}")[:16]
        name, number = base, 1
        while name in self.taken:
            number += 1
            name = f"{base}{number}"
        self.taken.add(name)
        return name

    def common_name(self, text: str) -> str:
        number, name = 1, text
        while name.lower() in self.taken:
            number += 1
            name = f"{text} {number}"
        self.taken.add(name.lower())
        return name

    def sid(self, text: str | None) -> str | bytes | None:
        """As the tools of the flavor want it: Samba's own ones take text."""
        return text if self.flavor == "samba" or text is None else sid_bytes(text)

    def foreign_sid(self) -> str:
        """What the latest account is, or was, in the other domain."""
        return f"{OTHER_DOMAIN}-{self.relative_id}"

    def identity(self) -> dict:
        """The next SID, and a GUID; Samba gives out its own."""
        self.relative_id += 1
        guid = uuid.UUID(int=self.random.getrandbits(128)).bytes_le
        return {} if self.flavor == "samba" else {"objectSid": self.sid(f"{OWN_DOMAIN}-{self.relative_id}"), "objectGUID": guid}


def _classes(kind: str) -> list[str]:
    person = ["top", "person", "organizationalPerson"]
    last = {"contact": ["contact"], "computer": ["user", "computer"], "inetorgperson": ["user", "inetOrgPerson"], "group": ["group"]}
    return ["top", "group"] if kind == "group" else person + last.get(kind, ["user"])


def _account(crowd: _Crowd, kind: str, sam: str) -> dict:
    """What the kind means for the account itself."""
    off = kind in ("disabled", "linked", "resource", "sid-history-placeholder")
    uac = {"disabled-no-expiry": 66050, "computer": 4096}.get(kind, 514 if off else 512)
    asleep = kind in ("sid-history-placeholder", "must-change", "linked", "computer")
    account = {"sAMAccountName": sam + ("$" if kind == "computer" else ""), "userAccountControl": uac} | crowd.identity()
    elsewhere = crowd.foreign_sid()
    master = SELF if kind == "resource" else elsewhere if kind in ("linked", "master-sid-leftover") else None
    return account | {
        "userPrincipalName": None if kind == "computer" else f"{sam}@{crowd.domain}", "pwdLastSet": 0 if asleep else SET,
        "lastLogonTimestamp": None if asleep and kind != "must-change" else RECENT, "accountExpires": LONG_AGO if kind == "expired" else NEVER,
        "lockoutTime": RECENT if kind == "locked" else None, "msExchMasterAccountSid": crowd.sid(master),
        "sIDHistory": crowd.sid(elsewhere) if kind in HISTORY else None}


def _names(crowd: _Crowd, kind: str) -> tuple[str, str, str]:
    """Given name, family name and common name."""
    given, family = crowd.random.choice(FIRST), crowd.random.choice(LAST).replace("_", " ")
    if kind == "umlaut":
        given, family = "Jörg", crowd.random.choice(["Müller", "Schäfer", "Köhler", "Großmann"])
    name = f"{family}, {given} (Ost) #2" if kind == "comma" else f"{given} {family}"
    if kind == "computer":
        name = f"PC{crowd.relative_id + 1}"
    return given, family, crowd.common_name(f"Team {family}" if kind == "group" else name)


def _alias(crowd: _Crowd, kind: str, sam: str) -> str | None:
    if kind == "unsafe-alias":
        return crowd.random.choice(["j/m {}", "jörg#{}", "a b?{}"]).format(crowd.relative_id)
    if kind == "duplicate" and len([p for p in crowd.manifest if p["kind"] == kind]) % 2:
        return crowd.manifest[-1]["alias"] if crowd.manifest[-1]["kind"] == kind else sam
    return None if kind in ("computer", "no-alias", "group") else sam


def _add(crowd: _Crowd, kind: str):
    given, family, name = _names(crowd, kind)
    sam = ascii_name(name) if kind == "computer" else crowd.account_name(given, family)
    alias = _alias(crowd, kind, sam)
    mail = f"{sam}@{crowd.domain}" if kind != "computer" else None
    plain = crowd.flavor == "plain"
    if plain and kind == "unsafe-alias":
        sam = alias
    ou = "OU" if crowd.flavor == "samba" else "ou"  # as the server will show it
    place = f"{ou}={rdn_value(crowd.random.choice(PLACES))},{ou}=People,{crowd.suffix}"
    dn = f"uid={rdn_value(sam)},{place}" if plain else f"CN={rdn_value(name)},{place}"
    entry: dict = {"cn": name}
    if kind not in ("computer", "group"):
        entry |= {"sn": family, "givenName": given, "displayName": name, "title": crowd.random.choice(["Engineer", "Clerk", "Buyer", "Leiterin Einkauf"]),
                  "telephoneNumber": f"+49 30 5550{crowd.relative_id}"}
    if plain:
        entry |= {"objectClass": ["top", "person", "organizationalPerson", "inetOrgPerson"], "uid": sam, "mail": mail, "userPassword": PASSWORD}
        crowd.relative_id += 1
    else:
        entry |= {"objectClass": _classes(kind), "mailNickname": alias, "mail": mail}
        entry["proxyAddresses"] = f"SMTP:{mail}" if mail and kind != "group" else None
    if not plain and kind == "group":
        entry |= {"sAMAccountName": sam, "groupType": -2147483646} | crowd.identity()
    elif not plain and kind == "contact":
        crowd.relative_id += 1
    elif not plain:
        entry |= _account(crowd, kind, sam)
    crowd.ldif.append(record(dn, entry))
    crowd.manifest.append({"dn": dn, "sam": sam if plain else entry.get("sAMAccountName"), "kind": kind, "cn": name, "alias": alias,
                           "mail": mail, "uac": entry.get("userAccountControl"),
                           "history": crowd.foreign_sid() if entry.get("sIDHistory") else None})


def _kinds(crowd: _Crowd, count: int) -> list[str]:
    """One of each first, duplicates as pairs side by side, then the others by their shares."""
    wanted = {kind: share for kind, share in KINDS.items() if crowd.flavor != "plain" or kind in PLAIN}
    pairs = ["duplicate"] * wanted.pop("duplicate", 0)
    first = ["healthy", *wanted, *pairs]
    rest = [kind for kind, share in wanted.items() for _ in range(round(share * count / 200) - 1)]
    rest += ["healthy"] * (count - len(first) - len(rest))
    crowd.random.shuffle(rest)
    return (first + rest)[:count]


def people(suffix: str, domain: str, flavor: str = "ad", count: int = 200, seed: int = 1) -> People:
    """Always the same people for the same arguments; flavor is "ad", "samba" (for ldbadd), or "plain" (uid, no AD attributes)."""
    crowd = _Crowd(suffix, domain, flavor, seed)
    for place in ["People", *PLACES]:
        parent = suffix if place == "People" else f"ou=People,{suffix}"
        crowd.ldif.append(record(f"ou={rdn_value(place)},{parent}", {"objectClass": ["top", "organizationalUnit"], "ou": place}))
    for kind in _kinds(crowd, count):
        _add(crowd, kind)
    return People("".join(crowd.ldif), crowd.manifest)
