"""What people get wrong on the command line and in configuration files, and which of several settings counts. No server is needed."""

import fcntl
import os
import pty
import select
import subprocess
import termios
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("IMDIR_BIN", ROOT / "build" / "bin")).resolve()
TOOLS = ["imenable", "imdisable", "imschema"]
NOWHERE = "ldap://127.0.0.1:1"


@pytest.fixture
def run(tmp_path):
    """Runs a command in an empty home, without a terminal."""

    def call(*words, env=None, **how):
        full = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"} | (env or {})
        full.update({name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ})
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | how
        tool, *rest = [str(word) if not isinstance(word, bytes) else word for word in words]
        return subprocess.run([BIN / tool, *rest], env=full, cwd=tmp_path, text=True, start_new_session=True, timeout=60, **how)

    return call


def refused(done, *parts):
    """Status 2, nothing on standard output, one line with these parts on standard error."""
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for part in parts:
        assert part in done.stderr


def settings(done):
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


def origin(done, key):
    """The comment behind a key."""
    lines = [line for line in done.stdout.splitlines() if line.strip().startswith(key + ":")]
    assert len(lines) == 1, done.stdout
    return lines[0].split(" # from ", 1)[1]


# ---- options ----

MISTAKES = [
    (["--strttls"], ["--strttls", "did you mean --starttls?"]),
    (["--nothing-like-it"], ["there is no option --nothing-like-it", "--help"]),
    (["--\x1b[31mred"], ["\\x1b[31mred"]),
    (["-vk"], ["no option -k"]),
    (["-H"], ["-H needs a value"]),
    (["--base"], ["--base needs a value"]),
    (["--config="], ["--config", "empty"]),
    (["--starttls=yes"], ["--starttls takes no value"]),
    (["--timeout=soon"], ["option --timeout", '"soon" is not a whole number', "1 to 3600 seconds"]),
    (["--timeout=0"], ["option --timeout", "out of range", "1 to 3600 seconds"]),
    (["--timeout", "3601"], ["out of range"]),
    (["--timeout", "-5"], ["out of range"]),
    (["-o", "jsno"], ["--output", 'did you mean "json"', "text, json, jsonl, csv"]),
    (["-o", "xml"], ["--output", "text, json, jsonl, csv"]),
    (["--color=sometimes"], ["--color", "auto, always, never"]),
    (["-H", "dc1.corp.example"], ["option --uri", "ldaps://HOST"]),
    (["-H", "http://dc1"], ["option --uri", "ldaps://HOST"]),
    (["-H", "ldap://dc1/dc=x??sub"], ["option --uri"]),
    (["-b", "corp.example"], ["option --base", "distinguished name"]),
    (["-b", ""], ["option --base", "distinguished name"]),
    (["-S", "dc 1"], ["option --server", "DNS name"]),
    (["-Y", "GSS API"], ["option --sasl", "SASL mechanism"]),
    (["-D", ""], ["option --bind-dn"]),
    (["-x"], ["simple bind", "option --simple", "-D DN"]),
    (["-x", "-Y", "GSSAPI"], ["-x", "-Y"]),
    (["-x", "-U", "me"], ["-x", "-U"]),
    (["-D", "cn=a", "-Y", "EXTERNAL"], ["-D", "-Y"]),
    (["-W", "-y", "file"], ["-W", "-y"]),
    (["-H", "ldap://a", "--dns-domain", "b"], ["-H", "--dns-domain"]),
    (["-Z", "-H", "ldaps://a"], ["-Z", "ldaps://"]),
    (["-Z", "-H", "ldapi:///"], ["-Z", "ldapi://"]),
    (["-q", "-v"], ["-q", "-v"]),
    (["--completion=tcsh"], ["tcsh", "bash, zsh and fish"]),
]


@pytest.mark.parametrize("words, parts", MISTAKES, ids=[" ".join(words).replace("\x1b", "ESC") for words, _ in MISTAKES])
def test_mistakes(run, words, parts):
    refused(run("imenable", *words), "imenable: ", *parts)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_command_says_its_name(run, tool):
    refused(run(tool, "--nothing-like-it"), f"{tool}: there is no option")


