#!/bin/sh
# A real Apache Kafka broker on loopback: one node, KRaft, plain text.
# With SECURE=1 it has a second port for others, with TLS and SASL.
#
#   broker.sh fetch                 the jars, with Maven, into the cache
#   broker.sh start DIR PORT        formats DIR/data unless it is, starts, waits
#                                   until it answers; PORT + 1 is its own,
#                                   PORT + 2 the one with TLS and SASL
#   broker.sh stop DIR              SIGTERM and wait
#   broker.sh kill DIR              SIGKILL
#   broker.sh tool CLASS [ARG...]   a class of the jars, such as
#                                   org.apache.kafka.tools.TopicCommand
#
# The cache is $OUT/e2e/kafka (OUT: build/release), so that Maven runs once.
# DIR holds data/, log, pid. Messages of up to 10 MiB are taken, topics appear
# when they are asked for, with PARTITIONS (4) partitions. DIR/ca.pem is what the
# TLS certificate was signed with; the users are "plain" (SASL/PLAIN) and
# "scram" (SCRAM-SHA-512), the password of both is SECRET (from the environment).
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 1
cache=${OUT:-$here/../../build/release}/e2e/kafka
jars=$cache/jars

# shellcheck source=tests/kafka/common.sh
. "$here/common.sh"

need() {
    command -v "$1" >/dev/null 2>&1 && return
    say "$1 is missing; sh tests/setup.sh installs it"
    exit 1
}

fetch() {
    cmp -s "$here/pom.xml" "$cache/fetched.xml" && [ -d "$jars" ] && return
    need mvn
    mkdir -p "$cache"
    rm -rf "$jars" "$cache/jars.new"
    # --file: Maven writes beside the pom, and that is not to be the source.
    cp "$here/pom.xml" "$cache/pom.xml"
    if ! again 300 mvn --batch-mode --quiet --file "$cache/pom.xml" \
        dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$cache/jars.new" >"$cache/mvn.log" 2>&1; then
        tail -n 20 "$cache/mvn.log" >&2
        say "Maven could not fetch the broker"
        return 1
    fi
    mv "$cache/jars.new" "$jars" && mv "$cache/pom.xml" "$cache/fetched.xml"
}

# A certificate for localhost, and the one that vouches for it.
certify() {
    need openssl
    (
        cd "$1" &&
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca \
                -keyout ca.key -out ca.pem &&
            openssl req -newkey rsa:2048 -nodes -subj /CN=localhost \
                -keyout broker.key -out broker.csr &&
            echo subjectAltName=DNS:localhost >broker.ext &&
            openssl x509 -req -in broker.csr -CA ca.pem -CAkey ca.key \
                -CAcreateserial -days 2 -extfile broker.ext -out broker.crt &&
            cat broker.key broker.crt >broker.pem
    ) >"$1/openssl.log" 2>&1 && return
    cat "$1/openssl.log" >&2
    say "could not make a certificate"
    return 1
}

configure_secure() {
    sasl=listener.name.secure
    module=org.apache.kafka.common.security
    cat >>"$1/server.properties" <<EOF
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$(($2 + 1)),SECURE://127.0.0.1:$(($2 + 2))
advertised.listeners=PLAINTEXT://127.0.0.1:$2,SECURE://localhost:$(($2 + 2))
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
$sasl.ssl.keystore.type=PEM
$sasl.ssl.keystore.location=$1/broker.pem
$sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
$sasl.plain.sasl.jaas.config=$module.plain.PlainLoginModule required user_plain="$SECRET";
$sasl.scram-sha-512.sasl.jaas.config=$module.scram.ScramLoginModule required;
EOF
}

# The first tier of the compiler is enough, and leaves the processors to what
# is tested.
run_java() {
    exec java -Xshare:auto -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
        -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
        -Dorg.slf4j.simpleLogger.showDateTime=true "$@"
}

configure() {
    cat >"$1/server.properties" <<EOF
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$(($2 + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$2
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
controller.quorum.voters=1@127.0.0.1:$(($2 + 1))
log.dirs=$1/data
auto.create.topics.enable=true
num.partitions=${PARTITIONS:-4}
message.max.bytes=10485760
log.retention.hours=-1
log.segment.bytes=67108864
num.network.threads=2
num.io.threads=2
background.threads=2
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
EOF
}

start() {
    need java
    need kcat
    fetch || return 1
    mkdir -p "$1"
    configure "$1" "$2"
    [ -z "${SECURE:-}" ] || configure_secure "$1" "$2"
    if [ ! -e "$1/data/meta.properties" ]; then
        [ -z "${SECURE:-}" ] || certify "$1" || return 1
        (run_java -cp "$jars/*" kafka.tools.StorageTool format \
            --cluster-id AAAAAAAAAAAAAAAAAAAAAA \
            ${SECURE:+--add-scram "SCRAM-SHA-512=[name=scram,password=$SECRET]"} \
            --config "$1/server.properties") >>"$1/log" 2>&1 || {
            tail -n 20 "$1/log" >&2
            say "could not format $1/data"
            return 1
        }
    fi
    run_java -Xmx384m -cp "$jars/*" kafka.Kafka "$1/server.properties" \
        >>"$1/log" 2>&1 </dev/null &
    echo $! >"$1/pid"
    answers "$1" 90 kcat -b "127.0.0.1:$2" -L -m 1
}

case ${1:-} in
fetch) fetch ;;
start) start "$2" "$3" ;;
stop) end TERM "$2" ;;
kill) end KILL "$2" ;;
tool)
    shift
    fetch && run_java -cp "$jars/*" "$@"
    ;;
*)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
