"""Accounts that are chosen instead of named: by filter, by group, all of them; the question before they are changed, and progress."""

import csv
import fcntl
import io
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pytest

from tests.support.lab import VARIANTS, Lab, open_lab
from tests.support.ldif import record
from tests.support.slapd import PrivateSlapd

WAIT = 60  # seconds; only a failure takes that long
NO_ACCOUNTS = ("contact", "computer", "group")
QUESTION = "[y/N] "


@pytest.fixture(scope="module", params=VARIANTS)
def lab(request, tmp_path_factory):
    lab = open_lab(request.param, tmp_path_factory.mktemp(request.param), count=60)
    groups = record(f"ou=Groups,{lab.server.suffix}", {"objectClass": ["top", "organizationalUnit"], "ou": "Groups"})
    groups += group(lab, "outer", [healthy(lab)[0], f"cn=inner,ou=Groups,{lab.server.suffix}"])
    groups += group(lab, "inner", [healthy(lab)[1], healthy(lab)[0], f"cn=outer,ou=Groups,{lab.server.suffix}"])
    groups += group(lab, "dangling", [healthy(lab)[2], f"cn=gone,{lab.server.suffix}", lab.homes[0]])
    lab.server.load(groups)
    yield lab
    lab.server.close()


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    lab = open_lab("static", tmp_path_factory.mktemp("static"), count=60)
    yield lab
    lab.server.close()


@pytest.fixture
def ad(one):
    """Nobody is enabled, afterwards as before."""
    yield one
    with one.server.connection() as link:
        for dn in one.server.search("(msExchIMAddress=*)", ("1.1",), base=one.base):
            link.modify_s(dn, [(2, name, None) for name in one.server.entry(dn) if name.startswith("msExchIM")])


def group(lab, name, members):
    kind = "groupOfNames" if lab.variant == "plain" else "group"
    more = {} if lab.variant == "plain" else {"sAMAccountName": name}
    return record(f"cn={name},ou=Groups,{lab.server.suffix}", {"objectClass": ["top", kind], "cn": name, "member": members} | more)


def healthy(lab):
    return [person["dn"] for person in lab.people.of("healthy")]


def folded(dns):
    """DNs that can be compared: the server chooses how a comma in a value is escaped."""
    return sorted(dn.lower().replace("\\2c", "\\,").replace("\\2b", "\\+").replace("\\23", "\\#") for dn in dns)


def chosen(lab, *options, status=None):
    done = lab.run("imdisable", "-n", "-o", "csv", *options, status=status)
    return [line["dn"] for line in csv.DictReader(io.StringIO(done.stdout))], done


# ---- who is chosen ----


def test_everybody_is_all_accounts(lab):
    found, done = chosen(lab, "--all", status=0)
    assert folded(found) == folded(p["dn"] for p in lab.people.manifest if p["kind"] not in NO_ACCOUNTS)
    assert done.stderr == ""


def test_filter(lab):
    person = lab.people.one("umlaut")
    found, _ = chosen(lab, "--filter", f" cn={person['cn']} ", status=0)
    assert folded(found) == folded([person["dn"]])
    found, _ = chosen(lab, "--filter", f"(&(objectClass=person)(!(cn={person['cn']})))", status=0)
    assert len(found) == len([p for p in lab.people.manifest if p["kind"] not in NO_ACCOUNTS]) - 1


@pytest.mark.parametrize("name", ["outer", "inner"])
def test_groups_in_groups(lab, name):
    found, done = chosen(lab, "--group", f"cn={name},ou=Groups,{lab.server.suffix}", status=0)
    assert folded(found) == folded(healthy(lab)[:2]) and done.stderr == ""


def test_members_that_are_left_out_are_told(lab):
    found, done = chosen(lab, "--group", f"cn=dangling,ou=Groups,{lab.server.suffix}", status=0)
    assert folded(found) == folded(healthy(lab)[2:3])
    assert f'"cn=gone,{lab.server.suffix}" does not exist' in done.stderr and "has no account name" in done.stderr
    assert chosen(lab, "-q", "--group", f"cn=dangling,ou=Groups,{lab.server.suffix}", status=0)[1].stderr == ""


