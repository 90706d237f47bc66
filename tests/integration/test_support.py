"""The servers, people and faults that the other tests rely on do what they promise."""

import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import ldap
import ldap.filter
import pytest

from tests.support import berstub, scripted
from tests.support.ldif import modification, parse, record, sid_bytes, way_back, without
from tests.support.people import OTHER_DOMAIN, SELF, people
from tests.support.process import SupportError, await_true, tool
from tests.support.proxies import Proxy
from tests.support.scripted import MODIFY, SEARCH, ScriptedServer
from tests.support.slapd import IM_ATTRIBUTES, PrivateSlapd

ROOT = Path(__file__).resolve().parents[2]
HOME_SERVERS = "(&(objectClass=msExchProtocolCfgIMVirtualServer)(msExchIMServerHostsUsers=TRUE))"


def search_tool(server, *options, env=None):
    """ldapsearch of the suffix alone, whatever becomes of it."""
    return tool("ldapsearch", "-LLL", "-o", "nettimeout=10", "-s", "base", "-b", server.suffix, *options, "1.1", check=False,
                env={"LDAPTLS_CACERT": str(server.ca_file)} | (env or {}))


def manager(server):
    return ["-x", "-D", server.manager_dn, "-w", server.password]


def running(pid):
    """Whether that process is there, and not just waiting to be reaped."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def im_values(home):
    return [("add", "msExchIMAddress", ["jm@im.example"]), ("add", "msExchIMVirtualServer", [home])]


# ---- people and LDIF ----

@pytest.mark.parametrize("flavor", ["ad", "samba", "plain"])
def test_people_are_the_same_each_time(flavor):
    assert people("dc=x", "x", flavor) == people("dc=x", "x", flavor)
    assert people("dc=x", "x", flavor, seed=2).ldif != people("dc=x", "x", flavor).ldif


def test_most_people_are_healthy_and_each_kind_is_there():
    crowd = people("dc=x", "x")
    assert len(crowd.manifest) == 200
    assert len(crowd.of("healthy", "umlaut", "comma")) > 120
    first, second = crowd.of("duplicate")[:2]
    assert first["alias"] == second["alias"] and first["dn"] != second["dn"]
    assert "\\, " in crowd.one("comma")["dn"] and crowd.one("comma")["cn"].endswith("(Ost) #2")
    assert len({person["dn"] for person in crowd.manifest}) == 200
    names = [person["sam"].lower() for person in crowd.manifest if person["sam"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("value", ["plain", "Müller", " leading", "trailing ", "< file", ": colon", "a\nb", "", "ends in #", b"\x00\xff"])
def test_ldif_is_read_as_it_was_written(value):
    raw = value if isinstance(value, bytes) else value.encode()
    assert parse(record("cn=Jörg", {"description": value})) == {"cn=Jörg": {"description": [raw]}}


def test_the_way_back_takes_away_what_is_new_and_gives_values_back():
    before = {"CN=a": {"x": [b"1"], "y": [b"2"]}, "CN=b": {"x": [b"1"]}}
    after = {"CN=a": {"x": [b"2"], "z": [b"3"]}, "CN=b": {"x": [b"1"]}, "OU=c": {}, "CN=d,OU=c": {}}
    assert way_back(before, after) == [f"dn: {dn}\nchangetype: delete\n\n" for dn in ("CN=d,OU=c", "OU=c")] + [
        modification("CN=a", [("replace", "x", [b"1"]), ("replace", "y", [b"2"]), ("replace", "z", [])])]
    assert way_back(before, before) == []
    assert way_back(*(without(entries, {"x", "y", "z"}) for entries in (before, {**before, "CN=a": after["CN=a"]}))) == []


def test_sid():
    assert sid_bytes(SELF).hex() == "0101000000000005" + "0a000000"


# ---- slapd ----

def test_slapd_holds_the_people_of_the_manifest(slapd):
    dump = slapd.dump()
    assert len([dn for dn in dump if "People" in dn]) == len(slapd.people.manifest) + 5
    for person in slapd.people.manifest:
        [(_, entry)] = slapd.search(f"(cn={ldap.filter.escape_filter_chars(person['cn'])})").items()
        assert entry.get("sAMAccountName", [b""])[0].decode() == (person["sam"] or "")
        assert entry.get("userAccountControl", [b"-1"])[0].decode() == str(person["uac"] if person["uac"] is not None else -1)
        assert ("sIDHistory" in entry) == (person["history"] is not None)
    assert {server.dn.lower() for server in slapd.servers if server.hosts_users} == {
        dn.lower() for dn in slapd.search(HOME_SERVERS, base=slapd.configuration_dn)}
    assert slapd.dump_tools().keys() == dump.keys()


def test_slapd_knows_the_oddities(slapd):
    assert slapd.entry(slapd.people.one("linked")["dn"])["msExchMasterAccountSid"][0].startswith(sid_bytes(OTHER_DOMAIN)[8:9].join([b"\1\5"]))
    assert slapd.entry(slapd.people.one("resource")["dn"])["msExchMasterAccountSid"] == [sid_bytes(SELF)]
    assert "objectSid" not in slapd.entry(slapd.people.one("contact")["dn"])
    assert slapd.entry(slapd.people.one("sid-history-placeholder")["dn"])["pwdLastSet"] == [b"0"]
    disabled = slapd.search("(userAccountControl:1.2.840.113556.1.4.803:=2)")
    assert len(disabled) == len(slapd.people.of("disabled", "disabled-no-expiry", "linked", "resource", "sid-history-placeholder"))


@pytest.mark.parametrize("number", [1, 2])
def test_slapd_is_as_new_for_each_test(slapd, number):
    assert "msExchIMAddress" not in str(slapd.search(base="cn=Subschema", scope="base", attributes=("attributeTypes",)))
    person = slapd.people.one("healthy")["dn"]
    assert "info" not in slapd.entry(person)
    slapd.load(modification(person, [("add", "info", [f"test {number}"])]))
    slapd.add_im_schema()
    assert slapd.entry(person)["info"]


@pytest.mark.parametrize("static", [False, True])
def test_im_schema_with_and_without_static_class(slapd, static):
    slapd.add_im_schema(static=static)
    person = slapd.people.one("healthy")["dn"]
    change = modification(person, im_values(slapd.servers[0].dn))
    if static:
        slapd.load(change)
        assert b"msExchIMRecipient" not in slapd.entry(person)["objectClass"]
    else:
        with pytest.raises(SupportError, match="Object class violation"):
            slapd.load(change)
        slapd.load(modification(person, [("add", "objectClass", ["msExchIMRecipient"]), *im_values(slapd.servers[0].dn)]))
    slapd.restart()
    assert slapd.entry(person)["msExchIMAddress"] == [b"jm@im.example"]
    assert set(IM_ATTRIBUTES) >= {name for name in slapd.entry(person) if name.startswith("msExchIM")}


def test_plain_slapd_has_no_ad_attributes(slapd_plain):
    assert "sAMAccountName" not in str(slapd_plain.search(base="cn=Subschema", scope="base", attributes=("attributeTypes",)))
    person = slapd_plain.people.one("umlaut")
    assert slapd_plain.entry(person["dn"])["uid"] == [person["sam"].encode()]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "DIGEST-MD5"])
@pytest.mark.parametrize("flavor", ["slapd", "slapd_plain"])
def test_slapd_sasl(request, flavor, mechanism):
    server = request.getfixturevalue(flavor)
    sasl = ["-Q", "-Y", mechanism, "-U", server.manager_name, "-H", server.ldap]
    assert search_tool(server, *sasl, "-w", server.password).returncode == 0
    assert search_tool(server, *sasl, "-w", "wrong").returncode == 49


def test_slapd_tls_is_verified_with_our_authority(slapd, ca, tmp_path):
    trust = ssl.create_default_context(cafile=ca.ca_file)
    for host in ("localhost", "127.0.0.1"):  # ldapsearch would look for the name of the machine instead of "localhost"
        with socket.create_connection(("127.0.0.1", slapd.tls_port)) as raw:
            trust.wrap_socket(raw, server_hostname=host).close()
    for options in (["-H", slapd.ldaps], ["-H", slapd.ldap, "-ZZ"]):
        assert search_tool(slapd, *options, *manager(slapd)).returncode == 0
        assert search_tool(slapd, *options, *manager(slapd), env={"LDAPTLS_CACERT": "/etc/ssl/certs/ca-certificates.crt"}).returncode != 0
    certificate, _ = ca.issue("late", dns=("localhost",), expired=True)
    dates = tool("openssl", "x509", "-in", certificate, "-checkend", 0, check=False)
    assert dates.returncode == 1


def test_slapd_options():
    root_dse = {"objectClass": "top", "defaultNamingContext": PrivateSlapd.suffix, "schemaNamingContext": f"cn=Schema,{PrivateSlapd.suffix}"}
    with PrivateSlapd(limits=("* size.soft=5 size.hard=5 size.pr=5 size.prtotal=unlimited",), root_dse=root_dse, ppolicy=True,
                      retcode=('"cn=busy" 0x33 op=modify', '"cn=full" 0x0b op=search text="too much"'), security="update_ssf=128") as server:
        server.load_people(20)
        for _ in range(2):
            assert server.search(base="", scope="base", attributes=("+", "*"))[""]["defaultNamingContext"] == [server.suffix.encode()]
            server.restart()
        subtree = ["ldapsearch", "-LLL", "-H", server.ldap, *manager(server), "-b", server.suffix]
        assert tool(*subtree, "1.1", check=False).returncode == 4
        assert tool(*subtree, "-E", "pr=5/noprompt", "1.1").stdout.count("dn: ") > 20
        busy = modification(f"cn=busy,{server.retcode_dn}", [("replace", "description", ["x"])])
        assert tool("ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", server.ldapi, stdin=busy, check=False).returncode == 51
        full = tool("ldapsearch", "-Q", "-Y", "EXTERNAL", "-H", server.ldapi, "-s", "base", "-b", f"cn=full,{server.retcode_dn}", check=False)
        assert full.returncode == 11 and "text: too much" in full.stdout
        change = modification(server.people.one("healthy")["dn"], [("replace", "info", ["x"])])
        weak = ["ldapmodify", "-H", server.ldap, *manager(server)]
        assert tool(*weak, stdin=change, check=False).returncode == 13
        assert tool(*weak, "-ZZ", stdin=change, env={"LDAPTLS_CACERT": str(server.ca_file)}).returncode == 0


def test_slapd_referral(slapd):
    dn = f"ou=Elsewhere,{slapd.suffix}"
    slapd.add_referral(dn, "ldap://elsewhere.example/ou=X")
    done = tool("ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", "-H", slapd.ldapi, "-s", "base", "-b", dn, check=False)
    assert done.returncode == 10 and "ldap://elsewhere.example/ou=X" in done.stderr
    slapd.load(f"dn: {dn}\nchangetype: delete\n", manage_dsa_it=True)


def test_slapd_survives_kill_and_hangs_on_request(slapd):
    before, port = slapd.dump(operational=True), slapd.port
    slapd.kill()
    assert search_tool(slapd, "-H", slapd.ldap, *manager(slapd)).returncode == 255
    slapd.start()
    assert slapd.dump(operational=True) == before and slapd.port == port
    slapd.pause()
    try:
        with pytest.raises(ldap.TIMEOUT):
            link = ldap.initialize(slapd.ldap)
            link.timeout = 0.2
            link.simple_bind_s(slapd.manager_dn, slapd.password)
    finally:
        slapd.resume()
    assert search_tool(slapd, "-H", slapd.ldap, *manager(slapd)).returncode == 0
    slapd.stop(signal.SIGTERM)
    slapd.start()


def test_slapd_outlives_the_thread_that_started_it(slapd):
    slapd.stop()
    starter = threading.Thread(target=slapd.start)
    starter.start()
    starter.join()
    assert slapd.dump()


def test_slapd_does_not_outlive_its_test():
    script = """if True:
        from tests.support.slapd import PrivateSlapd
        server = PrivateSlapd(tls=False).start()
        print(server.folder, server.pid, flush=True)
        input()"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        folder, pid = child.stdout.readline().split()
        child.kill()
    await_true(lambda: not running(pid), "slapd to end")
    shutil.rmtree(folder)


