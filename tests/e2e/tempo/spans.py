"""Random spans as dictionaries of OTLP/JSON, with all that a span can have."""
import base64

T0 = 1736928000 * 10**9  # 2025-01-15T08:00:00Z


def value(rng, depth=0):
    kind = rng.randrange(8 if depth < 2 else 6)
    if kind == 0:
        return {"stringValue": rng.choice(["", "GET", "/cart/é", "a b", "x" * 300])}
    if kind == 1:
        return {"intValue": str(rng.choice([0, 1, -1, 200, 500, 2**62, -2**63]))}
    if kind == 2:
        return {"doubleValue": rng.choice([0.0, 0.5, -1.25, 1e300])}
    if kind == 3:
        return {"boolValue": rng.random() < 0.5}
    if kind == 4:
        return {"bytesValue": base64.b64encode(rng.randbytes(rng.randrange(5))).decode()}
    if kind == 5:
        return {}
    if kind == 6:
        return {"arrayValue": {"values": [value(rng, depth + 1) for _ in range(rng.randrange(4))]}}
    return {"kvlistValue": {"values": attributes(rng, depth + 1)}}


def attributes(rng, depth=0):
    names = ["a", "b.c", "http.route", "k with blank", "é", 'quote"d']
    return [{"key": key, "value": value(rng, depth)} for key in rng.sample(names, rng.randrange(5))]


def counted(rng, entry):
    if rng.random() < 0.2:
        entry["droppedAttributesCount"] = rng.randrange(1, 9)
    return entry


def span(rng, trace, number, known):
    start = T0 + rng.randrange(10**9)
    made = counted(rng, {
        "traceId": trace, "spanId": f"{number:016x}", "name": rng.choice(["GET /", "query", "é"]),
        "kind": rng.randrange(6), "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + rng.randrange(10**8)), "attributes": attributes(rng)})
    if known and rng.random() < 0.8:
        made["parentSpanId"] = rng.choice(known)
    if rng.random() < 0.3:
        made["traceState"] = "vendor=1,b=2"
    if rng.random() < 0.3:
        made["flags"] = rng.choice([1, 0x101, 0x301])
    if rng.random() < 0.4:
        made["status"] = {"code": rng.randrange(3)}
        if rng.random() < 0.5:
            made["status"]["message"] = "broken"
    made["events"] = [counted(rng, {"timeUnixNano": str(start + i), "name": f"event{i}",
                                    "attributes": attributes(rng)}) for i in range(rng.randrange(3))]
    made["links"] = [counted(rng, {"traceId": rng.randbytes(15).hex() + "01", "spanId": rng.randbytes(7).hex() + "01",
                                   "traceState": rng.choice(["", "c=d"]), "flags": rng.choice([0, 1]),
                                   "attributes": attributes(rng)}) for _ in range(rng.randrange(3))]
    if rng.random() < 0.2:
        made["droppedEventsCount"] = 4
    if rng.random() < 0.2:
        made["droppedLinksCount"] = 5
    return made


def trace(rng, trace_id, spans, service):
    """ResourceSpans of one trace; each resource and scope once."""
    known, groups = [], []
    for r in range(rng.randrange(1, 4)):
        scopes = []
        for s in range(rng.randrange(1, 3)):
            scope = {"name": f"scope{s}", "version": rng.choice(["", "1.2"])}
            if rng.random() < 0.5:
                scope = counted(rng, {**scope, "attributes": attributes(rng)})
            list_of = []
            for _ in range(max(1, spans // 4)):
                number = int(trace_id[-8:], 16) * 1000 + len(known) + 1
                list_of.append(span(rng, trace_id, number, known))
                known.append(f"{number:016x}")
            scopes.append({"scope": scope, "spans": list_of, "schemaUrl": rng.choice(["", "http://schema"])})
        resource = counted(rng, {"attributes": attributes(rng) + [
            {"key": "service.name", "value": {"stringValue": f"{service}{r}"}},
            {"key": "service.instance.id", "value": {"stringValue": f"{trace_id}{r}"}}]})
        groups.append({"resource": resource, "scopeSpans": scopes})
    return groups
