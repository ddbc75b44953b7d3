"""A client of Prometheus' query API, over one connection."""
import http.client
import json
import urllib.parse


class Api:
    def __init__(self, port, prefix="/prometheus"):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.prefix, self.count = prefix, 0

    def ask(self, path, **fields):
        """By GET and POST in turn."""
        self.count += 1
        form = urllib.parse.urlencode(fields)
        if self.count % 2 and len(form) < 8000:
            self.connection.request("GET", f"{self.prefix}/api/v1/{path}?{form}")
        else:
            self.connection.request("POST", f"{self.prefix}/api/v1/{path}", form,
                                    {"Content-Type": "application/x-www-form-urlencoded"})
        return json.loads(self.connection.getresponse().read())