def test_a_server_that_cannot_start_says_why():
    with PrivateSlapd("plain", tls=False) as server:
        server.stop()
        (server.folder / "conf" / "cn=config.ldif").write_text("nonsense\n")
        with pytest.raises(SupportError, match="slapd ended with status"):
            server.start()


# ---- networks and stubs ----

def test_proxy_delays_records_and_cuts(slapd):
    with Proxy(("127.0.0.1", slapd.port)) as proxy:
        link = ldap.initialize(proxy.uri())
        link.timeout = 20
        link.simple_bind_s(slapd.manager_dn, slapd.password)
        assert slapd.manager_dn.encode() in proxy.sent
        proxy.delay = 0.1
        start = time.monotonic()
        link.search_s(slapd.suffix, ldap.SCOPE_BASE)
        assert time.monotonic() - start >= 0.2
        proxy.cut()
        with pytest.raises(ldap.SERVER_DOWN):
            link.search_s(slapd.suffix, ldap.SCOPE_BASE)
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", proxy.port))
        proxy.delay = 0
        proxy.accept()
        proxy.cut_after_received = 20  # in the middle of the first entry
        assert "Can't contact LDAP server" in search_tool(slapd, "-H", proxy.uri(), *manager(slapd)).stderr
        assert len(proxy.links[-1].received) <= proxy.cut_after_received


