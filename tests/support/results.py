"""Results of imcheck, made up: what `imcheck --input` and `--baseline` read."""

import json
import random

RULES = {"account-disabled": "error", "account-address-duplicate": "error", "account-url-malformed": "error",
         "account-alias-unsafe": "warning", "server-overfull": "warning", "dns-srv-missing": "warning", "account-sid-history": "info"}
SCOPES = ("account", "server", "dns")
FIRST = "Anna Ben Carla David Emma Felix Greta Hans Ida Jörg Klara Łukasz Marie Niels Olga Sören Tomás Zoë".split()
LAST = "Müller Schmidt Novák Øster Garcia Nguyen Okafor Petrov Rossi Tanaka Weiß Young".split()
HOSTILE = '"><script>document.title="owned"</script><img src=x onerror=document.title="owned"></style></table>\x1b[2J\u202e&amp;\'`'


def finding(chance: random.Random, number: int) -> dict:
    rule = chance.choice(list(RULES))
    first, last = chance.choice(FIRST), chance.choice(LAST)
    name = f"{first[0]}{last}{number}".lower()
    scope = rule.split("-")[0]
    made = {"rule": rule, "severity": RULES[rule], "scope": scope, "message": f"what is wrong with number {number}",
            "remedy": f"mend-it {number}"}
    if scope == "account":
        return made | {"account": name, "dn": f"CN={first} {last} {number},OU=People,DC=corp,DC=example"}
    return made | {"subject": f"host{number}.corp.example"}


def result(count: int, seed: int = 1) -> dict:
    """A finished run with so many findings, some of them silenced; what is counted is what a person would count."""
    chance = random.Random(seed)
    findings = [finding(chance, number) for number in range(count)]
    for one in findings[5::10]:
        one["silenced"] = {"reason": "agreed", "until": "2027-03-31"}
    used = sorted({one["rule"] for one in findings})
    rules = [{"rule": rule, "status": "checked", "findings": sum(one["rule"] == rule for one in findings)} for rule in used]
    rules += [{"rule": "account-not-writable", "status": "skipped", "findings": 0, "reason": "this directory does not tell"}]
    return {"command": "imcheck", "version": "0.1.0", "profile": "exchange2000", "directory": "ldaps://dc1.corp.example",
            "started": "2026-11-25T20:00:00Z", "findings": findings, "rules": rules,
            "summary": {"accounts": 20000, "enabled": 18000, "seconds": 1.5,
                        "homes": [{"name": "imhome1", "count": 11000}, {"name": "imhome2", "count": 7000}],
                        "states": [{"name": "nothing found", "count": 16000}, {"name": "information", "count": 400},
                                   {"name": "warnings", "count": 600}, {"name": "errors", "count": 3000}]}}


def open_findings(made: dict, severity: str | None = None) -> list[dict]:
    return [one for one in made["findings"]
            if "silenced" not in one and one.get("state") != "gone" and severity in (None, one["severity"])]


def hostile() -> dict:
    """Every text that a directory or a file could have put there tries to break out of the page."""
    made = result(6)
    for one in made["findings"]:
        one.update(message=HOSTILE, remedy=HOSTILE, evidence={HOSTILE: HOSTILE})
        one["account" if one["scope"] == "account" else "subject"] = HOSTILE
    made["findings"][0]["message"] = {"base64": "TfxsbGVy/w=="}
    made["findings"][1]["silenced"] = {"reason": HOSTILE}
    made["accounts"] = [{"input": HOSTILE, "source": HOSTILE, "signs_in": "unknown", "message": HOSTILE}]
    made["rules"][-1]["reason"] = HOSTILE
    made["summary"]["homes"][0]["name"] = made["summary"]["states"][0]["name"] = HOSTILE
    return made | {"directory": HOSTILE, "profile": HOSTILE, "version": HOSTILE}


def write(made: dict, path) -> str:
    path.write_text(json.dumps(made, ensure_ascii=False))
    return str(path)