def test_command_without_arguments(run):
    refused(run("imschema", "jdoe"), "jdoe")


def test_text_that_is_not_utf8(run):
    refused(run("imenable", "-D", b"cn=M\xfcller", "-W"), "option --bind-dn", "UTF-8", "M\\xfcller")


@pytest.mark.parametrize("tool", TOOLS)
def test_help_and_version(run, tool):
    text = run(tool, "--help").stdout
    names = [row.split("\t")[0] for row in run(tool, "--list-options").stdout.splitlines()]
    assert names and all(name in text for name in names)
    assert "--completion" not in text and max(len(line) for line in text.splitlines()) <= 80
    assert run(tool, "--version").stdout.startswith(f"{tool} (imdir) ")


# ---- passwords ----

def test_password_file_that_others_can_read(run, tmp_path):
    file = tmp_path / "password"
    file.write_text("secret\n")
    for mode in (0o640, 0o604):
        file.chmod(mode)
        done = run("imenable", "-H", NOWHERE, "-D", "cn=a", "-y", file, "someone")
        refused(done, str(file))
        assert "secret" not in done.stderr


@pytest.mark.parametrize("content, part", [("", "empty"), ("\nsecret\n", "empty")])
def test_empty_password(run, tmp_path, content, part):
    file = tmp_path / "password"
    file.write_text(content)
    file.chmod(0o600)
    refused(run("imenable", "-H", NOWHERE, "-D", "cn=a", "-y", file, "someone"), part)


def test_password_file_that_is_not_there(run):
    refused(run("imenable", "-H", NOWHERE, "-D", "cn=a", "-y", "no-such-file", "someone"), "no-such-file", "No such file")


def test_no_password_for_a_simple_bind(run):
    refused(run("imenable", "-H", NOWHERE, "-D", "cn=a", "someone"), "cn=a", "-W", "-y")


def test_nobody_to_ask_for_the_password(run):
    refused(run("imenable", "-H", NOWHERE, "-D", "cn=a", "-W", "someone", stdin=subprocess.PIPE, input=None), "terminal")


class Terminal:
    """A command with a terminal that is not its standard input, output or error."""

    def __init__(self, tmp_path, *words):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([BIN / words[0], *words[1:]], env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, cwd=tmp_path,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0))
        self.slave = slave  # kept open: else reading fails once the command has ended
        self.seen = ""

    def expect(self, text):
        end = time.monotonic() + 60
        while text not in self.seen:
            assert time.monotonic() < end and self.process.poll() is None, (self.seen, self.process.communicate())
            if select.select([self.master], [], [], 0.2)[0]:
                self.seen += os.read(self.master, 4096).decode()

    def finish(self, keys):
        """Types, waits for the end; status, output, errors."""
        os.write(self.master, keys.encode())
        output, errors = self.process.communicate(timeout=60)
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 4096).decode()
        os.close(self.master)
        os.close(self.slave)
        return self.process.returncode, output, errors


def test_password_is_asked_for_without_echo(tmp_path):
    terminal = Terminal(tmp_path, "imenable", "-H", NOWHERE, "-D", "cn=a", "-W", "someone")
    terminal.expect("Password of cn=a: ")
    status, output, errors = terminal.finish("sesame\n")
    assert (status, output) == (3, "") and NOWHERE in errors
    assert "sesame" not in terminal.seen + errors


def test_question_for_the_password_is_interrupted(tmp_path):
    terminal = Terminal(tmp_path, "imenable", "-H", NOWHERE, "-D", "cn=a", "-W", "someone")
    terminal.expect("Password of cn=a: ")
    before = termios.tcgetattr(terminal.slave)[3]
    terminal.process.terminate()
    status, output, _ = terminal.finish("")
    assert (status, output) == (4, "")
    assert not before & termios.ECHO


# ---- configuration files ----

