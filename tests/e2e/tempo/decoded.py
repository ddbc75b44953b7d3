"""Python's opentelemetry-proto decodes what the server answers, in protobuf and
JSON, and it is what was sent."""
import base64
import json

from google.protobuf import json_format
from opentelemetry.proto.trace.v1 import trace_pb2


def hex_to_base64(node):
    """OTLP/JSON has ids in hex; protobuf's own mapping in base64."""
    if isinstance(node, list):
        return [hex_to_base64(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: base64.b64encode(bytes.fromhex(value)).decode()
            if key in ("traceId", "spanId", "parentSpanId") and value else hex_to_base64(value)
            for key, value in node.items()}


def sent(groups):
    return json_format.ParseDict({"resourceSpans": hex_to_base64(groups)}, trace_pb2.TracesData())


def normal(data):
    """Each span alone, with its resource and scope, by id; the attributes of a
    span keep their order."""
    found = {}
    for group in data.resource_spans:
        for scope in group.scope_spans:
            for span in scope.spans:
                span.status.SetInParent()
                for any_value in (group.resource, scope.scope):
                    any_value.SetInParent()
                found[span.span_id.hex()] = (
                    group.resource.SerializeToString(deterministic=True), group.schema_url,
                    scope.scope.SerializeToString(deterministic=True), scope.schema_url,
                    span.SerializeToString(deterministic=True))
    return found


def from_protobuf(body):
    return trace_pb2.TracesData.FromString(body)


def from_json(groups):
    return json_format.Parse(json.dumps({"resourceSpans": groups}), trace_pb2.TracesData())
