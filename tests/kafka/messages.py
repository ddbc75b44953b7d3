"""Kafka messages of numbered records (numbered.py), looked for on several
instances."""
from numbered import Numbered

APART = 100_000  # nanoseconds between two messages


class Message(Numbered):
    def __init__(self, kind, number, component, first_ns, encoding="proto"):
        # Points are looked at through their sum: a component for each message.
        super().__init__(kind, number, f"m{number}" if kind == "metrics" else component,
                         first_ns + number * APART, encoding)


def compare(servers, messages):
    """(those that are nowhere, what is wrong with others as texts)."""
    missing, wrong = [], []
    for message in messages:
        seen = [message.found(server) for server in servers]
        texts = [one for one in seen if isinstance(one, str)]
        if texts:
            wrong += texts
        elif sum(seen) > 1:
            wrong.append(f"{message.kind} {message.number}: on {sum(seen)} instances")
        elif sum(seen) == 0:
            missing.append(message)
    return missing, wrong


def stored(servers):
    """Stream -> records stored, on all of them."""
    counters = [server.counters() for server in servers]
    return {stream: int(sum(c.get(f'stored_records{{stream="{stream}"}}', 0) for c in counters))
            for stream in ("traces", "logs", "metrics")}
