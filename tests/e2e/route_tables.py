"""The tables of routes, read from the source: tests of all routes are made from
them, so that a new route is in them at once.
"""
import glob
import os
import re

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# A row; paths may be several literals. Routes that answer 501 are rows of a macro.
ROW = re.compile(r'(\{|UNSERVED\()\s*"(GET|POST|PUT|DELETE|PATCH)",\s*((?:"[^"]*"\s*)+),'
                 r'\s*(ACTION_\w+),\s*SCOPE_(\w+)')


def read_routes(*folders, unserved=True):
    """(method, path, action, scope, folder) of each row."""
    routes = []
    for folder in folders:
        for source in sorted(glob.glob(os.path.join(TOP, folder, "*.c"))):
            with open(source) as file:
                text = file.read()
            for name, value in re.findall(r'#define (\w+) ("[^"]*")', text):
                text = re.sub(rf"\b{name}\b", lambda _: value, text)
            for start, method, path, action, scope in ROW.findall(text):
                if unserved or start == "{":
                    routes.append((method, "".join(re.findall(r'"([^"]*)"', path)), action, scope, folder))
    return routes
