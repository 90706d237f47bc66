"""imcheck on a directory: what was planted is found and nothing else; formats, exit statuses, pipes."""

import csv
import gzip
import io
import json
import subprocess
from collections import defaultdict

import pytest

from tests.support.lab import open_lab, plain_dn
from tests.support.planted import Planted, decoys

SCOPES = ("--scope", "account,server,schema")
MANY = 10_000


def _open(folder, count):
    lab = open_lab("static", folder, count=5)
    homes = [(server.dn, server.name) for server in lab.server.servers if server.hosts_users]
    router = next(server.dn for server in lab.server.servers if not server.hosts_users)
    planted = Planted(lab.server.suffix, homes, router, count)
    lab.server.load("".join(planted.ldif) + decoys(lab.server.suffix, homes))
    lab.config.write_text(f'directory:\n  uri: ["{lab.server.ldapi}"]\n')
    return lab, planted


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    lab, planted = _open(tmp_path_factory.mktemp("large"), MANY)
    yield lab, planted
    lab.server.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    lab, planted = _open(tmp_path_factory.mktemp("small"), 550)
    yield lab, planted
    lab.server.close()


def _found(text: str) -> dict[str, set[str]]:
    found = defaultdict(set)
    for finding in json.loads(text)["findings"]:
        if finding["scope"] == "account":
            found[finding["rule"]].add(finding["account"])
    return found


# ---- everything that was planted, and nothing else ----


def test_what_was_planted_is_found_and_nothing_else(large):
    lab, planted = large
    done = lab.run("imcheck", *SCOPES, "-o", "json", status=1)
    found = _found(done.stdout)
    assert {rule: sorted(found[rule] ^ planted.expected[rule]) for rule in {*found, *planted.expected} if found[rule] != planted.expected[rule]} == {}
    assert len(found) >= 15 and all(len(accounts) > 10 for accounts in found.values())
    result = json.loads(done.stdout)
    assert result["summary"]["accounts"] == sum(planted.homed.values()) + 2  # and the two traps that are enabled
    assert result["summary"]["errors"] == sum(f["severity"] == "error" for f in result["findings"])


def test_servers_with_users_that_they_do_not_host_are_named_once(large):
    lab, planted = large
    result = json.loads(lab.run("imcheck", "--rule", "server-users-orphaned", "-o", "json", status=1).stdout)
    told = {plain_dn(f["subject"]): f["message"] for f in result["findings"]}
    gone = f"cn=gone,ou=service,{lab.server.suffix}"
    assert len(told) == 3 and str(planted.homed[f"cn=gone,ou=Service,{lab.server.suffix}"]) in told[gone]


def test_several_connections_find_the_same(large):
    lab, planted = large
    done = lab.run("imcheck", "--scope", "account", "--scan-connections", "4", "-o", "json", status=1)
    assert _found(done.stdout) == planted.expected


def test_skipped_is_said_with_the_reason_and_is_not_passed(small):
    lab, _ = small
    rules = {rule["rule"]: rule for rule in json.loads(lab.run("imcheck", *SCOPES, "-o", "json", status=1).stdout)["rules"]}
    assert rules["account-not-writable"]["status"] == "skipped" and "does not tell" in rules["account-not-writable"]["reason"]
    assert rules["account-disabled"] | {"findings": 0} == {"rule": "account-disabled", "status": "checked", "findings": 0}


@pytest.mark.parametrize("words, reads", [(["--scope", "schema"], False), (["--rule", "server-build-old"], False), (["--scope", "server"], True),
                                          (["--scope", "schema", "--report", "page.html"], True)])
def test_accounts_are_read_where_something_needs_them(small, words, reads):
    lab, _ = small
    before = len(lab.server.log_text())
    summary = json.loads(lab.run("imcheck", *words, "-o", "json", status=None).stdout)["summary"]
    assert ("(msExchIMAddress=*)" in lab.server.log_text()[before:]) == reads
    assert ("accounts" in summary, "enabled" in summary) == (reads, reads) and summary.get("accounts") != 0


