#!/bin/sh
# The OpenTelemetry Java SDK with TLS, tokens and client certificates. The first
# run fetches it into $OUT/e2e/otel-java.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
cache=${OUT:?}/e2e/otel-java
# shellcheck source=tests/kafka/common.sh
. "$here/../../kafka/common.sh"

if ! cmp -s "$here/pom.xml" "$cache/fetched.xml"; then
    rm -rf "$cache" && mkdir -p "$cache" || exit 1
    # Maven writes beside the pom, and that is not to be the source.
    cp "$here/pom.xml" "$cache/pom.xml"
    if ! again 300 mvn --batch-mode --quiet --file "$cache/pom.xml" dependency:copy-dependencies \
        -DoutputDirectory="$cache/jars" >"$cache/mvn.log" 2>&1; then
        tail -n 20 "$cache/mvn.log"
        echo "not ok 1 - the Java SDK could not be fetched"
        exit 1
    fi
    mv "$cache/pom.xml" "$cache/fetched.xml"
fi
exec python3 -B "$here/../sdk_credentials.py" java java -cp "$cache/jars/*" "$here/Sender.java"
