#!/bin/sh
# Compresses what the program contains: docs/openapi.yaml, and the page if it
# was built (make web; WEB=no leaves it out).
#
#   sh web/embed.sh DIST OUT    web/dist, folder of the build
#
# Writes OUT/openapi.yaml.gz, OUT/NAME.gz of each file of the page, and
# OUT/web_files.h: a table for query/query_web.c. Nothing is written again while
# nothing has changed, so make may ask each time.
set -eu
dist=$1
out=$2

list() {
    [ "${WEB:-}" = no ] || [ ! -f "$dist/index.html" ] ||
        (cd "$dist" && find index.html assets -type f | LC_ALL=C sort -r)
}
type_of() {
    case $1 in
    *.html) echo 'text/html; charset=utf-8' ;;
    *.js) echo 'text/javascript; charset=utf-8' ;;
    *.css) echo 'text/css; charset=utf-8' ;;
    *.svg) echo 'image/svg+xml' ;;
    *.png) echo 'image/png' ;;
    *.woff2) echo 'font/woff2' ;;
    *)
        echo "embed: no content type is known for $1" >&2
        return 1
        ;;
    esac
}

names=$(list)
sum=$({ cat "$0" docs/openapi.yaml && [ -z "$names" ] ||
    (cd "$dist" && cksum $names); } | cksum)
if [ -f "$out/web_files.h" ] && [ "$(cat "$out/sum" 2>/dev/null)" = "$sum" ]; then
    exit 0
fi

rm -rf "$out"
mkdir -p "$out"
gzip -9nc docs/openapi.yaml >"$out/openapi.yaml.gz"
count=0
: >"$out/bytes"
printf '#define WEB_FILES(X)' >"$out/table"
for name in $names; do
    # A browser keeps an asset for ever, so its name must change with it.
    case $name in
    index.html) cache=EACH_TIME ;;
    assets/*-????????*.*) cache=FOR_EVER ;;
    *)
        echo "embed: $name has no hash in its name" >&2
        exit 1
        ;;
    esac
    type=$(type_of "$name")
    gzip -9nc "$dist/$name" >"$out/$count.gz"
    printf '__asm__(".section .rodata\\nweb_%d:\\n.incbin \\"%d.gz\\"\\nweb_%d_end:\\n.previous\\n");\n' \
        $count $count $count >>"$out/bytes"
    printf 'extern const char web_%d[], web_%d_end[];\n' $count $count >>"$out/bytes"
    printf ' \\\n    X("%s", "%s", web_%d, web_%d_end, %s)' \
        "$name" "$type" $count $count $cache >>"$out/table"
    count=$((count + 1))
done
echo >>"$out/table"
cat "$out/bytes" "$out/table" >"$out/web_files.h"
rm "$out/bytes" "$out/table"
echo "$sum" >"$out/sum"
