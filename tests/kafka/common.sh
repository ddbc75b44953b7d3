# What broker.sh, collector.sh, otel-go/run.sh and otel-java/run.sh share; to be sourced.

say() { echo "${0##*/}: $*" >&2; }

# again SECONDS COMMAND [ARGUMENT...]: a registry may stumble, so up to three
# times; what takes longer than SECONDS has failed as well.
again() {
    seconds=$1
    shift
    for pause in 3 15 no; do
        timeout -k 5 "$seconds" "$@" && return
        [ $pause = no ] && return 1
        say "trying again: $*"
        sleep $pause
    done
}

# running DIR: one that has ended and that nobody has waited for is not.
running() {
    [ -s "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null &&
        ! grep -q '^State:.*Z' "/proc/$(cat "$1/pid")/status" 2>/dev/null
}

# end SIGNAL DIR
end() {
    running "$2" || return 0
    kill -"$1" "$(cat "$2/pid")"
    tries=0
    while running "$2"; do
        tries=$((tries + 1))
        [ $tries -ne 300 ] || kill -KILL "$(cat "$2/pid")"
        [ $tries -lt 400 ] || return 1
        sleep 0.1
    done
    rm -f "$2/pid"
}

# answers DIR SECONDS COMMAND [ARGUMENT...]: until the command succeeds; else
# what DIR's process wrote is shown, and it is ended.
answers() {
    dir=$1 until=$(($(date +%s) + $2))
    shift 2
    while ! "$@" >/dev/null 2>&1; do
        if ! running "$dir" || [ "$(date +%s)" -gt "$until" ]; then
            tail -n 20 "$dir/log" >&2
            say "it does not answer"
            end KILL "$dir"
            return 1
        fi
        sleep 0.1
    done
}

go=go1.25.4

# Go 1.21 and later fetch what the sources ask for by themselves; for an older
# one, such as Debian's, that is done here.
newer_go() {
    minor=$(go env GOVERSION | sed 's/^go1\.\([0-9]*\).*/\1/')
    [ "$minor" -ge 21 ] && return
    toolchain=golang.org/toolchain@v0.0.1-$go.$(go env GOOS)-$(go env GOARCH)
    again 300 go mod download "$toolchain" || return 1
    root=$(go env GOMODCACHE)/$toolchain
    chmod -R u+wx "$root/bin" "$root/pkg/tool" && PATH=$root/bin:$PATH
}