def test_proxy_holds_and_goes_on(slapd):
    with Proxy(("127.0.0.1", slapd.port)) as proxy:
        link = ldap.initialize(proxy.uri())
        link.simple_bind_s(slapd.manager_dn, slapd.password)
        proxy.hold()
        number = link.search(slapd.suffix, ldap.SCOPE_BASE)
        with pytest.raises(ldap.TIMEOUT):
            link.result(number, timeout=0.2)
        proxy.go_on()
        assert link.result(number, timeout=20)[0] == ldap.RES_SEARCH_RESULT


def test_proxy_without_target_stalls_a_tls_handshake():
    with Proxy(None) as proxy, socket.create_connection(("127.0.0.1", proxy.port), timeout=0.2) as raw:
        proxy.await_links()
        with pytest.raises(TimeoutError):
            ssl.create_default_context().wrap_socket(raw, server_hostname="localhost")


def attempt(directory, action):
    """What python-ldap makes of a stub."""
    with ScriptedServer(directory) as server:
        link = ldap.initialize(server.uri)
        link.timeout = 20
        link.set_option(ldap.OPT_REFERRALS, 0)
        link.simple_bind_s("cn=x", "secret")
        return action(link)


def test_stub_domain_controller_is_not_schema_master():
    directory = berstub.domain_controller()
    [(_, root)] = attempt(directory, lambda link: link.search_s("", ldap.SCOPE_BASE, attrlist=["schemaNamingContext", "dnsHostName"]))
    assert root.keys() == {"schemaNamingContext", "dnsHostName"}
    [(_, schema)] = attempt(directory, lambda link: link.search_s(root["schemaNamingContext"][0].decode(), ldap.SCOPE_BASE))
    owner = schema["fSMORoleOwner"][0].decode().split(",", 1)[1]
    [(_, machine)] = attempt(directory, lambda link: link.search_s(owner, ldap.SCOPE_BASE))
    assert (root["dnsHostName"], machine["dNSHostName"]) == ([b"dc1.corp.example"], [b"dc2.corp.example"])


