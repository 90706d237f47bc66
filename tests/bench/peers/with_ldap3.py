#!/usr/bin/python3
"""The obvious script with the other library, ldap3."""

import argparse
import csv

import ldap3
from ldap3.utils.conv import escape_filter_chars

parser = argparse.ArgumentParser()
for option in ("uri", "bind", "password-file", "base", "csv", "domain", "host", "home"):
    parser.add_argument(f"--{option}", required=True)
options = parser.parse_args()

password = open(options.password_file).readline().strip()
link = ldap3.Connection(ldap3.Server(options.uri), options.bind, password, auto_bind=True)
changed = 0
with open(options.csv, newline="") as file:
    for row in csv.DictReader(file):
        link.search(options.base, f"(sAMAccountName={escape_filter_chars(row['account'])})", attributes=["sAMAccountName"])
        entry = link.entries[0]
        alias = entry["sAMAccountName"].value
        values = {"msExchIMAddress": f"{alias}@{options.domain}",
                  "msExchIMMetaPhysicalURL": f"http://{options.domain}/instmsg/aliases/{alias}",
                  "msExchIMPhysicalURL": f"http://{options.host}/instmsg/local/{options.domain}/instmsg/aliases/{alias}",
                  "msExchIMVirtualServer": options.home}
        changed += link.modify(entry.entry_dn, {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in values.items()})
print(changed)
