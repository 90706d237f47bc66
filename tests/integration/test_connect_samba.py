"""Logging on to a real Active Directory domain controller: what works, and what is said where it cannot."""

import base64
import os
from pathlib import Path

import pytest

from tests.support.samba import SambaDC

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("IMDIR_BIN", ROOT / "build" / "bin")).resolve()
ABSENT = 1  # imschema's status on a domain without the attributes of people: it could look

pytestmark = pytest.mark.samba


@pytest.fixture(scope="module")
def strict():
    """As installed: no SASL inside TLS."""
    with SambaDC() as dc:
        yield dc


@pytest.fixture(scope="module")
def lenient():
    """SASL inside TLS is allowed, as on Windows; a signing layer there is not."""
    with SambaDC("allow_sasl_over_tls") as dc:
        yield dc


@pytest.fixture
def imschema(tmp_path):
    """Runs imschema, or another command, in a DC's network."""

    fixed = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "LSAN_OPTIONS": f"suppressions={ROOT}/tests/support/leaks:print_suppressions=0"}

    def run(dc, *words, tool="imschema", env=None):
        return dc.run([BIN / tool, *words], check=False, env=fixed | (env or {}))

    return run


@pytest.fixture
def ticket(tmp_path):
    """A Kerberos ticket in a file of this test; returns the environment that names it."""

    def get(dc):
        env = {"KRB5CCNAME": f"FILE:{tmp_path}/tickets"}
        dc.run(["kinit", dc.administrator], stdin=dc.password + "\n", env=env)
        return env

    return get


def works(done):
    assert done.returncode == ABSENT, done
    assert done.stderr == ""
    assert "msExchIMAddress" in done.stdout


def fails(done, status, *parts):
    assert done.returncode == status, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for part in parts:
        assert part in done.stderr


def by_tls(dc):
    return [["-H", dc.ldaps, "--tls-ca", dc.ca_file], ["-H", dc.ldap, "-Z", "--tls-ca", dc.ca_file]]


def simple(dc, name=None, password=None):
    return ["-D", name or dc.administrator, "-y", password or dc.password_file]


# ---- Kerberos ----


@pytest.mark.parametrize("mechanism", [[], ["-Y", "GSS-SPNEGO"], ["-Y", "GSSAPI"]], ids=["default", "GSS-SPNEGO", "GSSAPI"])
def test_kerberos_seals_without_tls(imschema, strict, ticket, mechanism):
    done = imschema(strict, "-H", strict.ldap, *mechanism, "-vv", env=ticket(strict))
    assert done.returncode == ABSENT, done
    assert f"Administrator@{strict.realm}" in done.stderr and (mechanism or ["GSS-SPNEGO"])[-1] in done.stderr
    works(imschema(strict, "-H", strict.ldap, *mechanism, "-O", "minssf=128", env=ticket(strict)))


@pytest.mark.parametrize("mechanism", ["GSS-SPNEGO", "GSSAPI"])
def test_kerberos_inside_tls(imschema, lenient, ticket, mechanism):
    env = ticket(lenient)
    for where in by_tls(lenient):
        works(imschema(lenient, *where, "-Y", mechanism, env=env))


@pytest.mark.parametrize("mechanism", ["GSS-SPNEGO", "GSSAPI"])
def test_kerberos_inside_tls_where_it_is_not_allowed(imschema, strict, ticket, mechanism):
    env = ticket(strict)
    for where in by_tls(strict):
        fails(imschema(strict, *where, "-Y", mechanism, env=env), 3, mechanism, "strongerAuthRequired", "Sign or Seal are required")


@pytest.mark.parametrize("mechanism", [[], ["-Y", "GSSAPI"]], ids=["default", "GSSAPI"])
def test_no_ticket(imschema, strict, tmp_path, mechanism):
    env = {"KRB5CCNAME": f"FILE:{tmp_path}/none"}
    fails(imschema(strict, "-H", strict.ldap, *mechanism, env=env), 3, "no Kerberos ticket", "kinit", "--bind-dn")


