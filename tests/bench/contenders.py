"""What is measured: how each program is called on a directory, what it took, and that it did the work."""

import csv
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.bench.directory import Delay, Directory, account_dn, account_name
from tests.support.ldif import modification

ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(__file__).resolve().parent / "peers"
IM_DOMAIN = "im.corp.example"
HOME = "im1.corp.example"
SECONDS = 3600
# What imenable asks for: `imenable -vv` and the log of the server say so.
READ = """objectClass objectGUID entryUUID objectSid sIDHistory userAccountControl pwdLastSet lastLogonTimestamp msExchMasterAccountSid mail
userPrincipalName givenName sn pwdAccountLockedTime nsAccountLock msExchIMAddress msExchIMMetaPhysicalURL msExchIMPhysicalURL
msExchIMVirtualServer msExchIMACL sAMAccountName uid mailNickname""".split()


class BenchError(Exception):
    """A contender did not do what it was to do: its time would mean nothing."""


@dataclass
class Sample:
    """What one run took."""

    accounts: int
    seconds: float
    cpu_s: float
    server_cpu_s: float
    peak_kib: int
    turns: int | None = None  # round trips after the bind, where they were counted
    megabytes: float | None = None  # that were read, where it is a file
    own_seconds: float | None = None  # without starting and connecting, where the program says so

    @property
    def each_us(self) -> float:
        return self.seconds / self.accounts * 1e6


class Programs:
    """The build under test."""

    def __init__(self, build: Path, folder: Path):
        self.folder = folder
        self.imenable, self.imcheck = (build / "bin" / name for name in ("imenable", "imcheck"))
        self.floor, self.delay, self.stopwatch = (build / "tests" / "bench" / name for name in ("floor", "delay", "stopwatch"))
        for path in (self.imenable, self.imcheck, self.floor, self.delay, self.stopwatch):
            if not path.exists():
                raise BenchError(f"{path} is not built")
        # Journals lie where they do by default: on the disk, so that their fsyncs count.
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "none"),
                            "XDG_STATE_HOME": str(folder / "state"), "LC_ALL": "C.UTF-8", "LDAPNOINIT": "1"}

    def measure(self, command: list, accounts: int, server: Directory | None = None) -> tuple[Sample, str]:
        """Runs a command; its standard output too."""
        watch, out, err = (self.folder / name for name in ("watch.json", "out", "err"))
        before = server.cpu_seconds() if server else 0
        with out.open("wb") as stdout, err.open("wb") as stderr:
            done = subprocess.run([self.stopwatch, watch, *map(str, command)], stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                                  env=self.environment, timeout=SECONDS)
        if done.returncode:
            said = err.read_text(errors="replace")[-2000:]
            raise BenchError(f"{' '.join(map(str, command))}\nended with status {done.returncode}\n{_last_line(out)}\n{said}")
        took = json.loads(watch.read_text())
        after = server.cpu_seconds() if server else 0
        sample = Sample(accounts, took["seconds"], took["user_s"] + took["system_s"], after - before, took["peak_kib"])
        return sample, _last_line(out)


