#!/bin/sh
# The unit of systemd keeps what it forbids, and as systemd judges it.
set -u
unit="$(dirname "$0")/../../dist/callboard.service"
count=0
failed=0

check() { # STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        failed=1
    fi
}

for line in DynamicUser=yes StateDirectoryMode=0700 UMask=0077 NoNewPrivileges=yes CapabilityBoundingSet= \
    AmbientCapabilities= ProtectSystem=strict ProtectHome=yes PrivateTmp=yes PrivateDevices=yes \
    ProtectKernelTunables=yes ProtectKernelModules=yes ProtectKernelLogs=yes ProtectControlGroups=yes \
    ProtectClock=yes ProtectHostname=yes ProtectProc=invisible ProcSubset=pid RestrictNamespaces=yes \
    RestrictRealtime=yes RestrictSUIDSGID=yes LockPersonality=yes MemoryDenyWriteExecute=yes \
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX" SystemCallArchitectures=native \
    SystemCallFilter=@system-service "SystemCallFilter=~@privileged @resources" LimitCORE=0; do
    grep -qxF "$line" "$unit"
    check $? "$line"
done

if command -v systemd-analyze >/dev/null &&
    level=$(systemd-analyze security --offline=true --no-pager "$unit" 2>/dev/null |
        sed -n 's/.*Overall exposure level for [^:]*: \([0-9]*\)\.\([0-9]\).*/\1\2/p') && [ -n "$level" ]; then
    [ "$level" -le 15 ]
    check $? "exposure of $level tenths, at most 15"
else
    count=$((count + 1))
    echo "ok $count - exposure # SKIP no systemd-analyze"
fi
echo "1..$count"
exit $failed
