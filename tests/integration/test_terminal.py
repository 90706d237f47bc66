"""Colours, questions, signals and messages: what a person at a terminal meets, and what a script does not."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from support.slapd import PrivateSlapd  # noqa: E402

BIN = Path(os.environ.get("IMDIR_BIN", ROOT / "build" / "bin")).resolve()
WAIT = 60  # seconds; only a failure takes that long


@pytest.fixture(scope="module")
def server():
    with PrivateSlapd("plain") as slapd:
        slapd.load_base()
        yield slapd


class Session:
    """A command that has a terminal; `shows`: its output goes there as well. Standard input is a pipe that says yes."""

    def __init__(self, *words, shows=False, env=None, folder="/"):
        self.master, self.slave = pty.openpty()
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TERM": "xterm"} | (env or {})
        self.process = subprocess.Popen([BIN / words[0], *map(str, words[1:])], env=environment, cwd=folder, stdin=subprocess.PIPE,
                                        stdout=self.slave if shows else subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0))
        self.seen = ""

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.seen += os.read(self.master, 65536).decode()
            return True
        return False

    def expect(self, text):
        end = time.monotonic() + WAIT
        while text not in self.seen:
            assert time.monotonic() < end and self.process.poll() is None, (self.seen, self.process.communicate("y\n"))
            self.read(0.2)

    def finish(self, keys=""):
        """Types and waits for the end: status, standard output (where it is no terminal), standard error."""
        os.write(self.master, keys.encode())
        output, errors = self.process.communicate("y\ny\n", timeout=WAIT)
        while self.read(0):
            pass
        os.close(self.master)
        os.close(self.slave)
        return self.process.returncode, output, errors


def piped(*words, env=None, folder="/"):
    return subprocess.run([BIN / words[0], *map(str, words[1:])], env={"PATH": "/usr/bin:/bin", "HOME": str(folder)} | (env or {}),
                          cwd=folder, input="y\ny\n", capture_output=True, text=True, start_new_session=True, timeout=WAIT)


def im_schema(slapd):
    """Definitions of ours in the server's schema."""
    found = slapd.search(base="cn=schema,cn=config", attributes=("olcAttributeTypes",))
    return [value for entry in found.values() for value in entry.get("olcAttributeTypes", []) if b"msExchIM" in value]


# ---- colours ----

@pytest.mark.parametrize("options, env, coloured", [
    ([], {}, True),
    ([], {"NO_COLOR": "1"}, False),
    ([], {"NO_COLOR": ""}, True),
    ([], {"TERM": "dumb"}, False),
    (["--color=never"], {}, False),
    (["--color=always"], {"NO_COLOR": "1"}, True),
    (["-o", "json"], {}, False),
])
def test_colours_on_a_terminal(server, options, env, coloured):
    session = Session("imschema", "-H", server.ldapi, *options, shows=True, env=env)
    assert session.finish()[0] == 1
    assert ("\x1b[" in session.seen) == coloured and "msExchIMAddress" in session.seen


def test_colours_in_a_pipe(server):
    assert "\x1b[" not in piped("imschema", "-H", server.ldapi).stdout
    assert "\x1b[" in piped("imschema", "-H", server.ldapi, "--color=always").stdout


# ---- questions ----

def test_nobody_to_ask(server):
    done = piped("imschema", "-H", "ldap://127.0.0.1:1", "--extend")
    assert (done.returncode, done.stdout) == (2, "") and "--yes" in done.stderr  # and it did not even try to connect


@pytest.mark.parametrize("answer", ["n\n", "\n", "maybe\n", "\x04"], ids=["no", "empty", "maybe", "end of file"])
def test_no_is_no(server, answer):
    session = Session("imschema", "-H", server.ldapi, "--extend")
    session.expect("[y/N] ")
    status, output, _ = session.finish(answer)
    assert status == 1 and "absent" in output
    assert session.seen.endswith("\n")  # what is told next begins a line
    assert im_schema(server) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_instead_of_an_answer(server, number):
    session = Session("imschema", "-H", server.ldapi, "--extend")
    session.expect("[y/N] ")
    session.process.send_signal(number)
    status, output, errors = session.finish()
    assert (status, output) == (4, "") and "interrupted" in errors
    assert im_schema(server) == []