def test_named_and_chosen_come_together(lab):
    people = lab.people.of("healthy")
    listed = lab.file("list.txt", people[1]["dn"] + "\n")
    condition = ["--filter", f"(|(cn={people[0]['cn']})(cn={people[2]['cn']}))"]
    found, done = chosen(lab, people[0]["dn"], "--list", listed, *condition, status=0)
    assert folded(found) == folded(people[n]["dn"] for n in (0, 1, 0, 2))
    assert [line["account"] != "" for line in csv.DictReader(io.StringIO(done.stdout))] == [True] * 4


@pytest.mark.parametrize("options, words", [
    (["--filter", "(cn=x"], ["--filter", "character 1", "not closed"]),
    (["--filter", "(manager=cn=Doe\\, Jane)"], ["--filter", "\\5c"]),
    (["--group", "Sales"], ["--group", "DN"]),
    (["--all", "--filter", "(cn=x)"], ["--all", "--filter"]),
    (["--list", "-", "--csv", "-"], ["standard input"]),
    (["--list", "a", "--list", "b"], ["--list is given twice"]),
    (["x", "--max-failures", "0"], ["--max-failures", "at least 1"]),
    (["x", "--max-failures", "0%"], ["--max-failures", "more than 0%"]),
    ([], ["--filter", "--group", "--all"]),
])
def test_mistakes_are_found_before_connecting(one, options, words):
    done = one.run("imdisable", "-n", "--config", one.write_config("dead.yaml", "ldap://127.0.0.1:1"), *options, status=2)
    assert done.stdout == "" and all(word in done.stderr for word in words)


def test_mistakes_that_only_the_directory_knows(lab):
    for option, value, word in [("--filter", "(mial=x)", '"mial"'), ("--group", f"cn=no,{lab.server.suffix}", "does not exist"),
                                ("--group", lab.base, "no group")]:
        done = lab.run("imdisable", "-n", option, value, status=2)
        assert done.stdout == "" and word in done.stderr


def test_nobody_and_nobody_visible_are_two_things(lab):
    assert chosen(lab, "--filter", "(cn=nobody at all)", status=0)[0] == []
    empty = f"ou=Groups,{lab.server.suffix}" if lab.variant == "plain" else lab.server.configuration_dn
    done = lab.run("imdisable", "-n", "-b", empty, "--all", status=3)
    assert lab.server.external_dn in done.stderr and done.stdout == ""


def test_a_selection_that_is_cut_off_changes_nobody(tmp_path):
    with PrivateSlapd("ad", limits=("* size.soft=1000 size.hard=1000 size.pr=1000 size.prtotal=1000",)) as server:
        server.add_im_schema(static=True)
        server.load_people(30)
        lab = Lab(server, tmp_path, "static")
        server.load("".join(record(f"cn=crowd{n},{lab.base}", {"objectClass": ["top", "person", "organizationalPerson", "user"],
                                                               "cn": f"crowd{n}", "sAMAccountName": f"crowd{n}"}) for n in range(1001)))
        before = server.dump()
        login = ["--config", lab.write_config("limited.yaml", server.ldap), "-D", server.manager_dn, "-y", lab.password_file]
        done = lab.run("imenable", *login, "--yes", "--all", status=3)
        assert done.stdout == "" and "sizeLimitExceeded" in done.stderr
        assert server.dump() == before


# ---- consent ----


