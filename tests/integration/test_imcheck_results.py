"""Earlier results of imcheck: shown again, compared, and refused where they make no sense."""

import csv
import io
import json

import pytest

from tests.support import results


@pytest.fixture
def made(tmp_path):
    return lambda one, name="result.json": results.write(one, tmp_path / name)


def test_a_result_is_shown_again_in_every_format(imdir, made):
    one = results.result(300)
    path = made(one)
    counted = results.open_findings(one)
    again = json.loads(imdir("imcheck", "--input", path, "-o", "json").stdout)
    assert again["findings"] == one["findings"]
    assert sorted(again["rules"], key=str) == sorted(one["rules"], key=str)
    rows = list(csv.DictReader(io.StringIO(imdir("imcheck", "--input", path, "-o", "csv").stdout)))
    assert [row["message"] for row in rows] == [finding["message"] for finding in counted]
    text = imdir("imcheck", "--input", path).stdout
    assert f"{len(results.open_findings(one, 'error'))} errors, " in text and "SKIPPED  1 rule" in text
    done = imdir("imcheck", "--input", path, "-o", "nagios")
    assert done.returncode == 2 and done.stdout.startswith("IMDIR CRITICAL - ")
    samples = imdir("imcheck", "--input", path, "-o", "prometheus").stdout
    errors = sum(finding["rule"] == "account-disabled" for finding in counted)
    assert f'imdir_findings{{rule="account-disabled",severity="error",scope="account"}} {errors}\n' in samples


def test_only_new_findings_count_against_a_baseline(imdir, made):
    before, after = results.result(80), results.result(80)
    earlier = made(before, "earlier.json")
    assert imdir("imcheck", "--input", made(after), "--baseline", earlier).returncode == 0
    before["findings"] = [one for one in before["findings"] if one["rule"] != "account-disabled"]
    earlier = made(before, "earlier.json")
    done = imdir("imcheck", "--input", made(after), "--baseline", earlier, "-o", "json")
    states = {(one["rule"] == "account-disabled", one["state"]) for one in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1 and states == {(True, "new"), (False, "known")}
    assert imdir("imcheck", "--input", made(after), "--baseline", earlier, "--fail-on", "never").returncode == 0
    before["findings"].append(results.result(200)["findings"][150])
    done = imdir("imcheck", "--input", made(after), "--baseline", made(before, "earlier.json"), "-o", "jsonl")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["message"] for line in lines if line.get("state") == "gone"] == ["what is wrong with number 150"]
    assert lines[-1]["gone"] == 1


def test_the_configuration_silences_what_is_shown_again(imdir, made, tmp_path):
    one = results.result(40)
    wanted = next(finding for finding in results.open_findings(one) if finding["scope"] == "account")
    config = tmp_path / "imdir.yaml"
    config.write_text(json.dumps({"silence": [{"rule": wanted["rule"], "account": wanted["dn"].upper(), "reason": "agreed"}]}))
    done = imdir("imcheck", "--config", config, "--input", made(one), "-o", "json")
    found = next(finding for finding in json.loads(done.stdout)["findings"] if finding.get("account") == wanted["account"])
    assert found["silenced"] == {"reason": "agreed"}


@pytest.mark.parametrize("text, words", [("{", "ends where"), ("[]", "something else"), ("", "the file is empty"), ('{"command":"imenable","summary":{}}', "imcheck")])
def test_what_is_no_result_is_refused(imdir, tmp_path, text, words):
    path = tmp_path / "bad.json"
    path.write_text(text)
    for option in ("--input", "--baseline"):
        done = imdir("imcheck", option, path, "-H", "ldap://127.0.0.1:1")
        assert done.returncode == 2 and words in done.stderr and f"{path}:1: " in done.stderr
        assert done.stdout == ""


def test_a_page_takes_its_place_only_when_it_is_whole(imdir, made, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("old")
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(results.result(5))[:-40])
    assert imdir("imcheck", "--input", bad, "--report", page).returncode == 2
    assert page.read_text() == "old" and sorted(p.name for p in tmp_path.glob("page.html*")) == ["page.html"]
    imdir("imcheck", "--input", made(results.result(5)), "--report", page)
    assert page.read_text().startswith("<!DOCTYPE html>") and page.stat().st_mode & 0o777 == 0o600