def test_stub_ranges():
    directory = berstub.StubDirectory(entries={"cn=g": {"member": ["a", "b", "c"], "cn": ["g"]}}, range_size=2)

    def read(link):
        return [link.search_s("cn=g", ldap.SCOPE_BASE, attrlist=[name])[0][1] for name in ("member", "member;range=2-*", "cn")]
    assert attempt(directory, read) == [{"member;range=0-1": [b"a", b"b"]}, {"member;range=2-*": [b"c"]}, {"cn": [b"g"]}]


@pytest.mark.parametrize("fault, error", [
    (berstub.fails(berstub.BUSY), ldap.BUSY), (berstub.fails(berstub.UNAVAILABLE, "later"), ldap.UNAVAILABLE),
    (berstub.fails(berstub.ADMIN_LIMIT), ldap.ADMINLIMIT_EXCEEDED), (berstub.refers("ldap://dc2.example/"), ldap.REFERRAL),
    (berstub.says_goodbye(), ldap.UNAVAILABLE), (berstub.hangs_up, ldap.SERVER_DOWN), (berstub.breaks_off, ldap.SERVER_DOWN),
    (berstub.answers_as_extended(), ldap.UNAVAILABLE_CRITICAL_EXTENSION)])
def test_stub_faults(fault, error):
    def read_twice(link):
        assert link.search_s("", ldap.SCOPE_BASE)[0][0] == ""
        link.modify_s("cn=x", [(ldap.MOD_REPLACE, "description", [b"x"])])
        with pytest.raises(error):
            link.search_s("", ldap.SCOPE_BASE)
    attempt(berstub.StubDirectory({"vendorName": ["stub"]}, faults={SEARCH: (1, fault)}), read_twice)


def test_stub_does_not_say_what_became_of_a_change():
    def change(link):
        return link.result(link.modify("cn=x", [(ldap.MOD_REPLACE, "description", [b"x"])]), timeout=0.2)
    with pytest.raises(ldap.TIMEOUT):
        attempt(berstub.StubDirectory(faults={MODIFY: berstub.is_silent}), change)
    assert attempt(berstub.StubDirectory(faults={MODIFY: berstub.answers_as(scripted.BIND_DONE)}), change)[0] == ldap.RES_BIND


# ---- commands ----

