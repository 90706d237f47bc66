"""imcheck used in odd ways: wrong words, closed streams, results that are cut short."""

import json
import signal
import subprocess

import pytest

from tests.support import results
from tests.support.between import Between
from tests.support.lab import open_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    one = open_lab("static", tmp_path_factory.mktemp("odd"), count=20)
    yield one
    one.server.close()


@pytest.fixture
def earlier(tmp_path):
    return results.write(results.result(5), tmp_path / "result.json")


def _shell(lab, line: str, *words) -> subprocess.CompletedProcess:
    """`line` with "$@" for imcheck and its words."""
    return subprocess.run(["/bin/bash", "-c", line, "bash", *lab.command("imcheck", *words)], cwd=lab.folder, env=lab.environment(),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


# ---- one line for a monitoring system, whatever happens ----


@pytest.mark.parametrize("words", [
    ["-o", "nagios", "--bogus"],
    ["--bogus", "-o", "nagios"],
    ["-qonagios", "--bogus"],
    ["--output=nagios", "--config", "/nowhere"],
    ["-o", "nagios", "--output", "bogus"],
    ["-o", "nagios", "--list-rules"],
    ["-o", "nagios", "--explain", "no-rule"],
    ["-o", "nagios", "--input", "/nowhere"],
    ["-o", "nagios", "--rule", "no-rule"],
])
def test_a_monitoring_system_hears_of_wrong_words_as_unknown(imdir, words):
    done = imdir("imcheck", *words)
    assert (done.returncode, done.stderr == "") == (3, False)
    assert len(done.stdout.splitlines()) == 1 and done.stdout.startswith("IMDIR UNKNOWN - ")


def test_a_monitoring_system_knows_no_status_above_unknown(lab):
    assert _shell(lab, '"$@" >/dev/full', "-o", "nagios", "--scope", "account").returncode == 3
    assert _shell(lab, '"$@" >/dev/full', "-o", "text", "--scope", "account").returncode == 4


def test_an_account_with_the_name_of_the_format_is_none(imdir):
    done = imdir("imcheck", "--bogus", "--", "-o", "nagios")
    assert (done.returncode, done.stdout) == (2, "")


# ---- closed streams ----


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "csv", "nagios", "prometheus"])
def test_a_closed_standard_output_is_said_and_nothing_else_gets_the_results(lab, form):
    done = _shell(lab, '"$@" >&-', "--scope", "account", "-o", form)
    assert done.returncode == (3 if form == "nagios" else 4)
    assert "cannot be written: Bad file descriptor" in done.stderr


def test_messages_do_not_end_up_in_a_file_that_is_written(lab):
    page = lab.folder / "quiet.html"
    done = _shell(lab, '"$@" 2>&- <&-', "--scope", "account", "-vv", "--report", page)
    assert done.returncode == 0
    assert page.read_text().lstrip().lower().startswith("<!doctype html") and "imcheck: " not in page.read_text()


# ---- nothing to look at is no pass ----


@pytest.mark.parametrize("words, said", [
    (["--rule", "account-disabled", "--skip", "account-disabled"], "no rule is left"),
    (["--rule", "account-disabled", "--replicas"], "--replicas: no rule"),
    (["--rule", "account-disabled", "--probe"], "--probe: no rule"),
])
def test_a_check_of_nothing_is_refused(lab, words, said):
    assert said in lab.run("imcheck", "-H", "ldapi://%2Fnowhere", *words, status=2).stderr


def test_a_rule_that_the_configuration_turned_off_is_checked_where_it_is_named(lab):
    config = lab.file("off.yaml", lab.config.read_text() + "rules: { account-disabled: off }\n")
    rules = json.loads(lab.run("imcheck", "--config", config, "--rule", "account-disabled", "-o", "json").stdout)["rules"]
    assert [rule["rule"] for rule in rules] == ["account-disabled"]


def test_a_check_of_rules_that_are_all_turned_off_is_refused(lab):
    config = lab.file("none.yaml", lab.config.read_text() + "rules: { http-unreachable: off }\n")
    rules = json.loads(lab.run("imcheck", "--list-rules", "-o", "json").stdout)
    skip = ",".join(rule["rule"] for rule in rules["rules"] if rule["scope"] == "http" and rule["rule"] != "http-unreachable")
    assert "no rule is left" in lab.run("imcheck", "--config", config, "--scope", "http", "--skip", skip, status=2).stderr


def test_who_asks_for_those_that_are_not_enabled_hears_of_them(lab):
    name = lab.account(lab.people.one("healthy"))
    result = json.loads(lab.run("imcheck", "--rule", "account-not-enabled", name, "-o", "json").stdout)
    assert [finding["rule"] for finding in result["findings"]] == ["account-not-enabled"]
    result = json.loads(lab.run("imcheck", name, "-o", "json").stdout)
    assert "account-not-enabled" not in {rule["rule"] for rule in result["rules"]}


# ---- what needs no directory takes no words about one ----


@pytest.mark.parametrize("words", [
    ["--scope", "account"], ["--rule", "account-disabled"], ["--skip", "account-disabled"], ["--probe"], ["--dns-server", "127.0.0.1"], ["--external"],
    ["--replicas"], ["--scan-connections", "2"], ["--home", "im1"], ["--domain", "im.corp.example"], ["--address", "{alias}@{domain}"], ["--list-rules"],
    ["--explain", "account-disabled"],
])
def test_an_earlier_result_is_shown_as_it_is(imdir, earlier, words):
    done = imdir("imcheck", "--input", earlier, *words)
    assert (done.returncode, done.stdout) == (2, "") and words[0] in done.stderr


