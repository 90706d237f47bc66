"""OpenLDAP servers of one's own: like an Active Directory, or plain."""

import contextlib
import os
import shutil
import signal
import urllib.parse
from pathlib import Path

from .certs import CertificateAuthority
from .ldif import modification, parse, record
from .people import People, people
from .process import SCHEMA, Daemon, SupportError, free_port, short_folder, tool
from .servers import VirtualServer, virtual_servers

SLAPD = "/usr/sbin/slapd"
SYSTEM_SCHEMA = Path("/etc/ldap/schema")
IM_ATTRIBUTES = ("msExchIMAddress", "msExchIMMetaPhysicalURL", "msExchIMPhysicalURL", "msExchIMVirtualServer", "msExchIMACL")
STATIC_CLASSES = {"user": "1.2.840.113556.1.5.9", "inetOrgPerson": "2.16.840.1.113730.3.2.2", "group": "1.2.840.113556.1.5.8"}
EXTERNAL = "gidNumber={gid}+uidNumber={uid},cn=peercred,cn=external,cn=auth"


class PrivateSlapd:
    """A slapd in a folder of its own, on ldapi, ldap and ldaps; flavor "ad" imitates Active Directory, "plain" is OpenLDAP as installed.

    The user who starts it is almighty over ldapi with SASL EXTERNAL. root_dn is the almighty of the data, config_dn of cn=config.
    manager_dn is an account as administrators have it: it may write everything, and limits hold for it. All share `password`.
    manager_name is what SCRAM and DIGEST-MD5 know it by.
    """

    suffix = "dc=corp,dc=example"
    domain = "corp.example"
    password = "Secret.1"
    config_dn = "cn=config"
    manager_name = "imadmin"

    def __init__(self, flavor: str = "ad", *, ca: CertificateAuthority | None = None, tls: bool = True, limits: tuple = (), security: str = "",
                 root_dse: dict | None = None, modules: tuple = (), overlays: str = "", retcode: tuple = (), ppolicy: bool = False,
                 max_size: int = 1 << 28, debug: str = "none"):
        if flavor not in ("ad", "plain"):
            raise ValueError(flavor)
        self.flavor = flavor
        self.folder = short_folder("slapd")
        self.root_dn = f"cn=admin,{self.suffix}"
        self.manager_dn = f"cn={self.manager_name},ou=Service,{self.suffix}"
        self.external_dn = EXTERNAL.format(uid=os.getuid(), gid=os.getgid())
        self.retcode_dn = f"ou=RetCodes,{self.suffix}"
        self.configuration_dn = f"cn=Configuration,{self.suffix}"
        self.socket = self.folder / "ldapi"
        self.ldapi = f"ldapi://{urllib.parse.quote(str(self.socket), safe='')}"
        self.port = self.tls_port = 0
        self.ca_file: Path | None = None
        self.people: People | None = None
        self.servers: list[VirtualServer] = []
        self._daemon: Daemon | None = None
        self._debug = debug
        self._limits, self._security, self._overlays = limits, security, overlays
        self._retcode, self._ppolicy, self._max_size = retcode, ppolicy, max_size
        self._modules = ("back_mdb", *modules, *(("retcode",) if retcode else ()), *(("ppolicy",) if ppolicy else ()))
        self._certificate: tuple[Path, Path] | None = None
        if tls:
            authority = ca or CertificateAuthority(self.folder)
            self.ca_file = authority.ca_file
            self._certificate = authority.issue(self.folder.name, dns=("localhost",), ip=("127.0.0.1",))
        for name in ("conf", "data"):
            (self.folder / name).mkdir(mode=0o700)
        self._root_dse = self.folder / "rootdse.ldif" if root_dse else None
        if self._root_dse:
            self._root_dse.write_text(record("", root_dse))
        configuration = self.folder / "config.ldif"
        configuration.write_text(self._configuration())
        tool("/usr/sbin/slapadd", "-n0", "-F", self.folder / "conf", "-l", configuration)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # ---- configuration ----

    def _configuration(self) -> str:
        account = "sAMAccountName" if self.flavor == "ad" else "uid"
        certificate, key = self._certificate or (None, None)
        everything = record("cn=config", {
            "objectClass": "olcGlobal", "cn": "config", "olcPidFile": self._path("slapd.pid"), "olcLogLevel": "none", "olcLocalSSF": 256,
            "olcSecurity": self._security or None, "olcSaslHost": "localhost",
            "olcAuthzRegexp": f"{{0}}uid=([^,]+),(cn=[^,]+,)?cn=[^,]+,cn=auth ldap:///{self.suffix}??sub?({account}=$1)",
            "olcTLSCACertificateFile": self.ca_file and str(self.ca_file), "olcTLSCertificateFile": certificate and str(certificate),
            "olcTLSCertificateKeyFile": key and str(key)})
        everything += record("cn=module{0},cn=config", {"objectClass": "olcModuleList", "cn": "module{0}", "olcModulePath": "/usr/lib/ldap",
                                                        "olcModuleLoad": self._modules})
        everything += record("cn=schema,cn=config", {"objectClass": "olcSchemaConfig", "cn": "schema"})
        schemas = [SCHEMA / "ad-like.ldif"] if self.flavor == "ad" else [SYSTEM_SCHEMA / f"{n}.ldif" for n in ("core", "cosine", "inetorgperson")]
        everything += "".join(path.read_text() + "\n" for path in schemas)
        everything += record("olcDatabase={-1}frontend,cn=config", {
            "objectClass": ["olcDatabaseConfig", "olcFrontendConfig"], "olcDatabase": "{-1}frontend", "olcPasswordHash": "{CLEARTEXT}",
            "olcSizeLimit": "unlimited",
            "olcAccess": ['{0}to dn.base="" by * read', '{1}to dn.base="cn=Subschema" by * read']})
        everything += record("olcDatabase={0}config,cn=config", {
            "objectClass": "olcDatabaseConfig", "olcDatabase": "{0}config", "olcRootDN": self.config_dn, "olcRootPW": self.password,
            "olcAccess": f'{{0}}to * by dn.exact="{self.external_dn}" manage by * none'})
        manage = f'by dn.exact="{self.external_dn}" manage'
        write = f'by dn.exact="{self.manager_dn}" write'
        names = "objectSid objectGUID mailNickname userPrincipalName proxyAddresses" if self.flavor == "ad" else "entryUUID"
        everything += record("olcDatabase={1}mdb,cn=config", {
            "objectClass": ["olcDatabaseConfig", "olcMdbConfig"], "olcDatabase": "{1}mdb", "olcSuffix": self.suffix, "olcRootDN": self.root_dn,
            "olcRootPW": self.password, "olcDbDirectory": self._path("data"), "olcDbNoSync": True, "olcDbMaxSize": self._max_size,
            "olcDbIndex": ["objectClass eq", f"cn,mail,{account} eq,sub", *(f"{name} eq" for name in names.split())],
            "olcLimits": [f'{{0}}dn.exact="{self.external_dn}" size=unlimited time=unlimited',
                          *(f"{{{n}}}{text}" for n, text in enumerate(self._limits, 1))],
            "olcAccess": [f"{{0}}to attrs=userPassword {manage} {write} by self =xw by anonymous auth by * none",
                          f"{{1}}to attrs=entry,objectClass,{account} {manage} {write} by users read by anonymous auth by * none",
                          f"{{2}}to * {manage} {write} by users read by * none"]})
        if self._retcode:
            everything += record("olcOverlay=retcode,olcDatabase={1}mdb,cn=config", {
                "objectClass": ["olcOverlayConfig", "olcRetcodeConfig"], "olcOverlay": "retcode", "olcRetcodeParent": self.retcode_dn,
                "olcRetcodeItem": [f"{{{n}}}{item}" for n, item in enumerate(self._retcode)]})
        if self._ppolicy:
            everything += record("olcOverlay=ppolicy,olcDatabase={1}mdb,cn=config", {
                "objectClass": ["olcOverlayConfig", "olcPPolicyConfig"], "olcOverlay": "ppolicy",
                "olcPPolicyDefault": f"cn=policy,ou=Service,{self.suffix}", "olcPPolicyUseLockout": True})
        return everything + self._overlays

    def _path(self, name: str) -> str:
        return str(self.folder / name)

    # ---- running ----

    @property
    def ldap(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def ldaps(self) -> str:
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def ldap_by_name(self) -> str:
        return f"ldap://localhost:{self.port}"

    @property
    def pid(self) -> int:
        return self._daemon.process.pid

    def start(self) -> "PrivateSlapd":
        """Starts the server; the first time on ports that are free, later on the same."""
        self._set_root_dse_aside()
        tries = 1 if self.port else 3  # somebody else may take a free port before we do
        while not self._daemon:
            tries -= 1
            self.port, self.tls_port = self.port or free_port(), self.tls_port or free_port()
            urls = [self.ldapi, self.ldap, *([self.ldaps] if self._certificate else [])]
            daemon = Daemon([SLAPD, "-d", self._debug, "-h", " ".join(urls), "-F", self.folder / "conf"], self.folder / "log")
            try:
                daemon.await_ready(self._answers, "slapd")
                self._daemon = daemon
            except SupportError:
                if not tries:
                    raise
                self.port = self.tls_port = 0
        if self._root_dse:
            self.load(modification("cn=config", [("add", "olcRootDSE", [str(self._root_dse)])]))
        return self

    def _set_root_dse_aside(self):
        """slapd reads olcRootDSE before the schema that it needs, so each start is without it."""
        path = self.folder / "conf" / "cn=config.ldif"
        if self._root_dse:
            path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("olcRootDSE:")))

    def _answers(self) -> bool:
        options = ["-x", "-LLL", "-o", "nettimeout=5", "-s", "base", "-b", ""]
        return self.socket.exists() and tool("ldapsearch", *options, "-H", self.ldapi, "1.1", check=False).returncode == 0

    def stop(self, number: int = signal.SIGTERM):
        """Ends the server and waits for it."""
        if self._daemon:
            self._daemon.end(number)
            self._daemon = None

    def kill(self):
        """Ends the server without giving it time for anything."""
        self.stop(signal.SIGKILL)

    def restart(self):
        """Stops and starts on the same ports."""
        self.stop()
        self.start()

    def pause(self):
        """Makes the server hang: connections stay open, nothing is answered."""
        self._daemon.send(signal.SIGSTOP)

    def resume(self):
        """Goes on after pause()."""
        self._daemon.send(signal.SIGCONT)

    def close(self):
        """Ends the server and removes its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log_text(self) -> str:
        """What the server wrote; with debug="stats" every operation has a line."""
        return (self.folder / "log").read_text(errors="replace")

    def snapshot(self):
        """Keeps configuration and data as they are now for reset()."""
        self.stop()
        for name in ("conf", "data"):
            shutil.rmtree(self.folder / f"{name}.kept", ignore_errors=True)
            shutil.copytree(self.folder / name, self.folder / f"{name}.kept")
        self.start()

    def reset(self):
        """Puts configuration and data back to the snapshot; the ports stay the same."""
        self.kill()
        for name in ("conf", "data"):
            shutil.rmtree(self.folder / name)
            shutil.copytree(self.folder / f"{name}.kept", self.folder / name)
        self.start()

    # ---- contents ----

    def load(self, ldif: str, manage_dsa_it: bool = False):
        """Adds entries and carries out change records, in cn=config too."""
        tool("ldapmodify", "-a", "-Q", "-Y", "EXTERNAL", "-H", self.ldapi, *(["-M"] if manage_dsa_it else []), stdin=ldif)

    def load_base(self):
        """The suffix, the places below it and the manager's account."""
        name = {"cn": self.manager_name, "userPassword": self.password}
        if self.flavor == "ad":
            text = record(self.suffix, {"objectClass": ["top", "domainDNS"], "dc": "corp", "maxPwdAge": -36288000000000, "minPwdLength": 7,
                                        "pwdProperties": 1})
            text += record(self.configuration_dn, {"objectClass": ["top", "configuration"], "cn": "Configuration"})
            text += record(f"cn=Services,{self.configuration_dn}", {"objectClass": ["top", "container"], "cn": "Services"})
            account = {"objectClass": ["top", "person", "organizationalPerson", "user"], "sAMAccountName": self.manager_name}
        else:
            text = record(self.suffix, {"objectClass": ["top", "dcObject", "organization"], "dc": "corp", "o": "Example Corporation"})
            account = {"objectClass": ["top", "person", "organizationalPerson", "inetOrgPerson"], "uid": self.manager_name, "sn": "Administrator"}
        text += record(f"ou=Service,{self.suffix}", {"objectClass": ["top", "organizationalUnit"], "ou": "Service"})
        text += record(self.manager_dn, account | name)
        self.load(text)

    def load_people(self, count: int = 200, seed: int = 1):
        """Base, servers (where the schema knows them) and people."""
        self.load_base()
        if self.flavor == "ad":
            text, self.servers = virtual_servers(self.configuration_dn, self.domain, exchange_classes=True)
            self.load(text)
        self.people = people(self.suffix, self.domain, self.flavor, count, seed)
        self.load(self.people.ldif)
        return self

    def add_im_schema(self, static: bool = False):
        """Adds the instant messaging attributes; static: users have them without the auxiliary class, as on AD."""
        self.load((SCHEMA / "im-user.ldif").read_text())
        if static:
            rules = [f"( {oid} NAME '{name}IM' AUX msExchIMRecipient MAY ( {' $ '.join(IM_ATTRIBUTES)} ) )" for name, oid in STATIC_CLASSES.items()]
            self.load(record("cn=imrules,cn=schema,cn=config", {"objectClass": "olcSchemaConfig", "cn": "imrules", "olcDitContentRules": rules}))

    def add_referral(self, dn: str, url: str):
        """An entry that sends clients to another server."""
        name, value = dn.split(",", 1)[0].split("=", 1)
        self.load(record(dn, {"objectClass": ["top", "referral", "extensibleObject"], name: value, "ref": url}), manage_dsa_it=True)

    def set_config(self, dn: str, **values):
        """Replaces attributes below cn=config; database is the DN of the data's part."""
        self.load(modification(dn, [("replace", name, [value] if isinstance(value, (str, int)) else value) for name, value in values.items()]))

    database = "olcDatabase={1}mdb,cn=config"

    @contextlib.contextmanager
    def connection(self):
        """A python-ldap connection that may do everything."""
        import ldap  # the demonstration loads this module where python-ldap is not installed

        link = ldap.initialize(self.ldapi)
        link.set_option(ldap.OPT_NETWORK_TIMEOUT, 20)
        link.timeout = 60
        try:
            link.sasl_external_bind_s()
            yield link
        finally:
            link.unbind_s()

    def search(self, where: str = "(objectClass=*)", attributes: tuple = ("*",), base: str | None = None, scope: str = "sub") -> dict:
        """Entries by DN, values as bytes, read through python-ldap."""
        import ldap

        level = {"base": ldap.SCOPE_BASE, "one": ldap.SCOPE_ONELEVEL, "sub": ldap.SCOPE_SUBTREE}[scope]
        with self.connection() as link:
            return {dn: entry for dn, entry in link.search_s(self.suffix if base is None else base, level, where, list(attributes)) if dn is not None}

    def entry(self, dn: str, attributes: tuple = ("*",)) -> dict:
        """One entry."""
        return next(iter(self.search(base=dn, scope="base", attributes=attributes).values()))

    def dump(self, operational: bool = False, base: str | None = None) -> dict:
        """Everything there is, values sorted, to compare before and after."""
        found = self.search(attributes=("*", "+") if operational else ("*",), base=base)
        return {dn: {name: sorted(values) for name, values in entry.items()} for dn, entry in found.items()}

    def dump_tools(self) -> dict:
        """Like dump(), but read by ldapsearch."""
        return parse(tool("ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", "-H", self.ldapi, "-b", self.suffix).stdout)
