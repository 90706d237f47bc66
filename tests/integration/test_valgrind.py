"""Each command once under valgrind: no invalid access, nothing lost. The build without sanitizers is used; they do not go together."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.slapd import PrivateSlapd

BIN = Path(__file__).resolve().parents[2] / "build" / "bin"
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect"]

pytestmark = pytest.mark.valgrind


@pytest.fixture(scope="module")
def server():
    with PrivateSlapd("ad") as slapd:
        yield slapd.load_people(30)


def run(server, tmp_path, tool, *words, uri=None, status=0):
    common = ["-H", uri or server.ldapi] + (["--home", server.servers[0].name] if tool == "imenable" else [])
    done = subprocess.run([*VALGRIND, BIN / tool, *common, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path)), timeout=300)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_each_command(server, tmp_path):
    names = [person["sam"] or f"dn:{person['dn']}" for person in server.people.manifest]
    everyone = tmp_path / "everyone.txt"
    everyone.write_text("\n".join(names))
    run(server, tmp_path, "imschema", status=1)
    run(server, tmp_path, "imschema", "--extend", "--yes")
    run(server, tmp_path, "imenable", "--list", everyone, "-o", "json", "--changes", tmp_path / "changes.ldif", status=1)
    run(server, tmp_path, "imenable", "--list", everyone, "-o", "csv", status=1)
    run(server, tmp_path, "imdisable", "--list", everyone, "-o", "jsonl")


@pytest.mark.parametrize("tool", ["imschema", "imenable", "imdisable"])
def test_refusals(server, tmp_path, tool):
    broken = tmp_path / "broken.yaml"
    broken.write_text("directory: {uri: [ldap://a], tiemout: 3}\n")
    run(server, tmp_path, tool, "--help")
    run(server, tmp_path, tool, "--print-config")
    run(server, tmp_path, tool, "--no-such-option", status=2)
    run(server, tmp_path, tool, "--config", broken, status=2)


def test_simple_bind_over_tls(server, tmp_path):
    password = tmp_path / "password"
    password.write_text(server.password)
    password.chmod(0o600)
    run(server, tmp_path, "imschema", "--extend", "--yes")
    words = ["-D", server.manager_dn, "-y", password, "--tls-ca", server.ca_file]
    run(server, tmp_path, "imschema", *words, uri=server.ldaps)
    password.write_text("wrong")
    run(server, tmp_path, "imschema", *words, uri=server.ldaps, status=3)
