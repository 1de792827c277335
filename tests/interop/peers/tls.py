"""A certificate for the loopback addresses, made by the openssl program, and what it is good for.

It is its own authority: who trusts it takes it."""
import base64
import hashlib
import os
import subprocess
from dataclasses import dataclass

from programs import Missing


def openssl(*arguments, data=None):
    try:
        return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True,
                              timeout=30).stdout
    except FileNotFoundError:
        raise Missing("no openssl") from None


@dataclass(frozen=True)
class Identity:
    """Files in PEM."""
    certificate: str
    key: str

    def both(self):
        """Certificate and key in one, as HAProxy wants them."""
        text = ""
        for name in (self.certificate, self.key):
            with open(name, encoding="ascii") as file:
                text += file.read()
        return text

    def pin(self):
        """The SHA-256 of the public key, in base64: what Chromium may be told to accept."""
        public = openssl("x509", "-in", self.certificate, "-noout", "-pubkey")
        der = openssl("pkey", "-pubin", "-outform", "der", data=public)
        return base64.b64encode(hashlib.sha256(der).digest()).decode()


def make_identity(folder):
    made = Identity(os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem"))
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "2", "-subj", "/CN=hawser interop", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", made.key,
            "-out", made.certificate)
    return made


def need_tls(bin_dir):
    """Raises Missing when hawser's programs were built without TLS."""
    said = subprocess.run([os.path.join(bin_dir, "hawser-echo"), "--tls-cert", "x", "--help"],
                          capture_output=True, text=True, timeout=30)
    if "this build has none" in said.stdout + said.stderr:
        raise Missing("TLS in this build of hawser")
