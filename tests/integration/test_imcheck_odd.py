"""imcheck used in odd ways: wrong words, closed streams, results that are cut short."""

import json
import subprocess

import pytest

from tests.support import results
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


@pytest.mark.parametrize("words", [["--list-rules"], ["--explain", "account-disabled"]])
def test_rules_are_not_those_of_an_account(imdir, words):
    done = imdir("imcheck", *words, "jdoe")
    assert (done.returncode, done.stdout) == (2, "") and "no account can be named" in done.stderr