BROKEN = [
    ("directory:\n  base: DC=x\n  bsae: DC=y\n", ":3:3: ", 'did you mean "base"'),
    ("drectory: {}\n", ":1:1: ", 'did you mean "directory"'),
    ("directory: { timeout: 1h }\n", ":1:23: ", "1 to 3600 seconds"),
    ("directory: { connect-timeout: 601 }\n", ":1:31: ", "1 to 600 seconds"),
    ("directory: { starttls: perhaps }\n", ":1:24: ", "true or false"),
    ("directory: [\n", ":2:1: ", ""),
    ("directory:\n\tbase: x\n", ":2:1: ", ""),
    ("directory: { base: &a DC=x }\nprofile: *a\n", ":1:20: ", "alias"),
    ("profile: a\nprofile: b\n", ":2:1: ", "profile"),
    ("directory: { uri: ldap://a, dns-domain: b }\n", ":1:41: ", "directory.uri"),
    ("servers: [ { name: a } ]\n", ":1:12: ", "host"),
]


@pytest.mark.parametrize("text, place, part", BROKEN, ids=[text.split("\n")[0] for text, _, _ in BROKEN])
def test_broken_files(run, tmp_path, text, place, part):
    file = tmp_path / "site.yaml"
    file.write_text(text)
    refused(run("imenable", "--config", file, "--print-config"), f"imenable: {file}{place}", part)


def test_file_that_is_not_utf8(run, tmp_path):
    file = tmp_path / "site.yaml"
    file.write_bytes(b"profile: M\xfcller\n")
    refused(run("imenable", "--config", file), str(file))


def test_file_that_is_not_there(run):
    refused(run("imenable", "--config", "no-such.yaml"), "no-such.yaml", "No such file")
    refused(run("imenable", env={"IMDIR_CONFIG": "no-such.yaml"}), "no-such.yaml", "No such file")


def test_user_file_that_cannot_be_read(run, tmp_path):
    (tmp_path / ".config/imdir/imdir.yaml").mkdir(parents=True)
    refused(run("imenable", "--print-config"), ".config/imdir/imdir.yaml", "directory")


def test_simple_bind_without_a_name(run, tmp_path):
    (tmp_path / "site.yaml").write_text("directory: { bind: { method: simple } }\n")
    refused(run("imenable", "--config", "site.yaml"), "as whom", "site.yaml:1:30")


def test_profile_that_is_not_there(run):
    refused(run("imenable", "-H", NOWHERE, "--profile", "exchange20000", "someone"), "exchange20000", "exchange2000")


# ---- which setting counts ----

def test_precedence(run, tmp_path):
    def say(place, text):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    done = run("imenable", "--print-config")
    assert settings(done)["profile"] == "exchange2000" and origin(done, "profile") == "built-in default"

    user = say(".config/imdir/imdir.yaml", "profile: ./user.yaml\ndirectory: { timeout: 11, base: DC=user }\n")
    done = run("imenable", "--print-config")
    assert settings(done)["profile"] == "./user.yaml" and origin(done, "profile") == f"{user}:1:10"

    xdg = say("xdg/imdir/imdir.yaml", "directory: { timeout: 12 }\n")
    done = run("imenable", "--print-config", env={"XDG_CONFIG_HOME": str(tmp_path / "xdg")})
    assert settings(done)["profile"] == "exchange2000" and f"timeout: 12 # from {xdg}:1:23" in done.stdout

    site = say("site.yaml", "profile: ./site.yaml\ndirectory: { timeout: 13 }\n")
    done = run("imenable", "--print-config", env={"IMDIR_CONFIG": str(site)})
    assert settings(done)["directory"] == settings(done)["directory"] | {"timeout": 13, "base": "DC=user"}
    assert settings(done)["profile"] == "./site.yaml"

    other = say("other.yaml", "directory: { timeout: 14 }\n")
    done = run("imenable", "--print-config", "--config", other, env={"IMDIR_CONFIG": str(site)})
    assert settings(done)["directory"]["timeout"] == 14 and settings(done)["profile"] == "./user.yaml"

    done = run("imenable", "--print-config", "--config", site, env={"IMDIR_PROFILE": "./environment.yaml"})
    assert settings(done)["profile"] == "./environment.yaml" and origin(done, "profile") == "environment IMDIR_PROFILE"

    done = run("imenable", "--print-config", "--config", site, "--profile=./option.yaml", "--timeout", "15",
               env={"IMDIR_PROFILE": "./environment.yaml"})
    assert settings(done)["profile"] == "./option.yaml" and origin(done, "profile") == "option --profile"
    assert settings(done)["directory"]["timeout"] == 15


