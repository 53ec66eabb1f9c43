# SPDX-License-Identifier: Apache-2.0
"""A certificate authority for one test run, made by the openssl command."""

import os
import subprocess

CA_EXTENSIONS = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
LEAF_EXTENSIONS = ("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
                   "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\nsubjectAltName={names}\n")
NAMES = "IP:127.0.0.1,IP:::1,DNS:localhost,DNS:*.simaws.test"


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def _write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def make_authority(directory, name="ca"):
    """(certificate, key) of a new authority."""
    certificate, key = (os.path.join(directory, f"{name}.{kind}") for kind in ("pem", "key"))
    request, extensions = os.path.join(directory, f"{name}.csr"), os.path.join(directory, f"{name}.ext")
    _write(extensions, CA_EXTENSIONS)
    _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
             "-out", request, "-subj", f"/CN=TrailGuard test authority {name}")
    _openssl("x509", "-req", "-in", request, "-signkey", key, "-out", certificate, "-days", "2", "-extfile", extensions)
    return certificate, key


def make_leaf(directory, authority, name="server", names=NAMES, days=2):
    """(chain, key) signed by an authority; `days` -1 makes one that has expired, `names` one for another host."""
    ca_certificate, ca_key = authority
    certificate, key, request, extensions = (os.path.join(directory, f"{name}.{kind}")
                                             for kind in ("pem", "key", "csr", "ext"))
    _write(extensions, LEAF_EXTENSIONS.format(names=names))
    _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
             "-out", request, "-subj", f"/CN=TrailGuard test {name}")
    _openssl("x509", "-req", "-in", request, "-CA", ca_certificate, "-CAkey", ca_key, "-CAcreateserial",
             "-out", certificate, "-days", str(days), "-extfile", extensions)
    return certificate, key


def make(directory):
    """(CA file, chain, key) for a server on the loopback interface."""
    authority = make_authority(directory)
    chain, key = make_leaf(directory, authority)
    return authority[0], chain, key