# ---- an export instead of a server ----


def _export(lab, name: str, gzipped: bool = False):
    path = lab.folder / name
    done = subprocess.run(["ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", "-H", lab.server.ldapi, "-b", lab.server.suffix, "-E", "pr=1000/noprompt",
                           "*", "+"], capture_output=True, check=True)
    path.write_bytes(gzip.compress(done.stdout) if gzipped else done.stdout)
    return path


def _comparable(text: str) -> list:
    return sorted((f["rule"], f["severity"], f.get("account", ""), f.get("subject", ""), f["message"], f["remedy"]) for f in json.loads(text)["findings"])


@pytest.mark.parametrize("gzipped", [False, True])
def test_an_export_gives_the_findings_of_its_server(large, gzipped):
    lab, _ = large
    live = lab.run("imcheck", "--scope", "account,server", "-o", "json", status=1).stdout
    path = _export(lab, "export.ldif.gz" if gzipped else "export.ldif", gzipped)
    none = lab.file("none.yaml", "")
    done = lab.run("imcheck", "--config", none, "-H", f"ldif:{path}", "-o", "json", status=1)
    assert _comparable(done.stdout) == _comparable(live)
    rules = {rule["rule"]: rule for rule in json.loads(done.stdout)["rules"]}
    assert rules["schema-missing"]["status"] == "skipped"  # it holds no schema
    assert not any(name.startswith("dns-") for name in rules)  # nobody is asked who was not named


def test_who_was_renamed_is_no_new_finding(small):
    lab, planted = small
    words = ["--rule", "account-disabled", "--fail-on", "info"]
    before = lab.file("before.json", lab.run("imcheck", *words, "-o", "json", status=1).stdout)
    one = json.loads(before.read_text())["findings"][0]
    old = lab.file("old.json", before.read_text().replace('"guid"', '"unheard"'))
    rdn, parent = one["dn"].split(",", 1)
    with lab.server.connection() as connection:
        connection.modrdn_s(one["dn"], "cn=renamed")
        try:
            runs = [lab.run("imcheck", *words, "--baseline", file, "-o", "json", status=None) for file in (before, old)]
        finally:
            connection.modrdn_s(f"cn=renamed,{parent}", rdn)
    summary = [json.loads(run.stdout)["summary"] for run in runs]
    assert [(s["new"], s["gone"]) for s in summary] == [(0, 0), (1, 1)]  # a result of before there were GUIDs is read by DN
    assert json.loads(lab.run("imcheck", *words, "--baseline", old, "-o", "json").stdout)["summary"]["new"] == 0


# ---- selected accounts ----


def test_a_selected_person_is_judged_as_if_to_be_enabled(small):
    lab, planted = small
    off = min(planted.expected["account-disabled"])
    done = lab.run("imcheck", "trap4", off, "person0", "nobody", "--home", "im1", status=1)
    lines = done.stdout.splitlines()
    assert "trap4 can sign in: no, because the account is disabled (account-disabled)" in lines
    assert "person0 can sign in: yes" in lines
    assert any(line.startswith("nobody can sign in: unknown") for line in lines)


def test_a_preflight_needs_no_home_to_choose(small):
    lab, _ = small
    done = lab.run("imcheck", "person0", "trap3", status=1)
    assert "which home server?" in done.stderr and "trap3 can sign in: no" in done.stdout


def test_a_preflight_of_a_table_takes_its_columns(small):
    lab, _ = small
    table = lab.file("joiners.csv", "account,address,home\nperson0,,\nperson1,person0@im.corp.example,\n")
    result = json.loads(lab.run("imcheck", "--csv", table, "--home", "im1", "--rule", "account-address-duplicate", "-o", "json", status=1).stdout)
    assert [f["account"] for f in result["findings"]] == ["person1"]
    assert [a["source"] for a in result["accounts"]] == [f"{table}:2", f"{table}:3"]


