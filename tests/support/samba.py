"""A real Active Directory domain controller (Samba) in a network of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from .certs import CertificateAuthority
from .ldif import modification, parse
from .people import People, people
from .process import SCHEMA, Daemon, SupportError, short_folder, tool
from .servers import VirtualServer, virtual_servers

ADDRESS = "10.79.0.1"
ANY_PASSWORD_TIME = "local_oid:1.3.6.1.4.1.7165.4.3.12:1"  # lets pwdLastSet be written
# What a domain controller itself notes of a change.
NOTED = {"uSNChanged", "whenChanged", "dSCorePropagationData", "logonCount", "lastLogon", "lastLogonTimestamp"}
TRANSACTION = 250  # records that the tools of Samba's database write at once: the time for each grows with their number
# Names of the DC must resolve; Kerberos must take them as they are; nothing may ask the machine's own name servers.
HOSTS = "127.0.0.1 localhost\n{address} {host} {short}\n"
KRB5_CONF = """[libdefaults]
    default_realm = {realm}
    dns_lookup_realm = false
    dns_lookup_kdc = false
    dns_canonicalize_hostname = false
    rdns = false
[realms]
    {realm} = {{
        kdc = {address}
        admin_server = {address}
    }}
[domain_realm]
    .{domain} = {realm}
    {domain} = {realm}
"""
# "dns" answers the SRV records that clients find servers by.
SMB_CONF = """[global]
    realm = {realm}
    workgroup = {workgroup}
    netbios name = {short}
    server role = active directory domain controller
    server services = ldap, cldap, kdc, rpc, drepl, kcc, dns
    interfaces = {address}/24
    bind interfaces only = yes
    ldap server require strong auth = {strong_auth}
    dsdb:schema update allowed = true
    ldb:nosync = true
    dns forwarder =
    tls enabled = yes
    tls keyfile = {folder}/tls/key.pem
    tls certfile = {folder}/tls/cert.pem
    tls cafile = {folder}/tls/ca.pem
    private dir = {folder}/private
    state directory = {folder}/state
    cache directory = {folder}/cache
    lock directory = {folder}/lock
    pid directory = {folder}/run
    ncalrpc dir = {folder}/run/ncalrpc
    winbindd socket directory = {folder}/run/winbindd
    ntp signd socket directory = {folder}/run/ntp
    binddns dir = {folder}/bind-dns
    log level = 1
[sysvol]
    path = {folder}/state/sysvol
[netlogon]
    path = {folder}/state/sysvol/{domain}/scripts
