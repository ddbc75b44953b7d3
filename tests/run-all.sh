#!/bin/sh
# Builds and runs tests and sums them up.
#
#   sh tests/run-all.sh [web] [unit] [fuzz] [e2e] [kafka] [clickhouse]   all when none is named
#   sh tests/run-all.sh tests/e2e/cause.sh              one script of e2e
#
# A test is a program that prints TAP: one line for each thing it tested,
#
#   ok 1 - name of it            or      ok 3 - name # SKIP why
#   not ok 2 - name of it                (a skip counts as neither)
#
# and whatever else it likes. It need not count right, nor print a plan. It
# exits 0 if all went well. One that exits otherwise without a "not ok",
# crashes, does not build, takes longer than its time or prints no "ok" at all
# counts as one failure. All are run, whatever fails before them. What a test
# has started ends with it.
#
# Programs run beside each other, as many as there are processors, scripts two at
# a time, as most of them wait more than they compute, but for those with a line
# "# Alone: WHY". Results come as tests end; the slowest are listed before the last
# line.
#
#   web    web/build.sh check, and executable files tests/web/*.sh as those of e2e
#   unit   tests/unit/MODULE/test_*.c
#   fuzz   tests/fuzz/fuzz_*.c, each over tests/fuzz/fuzz_*.corpus/
#   e2e    executable files tests/e2e/*/run.sh and tests/e2e/*.sh, in order of
#          their names, in the top folder, with OUT (the folder of the build),
#          CALLBOARD and SHOPGEN (programs in it) in the environment
#   kafka  tests/kafka/e2e/*.sh in the same way, with a real broker and a real
#          Collector, which take minutes to fetch and build the first time
#   clickhouse  tests/clickhouse/e2e/*.sh in the same way, with ClickHouse's engine
#          and the broker; one of them runs tests/clickhouse/unit/test_*.c
#
# With STORE=clickhouse scripts of e2e run on the second engine: their servers keep
# records in ClickHouse (tests/clickhouse/engine.py). Which ones can is in
# tests/clickhouse/contract.py.
#
# SEED, for tests that try random input, is 1 unless the environment has another
# one: the same commit gives the same result. With NIGHTLY=1 tests go many more
# rounds, may take hours, and SEED is new each time; LIMIT is the time in seconds
# that one of e2e, kafka or clickhouse has.
#
# The last line is "N passed, N failed"; the exit status says the same.
set -u
cd "$(dirname "$0")/.." || exit 1

