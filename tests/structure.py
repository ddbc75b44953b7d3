#!/usr/bin/env python3
"""The shape of the tree, as rules that can fail.

  structure.py OBJECTS      OBJECTS: the folder of a finished build

1. A type name stands once in the tree, so it has one meaning.
2. No circle between files: if a.c calls b.c, b.c does not call a.c, directly or
   through others. Only files that implement one object, which their common
   prefix says (kafka.c, kafka_seek.c), may call each other. The calls are read
   from the symbols of the object files.
3. A function has at most 60 lines and complexity 15, a file at most 500 lines.
4. A test waits for a condition (WAIT_FOR), it does not sleep.
5. A header of include/ says in its head what it is for, who owns what it hands
   out, which threads may call it, and how it reports errors.
6. A source file that README.md or docs/architecture.md names exists, and so does
   what they name in it: `folder/file.c:function`.
7. A source file that a comment names exists (evidence_X.c: any with that
   pattern), and so do functions, name(), constants, UPPER_CASE, and members,
   type.member.
8. The formatter has not folded a table in a comment: a line without indent does
   not continue one that is indented.

Which module may use which is checked by layers.sh.
"""
import collections
import fnmatch
import pathlib
import re
import subprocess
import sys

MODULES = ("base access proto journal block series store clickhouse registry metrics "
           "correlate partition cause promql http grpc ingest query analysis costs prometheus tempo grafana mcp cli daemon").split()
TOP = pathlib.Path(__file__).resolve().parent.parent
MAX_LINES_FILE = 500
MAX_LINES_FUNCTION = 60
MAX_COMPLEXITY = 15
HEAD_WORDS = ("Purpose:", "Ownership:", "Threads:", "Errors:")

PAGES = ("README.md", "docs/architecture.md")

problems = []


def complain(text):
    problems.append(text)


def sources(*suffixes):
    for folder in ["include", *MODULES]:
        for path in sorted((TOP / folder).rglob("*")):
            if path.suffix in suffixes:
                yield path


def check_type_names():
    places = collections.defaultdict(list)
    for path in sources(".c", ".h"):
        text = path.read_text()
        for name in re.findall(r"^(?:static )?(?:const )?"
                               r"(?:struct|enum|union) (\w+) \{", text, re.M):
            places[name].append(str(path.relative_to(TOP)))
    for name, files in sorted(places.items()):
        if len(files) > 1:
            complain(f"type {name} is defined in {', '.join(files)}")


def check_sizes():
    for path in sources(".c", ".h"):
        lines = len(path.read_text().splitlines())
        if lines > MAX_LINES_FILE:
            complain(f"{path.relative_to(TOP)} has {lines} lines, "
                     f"more than {MAX_LINES_FILE}")
    files = [str(path.relative_to(TOP)) for path in sources(".c")]
    out = subprocess.run(["pmccabe", *files], cwd=TOP, text=True, check=True,
                         capture_output=True).stdout
    for line in out.splitlines():
        complexity, _, _, _, length, where = line.split(None, 5)
        if int(complexity) > MAX_COMPLEXITY:
            complain(f"{where} has complexity {complexity}, "
                     f"more than {MAX_COMPLEXITY}")
        if int(length) > MAX_LINES_FUNCTION:
            complain(f"{where} has {length} lines, "
                     f"more than {MAX_LINES_FUNCTION}")


def check_sleeps():
    tests = TOP / "tests"
    for path in sorted([*tests.glob("unit/*/*.c"), *tests.glob("kits/*.h")]):
        for call in re.findall(r"\b(?:u|nano)?sleep\(", path.read_text()):
            complain(f"{path.relative_to(TOP)} calls {call[:-1]}(); "
                     "test.h has WAIT_FOR and test_pause_us")


def check_heads():
    for path in sorted((TOP / "include").glob("*.h")):
        head = path.read_text().split("#ifndef", 1)[0]
        missing = [word for word in HEAD_WORDS
                   if not re.search(rf"^(/| )\* {word}", head, re.M)]
        if missing:
            complain(f"include/{path.name}: its head comment lacks "
                     f"{', '.join(missing)}")


