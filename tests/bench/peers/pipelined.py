#!/usr/bin/python3
"""The same script by somebody who knows that python-ldap can wait for many at once: up to 64 people in flight."""

import argparse
import csv

import ldap
import ldap.filter

WINDOW = 64
parser = argparse.ArgumentParser()
for option in ("uri", "bind", "password-file", "base", "csv", "domain", "host", "home"):
    parser.add_argument(f"--{option}", required=True)
options = parser.parse_args()

link = ldap.initialize(options.uri)
link.set_option(ldap.OPT_REFERRALS, 0)
link.simple_bind_s(options.bind, open(options.password_file).readline().strip())


def search(name):
    return link.search_ext(options.base, ldap.SCOPE_SUBTREE, ldap.filter.filter_format("(sAMAccountName=%s)", [name]), ["sAMAccountName"])


def change(dn, alias):
    values = {"msExchIMAddress": f"{alias}@{options.domain}",
              "msExchIMMetaPhysicalURL": f"http://{options.domain}/instmsg/aliases/{alias}",
              "msExchIMPhysicalURL": f"http://{options.host}/instmsg/local/{options.domain}/instmsg/aliases/{alias}",
              "msExchIMVirtualServer": options.home}
    link.modify_ext(dn, [(ldap.MOD_REPLACE, attribute, [value.encode()]) for attribute, value in values.items()])


with open(options.csv, newline="") as file:
    names = [row["account"] for row in csv.DictReader(file)]
waiting, in_flight, changed = iter(names), 0, 0
for name in names[:WINDOW]:
    search(next(waiting))
    in_flight += 1
while in_flight:
    kind, found, _, _ = link.result3(ldap.RES_ANY, all=1)
    if kind == ldap.RES_SEARCH_RESULT:
        dn, entry = found[0]
        change(dn, entry["sAMAccountName"][0].decode())
        continue
    changed += 1
    in_flight -= 1
    if (name := next(waiting, None)) is not None:
        search(name)
        in_flight += 1
print(changed)
