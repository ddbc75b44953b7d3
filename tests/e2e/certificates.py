"""Certificates for the tests, made by openssl."""
import os
import ssl
import subprocess
import time

DAY = 86400


def _run(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


class Authority:
    """An authority with its files in a folder; name.pem and name.key."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name, self.serial = folder, name, 0
        _run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365", "-subj",
             f"/CN={name}", "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"))
        self.file = self.path(name + ".pem")

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, san=None, usage="serverAuth", begin=-1, end=30, cn=None):
        """Files of certificate and key; begin and end in days from now."""
        cert, key, request = (self.path(name + suffix) for suffix in (".pem", ".key", ".csr"))
        _run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={cn or name}",
             "-keyout", key, "-out", request)
        with open(self.path("ext"), "w") as file:
            file.write(f"extendedKeyUsage={usage}\n")
            if san:
                file.write(f"subjectAltName={san}\n")
        self.serial += 1
        stamp = lambda days: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * DAY))
        # `openssl x509` has no option for the dates, `openssl ca` wants a folder of its own.
        database = self.path("ca-files")
        os.makedirs(database, exist_ok=True)
        open(os.path.join(database, "index"), "w").close()
        with open(os.path.join(database, "conf"), "w") as file:
            file.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={database}/index\nnew_certs_dir={database}\nrand_serial=yes\n"
                       "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")
        _run("ca", "-batch", "-config", os.path.join(database, "conf"), "-cert", self.file, "-keyfile",
             self.path(self.name + ".key"), "-in", request, "-out", cert, "-notext", "-extfile", self.path("ext"),
             "-startdate", stamp(begin), "-enddate", stamp(end))
        os.chmod(key, 0o600)
        return cert, key

    def server(self, name, **more):
        return self.issue(name, san="DNS:localhost,IP:127.0.0.1", **more)

    def context(self, pair=None, least=None, most=None, alpn=None):
        """Of a client that trusts this authority."""
        context = ssl.create_default_context(cafile=self.file)
        if least:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = least
        if most:
            context.maximum_version = most
        if pair:
            context.load_cert_chain(*pair)
        if alpn:
            context.set_alpn_protocols(alpn)
        return context
