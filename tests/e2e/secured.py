"""A server that asks for credentials, on ports with TLS; what the tests of real
senders share. Its counters and components are read over its socket, which needs
no credential.
"""
import json
import os
import subprocess

from callboard import Server, new_folder


def write_private(path, text):
    """Replaces a file by one that only its user can read."""
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    os.rename(path + ".new", path)
    return path


def wrong_of(token):
    """The same but for its last character."""
    return token[:-1] + ("A" if token[-1] != "A" else "B")


class Secured(Server):
    def __init__(self, pair, *options):
        super().__init__(os.path.join(new_folder(), "data"), "--auth", "required", "--tls-cert", pair[0],
                         "--tls-key", pair[1], *options)

    def token(self, name, role, namespace, *more):
        return subprocess.run(
            [os.environ["CALLBOARD"], "token", "create", name, "--role", role, "--namespace", namespace, *more,
             "--data-dir", self.folder], check=True, capture_output=True, text=True).stdout.strip()

    def over_socket(self, path):
        return subprocess.run(["curl", "-sSf", "--unix-socket", os.path.join(self.folder, "admin.sock"),
                               "http://localhost" + path], check=True, capture_output=True, text=True).stdout

    def auth(self, kind, outcome):
        """Requests by credential and outcome."""
        name = f'callboard_auth_total{{kind="{kind}",outcome="{outcome}"}} '
        for line in self.over_socket("/metrics").splitlines():
            if line.startswith(name):
                return float(line[len(name):])
        raise AssertionError(f"no counter {name}")

    def found(self, namespace, component):
        """The signals that a component of a namespace has."""
        answer = json.loads(self.over_socket(f"/api/v1/components?namespace={namespace}"))
        return {signal for one in answer["components"] if one["component"] == component for signal in one["lastSeen"]}


def asks_for_certificates(authority, pair, roles):
    """A server of which spiffe://acme/ci may do what the roles allow."""
    grants = write_private(os.path.join(new_folder(), "grants.yaml"), f"""grants:
  - {{certificate: "spiffe://acme/ci", roles: [{roles}], namespace: acme}}
""")
    return Secured(pair, "--grants", grants, "--tls-client-ca", authority.file, "--tls-clients", "required")


def client_pair(authority, name="ci"):
    return authority.issue("client-" + name, san="URI:spiffe://acme/" + name, usage="clientAuth", cn="ci")