def test_control_c_is_a_signal(server):
    session = Session("imschema", "-H", server.ldapi, "--extend")
    session.expect("[y/N] ")
    assert session.finish("\x03")[0] == 4 and session.seen.endswith("\n")


def is_waiting(process):
    """It has read what there is, and sleeps until there is more."""
    unread = int.from_bytes(fcntl.ioctl(process.stdin, termios.FIONREAD, bytes(4)), sys.byteorder)
    return unread == 0 and Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


@pytest.mark.parametrize("option", ["--list", "--csv"])
def test_control_c_instead_of_names(server, option):
    with subprocess.Popen([BIN / "imdisable", "-H", server.ldapi, option, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        process.stdin.write("account\n")
        process.stdin.flush()
        end = time.monotonic() + WAIT
        while not is_waiting(process):
            assert time.monotonic() < end and process.poll() is None
        process.send_signal(signal.SIGINT)
        process.wait(WAIT)  # before the pipe is closed: its end would be read instead
        _, errors = process.communicate()
    assert process.returncode == 4 and "interrupted while reading" in errors


def test_yes_is_yes():
    with PrivateSlapd("plain", tls=False) as slapd:
        slapd.load_base()
        session = Session("imschema", "-H", slapd.ldapi, "--extend")
        session.expect("[y/N] ")
        status, output, errors = session.finish("Y\n")
        assert status == 0, (output, errors)
        assert len(im_schema(slapd)) >= 4


# ---- messages ----

def test_verbosity(server, tmp_path):
    password = tmp_path / "password"
    password.write_text(server.password + "\n")
    password.chmod(0o600)
    words = ["imschema", "-H", server.ldaps, "--tls-ca", server.ca_file, "-D", server.manager_dn, "-y", password]
    quiet, normal, once, twice = [piped(*words, *option) for option in (["-q"], [], ["-v"], ["-vv"])]
    assert quiet.stdout == normal.stdout == once.stdout == twice.stdout
    assert quiet.stderr == normal.stderr == ""
    assert 0 < len(once.stderr.splitlines()) < len(twice.stderr.splitlines())
    assert all(line.startswith("imschema: ") for line in twice.stderr.splitlines())
    assert server.password not in twice.stderr


def test_files_and_variables_of_libldap_are_not_read(server, tmp_path):
    """They would switch off the check of certificates, or bring in other CAs."""
    (tmp_path / "ldaprc").write_text(f"TLS_REQCERT never\nTLS_CACERT {server.ca_file}\nURI {server.ldapi}\n")
    (tmp_path / ".ldaprc").write_text((tmp_path / "ldaprc").read_text())
    folder = tmp_path / "cas"
    folder.mkdir()
    (folder / "ca.pem").write_bytes(Path(server.ca_file).read_bytes())
    env = {"LDAPTLS_REQCERT": "never", "LDAPTLS_CACERT": str(server.ca_file), "LDAPTLS_CACERTDIR": str(folder), "LDAPURI": server.ldapi,
           "LDAPRC": str(tmp_path / "ldaprc"), "LDAPCONF": str(tmp_path / "ldaprc")}
    (tmp_path / "password").write_text(server.password)
    (tmp_path / "password").chmod(0o600)
    words = ["imschema", "-H", server.ldaps, "-D", server.manager_dn, "-y", "password"]
    assert piped(*words, env=env, folder=tmp_path).returncode == 3
    disturbing = {"LDAPTLS_CIPHER_SUITE": "NONSENSE", "LDAPTLS_CERT": "/nonexistent", "LDAPSASL_SECPROPS": "minssf=999"}
    assert piped(*words, "--tls-ca", server.ca_file, env=env | disturbing, folder=tmp_path).returncode == 1
    assert piped("imschema", "-H", server.ldapi, env=env | disturbing, folder=tmp_path).returncode == 1
    done = piped("imschema", env=env, folder=tmp_path)
    assert done.returncode == 2 and "no server is named" in done.stderr
