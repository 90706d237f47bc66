"""A directory with people, a configuration for it, and the commands run on it: what the tests of changing commands share."""

import os
import re
import subprocess
from pathlib import Path

from .ldif import record
from .slapd import IM_ATTRIBUTES, PrivateSlapd

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("IMDIR_BIN", ROOT / "build" / "bin")).resolve()
SECONDS = 120
IM_DOMAIN = "im.corp.example"
KEPT_ENVIRONMENT = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")
# ad: the class comes with each entry. static: users have the attributes as on Active Directory. plain: OpenLDAP as installed.
VARIANTS = ("ad", "static", "plain")


def flag_words(path: Path) -> list[str]:
    """--config with that file."""
    return ["--config", str(path)]


class Lab:
    """Runs commands on a server. `home` and `homes` are DNs of home servers; the first has the name IM1."""

    def __init__(self, server: PrivateSlapd, folder: Path, variant: str):
        self.server, self.folder, self.variant = server, folder, variant
        self.people = server.people
        self.has_class = variant != "static"
        self.base = f"ou=People,{server.suffix}"
        if variant == "plain":
            self.homes = [f"cn=im{n},ou=Service,{server.suffix}" for n in (1, 2)]
        else:
            self.homes = [found.dn for found in server.servers if found.hosts_users]
        self.home = self.homes[0]
        self.password_file = folder / "password"
        self.password_file.write_text(server.password + "\n")
        self.password_file.chmod(0o600)
        self.config = self.write_config("imdir.yaml")

    def write_config(self, name: str, uri: str | None = None, more: str = "") -> Path:
        """A configuration file for this server, or for what stands in front of it."""
        text = f'directory:\n  uri: ["{uri or self.server.ldapi}"]\n  base: "{self.base}"\nenable: {{ home: im1 }}\n'
        text += "servers:\n"
        for number, dn in enumerate(self.homes, 1):
            text += f'  - {{ name: im{number}, host: im{number}.corp.example, dn: "{dn}" }}\n'
        if self.variant == "plain":
            text += f"  - {{ name: router, host: {IM_DOMAIN}, hosts-users: false }}\n"
        path = self.folder / name
        path.write_text(text + more)
        return path

    def behind(self, proxy) -> list[str]:
        """Options that go through a proxy, with a simple bind."""
        path = self.write_config("proxy.yaml", proxy.url)
        return [*flag_words(path), "-D", self.server.manager_dn, "-y", str(self.password_file)]

    def command(self, *words) -> list[str]:
        words = [str(word) for word in words]
        options = [] if "--config" in words else flag_words(self.config)
        return [str(BIN / words[0]), *options, *words[1:]]

    def environment(self) -> dict:
        kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder / "none"), "LC_ALL": "C.UTF-8"} | kept

    def start(self, *words, **options) -> subprocess.Popen:
        return subprocess.Popen(self.command(*words), cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="surrogateescape", **options)

    def run(self, *words, status: int | None = 0, stdin: str | bytes = "") -> subprocess.CompletedProcess:
        """Runs a command and checks its exit status; None: any."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(self.command(*words), cwd=self.folder, env=self.environment(), input=data, capture_output=True, timeout=SECONDS)
        done.stdout, done.stderr = done.stdout.decode(errors="surrogateescape"), done.stderr.decode(errors="surrogateescape")
        assert status is None or done.returncode == status, f"status {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    # ---- reading back, never through our own code ----

    def im_values(self, dn: str) -> dict:
        """The IM attributes that an entry has, as text, and whether it has the class."""
        entry = self.server.entry(dn)
        found = {name: [value.decode() for value in entry[name]] for name in IM_ATTRIBUTES if name in entry}
        if b"msExchIMRecipient" in entry["objectClass"]:
            found["class"] = True
        return found

    def enabled_values(self, alias: str, number: int = 1, domain: str = IM_DOMAIN) -> dict:
        """What an enabled person has, written down here a second time."""
        values = {
            "msExchIMAddress": [f"{alias}@{domain}"],
            "msExchIMMetaPhysicalURL": [f"http://{domain}/instmsg/aliases/{alias}"],
            "msExchIMPhysicalURL": [f"http://im{number}.corp.example/instmsg/local/{domain}/instmsg/aliases/{alias}"],
            "msExchIMVirtualServer": [self.homes[number - 1]],
        }
        return values | ({"class": True} if self.has_class else {})

    def is_enabled(self, dn: str, alias: str, number: int = 1) -> bool:
        found, wanted = self.im_values(dn), self.enabled_values(alias, number)
        home, wanted_home = found.pop("msExchIMVirtualServer", [""]), wanted.pop("msExchIMVirtualServer")
        return found == wanted and [plain_dn(dn) for dn in home] == [plain_dn(dn) for dn in wanted_home]

    def modifies(self) -> list[tuple[str, str]]:
        """DN and attributes of each modify that the server has logged."""
        found, open_dn = [], {}
        for line in self.server.log_text().splitlines():
            match = re.search(r"(conn=\d+ op=\d+) MOD (dn|attr)=(.*)$", line)
            if match and match[2] == "dn":
                open_dn[match[1]] = match[3].strip('"')
            elif match:
                found.append((open_dn[match[1]], match[3]))
        return found

    def account(self, person: dict) -> str:
        """How a person of the manifest is named on a command line."""
        return person["sam"] or f"dn:{person['dn']}"


def plain_dn(dn: str) -> str:
    """For comparing the DNs of these tests only: slapd writes types and escapes in its own way."""
    return re.sub(r"\\([0-9A-Fa-f]{2})", lambda m: "\\" + chr(int(m[1], 16)), dn).lower()


def open_lab(variant: str, folder: Path, count: int = 60, schema: str | None = None, **options) -> Lab:
    """A started server with schema (LDIF, or the usual one) and people; close with lab.server.close()."""
    server = PrivateSlapd("plain" if variant == "plain" else "ad", debug="stats", **options).start()
    try:
        if schema:
            server.load(schema)
        else:
            server.add_im_schema(static=variant == "static")
        server.load_people(count)
        if variant == "plain":
            for number in (1, 2):
                server.load(record(f"cn=im{number},ou=Service,{server.suffix}", {"objectClass": ["top", "device"], "cn": f"im{number}"}))
        return Lab(server, folder, variant)
    except BaseException:
        server.close()
        raise