@pytest.mark.parametrize("words", [["--separator", ";"], ["--encoding", "utf-8"], ["--skip-bad-rows"], ["--column", "account=Login"]])
def test_an_audit_has_no_table(imdir, words):
    done = imdir("imcheck", "-H", "ldapi://%2Fnowhere", *words)
    assert (done.returncode, done.stdout) == (2, "") and words[0] in done.stderr


@pytest.mark.parametrize("words", [["--list-rules"], ["--explain", "account-disabled"]])
def test_rules_are_not_those_of_an_account(imdir, words):
    done = imdir("imcheck", *words, "jdoe")
    assert (done.returncode, done.stdout) == (2, "") and "no account can be named" in done.stderr


# ---- a report that could not be brought to its end ----


@pytest.fixture(scope="module")
def enabled(tmp_path_factory):
    one = open_lab("static", tmp_path_factory.mktemp("cut"), count=20)
    one.run("imenable", "--all", "--yes", "--home", "im1", status=None)
    yield one
    one.server.close()


def _cut_short(lab, form: str, hook) -> tuple[int, str, str]:
    """A check in which something happens before the first search that is one of its own: the one for accounts."""
    words = ["--scope", "account,server,schema", "-o", form]
    with Between(lab.server.port) as proxy:
        lab.run("imcheck", *lab.behind(proxy), *words, status=None)
        whole = proxy.counts["search"]
    with Between(lab.server.port) as proxy:
        process = lab.start("imcheck", *lab.behind(proxy), *words)
        proxy.before("search", whole, lambda: hook(process, proxy))  # the last one
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def _interrupt(process, _):
    process.send_signal(signal.SIGINT)


def _cut(_, proxy):
    proxy.cut()


@pytest.mark.parametrize("hook, said", [(_interrupt, "stopped on request"), (_cut, "connection to the server was lost")])
def test_a_result_is_whole_and_says_how_far_it_came(enabled, hook, said):
    status, out, err = _cut_short(enabled, "json", hook)
    assert status == 4 and said in err
    rules = {rule["rule"]: rule for rule in json.loads(out)["rules"]}
    assert {rules[name]["status"] for name in ("account-disabled", "server-users-orphaned", "schema-missing")} == {"skipped"}
    assert said in rules["account-disabled"]["reason"]


def test_a_monitoring_system_gets_one_line_of_a_check_that_was_stopped(enabled):
    status, out, _ = _cut_short(enabled, "nagios", _interrupt)
    assert (status, out) == (3, "IMDIR UNKNOWN - stopped on request\n")


def test_accounts_that_were_cut_off_pass_no_rule(tmp_path):
    limits = ('dn.exact="cn=imadmin,ou=Service,dc=corp,dc=example" size.soft=10 size.hard=10 size.prtotal=10',)
    lab = open_lab("static", tmp_path, count=60, limits=limits)
    try:
        words = ["-H", lab.server.ldap, "-D", lab.server.manager_dn, "-y", lab.password_file]
        lab.run("imenable", "--all", "--yes", "--home", "im1", status=None)
        told = [json.loads(lab.run("imcheck", *words, *chosen, "-o", "json", status=1).stdout)
                for chosen in (["--scope", "account,schema,replication"], ["--scope", "account,schema"], ["--rule", "account-disabled,schema-missing"])]
        unheard = lab.run("imcheck", *words, "--rule", "account-disabled", "--skip", "replication-result-truncated", "-o", "json")
    finally:
        lab.server.close()
    for result in told:
        rules = {rule["rule"]: rule for rule in result["rules"]}
        assert [finding["rule"] for finding in result["findings"]].count("replication-result-truncated") == 1
        assert {rule["status"] for name, rule in rules.items() if name.startswith("account-")} == {"skipped"}
        assert rules["schema-missing"]["status"] == "checked"  # the others go on
    assert json.loads(unheard.stdout)["findings"] == [] and "not all accounts were seen" in unheard.stderr
    assert json.loads(unheard.stdout)["rules"][0]["status"] == "skipped"


# ---- what a yes is worth ----


def test_a_yes_of_some_rules_says_so(lab):
    off = lab.account(lab.people.one("disabled"))
    assert f"{off} can sign in: no" in lab.run("imcheck", off, status=1).stdout
    for words in (["--rule", "account-address-duplicate"], ["--scope", "server"], ["--skip", "account-disabled"]):
        out = lab.run("imcheck", off, *words, "--fail-on", "never").stdout
        assert f"{off} can sign in: yes, once enabled, as far as the chosen rules tell" in out
        result = lab.run("imcheck", off, *words, "--fail-on", "never", "-o", "json").stdout
        assert out.splitlines()[0] in lab.run("imcheck", "--input", lab.file("some.json", result)).stdout
    config = lab.write_config("off.yaml", more="rules: { account-disabled: off }\n")  # imenable refuses all the same
    assert f"{off} can sign in: yes, once enabled, as far as" in lab.run("imcheck", "--config", config, off, "--fail-on", "never").stdout
    fine = lab.account(lab.people.one("healthy"))
    assert f"{fine} can sign in: yes, once enabled\n" in lab.run("imcheck", fine, "--fail-on", "never").stdout


def test_notes_of_a_preflight_come_from_imcheck(lab):
    done = lab.run("imcheck", "--config", lab.file("no-home.yaml", f'directory: {{ uri: ["{lab.server.ldapi}"] }}\n'),
                   lab.account(lab.people.one("healthy")), "--fail-on", "never")
    assert done.stderr.startswith("imcheck: which home server?")


def test_a_row_without_a_name_is_told_by_its_line(lab):
    table = lab.file("rows.csv", "account,home\n,im1\n")
    done = lab.run("imcheck", "--csv", table, "--skip-bad-rows", status=1)
    assert done.stdout.startswith(f"{table}:2 can sign in: unknown, because")