def test_servers_named_here_replace_those_named_before(run, tmp_path):
    (tmp_path / "site.yaml").write_text("directory: { dns-domain: corp.example }\n")
    done = run("imenable", "--config", "site.yaml", "-H", "ldap://a", "-H", "ldap://b", "--print-config")
    assert settings(done)["directory"]["uri"] == ["ldap://a", "ldap://b"]
    assert "dns-domain" not in settings(done)["directory"]
    assert origin(done, "uri") == "option --uri"


def test_an_option_decides_how_to_bind(run, tmp_path):
    (tmp_path / "site.yaml").write_text("directory: { bind: { method: sasl, mechanism: GSSAPI } }\n")
    done = run("imenable", "--config", "site.yaml", "-D", "cn=a", "--print-config")
    assert settings(done)["directory"]["bind"] == {"method": "simple", "dn": "cn=a", "mechanism": "GSSAPI"}
    (tmp_path / "site.yaml").write_text("directory: { bind: { method: simple, dn: cn=a } }\n")
    done = run("imenable", "--config", "site.yaml", "-Y", "EXTERNAL", "--print-config")
    assert settings(done)["directory"]["bind"] == {"method": "sasl", "dn": "cn=a", "mechanism": "EXTERNAL"}


def test_starttls_of_the_configuration_does_not_forbid_ldaps(run, tmp_path):
    (tmp_path / "site.yaml").write_text("directory: { starttls: true }\n")

    def starttls(*words):
        return settings(run("imenable", "--config", "site.yaml", *words, "--print-config"))["directory"]["starttls"]

    assert not starttls("-H", "ldaps://a") and not starttls("-H", "ldapi:///")
    assert starttls() and starttls("-H", "ldap://a") and starttls("-H", "ldaps://a", "-H", "ldap://b")


def test_printed_configuration_is_a_configuration(run, tmp_path):
    (tmp_path / "site.yaml").write_text("""
directory:
  uri: ["ldapi://%2Frun%2Fslapd%20x", ldaps://dc1]
  base: "OU=Läden\\\\, alle,DC=x"
  ca-file: "it's # no comment.pem"
  bind: { method: sasl, user: "on", realm: "123", authzid: "a \\"b\\" \\\\ c", options: "minssf=1" }
servers:
  - { name: "1", host: im1.example, dn: "CN=a: b,DC=x", domains: [im.example], capacity: 3 }
  - { name: "{x}", host: im.example, hosts-users: no }
""")
    first = run("imenable", "--config", "site.yaml", "--print-config")
    (tmp_path / "again.yaml").write_text(first.stdout)
    again = run("imenable", "--config", "again.yaml", "--print-config")
    assert settings(first) == settings(again)
    assert settings(first)["directory"]["base"] == "OU=Läden\\, alle,DC=x"
    assert settings(first)["directory"]["bind"]["realm"] == "123"
    assert settings(first)["directory"]["bind"]["authzid"] == 'a "b" \\ c'
    assert settings(first)["servers"][0]["name"] == "1"


# ---- standard output that cannot be written ----

SHOWS = [["--help"], ["--version"], ["--print-config"], ["--completion=bash"], ["--list-options"]]


@pytest.mark.parametrize("words", SHOWS, ids=lambda words: words[0])
def test_full_disk(run, words):
    with open("/dev/full", "w") as full:
        done = run("imenable", *words, stdout=full)
    assert done.returncode == 4
    assert "standard output cannot be written: No space left on device" in done.stderr


@pytest.mark.parametrize("words", SHOWS, ids=lambda words: words[0])
def test_closed_pipe_is_quiet_where_nothing_is_written(run, words):
    read, write = os.pipe()
    os.close(read)
    done = run("imenable", *words, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
