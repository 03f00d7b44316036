"""Throw-away certificates for private servers, made with openssl."""

import subprocess


def make(folder, name, names="DNS:localhost,IP:127.0.0.1"):
    """A certificate of 'names' that is its own authority: NAME.pem, NAME.key."""
    key, pem = folder / f"{name}.key", folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
         f"subjectAltName={names}", "-keyout", key, "-out", pem],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    key.chmod(0o600)
    return pem, key
