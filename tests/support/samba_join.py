"""Makes a folder another domain controller of a domain: run as a program with python -I, because Samba's library keeps global state.

Arguments: folder, realm, host name, the domain controller to join through, administrator's password. FOLDER/etc/smb.conf must be there."""

import logging
import sys

from samba.credentials import Credentials
from samba.join import join_DC
from samba.param import LoadParm


def main(folder: str, realm: str, host: str, server: str, password: str):
    settings = LoadParm()
    settings.load(f"{folder}/etc/smb.conf")
    who = Credentials()
    who.guess(settings)
    who.set_realm(realm)
    who.set_domain(realm.split(".")[0])
    who.set_username("Administrator")
    who.set_password(password)
    join_DC(logger=logging.getLogger(), server=server, creds=who, lp=settings, netbios_name=host.upper(), targetdir=folder, domain=realm,
            dns_backend="SAMBA_INTERNAL")


main(*sys.argv[1:])