def test_commands_run_in_a_clean_environment(imdir, monkeypatch):
    monkeypatch.setenv("IMDIR_TEST", "leaks")
    done = imdir("imenable", "--version", status=0)
    assert "imdir" in done.stdout or "imenable" in done.stdout
    assert "IMDIR_TEST" not in imdir.environment and imdir.environment["HOME"] == str(imdir.home)


# ---- Samba ----

@pytest.mark.samba
class TestSamba:
    def test_simple_bind_needs_tls(self, samba):
        simple = ["-x", "-D", samba.administrator, "-y", samba.password_file, "-s", "base", "-b", samba.suffix, "1.1"]
        refused = samba.run(["ldapsearch", "-H", samba.ldap, *simple], check=False)
        assert refused.returncode == 8 and "Transport encryption required" in refused.stderr
        for options in (["-H", samba.ldaps], ["-H", samba.ldap, "-ZZ"], ["-H", f"ldaps://{samba.address}"]):
            samba.run(["ldapsearch", *options, *simple])
        strangers = samba.run(["ldapsearch", "-H", samba.ldaps, *simple], check=False, env={"LDAPTLS_CACERT": "/etc/ssl/certs/ca-certificates.crt"})
        assert strangers.returncode == 255

    def test_kerberos(self, samba):
        search = ["ldapsearch", "-Q", "-Y", "GSSAPI", "-s", "base", "-b", samba.suffix, "1.1"]
        assert samba.run([*search, "-H", samba.ldap], check=False).returncode != 0
        samba.kinit()
        samba.run([*search, "-H", samba.ldap])
        samba.run([*search, "-N", "-H", f"ldap://{samba.address}"])

    def test_service_records(self, samba):
        found = samba.run(["samba-tool", "dns", "query", samba.host, samba.domain, "_ldap._tcp", "SRV", "-U", f"Administrator%{samba.password}",
                           "-s", samba.smb_conf])
        assert f"{samba.host}. (389" in found.stdout

    def test_holds_the_people_of_the_manifest(self, samba):
        found = {entry["cn"][0].decode(): (dn, entry) for dn, entry in samba.search(base=f"OU=People,{samba.suffix}").items() if "cn" in entry}
        assert len(found) == len(samba.people.manifest)
        for person in samba.people.manifest:
            dn, entry = found[person["cn"]]
            assert dn.replace("\\#", "#") == person["dn"]  # Samba escapes more than it must
            assert entry.get("sAMAccountName", [b""])[0].decode() == (person["sam"] or "")
            assert entry.get("mailNickname", [b""])[0].decode() == (person["alias"] or "")
            assert ("sIDHistory" in entry) == (person["history"] is not None)
            if person["uac"] is not None:
                assert entry["userAccountControl"] == [str(person["uac"]).encode()]
        healthy = found[samba.people.one("healthy")["cn"]][1]
        assert healthy["pwdLastSet"] != [b"0"] and healthy["lastLogonTimestamp"] != [b"0"]
        homes = samba.search(HOME_SERVERS, base=samba.configuration_dn)
        assert homes.keys() == {server.dn for server in samba.servers if server.hosts_users}

    @pytest.mark.parametrize("number", [1, 2])
    def test_sid_history_and_reset(self, samba, number):
        person = samba.people.one("healthy")["dn"]
        assert "sIDHistory" not in samba.entry(person)
        sid = f"{OTHER_DOMAIN}-99{number}"
        with pytest.raises(SupportError, match="cannot be created or changed over LDAP"):
            samba.load(modification(person, [("replace", "sIDHistory", [sid_bytes(sid)])]))
        samba.set_sid_history(person, sid)
        assert samba.entry(person)["sIDHistory"] == [sid_bytes(sid)]

    def test_no_im_schema_but_it_can_be_added(self, samba_im):
        person = samba_im.people.one("healthy")["dn"]
        samba_im.load(modification(person, im_values(samba_im.servers[0].dn)))
        assert samba_im.entry(person)["msExchIMVirtualServer"][0].decode() == samba_im.servers[0].dn
        samba_im.reset()
        with pytest.raises(SupportError, match="No such attribute"):
            samba_im.load(modification(person, im_values(samba_im.servers[0].dn)))

    def test_password(self, samba):
        person = samba.people.one("healthy")
        samba.set_password(person["dn"], "Another.1")
        samba.kinit(person["sam"], "Another.1")
        with pytest.raises(SupportError):
            samba.kinit(person["sam"], "wrong")

    def test_commands_run_in_its_network(self, samba, imdir):
        done = imdir("imschema", "-H", samba.ldaps, "--tls-ca", samba.ca_file, "-D", samba.administrator, "-y", samba.password_file, inside=samba)
        assert done.returncode == 1, done.stderr
