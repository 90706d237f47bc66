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
PLAIN = ("umlaut", "comma", "unsafe-alias")


@dataclass(frozen=True)
class People:
    """LDIF to load, what is in it, and what a Samba needs afterwards: binary histories that cannot come over LDAP."""

    ldif: str
    manifest: list[dict]
    histories: list[tuple[str, str]]

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
        self.histories: list[tuple[str, str]] = []

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

    def server_sets(self) -> bool:
        """Samba gives out SIDs, GUIDs and log-on times itself."""
        return self.flavor == "samba"


def _sid(crowd: _Crowd) -> bytes | None:
    crowd.relative_id += 1
    return None if crowd.server_sets() else sid_bytes(f"{OWN_DOMAIN}-{crowd.relative_id}")


def _classes(kind: str) -> list[str]:
    person = ["top", "person", "organizationalPerson"]
    last = {"contact": ["contact"], "computer": ["user", "computer"], "inetorgperson": ["user", "inetOrgPerson"], "group": ["group"]}
    return ["top", "group"] if kind == "group" else person + last.get(kind, ["user"])


def _account(crowd: _Crowd, kind: str, sam: str) -> dict:
    """What the kind means for the account itself."""
    off = kind in ("disabled", "linked", "resource", "sid-history-placeholder")
    uac = 66050 if kind == "disabled-no-expiry" else 514 if off else 4096 if kind == "computer" else 512
    asleep = kind in ("sid-history-placeholder", "must-change") or kind == "linked"
    account = {"sAMAccountName": sam + ("$" if kind == "computer" else ""), "userAccountControl": uac, "objectSid": _sid(crowd)}
    if kind != "computer":
        account["userPrincipalName"] = f"{sam}@{crowd.domain}"
    if crowd.server_sets():
        account["pwdLastSet"] = 0 if asleep else None
        account["unicodePwd"] = f'"{PASSWORD}"'.encode("utf-16-le") if kind != "sid-history-placeholder" and kind != "computer" else None
    else:
        account["pwdLastSet"] = 0 if asleep else SET
        account["lastLogonTimestamp"] = None if asleep and kind != "must-change" else RECENT
        account["objectGUID"] = uuid.UUID(int=crowd.random.getrandbits(128)).bytes_le
    account["accountExpires"] = LONG_AGO if kind == "expired" else NEVER
    account["lockoutTime"] = RECENT if kind == "locked" else None
    master = {"linked": f"{OTHER_DOMAIN}-{crowd.relative_id}", "master-sid-leftover": f"{OTHER_DOMAIN}-{crowd.relative_id}", "resource": SELF}.get(kind)
    account["msExchMasterAccountSid"] = sid_bytes(master) if master else None
    return account


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
    place = f"ou={rdn_value(crowd.random.choice(PLACES))},ou=People,{crowd.suffix}"
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
    history = None
    if not plain and kind == "group":
        entry |= {"sAMAccountName": sam, "groupType": -2147483646, "objectSid": _sid(crowd)}
    elif not plain and kind == "contact":
        crowd.relative_id += 1
    elif not plain:
        entry |= _account(crowd, kind, sam)
        if kind in ("sid-history-placeholder", "migrated"):
            history = f"{OTHER_DOMAIN}-{crowd.relative_id}"
            if crowd.server_sets():
                crowd.histories.append((dn, history))
            else:
                entry["sIDHistory"] = sid_bytes(history)
    crowd.ldif.append(record(dn, entry))
    crowd.manifest.append({"dn": dn, "sam": sam if plain else entry.get("sAMAccountName"), "kind": kind, "cn": name, "alias": alias,
                           "mail": mail, "uac": entry.get("userAccountControl"), "history": history})


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
    """Always the same people for the same arguments; flavor is "ad" (all attributes in the LDIF), "samba" or "plain" (uid, no AD attributes)."""
    crowd = _Crowd(suffix, domain, flavor, seed)
    for place in ["People", *PLACES]:
        parent = suffix if place == "People" else f"ou=People,{suffix}"
        crowd.ldif.append(record(f"ou={rdn_value(place)},{parent}", {"objectClass": ["top", "organizationalUnit"], "ou": place}))
    for kind in _kinds(crowd, count):
        _add(crowd, kind)
    return People("".join(crowd.ldif), crowd.manifest, crowd.histories)