class Terminal:
    """A command on a terminal, standard input a pipe that says yes. Where it is not `whole`, standard output is a pipe."""

    def __init__(self, lab, *words, whole=False, columns=100, env=None):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(lab.command(*words), env=lab.environment() | {"TERM": "xterm"} | (env or {}), cwd=lab.folder,
                                        stdin=subprocess.PIPE, stdout=slave if whole else subprocess.PIPE, stderr=slave,
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(2, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.seen = ""
        os.set_blocking(self.process.stdin.fileno(), False)
        self.process.stdin.write(b"y\ny\n")
        self.process.stdin.flush()

    def read(self):
        """Until the other end is closed."""
        if not select.select([self.master], [], [], WAIT)[0]:
            raise TimeoutError(self.seen)
        try:
            self.seen += os.read(self.master, 65536).decode()
            return True
        except OSError:  # nobody has it open any more
            return False

    def expect(self, text):
        end = time.monotonic() + WAIT
        while text not in self.seen:
            assert self.read() and time.monotonic() < end, self.seen

    def finish(self, keys=""):
        os.write(self.master, keys.encode())
        while self.read():
            pass
        os.close(self.master)
        self.process.stdin.close()
        output = self.process.stdout.read().decode() if self.process.stdout else ""
        return self.process.wait(WAIT), output


def two(lab):
    names = [person["sam"] for person in lab.people.of("healthy")[:2]]
    return names, ["--filter", "(|{})".format("".join(f"(sAMAccountName={name})" for name in names))]


def enabled(lab):
    return len(lab.server.search("(msExchIMAddress=*)", ("1.1",), base=lab.base))


def test_without_a_terminal_it_does_not_even_connect(ad):
    dead = ad.write_config("dead.yaml", "ldap://127.0.0.1:1")
    done = subprocess.run(ad.command("imenable", "--config", dead, "--all"), env=ad.environment(), cwd=ad.folder, input=b"y\ny\n",
                          capture_output=True, start_new_session=True, timeout=WAIT, check=False)
    assert (done.returncode, done.stdout) == (2, b"") and b"--yes" in done.stderr


@pytest.mark.parametrize("keys", ["n\n", "\n", "\x04"])
def test_no_changes_nobody(ad, keys):
    names, options = two(ad)
    terminal = Terminal(ad, "imenable", *options)
    terminal.expect(QUESTION)
    assert "2 of 2 accounts would change (first: " in terminal.seen and all(name in terminal.seen for name in names)
    assert terminal.finish(keys)[0] == 1
    assert enabled(ad) == 0


def test_yes_changes_them(ad):
    terminal = Terminal(ad, "imenable", "-o", "csv", *two(ad)[1])
    terminal.expect(QUESTION)
    assert enabled(ad) == 0
    status, output = terminal.finish("y\n")
    assert status == 0 and output.count(",changed,") == 2 and enabled(ad) == 2


def test_what_changes_nothing_asks_nothing(ad):
    assert ad.run("imenable", "--yes", *two(ad)[1]).stderr == "" and enabled(ad) == 2
    terminal = Terminal(ad, "imenable", "-o", "csv", *two(ad)[1])
    status, output = terminal.finish()
    assert status == 0 and output.count(",unchanged,") == 2 and QUESTION not in terminal.seen
    terminal = Terminal(ad, "imdisable", "-n", *two(ad)[1])
    assert terminal.finish()[0] == 0 and QUESTION not in terminal.seen


def test_names_are_consent(ad):
    terminal = Terminal(ad, "imenable", two(ad)[0][0])
    assert terminal.finish()[0] == 0 and terminal.seen == "" and enabled(ad) == 1


# ---- progress ----


def shown(text, columns):
    """What a terminal shows of it in the end, line by line."""
    lines, at = [""], 0
    for piece in text.replace("\x1b[K", "\x00"):
        if piece == "\r":
            at = 0
        elif piece == "\n":
            lines.append("")
        elif piece == "\x00":
            lines[-1] = lines[-1][:at]
        else:
            lines[-1] = lines[-1][:at] + piece + lines[-1][at + 1:]
            at += 1
            assert at < columns, lines
    return [line for line in lines if line]


def test_the_line_is_there_and_gone(ad):
    terminal = Terminal(ad, "imenable", "--yes", "--progress=always", "--all", whole=True, columns=70)
    assert terminal.finish()[0] == 1
    assert "\rimenable: writing" in terminal.seen and "\x1b[K" in terminal.seen
    left = shown(terminal.seen, 1000)
    assert len(left) > 50 and not any("writing" in line or "planning" in line for line in left)


@pytest.mark.parametrize("options, env", [(["--progress=never"], {}), (["-q"], {}), ([], {"TERM": "dumb"}), (["-q", "--progress=always"], {})])
def test_nothing_is_drawn(ad, options, env):
    terminal = Terminal(ad, "imenable", "-n", "--all", *options, env=env)
    assert terminal.finish()[0] in (0, 1)
    assert "\r" not in terminal.seen.replace("\r\n", "")


def test_no_terminal_no_line(ad):
    done = ad.run("imenable", "-n", *two(ad)[1])
    assert done.stderr == ""
    done = ad.run("imenable", "-n", "--progress=always", *two(ad)[1])
    assert done.stderr.startswith("\rimenable: ") and done.stderr.endswith("\r\x1b[K")
