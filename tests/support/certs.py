"""A certificate authority of our own and the certificates it issues, made by openssl."""

from pathlib import Path

from .process import tool

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
CONFIGURATION = """[ca]
default_ca = ours
[ours]
database = {folder}/index
new_certs_dir = {folder}
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
rand_serial = yes
unique_subject = no
default_md = sha256
copy_extensions = copy
policy = any
[any]
commonName = supplied
"""
# What openssl calls startdate and enddate.
VALID, EXPIRED = ("20200101000000Z", "20491231235959Z"), ("20200101000000Z", "20200102000000Z")


class CertificateAuthority:
    """Issues server and client certificates into a folder."""

    def __init__(self, folder: Path, name: str = "Test CA"):
        self.folder = folder
        self.ca_file, self.key_file, self._configuration = (folder / file for file in ("ca.pem", "ca.key", "ca.conf"))
        self._configuration.write_text(CONFIGURATION.format(folder=folder))
        (folder / "index").touch()
        tool("openssl", "req", "-x509", *KEY, "-sha256", "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
             "-keyout", self.key_file, "-out", self.ca_file)

    def issue(self, name: str, dns: tuple = (), ip: tuple = (), expired: bool = False) -> tuple[Path, Path]:
        """Certificate and key for a server or client; without names it has no subjectAltName."""
        cert, key, request = (self.folder / f"{name}.{suffix}" for suffix in ("pem", "key", "csr"))
        names = ",".join([f"DNS:{host}" for host in dns] + [f"IP:{address}" for address in ip])
        tool("openssl", "req", "-new", *KEY, "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:FALSE",
             *(["-addext", f"subjectAltName={names}"] if names else []), "-keyout", key, "-out", request)
        start, end = EXPIRED if expired else VALID
        tool("openssl", "ca", "-batch", "-notext", "-config", self._configuration, "-startdate", start, "-enddate", end, "-in", request, "-out", cert)
        return cert, key