@pytest.mark.parametrize("address, more", [([], ""), (["--address", "{alias}/x@im.corp.example"], ""), (["--address", "{attr:info}@im.corp.example"], ""),
                                           ([], "rules: { account-disabled: warning, account-address-duplicate: info }\n")])
def test_a_preflight_says_no_of_whom_imenable_refuses(small, address, more):
    lab, planted = small
    people = sorted(set().union(*planted.expected.values())) + ["person0", "person1"]
    config = lab.file("soft.yaml", lab.config.read_text() + more)
    words = ["--config", config, "--list", lab.file("people.txt", "\n".join(people)), "--home", "im1", *address, "-o", "json"]
    told = {a["account"]: a for a in json.loads(lab.run("imcheck", *words, status=None).stdout)["accounts"]}
    refused = {a["account"]: a["reason"] for a in json.loads(lab.run("imenable", *words, "-n", status=1).stdout)["accounts"] if a["outcome"] == "refused"}
    assert len(refused) > 5
    assert {name: (told[name]["signs_in"], told[name].get("rule")) for name in refused} == {name: ("no", reason) for name, reason in refused.items()}


def test_a_missing_home_is_looked_up_in_a_preflight(small):
    lab, planted = small
    gone = min(planted.expected["account-home-dangling"])
    result = json.loads(lab.run("imcheck", gone, "-o", "json", status=1).stdout)
    assert [f["rule"] for f in result["findings"]] == ["account-home-dangling"]


# ---- outputs ----


def test_what_csv_says_goes_into_the_other_commands(small):
    lab, planted = small
    off = planted.expected["account-disabled"] | planted.expected["account-linked-external"]  # which hides it where it is asked for
    rows = lab.run("imcheck", "--rule", "account-disabled", "-o", "csv", status=1).stdout
    assert {row["account"] for row in csv.DictReader(io.StringIO(rows))} == off
    done = lab.run("imdisable", "--csv", "-", "-n", "-o", "json", stdin=rows)
    assert {a["account"] for a in json.loads(done.stdout)["accounts"] if a["outcome"] == "changed"} == off


def test_findings_about_servers_are_passed_over_by_the_other_commands(small):
    lab, planted = small
    rows = lab.run("imcheck", *SCOPES, "-o", "csv", status=1).stdout
    assert any(row["scope"] == "server" and not row["account"] for row in csv.DictReader(io.StringIO(rows)))
    done = lab.run("imdisable", "--csv", "-", "-n", "-o", "json", stdin=rows)
    assert json.loads(done.stdout)["summary"]["not_found"] == 0


def test_half_written_accounts_are_completed_through_a_pipe(small):
    lab, planted = small
    rows = lab.run("imcheck", "--rule", "account-attrs-partial", "-o", "csv", status=1).stdout
    done = lab.run("imenable", "--csv", "-", "-n", "--home", "im1", "-o", "json", stdin=rows)
    assert {a["account"] for a in json.loads(done.stdout)["accounts"] if a["outcome"] == "changed"} == planted.expected["account-attrs-partial"]


@pytest.mark.parametrize("fail_on, status", [("error", 1), ("warning", 1), ("info", 1), ("never", 0)])
def test_findings_make_the_status(small, fail_on, status):
    lab, _ = small
    lab.run("imcheck", *SCOPES, "--fail-on", fail_on, status=status)


def test_only_infos_are_no_failure_unless_they_are_to_be(small):
    lab, _ = small
    lab.run("imcheck", "--rule", "account-sid-history", status=0)
    lab.run("imcheck", "--rule", "account-sid-history", "--fail-on", "info", status=1)