def _last_line(path: Path) -> str:
    """Of a report that may be large."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        return file.read().decode(errors="replace").rstrip("\n").rsplit("\n", 1)[-1]


class Subset:
    """The same people in the form that each contender reads."""

    def __init__(self, server: Directory, count: int, folder: Path):
        self.server, self.count, self.folder = server, count, folder
        self.numbers = server.numbers(count)
        self.names = [account_name(number) for number in self.numbers]

    def _file(self, name: str, write) -> Path:
        path = self.folder / f"{self.server.accounts}-{self.count}.{name}"
        if not path.exists():
            with path.open("w", newline="") as file:
                write(file)
        return path

    @property
    def csv(self) -> Path:
        return self._file("csv", lambda file: csv.writer(file, lineterminator="\n").writerows([["account"], *([name] for name in self.names)]))

    @property
    def targets(self) -> Path:
        rows = (f"{account_name(n)}\t{account_dn(n, self.server.suffix)}\n" for n in self.numbers)
        return self._file("tsv", lambda file: file.writelines(["account\tdn\n", *rows]))

    @property
    def changes(self) -> Path:
        def write(file):
            for number in self.numbers:
                name = account_name(number)
                values = {"msExchIMAddress": f"{name}@{IM_DOMAIN}", "msExchIMMetaPhysicalURL": f"http://{IM_DOMAIN}/instmsg/aliases/{name}",
                          "msExchIMPhysicalURL": f"http://{HOME}/instmsg/local/{IM_DOMAIN}/instmsg/aliases/{name}",
                          "msExchIMVirtualServer": self.server.servers[0].dn}
                file.write(modification(account_dn(number, self.server.suffix), [("replace", key, [value]) for key, value in values.items()]))

        return self._file("ldif", write)


# What imcheck asks for of each account, and of which accounts.
AUDITED = [*READ, "msDS-User-Account-Control-Computed", "lockoutTime", "accountExpires", "adminCount", "primaryGroupID"]
ANY_VALUE = "(|(msExchIMAddress=*)(msExchIMMetaPhysicalURL=*)(msExchIMPhysicalURL=*)(msExchIMVirtualServer=*)(msExchIMACL=*))"
AUDIT = ["--scope", "account", "-q", "-o", "jsonl"]


class Site:
    """A directory as the contenders see it: directly, or behind a round trip."""

    def __init__(self, programs: Programs, server: Directory, rtt_ms: float = 0):
        self.programs, self.server, self.rtt_ms = programs, server, rtt_ms
        self.uri = server.ldap
        self.delay = None
        self.secret = programs.folder / "password"
        self.exact_secret = programs.folder / "password-without-line-end"  # the whole file is ldapmodify's password
        self.secret.write_text(server.password + "\n")
        self.exact_secret.write_text(server.password)
        for path in (self.secret, self.exact_secret):
            path.chmod(0o600)

    def __enter__(self):
        if self.rtt_ms:
            self.delay = Delay(self.programs.delay, self.server.port, self.rtt_ms, self.programs.folder / "delay.log")
            self.uri = self.delay.uri
        return self

    def __exit__(self, *_):
        if self.delay:
            self.delay.__exit__()

    def subset(self, count: int) -> Subset:
        return Subset(self.server, min(count, self.server.accounts), self.programs.folder)

    # ---- contenders: each does the work on a subset and returns a sample ----

    def _connection(self, password: Path) -> list:
        return ["-H", self.uri, "-D", self.server.manager_dn, "-y", password]

    def _floor(self, mode: str, what, count: int, *options) -> tuple[Sample, dict]:
        command = [self.programs.floor, *self._connection(self.secret), "-b", self.server.suffix, "-a", ",".join(READ), "-d", IM_DOMAIN, "-t",
                   HOME, "-s", self.server.servers[0].dn, *options, mode, what]
        sample, line = self.programs.measure(command, count, self.server)
        result = json.loads(line)
        sample.own_seconds = result["seconds"]
        return sample, result

    def floor_changes(self, subset: Subset) -> Sample:
        sample, result = self._floor("readwrite", subset.csv, subset.count)
        return _checked(sample, result["changed"], subset)

    def floor_writes(self, subset: Subset) -> Sample:
        sample, result = self._floor("write", subset.targets, subset.count)
        return _checked(sample, result["changed"], subset)

    def floor_reads(self, subset: Subset, terms: int = 50, in_flight: int = 16) -> Sample:
        sample, result = self._floor("read", subset.csv, subset.count, "-n", terms, "-m", in_flight)
        return _checked(sample, result["entries"], subset)

    def floor_scan(self, subset: Subset) -> Sample:
        """The whole directory, for these people."""
        sample, result = self._floor("scan", "(objectClass=user)", subset.count)
        if result["entries"] < self.server.accounts:
            raise BenchError(f"the scan found {result['entries']} of {self.server.accounts}")
        return sample

    def imenable(self, subset: Subset, *options, outcome: str = "changed") -> Sample:
        """outcome: what must become of every person."""
        command = [self.programs.imenable, *self._connection(self.secret), "-b", self.server.suffix, "--home", HOME, "--domain", IM_DOMAIN, "-q",
                   "-o", "jsonl", "--csv", subset.csv, *options]
        sample, line = self.programs.measure(command, subset.count, self.server)
        return _checked(sample, json.loads(line).get(outcome, 0), subset)

    def _audited(self, sample: Sample, line: str) -> Sample:
        if json.loads(line).get("enabled") != self.server.accounts:
            raise BenchError(f"not all {self.server.accounts} people were looked at: {line}")
        return sample

    def imcheck(self, *options) -> Sample:
        """All accounts of the directory, which are enabled and well."""
        command = [self.programs.imcheck, *self._connection(self.secret), "-b", self.server.suffix, *AUDIT, *options]
        return self._audited(*self.programs.measure(command, self.server.accounts, self.server))

    def imcheck_export(self, path: Path) -> Sample:
        command = [self.programs.imcheck, "-H", f"ldif:{path}", "-b", self.server.suffix, *AUDIT]
        return self._audited(*self.programs.measure(command, self.server.accounts))

    def floor_audit(self) -> Sample:
        """Reads what imcheck reads."""
        sample, result = self._floor("scan", ANY_VALUE, self.server.accounts, "-a", ",".join(AUDITED))
        if result["entries"] != self.server.accounts:
            raise BenchError(f"the scan found {result['entries']} of {self.server.accounts}")
        return sample

    def ldapsearch(self) -> Sample:
        """Prints it."""
        command = ["ldapsearch", "-x", "-LLL", *self._connection(self.exact_secret), "-b", self.server.suffix, "-E", "pr=1000/noprompt", ANY_VALUE,
                   *AUDITED]
        return self.programs.measure(command, self.server.accounts, self.server)[0]

    def ldapmodify(self, subset: Subset) -> Sample:
        command = ["ldapmodify", "-x", *self._connection(self.exact_secret), "-f", subset.changes]
        return self.programs.measure(command, subset.count, self.server)[0]

    def script(self, subset: Subset, name: str) -> Sample:
        words = ["--uri", self.uri, "--bind", self.server.manager_dn, "--password-file", self.secret, "--base", self.server.suffix, "--csv",
                 subset.csv, "--domain", IM_DOMAIN, "--host", HOME, "--home", self.server.servers[0].dn]
        sample, line = self.programs.measure(["/usr/bin/python3", PEERS / f"{name}.py", *words], subset.count, self.server)
        return _checked(sample, int(line), subset)


def _checked(sample: Sample, done: int, subset: Subset) -> Sample:
    if done != subset.count:
        raise BenchError(f"{done} of {subset.count} people were done")
    return sample


def has_ldap3() -> bool:
    return importlib.util.find_spec("ldap3") is not None


def scratch(build: Path) -> Path:
    """A folder for inputs and outputs, on the disk that the build lies on."""
    folder = build / "bench"
    (folder / "none").mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*-*.*"):  # inputs of a run before
        path.unlink()
    return folder


def environment_of_machine() -> dict:
    versions = subprocess.run(["/usr/sbin/slapd", "-VV"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return {"cpus": os.cpu_count(), "load": os.getloadavg()[0], "kernel": os.uname().release, "python": sys.version.split()[0],
            "slapd": next((line.split()[2] for line in versions.stderr.splitlines() if "slapd" in line and len(line.split()) > 2), "?")}
