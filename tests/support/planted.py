"""A directory of enabled people in which faults were planted: for each account it is known which rules must speak of it."""

import base64
import hashlib
from collections import defaultdict

from .ldif import record, sid_bytes
from .people import OTHER_DOMAIN, OWN_DOMAIN, RECENT, SELF, SET

DOMAIN = "im.corp.example"


class Planted:
    """LDIF of `count` people below ou=People, and `expected`: {rule: {account, ...}} of the account rules. `homes`: DNs of servers
    that host users, with their host names; `router`: DN of one that does not."""

    def __init__(self, suffix: str, homes: list[tuple[str, str]], router: str, count: int):
        self.suffix, self.homes, self.router = suffix, homes, router
        self.ldif: list[str] = []
        self.expected: dict[str, set[str]] = defaultdict(set)
        self.homed: dict[str, int] = defaultdict(int)
        faults = [(name, plant) for name, plant in sorted(vars(type(self)).items()) if name.startswith("plant_")]
        for number in range(count):
            entry = self.healthy(number)
            if number % 25 == 7:  # 4 of 100 are not well
                plant = faults[number // 25 % len(faults)][1]
                for rule in plant(self, entry):
                    self.expected[rule].add(entry["sAMAccountName"])
            self.add(entry)

    def dn(self, entry: dict) -> str:
        return f"cn={entry['cn']},ou=People,{self.suffix}"

    def add(self, entry: dict):
        self.homed[str(entry.get("msExchIMVirtualServer"))] += 1
        self.ldif.append(record(self.dn(entry), entry))

    def healthy(self, number: int) -> dict:
        alias = f"person{number}"
        home, host = self.homes[number % len(self.homes)]
        return {
            "objectClass": ["top", "person", "organizationalPerson", "user"], "cn": alias, "sn": f"Person {number}",
            "sAMAccountName": alias, "mailNickname": alias, "mail": f"{alias}@{DOMAIN}", "userAccountControl": 512,
            "objectGUID": hashlib.md5(alias.encode()).digest(), "objectSid": sid_bytes(f"{OWN_DOMAIN}-{5000 + number}"),
            "pwdLastSet": SET, "lastLogonTimestamp": RECENT, "msExchIMAddress": f"{alias}@{DOMAIN}",
            "msExchIMMetaPhysicalURL": f"http://{DOMAIN}/instmsg/aliases/{alias}",
            "msExchIMPhysicalURL": f"http://{host}/instmsg/local/{DOMAIN}/instmsg/aliases/{alias}", "msExchIMVirtualServer": home,
        }

    # ---- faults: each changes a healthy entry and says which rules must find it ----

    def plant_disabled(self, entry):
        entry["userAccountControl"] = 514
        return ["account-disabled"]

    def plant_linked(self, entry):
        entry.update(userAccountControl=514, msExchMasterAccountSid=sid_bytes(f"{OTHER_DOMAIN}-77"))
        return ["account-linked-external"]

    def plant_resource(self, entry):
        entry.update(userAccountControl=514, msExchMasterAccountSid=sid_bytes(SELF))
        return ["account-disabled"]

    def plant_master_leftover(self, entry):
        entry["msExchMasterAccountSid"] = sid_bytes(f"{OTHER_DOMAIN}-78")
        return ["account-master-sid-leftover"]

    def plant_placeholder(self, entry):
        entry.update(sIDHistory=sid_bytes(f"{OTHER_DOMAIN}-79"), pwdLastSet=0)
        del entry["lastLogonTimestamp"]
        return ["account-sid-history-placeholder"]

    def plant_migrated(self, entry):
        entry["sIDHistory"] = sid_bytes(f"{OTHER_DOMAIN}-80")
        return ["account-sid-history"]

    def plant_half_address(self, entry):
        del entry["msExchIMVirtualServer"], entry["msExchIMPhysicalURL"]
        return ["account-attrs-partial"]

    def plant_half_home(self, entry):
        del entry["msExchIMAddress"], entry["msExchIMMetaPhysicalURL"]
        return ["account-attrs-partial"]

    def plant_port(self, entry):
        entry["msExchIMPhysicalURL"] = entry["msExchIMPhysicalURL"].replace(".example/", ".example:8080/", 1)
        return ["account-url-malformed"]

    def plant_other_host(self, entry):
        entry["msExchIMPhysicalURL"] = entry["msExchIMPhysicalURL"].replace("http://", "http://other-", 1)
        return ["account-home-url-mismatch"]

    def plant_gone_home(self, entry):
        entry["msExchIMVirtualServer"] = f"cn=gone,ou=Service,{self.suffix}"
        return ["account-home-dangling"]

    def plant_router_home(self, entry):
        entry["msExchIMVirtualServer"] = self.router
        return ["account-home-not-host"]

    def plant_people_home(self, entry):
        entry["msExchIMVirtualServer"] = f"ou=People,{self.suffix}"
        return ["account-home-not-host"]

    def plant_strange_domain(self, entry):
        for name in ("msExchIMAddress", "msExchIMMetaPhysicalURL", "msExchIMPhysicalURL", "mail"):
            entry[name] = entry[name].replace(DOMAIN, "im.elsewhere.example")
        return ["account-domain-unknown"]

    def plant_duplicate(self, entry):
        """Somebody else with the same address in other letters, and disabled."""
        twin = self.healthy(1_000_000 + len(self.ldif))
        for name in ("msExchIMAddress", "msExchIMMetaPhysicalURL", "msExchIMPhysicalURL", "mail"):
            twin[name] = entry[name].replace("person", "PERSON")
        twin["msExchIMVirtualServer"] = entry["msExchIMVirtualServer"]
        twin["userAccountControl"] = 514
        self.expected["account-disabled"].add(twin["sAMAccountName"])
        self.expected["account-address-duplicate"].add(twin["sAMAccountName"])
        self.add(twin)
        return ["account-address-duplicate"]

    def plant_other_mail(self, entry):
        entry["mail"] = f"somebody.else@{DOMAIN}"
        return ["account-address-not-mail"]

    def plant_unsafe_alias(self, entry):
        for name in ("msExchIMAddress", "msExchIMMetaPhysicalURL", "msExchIMPhysicalURL", "mail"):
            entry[name] = entry[name].replace("person", "per%son")
        return ["account-alias-unsafe"]

    def plant_locked(self, entry):
        entry["lockoutTime"] = RECENT
        return ["account-cannot-log-on"]

    def plant_expired(self, entry):
        entry["accountExpires"] = SET
        return ["account-cannot-log-on"]

    def plant_acl_only(self, entry):
        for name in [name for name in entry if name.startswith("msExchIM")]:
            del entry[name]
        entry["msExchIMACL"] = base64.b64decode("BwAAAAMAAAA=")
        return ["account-attrs-partial"]


def decoys(suffix: str, homes: list[tuple[str, str]]) -> str:
    """People about whom no account rule may say anything: traps."""
    home, host = homes[0]
    upper = {"msExchIMAddress": f"Trap1@{DOMAIN.upper()}", "msExchIMMetaPhysicalURL": f"HTTP://{DOMAIN.upper()}/InstMsg/Aliases/TRAP1/",
             "msExchIMPhysicalURL": f"http://{host.upper()}/instmsg/local/{DOMAIN}/instmsg/aliases/trap1/", "msExchIMVirtualServer": home.upper()}
    both = {"msExchIMAddress": f"trap2@{host}", "msExchIMMetaPhysicalURL": f"http://{host}/instmsg/aliases/trap2",
            "msExchIMPhysicalURL": f"http://{host}/instmsg/aliases/trap2", "msExchIMVirtualServer": home}
    resource = {"userAccountControl": 514, "msExchMasterAccountSid": sid_bytes(SELF)}
    text = ""
    for number, more in enumerate((upper, both, resource, {"userAccountControl": 514}), 1):
        name = f"trap{number}"
        entry = {"objectClass": ["top", "person", "organizationalPerson", "user"], "cn": name, "sn": name, "sAMAccountName": name,
                 "userAccountControl": 512, "objectGUID": hashlib.md5(name.encode()).digest(),
                 "objectSid": sid_bytes(f"{OWN_DOMAIN}-{90000 + number}"), "pwdLastSet": SET, "lastLogonTimestamp": RECENT}
        if "msExchIMAddress" in more:
            entry["mail"] = more["msExchIMAddress"]
        text += record(f"cn={name},ou=People,{suffix}", entry | more)
    return text
