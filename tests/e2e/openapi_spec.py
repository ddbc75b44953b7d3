"""docs/openapi.yaml, read: its operations, the schemas of their bodies, and which
members of them have been seen.
"""
import re

import jsonschema
import yaml

METHODS = ("get", "put", "post", "delete", "patch")

formats = jsonschema.FormatChecker(formats=())


@formats.checks("date-time")
def is_time(text):
    return not isinstance(text, str) or re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text) is not None


@formats.checks("uuid")
def is_uuid(text):
    return not isinstance(text, str) or re.fullmatch(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        text) is not None


class Spec:
    def __init__(self, path):
        with open(path) as file:
            self.root = yaml.safe_load(file)
        self.seen = set()  # members that occurred in answers

    def resolve(self, node):
        while "$ref" in node:
            at = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            node = at
        return node

    def errors(self, schema, value):
        # The schema's own references start at the document's root.
        whole = {**self.root, **schema} if "$ref" not in schema else {
            **self.root, "allOf": [schema]}
        validator = jsonschema.Draft202012Validator(
            whole, format_checker=formats)
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}"
                for e in validator.iter_errors(value)]

    def operations(self):
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method], [
                        self.resolve(p) for p in item.get("parameters", []) +
                        item[method].get("parameters", [])]

    def members(self, schema):
        """Name -> schema, and the names required, of an object's schema with
        all it is put together from."""
        schema = self.resolve(schema)
        found = dict(schema.get("properties", {}))
        required = set(schema.get("required", []))
        for part in schema.get("allOf", []):
            more, must = self.members(part)
            found.update(more)
            required |= must
        return found, required

    def note(self, schema, value):
        """Remembers which members of the schema occur in the value."""
        schema = self.resolve(schema)
        for part in (schema.get("allOf", []) + schema.get("anyOf", []) +
                     [p for p in schema.get("oneOf", [])
                      if not self.errors(p, value)]):
            self.note(part, value)
        if isinstance(value, dict):
            for name, member in schema.get("properties", {}).items():
                if name in value and value[name] is not None:
                    self.seen.add(id(member))
                    self.note(member, value[name])
        if isinstance(value, list) and "items" in schema:
            for item in value:
                self.note(schema["items"], item)

    def unseen(self, schema, where, found):
        """Members reachable from the schema that never occurred."""
        if "$ref" in schema:
            where = schema["$ref"].rsplit("/", 1)[1]
            schema = self.resolve(schema)
        if where in found["done"]:
            return
        found["done"].add(where)
        for key in ("allOf", "anyOf", "oneOf"):
            for i, part in enumerate(schema.get(key, [])):
                self.unseen(part, f"{where}.{key}{i}", found)
        if "items" in schema:
            self.unseen(schema["items"], where + "[]", found)
        for name, member in schema.get("properties", {}).items():
            plain = re.sub(r"\.(allOf|anyOf|oneOf)\d+", "", f"{where}.{name}")
            if id(member) not in self.seen:
                found["missing"].add(plain)
            else:
                self.unseen(member, f"{where}.{name}", found)
