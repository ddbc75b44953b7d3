#!/bin/sh
# Installs what is missing to build and to test, as Debian packages, and says
# nothing when nothing is.
#
#   sh tests/setup.sh build    compiler, libraries, curl; Node.js for the page, where
#                              it can be installed (WEB=no: not)
#   sh tests/setup.sh          these, and what tests and checks use besides
#   sh tests/setup.sh fuzz     and clang's libFuzzer
#
# What counts is whether a tool or a library is there, not which package it
# came from, so this is quiet on other systems too that have it all.
set -u

missing=

need() { missing="$missing $1"; }
tool() { command -v "$1" >/dev/null 2>&1 || need "$2"; }
library() { pkg-config --exists "$1" 2>/dev/null || need "$2"; }

tool cc build-essential
tool pkg-config pkg-config
tool protoc-c protobuf-c-compiler
tool curl curl
library libmicrohttpd libmicrohttpd-dev
library libnghttp2 libnghttp2-dev
# 1.52 says 1.52.0 of itself with and without the fixes of Debian 12.
version=$(dpkg-query -W -f '${Version}' libnghttp2-14 2>/dev/null)
case $version in 1.52.*)
    dpkg --compare-versions "$version" ge 1.52.0-1+deb12u3 ||
        need "libnghttp2-14 libnghttp2-dev"
    ;;
esac
library gnutls libgnutls28-dev
library jansson libjansson-dev
library sqlite3 libsqlite3-dev
library libzstd libzstd-dev
library libdeflate libdeflate-dev
library libcurl libcurl4-openssl-dev
library yaml-0.1 libyaml-dev
library libprotobuf-c libprotobuf-c-dev
library rdkafka librdkafka-dev
library libpcre2-8 libpcre2-dev

# Without Node.js the program has no page, but is built.
can_install() {
    command -v apt-get >/dev/null 2>&1 &&
        { [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1; }
}
if [ "${WEB:-}" != no ] && can_install; then
    tool node nodejs
    tool npm npm
fi

if [ "${1:-all}" != build ]; then
    tool gcc build-essential
    tool clang clang
    tool clang-format clang-format
    tool pmccabe pmccabe
    tool zstd zstd
    tool sqlite3 sqlite3
    tool python3 python3
    tool openssl openssl
    found=no
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import jsonschema, yaml, cryptography' 2>/dev/null && found=yes
    done
    [ $found = yes ] || need "python3-jsonschema python3-yaml python3-cryptography"
    python3 -c 'import venv, ensurepip' 2>/dev/null || need python3-venv
    tool node nodejs
    tool chromium chromium
    tool promtool prometheus
    tool kcat kcat
    tool javac openjdk-17-jdk-headless
    tool mvn maven
    tool go golang-go
    tool zsh zsh
    tool fish fish
fi

if [ "${1:-all}" = fuzz ] && command -v clang >/dev/null 2>&1; then
    found=no
    for file in "$(clang -print-resource-dir)"/lib/*/libclang_rt.fuzzer*.a; do
        [ -e "$file" ] && found=yes
    done
    version=$(clang -dumpversion)
    [ $found = yes ] || need "libclang-rt-${version%%.*}-dev"
fi

[ -n "$missing" ] || exit 0

say() { echo "setup: $*" >&2; }

if ! command -v apt-get >/dev/null 2>&1; then
    say "there is no apt-get here. Please install, under the names of this"
    say "system, what Debian calls:$missing"
    exit 1
fi
root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        say "please run as root:  apt-get install$missing"
        exit 1
    fi
    root="sudo"
fi

echo "setup: installing$missing"
log=$(mktemp)
install() {
    # shellcheck disable=SC2086 # the words of both are meant to be apart
    $root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends $missing >"$log" 2>&1
}
# The lists of a fresh container are empty, those of an old one out of date.
if ! install; then
    $root apt-get update >"$log" 2>&1 && install
fi
status=$?
if [ $status -ne 0 ]; then
    tail -n 20 "$log" >&2
    say "could not install:$missing"
fi
rm -f "$log"
exit $status