def test_server_that_kerberos_does_not_know(imschema, strict, ticket):
    """The domain's own name has an address in DNS, but no service is registered under it."""
    fails(imschema(strict, "-H", f"ldap://{strict.domain}", env=ticket(strict)), 3, strict.domain, "host name of a domain controller")


def test_signing_may_not_be_given_up(imschema, strict, ticket):
    fails(imschema(strict, "-H", strict.ldap, "-Y", "GSSAPI", "-O", "minssf=0,maxssf=0", env=ticket(strict)), 3, "protected connection",
          "Sign or Seal are required")


# ---- simple ----


def test_simple_inside_tls(imschema, strict):
    for where in by_tls(strict):
        for name in (strict.administrator, strict.administrator_dn, "SAM\\Administrator"):
            works(imschema(strict, *where, *simple(strict, name)))


def test_simple_in_clear_text_is_refused_by_us_and_by_samba(imschema, strict):
    fails(imschema(strict, "-H", strict.ldap, *simple(strict)), 2, "clear text", "--starttls")
    fails(imschema(strict, "-H", strict.ldap, *simple(strict), "--allow-cleartext"), 3, "strongerAuthRequired", "ldaps://",
          "Transport encryption required")


def test_wrong_password(imschema, strict, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("not that\n")
    wrong.chmod(0o600)
    for name in (strict.administrator, "nobody@" + strict.realm):
        fails(imschema(strict, *by_tls(strict)[0], *simple(strict, name, wrong)), 3, "unknown user name or wrong password", "data 52e")


def test_disabled_account(imschema, strict, tmp_path):
    dn = f"CN=gone,CN=Users,{strict.suffix}"
    password = '"Other.Passw0rd"'.encode("utf-16-le")
    strict.load("dn: " + dn + "\nobjectClass: user\nsAMAccountName: gone\nuserAccountControl: 514\n"
                f"unicodePwd:: {base64.b64encode(password).decode()}\n\n")
    secret = tmp_path / "secret"
    secret.write_text("Other.Passw0rd\n")
    secret.chmod(0o600)
    fails(imschema(strict, *by_tls(strict)[0], *simple(strict, dn, secret)), 3, "the account is disabled", "data 533")


def test_untrusted_and_wrong_name(imschema, strict):
    fails(imschema(strict, "-H", strict.ldaps, *simple(strict)), 3, "issuer is not among the trusted CAs")
    fails(imschema(strict, "-H", f"ldaps://{strict.domain}", "--tls-ca", strict.ca_file, *simple(strict)), 3,
          f"{strict.host}, {strict.address}, not for {strict.domain}")


def test_mechanisms_that_samba_does_not_have(imschema, strict):
    fails(imschema(strict, "-H", strict.ldap, "-Y", "DIGEST-MD5", "-U", "Administrator", "-y", strict.password_file), 3, "DIGEST-MD5")


# ---- which server ----


def test_found_by_dns(imschema, strict, ticket):
    """The DC's own name server has the records."""
    done = imschema(strict, "--dns-domain", strict.domain, "-vv", env=ticket(strict))
    assert done.returncode == ABSENT, done
    assert f"connected to ldap://{strict.host}:389" in done.stderr
    fails(imschema(strict, "--dns-domain", "other.example.com"), 3, "other.example.com")


def test_one_server_of_the_domain(imschema, strict, ticket):
    works(imschema(strict, "-S", strict.host, "--dns-domain", strict.domain, env=ticket(strict)))


def test_global_catalog_is_for_reading(imschema, strict, ticket):
    env = ticket(strict)
    works(imschema(strict, "-H", f"{strict.ldap}:3268", env=env))
    fails(imschema(strict, "-H", f"{strict.ldap}:3268", "someone", tool="imdisable", env=env), 2, "global catalog", "389")
