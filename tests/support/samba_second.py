"""A second domain controller of the same domain, in a network of its own that a wire connects with the first one's."""

import sys
import uuid
from pathlib import Path

from .certs import CertificateAuthority
from .ldif import modification, way_back, without
from .process import SupportError, await_true, tool
from .samba import KRB5_CONF, NOTED, SambaDC

REPLICATION = "E3514235-4B06-11D1-AB04-00C04FC2DCD2"  # the service that domain controllers fetch from (MS-DRSR 2.2.4.2)
SECONDS = 120
RECORDS = 1000  # that are sent at once


class SecondDC(SambaDC):
    """dc2.sam.example.com; `first` runs when this one is made, has the same certificate authority and the model "prefork"."""

    short, address = "dc2", "10.79.0.2"
    host = f"{short}.{SambaDC.domain}"
    ldap, ldaps = f"ldap://{host}", f"ldaps://{host}"

    def __init__(self, first: SambaDC, ca: CertificateAuthority):
        self.first = first
        super().__init__(ca=ca, model="prefork")

    def _provision(self):
        self._lay_wire()
        self._name_each_other()
        names = {"realm": self.realm, "domain": self.domain, "address": self.first.address}
        self.krb5_conf.write_text(KRB5_CONF.format(**names))
        (self.folder / "resolv.conf").write_text(f"nameserver {self.first.address}\n")
        script = Path(__file__).with_name("samba_join.py")
        self.run([sys.executable, "-I", script, self._tree, self.realm, self.short, self.first.host, self.password], seconds=300)
        # The names that a service would register in DNS which is not run here, and what Kerberos knows the first one by.
        guids = {dc: self._guid(dc) for dc in (self.first, self)}
        for dc in guids:
            with (dc.folder / "hosts").open("a") as hosts:
                hosts.writelines(f"{other.address} {guid}._msdcs.{self.domain}\n" for other, guid in guids.items())
        self.first.ldbmodify(modification(f"CN={self.first.short.upper()},OU=Domain Controllers,{self.suffix}", [
            ("add", "servicePrincipalName", [f"{REPLICATION}/{guids[self.first]}/{self.domain}"])]))
        self.first.ldbmodify(modification(f"CN={self.short.upper()},OU=Domain Controllers,{self.suffix}", [
            ("add", "servicePrincipalName", [f"ldap/{name}" for name in (self.host, self.short, self.address)])]))

    def _name_each_other(self):
        for dc, other in ((self, self.first), (self.first, self)):
            with (dc.folder / "hosts").open("a") as hosts:
                hosts.write(f"{other.address} {other.host} {other.short}\n")

    def _lay_wire(self):
        tool("ip", "link", "add", "wire1", "netns", str(self.first.network_pid), "type", "veth", "peer", "name", "wire2", "netns",
             str(self.network_pid))
        for dc, wire, other in ((self.first, "wire1", self), (self, "wire2", self.first)):
            dc.wire = wire
            dc.run(["ip", "link", "set", wire, "up"])
            dc.run(["ip", "route", "add", f"{other.address}/32", "dev", wire, "src", dc.address])

    def _guid(self, dc: SambaDC) -> str:
        """What replication knows a domain controller by."""
        entry = self.first.entry(self.settings_dn(dc), ("objectGUID",))
        return str(uuid.UUID(bytes_le=entry["objectGUID"][0]))

    def settings_dn(self, dc: SambaDC) -> str:
        """The entry that says that it is a domain controller."""
        return f"CN=NTDS Settings,CN={dc.short.upper()},CN=Servers,CN=Default-First-Site-Name,CN=Sites,{self.configuration_dn}"

    # ---- replication ----

    def _drs(self, *words: str):
        """Tried again: at first they may not know each other."""
        command = ["samba-tool", "drs", *words, f"-UAdministrator%{self.password}", "-s", self.smb_conf]
        await_true(lambda: self.run(command, check=False).returncode == 0, " ".join(words), SECONDS, every=0.5)

    def connect(self):
        """Each works out now whom it fetches from, which it would do every five minutes, and fetches everything."""
        for dc, other in ((self, self.first), (self.first, self)):
            self._drs("kcc", dc.host)
            self._fetch_all(dc, other)

    def _fetch_all(self, dc: SambaDC, other: SambaDC):
        for context in (self.configuration_dn, self.suffix):
            self._drs("replicate", dc.host, other.host, context)

    def replicate(self, *options: str):
        """Fetches people from the first one, now."""
        self._drs("replicate", self.host, self.first.host, self.suffix, *options)

    def replicate_all(self):
        """The configuration as well, which people refer to."""
        self._fetch_all(self, self.first)

    def set_inbound(self, on: bool):
        """Replication to this one, turned off and on by hand; replicate("--sync-forced") goes through all the same."""
        self.ldbmodify(modification(self.settings_dn(self), [("replace", "options", ["1" if on else "3"])]))

    def cut(self):
        """Nothing passes between the two."""
        self.first.run(["ip", "link", "set", self.first.wire, "down"])

    def mend(self):
        """Goes on after cut()."""
        self.first.run(["ip", "link", "set", self.first.wire, "up"])
        self.first.run(["ip", "route", "replace", f"{self.address}/32", "dev", self.first.wire, "src", self.first.address])

    # ---- what tests share ----

    def contents(self) -> dict:
        """What is in the domain and among the servers, asked of the first one; of people and servers with what they are like. Where domain
        controllers keep things for themselves, entries may come at any time."""
        theirs = tuple(f"{name},{self.suffix}" for name in ("CN=System", "OU=Domain Controllers"))
        whole = {dn: {} for dn in self.first.search(attributes=("1.1",)) if not dn.endswith(theirs)}
        for base in (f"OU=People,{self.suffix}", f"CN=Services,{self.configuration_dn}"):
            whole |= self.first.dump(base)
        return without(whole, NOTED)

    def put_back(self, before: dict):
        """After a test, whatever it has done on either: the wire is whole, both fetch from one another and have what contents() was before."""
        self.mend()
        self.set_inbound(True)
        self._fetch_all(self.first, self)
        records = way_back(before, self.contents())
        for first in range(0, len(records), RECORDS):
            self.first.load("".join(records[first:first + RECORDS]))
        now = self.contents()
        if left := [dn for dn in {**before, **now} if before.get(dn) != now.get(dn)]:
            raise SupportError(f"a test has left what cannot be put back: {', '.join(left[:3])}")
        self.replicate_all()
