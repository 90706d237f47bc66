"""A certificate authority of our own and the certificates it issues, made by openssl."""

from pathlib import Path

from .process import tool


class CertificateAuthority:
    """Issues server and client certificates into a folder."""

    def __init__(self, folder: Path, name: str = "Test CA"):
        self.folder = folder
        self.ca_file, self.key_file = folder / "ca.pem", folder / "ca.key"
        self._request("-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self.key_file, "-out", self.ca_file)
        self.ca_file.chmod(0o644)

    def issue(self, name: str, dns: tuple = (), ip: tuple = (), days: int = 2) -> tuple[Path, Path]:
        """Certificate and key for a server or client; without names it has no subjectAltName, with days=-1 it has expired."""
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        names = ",".join([f"DNS:{host}" for host in dns] + [f"IP:{address}" for address in ip])
        options = ["-addext", f"subjectAltName={names}"] if names else []
        self._request("-subj", f"/CN={name}", "-CA", self.ca_file, "-CAkey", self.key_file, "-addext", "basicConstraints=critical,CA:FALSE",
                      *options, "-days", days, "-keyout", key, "-out", cert)
        return cert, key

    def _request(self, *options):
        tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-sha256", *options)