def test_nagios_has_statuses_of_its_own(small):
    lab, _ = small
    assert lab.run("imcheck", "--rule", "account-disabled", "-o", "nagios", status=2).stdout.startswith("IMDIR CRITICAL")
    assert lab.run("imcheck", "--rule", "account-cannot-log-on", "-o", "nagios", status=1).stdout.startswith("IMDIR WARNING")
    assert lab.run("imcheck", "--rule", "account-attr-multivalued", "-o", "nagios", status=0).stdout.startswith("IMDIR OK")
    done = lab.run("imcheck", "-H", "ldapi://%2Fnowhere", "-o", "nagios", status=3)
    assert done.stdout.startswith("IMDIR UNKNOWN") and len(done.stdout.splitlines()) == 1


def test_prometheus_counts_each_rule(small):
    lab, planted = small
    lines = lab.run("imcheck", "--scope", "account", "-o", "prometheus", status=1).stdout.splitlines()
    assert any(line.startswith('imdir_findings{') and 'rule="account-disabled"' in line and line.endswith(f" {len(planted.expected['account-disabled'])}")
               for line in lines)


def test_rules_are_listed_and_explained_without_a_directory(small):
    lab, _ = small
    assert "account-disabled" in lab.run("imcheck", "--list-rules", "-H", "ldapi://%2Fnowhere").stdout
    assert "password of its own" in lab.run("imcheck", "--explain", "account-disabled").stdout
    assert "did you mean \"account-disabled\"? --list-rules" in lab.run("imcheck", "--explain", "account-disable", status=2).stderr


# ---- what is agreed ----


def test_silenced_findings_are_counted_apart_until_their_day(small):
    lab, planted = small
    first, second, *_ = sorted(planted.expected["account-disabled"])
    more = (f"silence:\n  - {{ rule: account-disabled, account: {first}, reason: kiosk, until: 2999-12-31 }}\n"
            f"  - {{ rule: account-disabled, account: {second}, reason: over, until: 2020-01-01 }}\n")
    agreed = lab.file("agreed.yaml", more)
    result = json.loads(lab.run("imcheck", "--config", lab.config, "--rule", "account-disabled", "-o", "json", status=1).stdout)
    whole = result["summary"]["errors"]
    merged = lab.file("both.yaml", lab.config.read_text() + agreed.read_text())
    result = json.loads(lab.run("imcheck", "--config", merged, "--rule", "account-disabled", "-o", "json", status=1).stdout)
    assert result["summary"]["silenced"] == 1 and result["summary"]["errors"] == whole - 1
    assert [f["silenced"]["reason"] for f in result["findings"] if "silenced" in f] == ["kiosk"]


def test_severities_and_rules_follow_the_configuration(small):
    lab, planted = small
    config = lab.file("rules.yaml", lab.config.read_text() + "rules:\n  account-disabled: info\n  account-attrs-partial: off\n")
    result = json.loads(lab.run("imcheck", "--config", config, "--scope", "account", "-o", "json", status=1).stdout)
    assert {f["severity"] for f in result["findings"] if f["rule"] == "account-disabled"} == {"info"}
    assert "account-attrs-partial" not in {rule["rule"] for rule in result["rules"]}


# ---- wrong input ----


@pytest.mark.parametrize("words, said", [
    (["--scope", "everything"], "account, server, dns, http, schema, replication"),
    (["--rule", "account-disable"], "did you mean \"account-disabled\""),
    (["--skip", "nothing"], "there is no rule"),
    (["--scan-connections", "0"], "--scan-connections"),
    (["--home", "im1"], "name some"),
])
def test_wrong_words_are_told_before_anybody_is_asked(small, words, said):
    lab, _ = small
    assert said in lab.run("imcheck", "-H", "ldapi://%2Fnowhere", *words, status=2).stderr


def test_nobody_to_be_seen_is_an_error(small):
    lab, _ = small
    done = lab.run("imcheck", "--base", lab.homes[0], "--scope", "account", status=3)
    assert "no account" in done.stderr.lower()