def defines(text, name):
    """A function with its body, a table, a type or a macro of that name."""
    return re.search(rf"^[a-z][^;{{}}()]*\b{name}\([^;{{}}]*\)\s*\{{"
                     rf"|^[a-z][^;{{}}()]*\b{name}(\[\w*\])* = "
                     rf"|^(struct|enum|union) {name} \{{"
                     rf"|^#define {name}\b", text, re.M)


def check_pages():
    """Names in backquotes: base/map.c, map.c, proto/otlp_*.c, a.c:function."""
    known = {str(path.relative_to(TOP)) for path in sources(".c", ".h")}
    known |= {str(path.relative_to(TOP)) for folder in ("tests", "docs", "dist")
              for path in (TOP / folder).rglob("*") if path.is_file()}
    known |= {str(path.relative_to(TOP)) for path in (TOP / "web").glob("*.sh")}
    for page in PAGES:
        text = (TOP / page).read_text()
        for word in re.findall(r"`([\w/*.-]+\.(?:[ch]|sh|py)(?::\w+)?)`", text):
            pattern, _, name = word.partition(":")
            files = [file for file in known
                     if fnmatch.fnmatch(file, pattern) or
                     "/" not in pattern and
                     fnmatch.fnmatch(file, "*/" + pattern)]
            if not files:
                complain(f"{page}: there is no file {pattern}")
            elif name and not any(defines((TOP / file).read_text(), name)
                                  for file in files):
                complain(f"{page}: {pattern} does not define {name}")


def braces(word):
    """a{b,c} is ab and ac."""
    match = re.match(r"(.*?)\{([^{}]*)\}(.*)$", word)
    return [word] if not match else [
        whole for part in match[2].split(",")
        for whole in braces(match[1] + part + match[3])]


def check_metric_names():
    """docs/query-api.md names requests for limits, and CPU for memory."""
    page = (TOP / "docs/query-api.md").read_text()
    named = {name for word in re.findall(r"`([\w.*{},]+)`", page)
             for name in braces(word)}
    table = (TOP / "metrics/metric_names.c").read_text()
    for name in re.findall(r'^ +(?:GAUGE|COUNTER|HISTOGRAM|TOTAL|PARTS)'
                           r'\("([^"]+)"', table, re.M):
        alike = [name, name.replace("limit", "request"),
                 re.sub(r"memory(.)(request|limit)", r"cpu\1request", name)]
        if not any(fnmatch.fnmatch(one, pattern)
                   for one in alike for pattern in named):
            complain(f"docs/query-api.md lacks the metric {name}")


def all_sources():
    yield from sources(".c", ".h")
    yield from sorted((TOP / "tests").rglob("*.[ch]"))


def comments(text):
    for match in re.finditer(r"/\*.*?\*/", text, re.S):
        yield text.count("\n", 0, match.start()) + 1, match[0]


def check_files_of_comment(comment, where, known):
    for name in re.findall(r"(?<![\w*.])\w{2,}\.[ch]\b", comment):
        pattern = re.sub(r"\b[A-Z]+(?=\.)|(?<=_)[A-Z]+", "*", name)
        if not fnmatch.filter(known, pattern):
            complain(f"{where}: a comment names {name}, which does not exist")


def check_names_of_comment(comment, where, words, members):
    """reader_X(), code_x() and ERR_... stand for several; a path is no name."""
    for name in re.findall(r"\b([a-z]\w+)\(\)|"
                           r"(?<![\w/])([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9])"
                           r"(?![\w/])", comment):
        name = name[0] or name[1]
        if name not in words and not re.search(r"_[xX]$", name):
            complain(f"{where}: a comment names {name}, which does not exist")
    for kind, member in re.findall(r"\b([a-z]\w+_\w+)\.([a-z]\w+)\b", comment):
        if kind in members and member not in {*members[kind], "c", "h"}:
            complain(f"{where}: struct {kind} has no member {member}")