MAKE=${MAKE:-make}
MODE=${MODE:-release}
# make gets the folder as it was given: objects are known to it by that name.
BUILD=${BUILD:-build}
case $BUILD in /*) OUT=$BUILD/$MODE ;; *) OUT=$PWD/$BUILD/$MODE ;; esac
CALLBOARD=$OUT/callboard
SHOPGEN=$OUT/shopgen
export OUT CALLBOARD SHOPGEN

[ $# -gt 0 ] || set -- web unit fuzz e2e kafka clickhouse

SEED=${SEED:-$([ -n "${NIGHTLY:-}" ] && date +%s || echo 1)}
export SEED
engine=
if [ "${STORE:-}" = clickhouse ]; then
    engine="tests/clickhouse/engine.py run"
fi
LIMIT=${LIMIT:-$([ -n "${NIGHTLY:-}" ] && echo 14400 || echo 1800)}

jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
two=$((jobs > 1 ? 2 : 1))
passed=0
failed=0
failures=
waiting= # "NUMBER SECONDS START NAME", a line for each test that runs
number=0
logs=$(mktemp -d)
times=$logs/times # "SECONDS NAME", a line for each test that ended
: >"$times"
# Each test that ends says "NUMBER STATUS" here.
mkfifo "$logs/ended"
exec 3<>"$logs/ended"

# What a test has started: its group of processes.
finish_group() {
    [ -s "$1" ] && kill -s KILL -- "-$(cat "$1")" 2>/dev/null
    rm -f "$1"
}
finish_groups() {
    for group in "$logs"/*.group; do finish_group "$group"; done
}
clean_up() {
    trap '' INT TERM HUP # a second one does not end this
    finish_groups
    rm -rf "$logs"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# count PATTERN: the lines of the log that match it
count() { grep -cE "$1" "$log"; }

fail() {
    failed=$((failed + 1))
    failures="$failures
  $1: $2"
}

# run SECONDS NAME PROGRAM [ARGUMENT...]: and waits for its end
run() {
    start "$@"
    finish_all
}

# start SECONDS NAME PROGRAM [ARGUMENT...]
start() {
    seconds=$1 name=$2
    shift 2
    if [ ! -x "$1" ]; then
        echo "not ok: $name was not built"
        fail "$name" "was not built"
        return
    fi
    number=$((number + 1))
    waiting="$waiting$number $seconds $(date +%s) $name
"
    # timeout leads a group of its own. (A shell lets what runs behind it
    # ignore SIGINT; tests send it.)
    (
        env --default-signal=INT,QUIT timeout -k 10 "$seconds" "$@" \
            >"$logs/$number" 2>&1 </dev/null 3>&- &
        echo $! >"$logs/$number.group"
        wait $!
        echo "$number $?" >&3
    ) &
}

# Waits for the next test that ends, and says how it went.
finish() {
    read -r number_ended status <&3
    # shellcheck disable=SC2046 # the words of the line; a name has no blank
    set -- $(echo "$waiting" | grep "^$number_ended ")
    waiting=$(echo "$waiting" | grep -v "^$number_ended ")
    waiting=${waiting:+$waiting
}
    log=$logs/$1 seconds=$2 name=$4
    finish_group "$log.group"
    report $(($(date +%s) - $3))
    rm -f "$log"
}

finish_all() {
    while [ -n "$waiting" ]; do finish; done
}

# report SECONDS: of the test `name`, with its log and its exit status
report() {
    skip=$(count '^ok.*# [Ss][Kk][Ii][Pp]')
    all=$(count '^ok( |$)')
    good=$((all - skip))
    bad=$(count '^not ok( |$)')
    passed=$((passed + good))
    failed=$((failed + bad))
    trouble=
    if [ $status -eq 124 ] || [ $status -eq 137 ]; then
        trouble="ended after $seconds s"
    elif [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
        trouble="exit status $status"
    elif [ $((all + bad)) -eq 0 ]; then
        trouble="tested nothing"
    fi
    echo "$name: $good ok, $bad not ok, $skip skipped, $1 s"
    echo "$1 $name" >>"$times"
    [ "$skip" -eq 0 ] || grep -E '^ok.*# [Ss][Kk][Ii][Pp]' "$log"
    if [ "$bad" -gt 0 ] || [ -n "$trouble" ]; then
        echo "---- $name"
        tail -n 200 "$log"
        echo "---- $name ${trouble:+($trouble)}"
        failures="$failures
$(grep -E '^not ok( |$)' "$log" | sed "s|^|  $name: |")"
        [ -z "$trouble" ] || fail "$name" "$trouble"
    fi
}

# beside COUNT SECONDS NAME PROGRAM [ARGUMENT...]: COUNT at once
beside() {
    most=$1
    shift
    start "$@"
    [ "$(echo "$waiting" | grep -c .)" -lt "$most" ] || finish
}

# scripts FILE...: of e2e, two at once
scripts() {
    for script; do
        if [ -x "$script" ] && grep -q '^# Alone:' "$script"; then
            finish_all
            run "$LIMIT" "$script" "./$script"
        elif [ -x "$script" ]; then
            beside "$two" "$LIMIT" "$script" "./$script"
        elif [ -e "$script" ]; then
            echo "$script: not executable, so not a test"
        fi
    done
    finish_all
}

# The slowest tests, if there are many.
slowest() {
    [ "$(grep -c . "$times")" -gt 15 ] || return 0
    echo "slowest of $(grep -c . "$times") tests, in seconds:"
    sort -rn "$times" | head -n 15 | sed 's/^/  /'
}

build() {
    # shellcheck disable=SC2086 # MAKE may hold words
    $MAKE -s -k -j"$jobs" --no-print-directory MODE="$MODE" BUILD="$BUILD" \
        "$@" && return
    fail "make $*" "did not build" # or an old program would do
    return 1
}

# All programs at once, while there are processors; what is fetched comes later.
targets=
for kind; do
    case $kind in
    tests/clickhouse/*.sh) kind=clickhouse ;;
    kafka | web | *.sh) kind=e2e ;;
    esac
    targets="$targets build-$kind"
done
# shellcheck disable=SC2086
build $targets

for kind; do
    case $kind in
    unit)
        for source in tests/unit/*/test_*.c; do
            [ -e "$source" ] || continue
            beside "$jobs" 300 "${source%.c}" "$OUT/${source%.c}"
        done
        finish_all
        ;;
    fuzz)
        for source in tests/fuzz/fuzz_*.c; do
            [ -e "$source" ] || continue
            beside "$jobs" 300 "${source%.c}" "$OUT/${source%.c}" "${source%.c}.corpus"
        done
        finish_all
        ;;
    *.sh)
        # shellcheck disable=SC2086
        run "$LIMIT" "$kind" $engine "./$kind"
        ;;
    e2e | kafka | clickhouse | web)
        case $kind in
        # Those that take longest are in folders: not one of them is left to
        # run by itself at the end.
        e2e) scripts tests/e2e/*/run.sh tests/e2e/*.sh ;;
        kafka) build fetch-kafka && scripts tests/kafka/e2e/*.sh ;;
        clickhouse) build fetch-clickhouse && scripts tests/clickhouse/e2e/*.sh ;;
        web)
            run "$LIMIT" web ./web/build.sh check
            scripts tests/web/*.sh
            ;;
        esac
        ;;
    esac
done

slowest
[ -z "$failures" ] || echo "failed:$failures" | grep .
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
