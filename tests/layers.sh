#!/bin/sh
# Which module may include which module's headers. A header in include/ belongs
# to the folder that holds the .c of the same name; one without a .c (slice.h,
# record.h) is vocabulary that everybody may use. A header in a module's folder
# is private to that module. Headers of libraries stay in the folders that wrap
# them. The table is docs/architecture.md, The folders.
#
# A line of the table: module | modules that it may use besides itself (*: all) |
# libraries. Vocabulary may use base.
set -u
cd "$(dirname "$0")/.." || exit 1

table='
base |  | curl/ pcre2.h
access | base | jansson.h gnutls/ curl/ yaml.h sqlite3.h
proto | base | otlp.pb-c.h
journal | base | libdeflate.h
block | base | zstd.h
series | block base | zstd.h
store | series block journal base | sqlite3.h
clickhouse | store series block journal access base | curl/ zstd.h
registry | access store base | jansson.h
correlate | registry access store base |
partition | correlate registry access store base |
http | access base | microhttpd.h gnutls/ libdeflate.h
grpc | http access base | nghttp2/ gnutls/
ingest | grpc http access proto base | libdeflate.h zstd.h librdkafka/
metrics | base |
cause | metrics registry access store base |
query | http cause metrics correlate registry access store journal base | jansson.h
promql | metrics base |
prometheus | promql query http metrics correlate registry access store base | jansson.h
tempo | query http registry access store proto base | jansson.h otlp.pb-c.h
grafana | query http cause metrics correlate registry access store base | jansson.h
analysis | query http cause metrics correlate registry access store base | jansson.h
costs | query http metrics correlate registry access store base | jansson.h yaml.h
mcp | query http registry access base | jansson.h
cli | access base | jansson.h curl/ yaml.h
daemon | * | yaml.h jansson.h curl/
'
modules=$(echo "$table" | sed -n 's/ |.*//p')

# Every header and source of the modules, then each "file:#include ...".
{
    for module in $modules; do ls "$module"/*.[ch] 2>/dev/null; done
    ls include/*.h
    for module in include $modules; do
        ls "$module"/*.[ch] 2>/dev/null
    done | xargs grep -H '^#include'
} | awk -v table="$table" '
function module_of(file, name) {
    if (file !~ /^include\//)
        return substr(file, 1, index(file, "/") - 1)
    name = substr(file, 9, length(file) - 10)
    return name in has_c ? has_c[name] : "include" # vocabulary
}
function complain(file, module, what) {
    print file ": " module " must not include " what \
        " (docs/architecture.md, The folders)" > "/dev/stderr"
    bad = 1
}
function check_ours(file, module, name, owner) {
    if (("include/" name ".h") in exists && !(name in has_c))
        return
    for (owner in may)
        if (owner != module && owner != "include" && may[module] != "*" &&
            index(" " may[module] " ", " " owner " ") == 0 &&
            ((owner "/" name ".h") in exists ||
             (owner "/" name ".c") in exists && ("include/" name ".h") in exists))
            complain(file, module, name ".h of " owner)
}
function check_library(file, module, name, list, n, i) {
    if (name !~ /^(jansson\.h|sqlite3\.h|zstd\.h|microhttpd\.h|libdeflate\.h|yaml\.h|.*\.pb-c\.h|protobuf-c\/.*|librdkafka\/.*|curl\/.*|gnutls\/.*|nghttp2\/.*|pcre2\.h)$/)
        return
    n = split(libraries[module], list, " ")
    for (i = 1; i <= n; i++)
        if (index(name, list[i]) == 1)
            return
    complain(file, module, name)
}
BEGIN {
    n = split(table, lines, "\n")
    for (i = 1; i <= n; i++)
        if (split(lines[i], part, " *[|] *") >= 2) {
            may[part[1]] = part[2]
            libraries[part[1]] = part[3]
        }
    may["include"] = "base"
}
!/:#include/ {
    exists[$0] = 1
    if ($0 ~ /\.c$/) {
        name = $0
        sub(/^[^\/]*\//, "", name)
        sub(/\.c$/, "", name)
        has_c[name] = substr($0, 1, index($0, "/") - 1)
    }
    next
}
{
    file = substr($0, 1, index($0, ":") - 1)
    name = $2
    gsub(/["<>]/, "", name)
    if ($2 ~ /^"/ && name ~ /\.h$/)
        check_ours(file, module_of(file), substr(name, 1, length(name) - 2))
    check_library(file, module_of(file), name)
}
END { exit bad }
'