def check_lines_of_comment(comment, path, first):
    """Paragraphs and "Owner:  text" may follow an indented line."""
    before = 0
    for number, line in enumerate(comment.split("\n"), first):
        parts = re.match(r"\s*/?\*+( *)([^\s/].*)?$", line)
        if not parts or not parts[2]:
            before = 0
            continue
        if before >= 3 and len(parts[1]) <= 1 and not re.match(
                r"[A-Z]\w*( \w+)?(:|  )", parts[2]):
            complain(f"{path}:{number}: this line of a comment continues an "
                     "indented one: was a table folded? (a blank line "
                     "separates a paragraph)")
        before = len(parts[1])


def check_comments():
    texts = {path: path.read_text() for path in all_sources()}
    known = {path.name for path in texts}
    known |= {path.name for path in pathlib.Path("/usr/include").glob("*.h")}
    words, members = set(), collections.defaultdict(set)
    for text in texts.values():
        code = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        words |= set(re.findall(r"\w+", code))
        for name, body in re.findall(r"^(?:static )?(?:const )?(?:struct|union) "
                                     r"(\w+) \{(.*?)^\}", code, re.S | re.M):
            members[name] |= set(re.findall(r"\w+", body))
    words |= set(re.findall(r"\w+", (TOP / "Makefile").read_text()))
    for path, text in texts.items():
        path = path.relative_to(TOP)
        for line, comment in comments(text):
            if path.parts[0] != "tests":
                check_files_of_comment(comment, f"{path}:{line}", known)
            check_names_of_comment(comment, f"{path}:{line}", words, members)
            check_lines_of_comment(comment, path, line)


def calls_between_files(objects):
    defined, used, names = {}, collections.defaultdict(set), {}
    for source in sources(".c"):
        name = source.relative_to(TOP).with_suffix("")
        if name.parts[-1] != "main" and (objects / f"{name}.o").exists():
            names[str(objects / f"{name}.o")] = str(name)
    out = subprocess.run(["nm", "-A", *names], text=True, check=True,
                         capture_output=True).stdout if names else ""
    for line in out.splitlines():
        path, _, symbol = line.partition(":")
        words = symbol.split()
        if len(words) == 3 and words[1] in "TDBRC":
            defined[words[2]] = names[path]
        elif len(words) == 2 and words[0] == "U":
            used[names[path]].add(words[1])
    if not defined:
        sys.exit(f"structure.py: no object files in {objects}; build first")
    return {file: {defined[symbol] for symbol in used[file]
                   if symbol in defined} - {file}
            for file in set(defined.values())}


def circles(calls):
    """Strongly connected components of more than one file (Tarjan)."""
    order, low, stack, found = {}, {}, [], []

    def visit(file):
        order[file] = low[file] = len(order)
        stack.append(file)
        for callee in sorted(calls.get(file, ())):
            if callee not in order:
                visit(callee)
                low[file] = min(low[file], low[callee])
            elif callee in stack:
                low[file] = min(low[file], order[callee])
        if low[file] == order[file]:
            group = stack[stack.index(file):]
            del stack[stack.index(file):]
            if len(group) > 1:
                found.append(sorted(group))

    for file in sorted(calls):
        if file not in order:
            visit(file)
    return found


def is_one_object(files):
    names = [pathlib.Path(file).name for file in files]
    prefix = min(names, key=len).split("_")[0]
    return (len({pathlib.Path(file).parent for file in files}) == 1 and
            all(name.split("_")[0] == prefix for name in names))


def check_circles(objects):
    for group in circles(calls_between_files(objects)):
        if not is_one_object(group):
            complain(f"files that call each other: {', '.join(group)}")


def main():
    check_type_names()
    check_sizes()
    check_sleeps()
    check_heads()
    check_pages()
    check_metric_names()
    check_comments()
    check_circles(pathlib.Path(sys.argv[1]).resolve())
    for text in problems:
        print(text, file=sys.stderr)
    print(f"structure: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
