#!/usr/bin/python3
"""What somebody writes who has python-ldap and an afternoon: each person of the list is looked up, and changed."""

import argparse
import csv

import ldap
import ldap.filter

parser = argparse.ArgumentParser()
for option in ("uri", "bind", "password-file", "base", "csv", "domain", "host", "home"):
    parser.add_argument(f"--{option}", required=True)
options = parser.parse_args()

link = ldap.initialize(options.uri)
link.set_option(ldap.OPT_REFERRALS, 0)
link.simple_bind_s(options.bind, open(options.password_file).readline().strip())
changed = 0
with open(options.csv, newline="") as file:
    for row in csv.DictReader(file):
        name = row["account"]
        found = link.search_s(options.base, ldap.SCOPE_SUBTREE, ldap.filter.filter_format("(sAMAccountName=%s)", [name]), ["sAMAccountName"])
        dn, entry = found[0]
        alias = entry["sAMAccountName"][0].decode()
        values = {"msExchIMAddress": f"{alias}@{options.domain}",
                  "msExchIMMetaPhysicalURL": f"http://{options.domain}/instmsg/aliases/{alias}",
                  "msExchIMPhysicalURL": f"http://{options.host}/instmsg/local/{options.domain}/instmsg/aliases/{alias}",
                  "msExchIMVirtualServer": options.home}
        link.modify_s(dn, [(ldap.MOD_REPLACE, attribute, [value.encode()]) for attribute, value in values.items()])
        changed += 1
print(changed)