"""
ENTER = """ip link set lo up && ip address add {address}/24 dev lo && hostname {short} &&
mount --bind {folder}/hosts /etc/hosts && mount --bind {folder}/resolv.conf /etc/resolv.conf && echo ready && exec cat"""


class Network:
    """Network, mount and host name of a machine of its own; it ends when we do, because it hangs on a pipe from us."""

    def __init__(self, folder: Path, address: str, short: str):
        script = ENTER.format(folder=folder, address=address, short=short)
        self._holder = subprocess.Popen(["unshare", "--net", "--mount", "--uts", "sh", "-c", script], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, text=True)
        if self._holder.stdout.readline().strip() != "ready":
            self._holder.stdin.close()
            raise SupportError(f"no network namespace (are you root?): {self._holder.stdout.read()}")
        self.pid = self._holder.pid
        self.inside = ("nsenter", "--target", str(self.pid), "--net", "--mount", "--uts", "--")

    def close(self):
        """Takes it down; what still runs in it loses its network."""
        self._holder.stdin.close()
        self._holder.wait()
        self._holder.stdout.close()


class SambaDC:
    """A domain controller dc1.sam.example.com; everything on it is reached through run(), which enters its network.

    The schema knows mailNickname, msExchMasterAccountSid and the instant messaging servers, not the attributes of people: imschema adds them.
    `administrator` (a UPN; DN in administrator_dn) has `password`. model: how many processes it is; with "single", which starts fastest, it
    cannot replicate to others, because it would have to give itself a ticket.
    """

    realm, short = "SAM.EXAMPLE.COM", "dc1"
    domain, address = realm.lower(), ADDRESS
    host = f"{short}.{domain}"
    suffix = ",".join(f"DC={label}" for label in domain.split("."))
    configuration_dn = f"CN=Configuration,{suffix}"
    schema_dn = f"CN=Schema,{configuration_dn}"
    administrator = f"Administrator@{realm}"
    administrator_dn = f"CN=Administrator,CN=Users,{suffix}"
    password = "Passw0rd.1"
    ldap, ldaps = f"ldap://{host}", f"ldaps://{host}"

    def __init__(self, strong_auth: str = "yes", ca: CertificateAuthority | None = None, model: str = "single"):
        self.model = model
        self.folder = short_folder("samba")
        self.people: People | None = None
        self.servers: list[VirtualServer] = []
        self._tree = self.folder / "dc"
        self._kept: dict[str, tuple] = {}
        self._daemon: Daemon | None = None
        authority = ca or CertificateAuthority(self.folder)
        self.ca_file = authority.ca_file
        self.password_file = self._file("password", self.password, 0o600)
        self.smb_conf = self._tree / "etc" / "smb.conf"
        names = {"realm": self.realm, "workgroup": self.realm.split(".")[0], "domain": self.domain, "host": self.host, "short": self.short,
                 "address": self.address, "folder": self._tree, "strong_auth": strong_auth}
        for name in ("etc", "tls", "private", "state", "cache", "lock", "run", "bind-dns"):
            (self._tree / name).mkdir(parents=True, mode=0o700)
        self.smb_conf.write_text(SMB_CONF.format(**names))
        certificate, key = authority.issue(self.host, dns=(self.host,), ip=(self.address,))
        for source, name in ((certificate, "cert.pem"), (key, "key.pem"), (self.ca_file, "ca.pem")):
            shutil.copy(source, self._tree / "tls" / name)
        (self._tree / "tls" / "key.pem").chmod(0o600)
        self._file("hosts", HOSTS.format(**names))
        self._file("resolv.conf", f"nameserver {self.address}\n")
        self.krb5_conf = self._file("krb5.conf", KRB5_CONF.format(**names))
        self.environment = {"KRB5_CONFIG": str(self.krb5_conf), "KRB5CCNAME": f"FILE:{self.folder}/tickets"}
        self._network = Network(self.folder, self.address, self.short)
        try:
            self._provision()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def _file(self, name: str, text: str, mode: int = 0o644) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def _provision(self):
        script = Path(__file__).with_name("samba_provision.py")
        tool(*self._network.inside, sys.executable, "-I", script, self._tree, self.realm, self.short, self.address, self.password, seconds=300)
        # A service that is not run here would register the names that Kerberos knows the DC by.
        names = [f"ldap/{name}" for name in (self.host, self.short, self.address)]
        self.ldbmodify(modification(f"CN={self.short.upper()},OU=Domain Controllers,{self.suffix}", [("add", "servicePrincipalName", names)]))

    # ---- running ----

    def start(self) -> "SambaDC":
        """Starts the server and waits until it answers over TLS."""
        command = ["samba", "--foreground", "--no-process-group", f"--model={self.model}", "--debug-stdout", "-s", self.smb_conf]
        self._daemon = Daemon(command, self.folder / "log", self._network.inside, dict(os.environ) | self.environment)
        self._daemon.await_ready(self._answers, "samba", 60, every=0.1)
        return self

    def _answers(self) -> bool:
        options = ["-x", "-LLL", "-o", "nettimeout=10", "-s", "base", "-b", ""]
        return self.run(["ldapsearch", "-H", self.ldaps, *options, "1.1"], check=False).returncode == 0

    def stop(self, number: int = signal.SIGTERM):
        """Ends the server and waits for it."""
        if self._daemon:
            self._daemon.end(number)
            self._daemon = None

    def kill(self):
        """Ends the server without giving it time for anything."""
        self.stop(signal.SIGKILL)

    def restart(self):
        """Stops and starts."""
        self.stop()
        self.start()

    def close(self):
        """Ends server and network and removes the folder."""
        self.kill()
        self._network.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def snapshot(self, name: str = "base"):
        """Keeps everything as it is now for reset()."""
        self.stop()
        tool("tar", "-C", self._tree, "-cf", self.folder / f"{name}.tar", ".")
        self._kept[name] = (self.people, self.servers)
        self.start()

    def has_snapshot(self, name: str) -> bool:
        return name in self._kept

    def reset(self, name: str = "base"):
        """Puts everything back to a snapshot and drops all tickets."""
        self.kill()
        shutil.rmtree(self._tree)
        self._tree.mkdir(mode=0o700)
        tool("tar", "-C", self._tree, "-xf", self.folder / f"{name}.tar")
        self.people, self.servers = self._kept[name]
        (self.folder / "tickets").unlink(missing_ok=True)
        self.start()

    @property
    def network_pid(self) -> int:
        """A process in the DC's network."""
        return self._network.pid

    def command(self, words: list) -> list[str]:
        """A command line that enters the DC's network."""
        return [*self._network.inside, *map(str, words)]

    def run(self, words: list, env: dict | None = None, **options) -> subprocess.CompletedProcess:
        """Runs a program in the DC's network, with its Kerberos configuration."""
        return tool(*self.command(words), env=self.environment | {"LDAPTLS_CACERT": str(self.ca_file)} | (env or {}), **options)

    def kinit(self, user: str = "Administrator", password: str | None = None):
        """Gets a ticket, kept in a file of our own."""
        self.run(["kinit", f"{user}@{self.realm}"], stdin=f"{password or self.password}\n")

    def log_text(self) -> str:
        """What the server wrote."""
        return (self.folder / "log").read_text(errors="replace")

    # ---- contents ----

    @property
    def _simple(self) -> list:
        return ["-x", "-H", self.ldaps, "-D", self.administrator, "-y", self.password_file]

    def load(self, ldif: str):
        """Adds entries and carries out change records over ldaps, as Administrator."""
        self.run(["ldapmodify", "-a", *self._simple], stdin=ldif)

    def ldbmodify(self, ldif: str):
        """Changes the database behind the server's back, also what it refuses over LDAP; SIDs are written as text."""
        self._ldb("ldbmodify", ldif)

    def ldbadd(self, ldif: str):
        """Adds entries in the same way."""
        self._ldb("ldbadd", ldif)

    def _ldb(self, program: str, ldif: str):
        records = ldif.strip("\n").split("\n\n")
        command = [program, "-H", self._tree / "private" / "sam.ldb", f"--configfile={self.smb_conf}", f"--controls={ANY_PASSWORD_TIME}"]
        for first in range(0, len(records), TRANSACTION):
            done = tool(*command, stdin="\n\n".join(records[first:first + TRANSACTION]) + "\n\n")
            if re.search(r"\b0 records", done.stdout):
                raise SupportError(f"{program} did nothing: {done.stdout}{done.stderr}")

    def set_password(self, dn: str, password: str):
        """Gives an account a password; those of the people have none."""
        self.load(modification(dn, [("replace", "unicodePwd", [f'"{password}"'.encode("utf-16-le")])]))

    def set_sid_history(self, dn: str, sid: str):
        """Gives an account a SID of another domain, which the server refuses over LDAP."""
        self.ldbmodify(modification(dn, [("replace", "sIDHistory", [sid])]))

    def search(self, where: str = "(objectClass=*)", attributes: tuple = ("*",), base: str | None = None, scope: str = "sub") -> dict:
        """Entries by DN, values as bytes, read by ldapsearch."""
        options = ["-LLL", "-o", "ldif-wrap=no", "-s", scope, "-b", self.suffix if base is None else base]
        return parse(self.run(["ldapsearch", *self._simple, *options, where, *attributes]).stdout)

    def entry(self, dn: str, attributes: tuple = ("*",)) -> dict:
        """One entry."""
        return next(iter(self.search(base=dn, scope="base", attributes=attributes).values()))

    def dump(self, base: str | None = None) -> dict:
        """Everything there is, values sorted, to compare before and after."""
        return {dn: {name: sorted(values) for name, values in entry.items()} for dn, entry in self.search(base=base).items()}

    def load_schema(self, name: str):
        """Extends the schema by tests/support/schema/NAME.ldif."""
        self.load((SCHEMA / f"{name}.ldif").read_text().replace("@SCHEMA@", self.schema_dn))

    def add_im_schema(self):
        """Adds the instant messaging attributes of people."""
        self.load_schema("samba-im-user")

    def load_people(self, count: int = 200, seed: int = 1) -> "SambaDC":
        """Schema for servers, servers and people."""
        self.load_schema("samba-servers")
        text, self.servers = virtual_servers(self.configuration_dn, self.domain, exchange_classes=False)
        self.load(text)
        self.people = people(self.suffix, self.domain, "samba", count, seed)
        self.ldbadd(self.people.ldif)
        return self
