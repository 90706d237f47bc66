"""Finding servers, connecting, TLS, logging on and reading, with real servers, and with such as misbehave. imschema is the vehicle: it connects,
reads and writes nothing."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support import dns, scripted
from tests.support.certs import CertificateAuthority
from tests.support.ldif import parse
from tests.support.process import Daemon, free_port
from tests.support.slapd import PrivateSlapd

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("IMDIR_BIN", ROOT / "build" / "bin")).resolve()
PASSWORD = PrivateSlapd.password
COMPLETE = 0
LEAKS = f"suppressions={ROOT}/tests/support/leaks:print_suppressions=0"


class Caller:
    """Runs imschema in an empty home, with what only this test put there."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8", "KRB5CCNAME": f"FILE:{folder}/tickets"}
        self.env.update({name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ})
        self.env["LSAN_OPTIONS"] = LEAKS
        self.password = self.file("password", PASSWORD + "\n")
        self.wrong = self.file("wrong", "not that\n")

    def file(self, name: str, contents: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.write_text(contents)
        path.chmod(mode)
        return path

    def allow_leaks(self, where: str):
        """A function of somebody else that loses memory: everything it calls may."""
        leaks = self.file("leaks", f"leak:{where}\n")
        self.env["LSAN_OPTIONS"] = f"suppressions={leaks}:print_suppressions=0"
        self.env["ASAN_OPTIONS"] = f"{self.env.get('ASAN_OPTIONS', '')}:fast_unwind_on_malloc=0"

    def config(self, **directory) -> list:
        """Options that name a configuration file with these settings of `directory`, and a connect timeout of one second."""
        lines = [f"  {name.replace('_', '-')}: {value}\n" for name, value in ({"connect-timeout": 1} | directory).items()]
        return ["--config", self.file("imdir.yaml", "directory:\n" + "".join(lines))]

    def start(self, *words, tool="imschema", env=None):
        return subprocess.Popen([BIN / tool, *map(str, words)], env=self.env | (env or {}), cwd=self.folder, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def __call__(self, *words, **how):
        process = self.start(*words, **how)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture
def imschema(tmp_path):
    return Caller(tmp_path)


@pytest.fixture(scope="module")
def server():
    with PrivateSlapd("plain") as slapd:
        slapd.load_base()
        slapd.add_im_schema()
        yield slapd


def simple(server, password):
    return ["-D", server.manager_dn, "-y", password]


def fails(done, status, *parts):
    """That status, nothing on standard output, one line with these parts on standard error."""
    assert done.returncode == status, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for part in parts:
        assert str(part) in done.stderr


def works(done, status=COMPLETE):
    assert done.returncode == status, done
    assert done.stderr == ""
    assert "msExchIMAddress" in done.stdout


# ---- logging on to OpenLDAP ----


def test_external_is_the_default_on_ldapi(imschema, server):
    works(imschema("-H", server.ldapi))
    done = imschema("-H", server.ldapi, "-vv")
    assert done.returncode == COMPLETE and server.external_dn in done.stderr


def test_simple_over_starttls(imschema, server):
    done = imschema("-H", server.ldap, "-Z", "--tls-ca", server.ca_file, *simple(server, imschema.password), "-vv")
    assert done.returncode == COMPLETE and "with TLS" in done.stderr
    assert PASSWORD not in done.stderr


def test_simple_over_ldaps(imschema, server):
    works(imschema("-H", server.ldaps, "--tls-ca", server.ca_file, *simple(server, imschema.password)))


def test_simple_without_tls_on_loopback(imschema, server):
    works(imschema("-H", server.ldap, *simple(server, imschema.password)))


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_sasl_with_a_password(imschema, server, mechanism, tls):
    where = ["-H", server.ldaps, "--tls-ca", server.ca_file] if tls else ["-H", server.ldap_by_name]
    login = ["-Y", mechanism, "-U", server.manager_name]
    works(imschema(*where, *login, "-y", imschema.password))
    fails(imschema(*where, *login, "-y", imschema.wrong), 3, mechanism, "wrong password")


def test_sasl_plain_goes_through_tls(imschema, server):
    works(imschema("-H", server.ldaps, "--tls-ca", server.ca_file, "-Y", "PLAIN", "-U", server.manager_name, "-y", imschema.password))


def test_anonymous_only_by_configuration(imschema, server):
    bind = "\n    method: anonymous"
    works(imschema("-H", server.ldap, *imschema.config(bind=bind)))
    fails(imschema("-H", server.ldap_by_name), 3, "GSS-SPNEGO", "no Kerberos ticket", "kinit")


# ---- passwords ----


def test_wrong_password(imschema, server):
    fails(imschema("-H", server.ldap, *simple(server, imschema.wrong)), 3, server.ldap, "simple bind", "wrong password", "invalidCredentials")


def test_password_file_of_others(imschema, server):
    shared = imschema.file("shared", PASSWORD + "\n", 0o640)
    fails(imschema("-H", server.ldap, *simple(server, shared)), 2, shared, "640", "chmod")


@pytest.mark.parametrize("login, words", [
    (["-D", "cn=x", "-y", "empty"], ["empty is empty"]),
    (["-D", "", "-y", "password"], ["--bind-dn", "not empty"]),
    (["-Y", "SCRAM-SHA-256", "-y", "password"], ["SCRAM-SHA-256", "--sasl-user"]),
    (["-Y", "DIGEST-MD5", "-U", "x"], ["DIGEST-MD5", "--password-file"]),
    (["-Y", "PLAIN", "-U", "x", "-y", "empty"], ["empty is empty"]),
], ids=["empty password", "empty name", "no user", "no password", "empty SASL password"])
def test_what_servers_take_for_anonymous_is_refused(imschema, server, login, words):
    imschema.file("empty", "\n")
    fails(imschema("-H", server.ldap, *login), 2, *words)


@pytest.fixture(scope="module")
def outside(server):
    """The server as seen from outside loopback, or at least not by a loopback address: an address of this computer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; the kernel chooses the address
        address = probe.getsockname()[0]
    if address.startswith("127."):
        pytest.skip("this computer has loopback only")
    port = free_port()
    relay = Daemon(["/usr/bin/python3", "-c", f"""
import socket, threading
def pump(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
listener = socket.create_server(({address!r}, {port}))
while True:
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", {server.port}))
    for ends in ((client, server), (server, client)):
        threading.Thread(target=pump, args=ends, daemon=True).start()
"""], server.folder / "relay.log")
    relay.await_ready(lambda: socket.socket().connect_ex((address, port)) == 0, "the relay")
    yield f"ldap://{address}:{port}"
    relay.end()


def test_clear_text_leaves_this_computer_only_when_allowed(imschema, server, outside):
    fails(imschema("-H", outside, *simple(server, imschema.password)), 2, outside, "clear text", "--starttls", "--allow-cleartext")
    fails(imschema("-H", outside, "-Y", "PLAIN", "-U", "x", "-y", imschema.password), 2, "PLAIN", "clear text")
    works(imschema("-H", outside, "--allow-cleartext", *simple(server, imschema.password)))
    works(imschema("-H", outside, "-Y", "SCRAM-SHA-256", "-U", server.manager_name, "-y", imschema.password))


# ---- mechanisms ----


@pytest.mark.parametrize("mechanism, words", [
    ("NONSENSE", ["not installed", "libsasl2-modules-gssapi-mit"]),
    ("EXTERNAL", ["EXTERNAL", "does not offer it"]),
    ("GSSAPI", ["GSSAPI", "no Kerberos ticket", "kinit"]),
])
def test_mechanisms_that_cannot_work(imschema, server, mechanism, words):
    fails(imschema("-H", server.ldap_by_name, "-Y", mechanism), 3, *words)


def test_sasl_options(imschema, server):
    login = ["-H", server.ldap_by_name, "-Y", "DIGEST-MD5", "-U", server.manager_name, "-y", imschema.password]
    works(imschema(*login, "-O", "minssf=56"))
    fails(imschema(*login, "-O", "minssf=300"), 3, "not as strong", "--sasl-options")
    fails(imschema(*login, "-O", "minsssf=56"), 2, "minsssf=56", "minssf=56", "noplain")


# ---- TLS ----


class OneCertificate:
    """Gives a server the certificate that the test wants instead of the one it asks for."""

    def __init__(self, folder, **names):
        self.authority = CertificateAuthority(folder)
        self.ca_file, self._names = self.authority.ca_file, names

    def issue(self, *_, **__):
        return self.authority.issue("server", **self._names)


@pytest.fixture(params=["ldaps", "starttls"])
def tls(request):
    """The options that lead to a server by TLS, in both ways."""
    return lambda server: ["-H", server.ldaps] if request.param == "ldaps" else ["-H", server.ldap, "-Z"]


def test_untrusted_issuer(imschema, server, tls):
    fails(imschema(*tls(server), *simple(server, imschema.password)), 3, "issuer is not among the trusted CAs", "--tls-ca",
          "/etc/ssl/certs/ca-certificates.crt")


@pytest.mark.parametrize("names, shown", [
    ({"dns": ("dc1.corp.example", "dc1")}, "dc1.corp.example, dc1, not for 127.0.0.1"),
    ({"ip": ("192.0.2.7",)}, "192.0.2.7, not for 127.0.0.1"),
    ({}, "server, not for 127.0.0.1"),
], ids=["dns", "ip", "common name"])
def test_certificate_of_another_host(imschema, tmp_path, tls, names, shown):
    with PrivateSlapd("plain", ca=OneCertificate(tmp_path, **names)) as other:
        fails(imschema(*tls(other), "--tls-ca", other.ca_file, *simple(other, imschema.password)), 3, shown, "127.0.0.1:")


def test_localhost_is_explained(imschema, server):
    """libldap compares the certificate with this computer's own name instead."""
    fails(imschema("-H", server.ldaps.replace("127.0.0.1", "localhost"), "--tls-ca", server.ca_file, *simple(server, imschema.password)), 3,
          "localhost, 127.0.0.1, not for localhost", "own name")


def test_expired_certificate(imschema, tmp_path, tls):
    with PrivateSlapd("plain", ca=OneCertificate(tmp_path, ip=("127.0.0.1",), expired=True)) as old:
        fails(imschema(*tls(old), "--tls-ca", old.ca_file, *simple(old, imschema.password)), 3, "certificate", "expired")


def test_files_of_cas_that_cannot_serve(imschema, server, tls):
    login = [*tls(server), *simple(server, imschema.password)]
    missing = imschema.folder / "missing.pem"
    fails(imschema(*login, "--tls-ca", missing), 3, missing, "No such file")
    fails(imschema(*login, "--tls-ca", imschema.password), 3, imschema.password, "holds no certificate", "PEM")
    broken = imschema.file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    fails(imschema(*login, "--tls-ca", broken), 3, broken)


def test_old_tls_is_refused(imschema, server):
    cert, key = CertificateAuthority(imschema.folder).issue("old", ip=("127.0.0.1",))
    port = free_port()
    old = Daemon(["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}", "-cert", cert, "-key", key, "-tls1_1", "-cipher",
                  "ALL:@SECLEVEL=0"], imschema.folder / "log")
    try:
        old.await_ready(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "openssl")
        done = imschema("-H", f"ldaps://127.0.0.1:{port}", "--tls-ca", imschema.folder / "ca.pem", *simple(server, imschema.password))
        fails(done, 3, "TLS")
        assert "TLS 1.2 is the minimum" in done.stderr or "version" in done.stderr  # GnuTLS lets us say it, OpenSSL says it itself
    finally:
        old.end()


def test_wrong_kind_of_port(imschema, server):
    login = simple(server, imschema.password)
    fails(imschema("-H", f"ldaps://127.0.0.1:{server.port}", "--tls-ca", server.ca_file, *login), 3, "is this a port for TLS?")
    fails(imschema("-H", f"ldap://127.0.0.1:{server.tls_port}", *login), 3, "closed the connection", "ldaps://")


def test_no_starttls_offered_is_no_connection(imschema):
    with PrivateSlapd("plain", tls=False) as bare:
        bare.load_base()
        ca = CertificateAuthority(imschema.folder).ca_file
        fails(imschema("-H", bare.ldap, "-Z", "--tls-ca", ca, *simple(bare, imschema.password)), 3, "StartTLS failed", "does not offer it")
        assert "BIND" not in bare.log_text()


# ---- servers that do not answer ----


@pytest.fixture
def mute():
    """Accepts connections and says nothing."""
    with scripted.ScriptedServer(lambda request: None) as server:
        yield server


@pytest.mark.parametrize("options, what", [(["--scheme", "ldaps"], "the TLS handshake"), (["-Z"], "StartTLS")], ids=["ldaps", "starttls"])
def test_stalled_tls_ends_at_the_connect_timeout(imschema, mute, options, what):
    where = ["-H", mute.uri.replace("ldap:", "ldaps:")] if options[0] == "--scheme" else ["-H", mute.uri, *options]
    ca = CertificateAuthority(imschema.folder).ca_file
    fails(imschema(*where, "--tls-ca", ca, *imschema.config(), "-D", "cn=x", "-y", imschema.password), 3, mute.port, what, "within 1 s")


def test_stalled_logon_ends_at_the_timeout(imschema, mute):
    fails(imschema("-H", mute.uri, "--timeout", "1", "-D", "cn=x", "-y", imschema.password), 3, mute.uri, "did not answer in time", "--timeout")


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_interrupt_ends_the_wait(imschema, mute, scheme):
    ca = CertificateAuthority(imschema.folder).ca_file
    process = imschema.start("-H", mute.uri.replace("ldap", scheme), "--tls-ca", ca, "-D", "cn=x", "-y", imschema.password)
    assert mute.connected.wait(60)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 4 and "stopped on request" in err and out == ""


# ---- which server ----


def test_dead_servers_are_passed_over(imschema, server):
    dead, unknown = f"ldap://127.0.0.1:{free_port()}", "ldap://no-such-host.invalid"
    login = simple(server, imschema.password)
    works(imschema("-H", dead, "-H", unknown, "-H", server.ldap, *login))
    fails(imschema("-H", dead, *login), 3, dead, "Connection refused", "check host, port")
    fails(imschema("-H", unknown, *login), 3, unknown, "cannot find the host")
    fails(imschema("-H", dead, "-H", unknown, *login), 3, "none of the 2 servers", f"{dead}: cannot connect", f"{unknown}: cannot find")
    fails(imschema("-H", f"ldapi://{imschema.folder}/nothing".replace("/", "%2F").replace("ldapi:%2F%2F", "ldapi://")), 3, "no such socket")


def test_refused_password_does_not_try_the_next_server(imschema, server):
    with PrivateSlapd("plain", debug="stats") as second:
        second.load_base()
        before = second.log_text().count("ACCEPT")
        fails(imschema("-H", server.ldap, "-H", second.ldap, *simple(server, imschema.wrong)), 3, server.ldap, "wrong password")
        assert second.log_text().count("ACCEPT") == before


def test_one_server_is_pinned(imschema, server):
    other = f"ldap://127.0.0.2:{free_port()}"
    login = simple(server, imschema.password)
    works(imschema("-H", other, "-H", server.ldap, "-S", "127.0.0.1", *login))
    fails(imschema("-H", server.ldap, "-H", other, "-S", "127.0.0.2", *login), 3, other, "refused")
    fails(imschema("-H", server.ldap, "-S", "dc9.corp.example", *login), 2, "dc9.corp.example", "none of the servers")


@pytest.mark.parametrize("uri, words", [
    ("ldap://x:99999", ["ldap://x:99999", "1 to 65535"]),
    ("ldap://x:ldap", ["ldap://x:ldap", "ldap://HOST[:PORT]"]),
    ("ldap://[::1", ["ldap://[::1", "ldap://HOST[:PORT]"]),
    ("http://x", ["http://x", "ldaps://HOST"]),
    ("dc1", ["dc1", "ldap://HOST"]),
    ("ldap://", ["ldap://HOST"]),
    ("ldap://x/dc=corp", ["ldap://x/dc=corp"]),
])
def test_uris_that_are_wrong(imschema, uri, words):
    fails(imschema("-H", uri, "-D", "cn=x", "-y", imschema.password), 2, *words)


@pytest.mark.parametrize("uri", ["ldap://127.0.0.1:3268", "ldaps://127.0.0.1:3269"])
def test_the_global_catalog_is_not_written(imschema, uri):
    done = imschema("-H", uri, "-D", "cn=x", "-y", imschema.password, "--extend", "--yes")
    fails(done, 2, uri, "global catalog", "389 or 636")
    fails(imschema("-H", uri, "-D", "cn=x", "-y", imschema.password, "someone", tool="imdisable"), 2, uri, "global catalog")


def test_nothing_named(imschema):
    fails(imschema("-D", "cn=x", "-y", imschema.password), 2, "--uri", "--dns-domain")


# ---- servers found by DNS ----


def found_by_dns(imschema, server, records, *more):
    with dns.NameServer(records) as names:
        config = imschema.file("dns.yaml", f"dns: {{ servers: ['{names.address}'], timeout: 1 }}\ndirectory: {{ dns-domain: corp.example }}\n")
        return imschema("--config", config, *simple(server, imschema.password), *more), names.asked


def test_servers_found_by_dns(imschema, server):
    dead = free_port()
    done, asked = found_by_dns(imschema, server, {"_ldap._tcp.dc._msdcs.corp.example": [(20, 0, server.port, "localhost"), (10, 0, dead, "localhost")]})
    works(done)
    assert asked == ["_ldap._tcp.dc._msdcs.corp.example"]
    done, _ = found_by_dns(imschema, server, {"_ldap._tcp.dc._msdcs.corp.example": [(1, 0, dead, "localhost"), (2, 0, free_port(), "localhost")]})
    fails(done, 3, "none of the 2 servers", f"ldap://localhost:{dead}")


@pytest.mark.parametrize("first", [dns.NXDOMAIN, []], ids=["NXDOMAIN", "no data"])
def test_dns_without_domain_controllers(imschema, server, first):
    done, asked = found_by_dns(imschema, server, {"_ldap._tcp.dc._msdcs.corp.example": first,
                                                  "_ldap._tcp.corp.example": [(0, 0, server.port, "localhost")]})
    works(done)
    assert asked == ["_ldap._tcp.dc._msdcs.corp.example", "_ldap._tcp.corp.example"]
    done, _ = found_by_dns(imschema, server, {"_ldap._tcp.dc._msdcs.corp.example": first, "_ldap._tcp.corp.example": first})
    fails(done, 3, "DNS has no SRV record _ldap._tcp.corp.example", "--uri")


@pytest.mark.parametrize("failure, words", [(dns.SERVFAIL, "SERVFAIL"), (dns.REFUSED, "REFUSED"), (dns.SILENCE, "no answer within 1 second")],
                         ids=["SERVFAIL", "REFUSED", "silence"])
def test_dns_that_fails_is_not_an_empty_dns(imschema, server, failure, words):
    done, asked = found_by_dns(imschema, server, {"_ldap._tcp.dc._msdcs.corp.example": failure,
                                                  "_ldap._tcp.corp.example": [(0, 0, server.port, "localhost")]})
    fails(done, 3, "_ldap._tcp.dc._msdcs.corp.example", words)
    assert "_ldap._tcp.corp.example" not in asked


def test_dns_target_that_is_no_host(imschema, server):
    done, _ = found_by_dns(imschema, server, {"_ldap._tcp.dc._msdcs.corp.example": [(0, 0, 389, "evil/dc=corp")]})
    fails(done, 3, "evil/dc=corp", "no host name")
    done, _ = found_by_dns(imschema, server, {"_ldap._tcp.dc._msdcs.corp.example": [(0, 0, 389, ".")]})
    fails(done, 3, "DNS has no SRV record")


# ---- answers that real servers seldom give ----

ROOT_DSE = {"objectClass": ["top"], "namingContexts": ["dc=corp,dc=example"], "subschemaSubentry": ["cn=Subschema"]}


def schema_values():
    """The schema of the profile as OpenLDAP would hold it."""
    printed = subprocess.run([BIN / "imschema", "--ldif", "openldap"], check=True, capture_output=True, text=True).stdout
    entry = next(iter(parse(printed).values()))
    return {"attributeTypes": entry["olcAttributeTypes"], "objectClasses": entry["olcObjectClasses"]}


def answers(**special):
    """A script: logs anybody on, shows a root DSE; special: what to do at the search of subschema= or at root_dse= or bind=."""

    def script(request):
        kind = {scripted.BIND: "bind", scripted.SEARCH: "root_dse" if request.name == "" else "subschema"}.get(request.tag, "other")
        if kind in special:
            return special[kind](request)
        if kind == "bind":
            request.reply(scripted.result(scripted.BIND_DONE))
        elif kind == "root_dse":
            request.reply(scripted.entry("", ROOT_DSE), scripted.result(scripted.SEARCH_DONE))
        elif kind == "subschema":
            request.reply(scripted.entry("cn=Subschema", schema_values()), scripted.result(scripted.SEARCH_DONE))

    return script


def ask(imschema, script, *more):
    with scripted.ScriptedServer(script) as server:
        return imschema("-H", server.uri, "-D", "cn=x", "-y", imschema.password, *more), server


def test_scripted_server_is_understood(imschema):
    works(ask(imschema, answers())[0])


def test_values_that_come_in_parts(imschema):
    """The first answer names a range; the rest is fetched before the entry is used."""
    asked = []

    def parts(request):
        everything = schema_values()
        classes = {"objectClasses": everything["objectClasses"]}
        values = everything["attributeTypes"]
        name = next((name for name in request.attributes if ";range=" in name), None)
        if name is None:
            found = {"attributeTypes": [], "attributeTypes;range=0-0": values[:1]} | classes
        else:
            asked.append(name)
            first = int(name.split("=")[1].split("-")[0])
            last = "*" if first + 2 >= len(values) else first + 1
            found = {f"attributeTypes;range={first}-{last}": values[first:first + 2]}
        request.reply(scripted.entry("cn=Subschema", found), scripted.result(scripted.SEARCH_DONE))

    works(ask(imschema, answers(subschema=parts))[0])
    assert asked[:2] == ["attributeTypes;range=1-*", "attributeTypes;range=3-*"]


@pytest.mark.parametrize("rest", [{}, {"attributeTypes;range=1-0": []}, {"attributeTypes;range=0-0": [b"x"]}], ids=["nothing", "empty", "again"])
def test_parts_that_do_not_end(imschema, rest):
    def parts(request):
        first = not any(";range=" in name for name in request.attributes)
        found = {"attributeTypes;range=0-0": schema_values()["attributeTypes"][:1]} if first else rest
        request.reply(scripted.entry("cn=Subschema", found), scripted.result(scripted.SEARCH_DONE))

    fails(ask(imschema, answers(subschema=parts))[0], 3, "only a part of attributeTypes")


def test_half_an_answer_ends_at_the_timeout(imschema):
    def half(request):
        whole = scripted.message(request.id, scripted.entry("cn=Subschema", schema_values()))
        request.send(whole[:len(whole) // 2])

    fails(ask(imschema, answers(subschema=half), "--timeout", "1")[0], 3, "did not answer in time")


def test_answer_in_pieces(imschema):
    """Pauses within a message are no end of it: the second half comes when the client has read the first."""
    def slowly(request):
        whole = scripted.message(request.id, scripted.entry("cn=Subschema", schema_values()))
        whole += scripted.message(request.id, scripted.result(scripted.SEARCH_DONE))
        for at in range(0, len(whole), len(whole) // 3 + 1):
            request.send(whole[at:at + len(whole) // 3 + 1])

    works(ask(imschema, answers(subschema=slowly))[0])


@pytest.mark.parametrize("code, words", [(12, "does not support a control"), (0, "makes no sense")])
def test_answer_of_the_wrong_type_ends_the_search(imschema, code, words):
    """Samba answers a search with an extended response where it does not know a critical control."""
    wrong = answers(subschema=lambda request: request.reply(scripted.result(scripted.EXTENDED_DONE, code, "odd")))
    fails(ask(imschema, wrong)[0], 3, words)


def test_notice_of_disconnection(imschema):
    def goodbye(request):
        request.send(scripted.notice("the server goes down for repair"))
        return "close"

    imschema.allow_leaks("ldap_result")  # libldap 2.5 forgets the notice's text
    fails(ask(imschema, answers(subschema=goodbye))[0], 3, "ended the connection: the server goes down for repair")


def test_other_notices_mean_nothing(imschema):
    def chatty(request):
        request.send(scripted.notice("by the way", "1.2.3.4"))
        request.reply(scripted.result(scripted.INTERMEDIATE))
        request.reply(scripted.entry("cn=Subschema", schema_values()), scripted.result(scripted.SEARCH_DONE))

    imschema.allow_leaks("ldap_result")
    works(ask(imschema, answers(subschema=chatty))[0])


def test_closed_connection(imschema):
    fails(ask(imschema, answers(subschema=lambda _: "close"))[0], 3, "connection to the server was lost")
    fails(ask(imschema, answers(bind=lambda _: "close"))[0], 3, "closed the connection during the log-on")


def test_referral_is_not_followed(imschema):
    with scripted.ScriptedServer(answers()) as other:
        refer = answers(subschema=lambda request: request.reply(scripted.result(scripted.SEARCH_DONE, 10, referrals=(other.uri,))))
        fails(ask(imschema, refer)[0], 3, "refers to another server", other.uri)
        assert not other.connected.is_set()


def test_busy_server_leaves_the_work_to_the_next(imschema, server):
    busy = answers(bind=lambda request: request.reply(scripted.result(scripted.BIND_DONE, 51, "come back later")))
    with scripted.ScriptedServer(busy) as first:
        works(imschema("-H", first.uri, "-H", server.ldap, *simple(server, imschema.password)))
    fails(ask(imschema, busy)[0], 3, "busy", "come back later")


@pytest.mark.parametrize("data, words", [("52e", "wrong password"), ("533", "disabled"), ("773", "must be changed"), ("775", "locked")])
def test_reasons_of_active_directory(imschema, data, words):
    text = f"80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {data}, v2580"
    script = answers(bind=lambda request: request.reply(scripted.result(scripted.BIND_DONE, 49, text)))
    fails(ask(imschema, script)[0], 3, words, f"data {data}")


def test_nonsense_instead_of_ldap(imschema):
    fails(ask(imschema, answers(bind=lambda request: request.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")))[0], 3, "127.0.0.1")
    fails(ask(imschema, answers(subschema=lambda request: request.send(b"\x30\x84\xff\xff\xff\xff")), "--timeout", "1")[0], 3, "127.0.0.1")


def test_traces_show_operations_but_no_secret(imschema, server):
    done = imschema("-H", server.ldap, *simple(server, imschema.password), "-vv")
    assert done.returncode == COMPLETE
    for part in (f"connected to {server.ldap}", f"bound as {server.manager_dn}", 'search "cn=Subschema"', "ended with 0"):
        assert part in done.stderr
    assert PASSWORD not in done.stderr
