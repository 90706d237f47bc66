"""Makes an Active Directory of Samba below a folder: run as a program with python -I, because Samba's library keeps global state.

Arguments: folder, realm, host name, address, administrator's password. FOLDER/etc/smb.conf must be there. samba-tool does the same, but
wants file system ACLs on sysvol, which need more packages."""

import logging
import sys

from samba.auth import system_session
from samba.param import LoadParm
from samba.provision import provision


def main(folder: str, realm: str, host: str, address: str, password: str):
    configuration = f"{folder}/etc/smb.conf"
    settings = LoadParm()
    settings.load(configuration)
    provision(logging.getLogger(), system_session(), smbconf=configuration, targetdir=folder, realm=realm, domain=realm.split(".")[0],
              hostname=host, hostip=address, adminpass=password, dns_backend="SAMBA_INTERNAL", serverrole="active directory domain controller",
              dom_for_fun_level=4, use_ntvfs=False, skip_sysvolacl=True, lp=settings, batch_mode=True)


main(*sys.argv[1:])
