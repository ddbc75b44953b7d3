/*
 * What rows for ClickHouse cost an instance: nanoseconds to encode a record and
 * to compress it, bytes of both. The records are the shop's.
 *
 *   bench_ch_write [spans|logs|metrics|wild]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "attr_hash.h"
#include "ch_write.h"
#include "shop_batches.h"

enum { RECORDS = 100000, PER_REQUEST = 500, ROUNDS = 5 };

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool describe(void *arg, uint32_t resource, struct arena *arena,
                     struct resource_names *out)
{
    (void)arg;
    (void)arena;
    *out = (struct resource_names){.key = hash_mix(resource, 1)};
    out->identity.namespace = SLICE("acme");
    out->identity.project = SLICE("shop");
    out->identity.component = SLICE("checkout");
    out->identity.environment = SLICE("production");
    return true;
}

static const struct store_resources resources = {.describe = describe};

static uint32_t resource_id(const struct resource *resource)
{
    return 1 + (uint32_t)(attrs_hash(&resource->attrs) % 65521);
}

static void tag(struct batch *batch, enum signal signal)
{
    for (uint32_t i = 0; i < batch->count; i++)
        if (signal == SIGNAL_SPANS)
            batch->spans[i].resource_id = resource_id(batch->spans[i].resource);
        else if (signal == SIGNAL_LOGS)
            batch->logs[i].resource_id = resource_id(batch->logs[i].resource);
        else
            batch->points[i].resource_id =
                resource_id(batch->points[i].metric->resource);
}

struct result {
    uint64_t ns, rows, bytes, plain;
};

static uint64_t plain_bytes;

static void count_bytes(void *arg, struct slice bytes)
{
    (void)arg;
    plain_bytes += bytes.len;
}

/* Frames are made while rows are added; what is left is one more. */
static struct result write_all(const struct shop_batches *made)
{
    struct ch_writer writer;
    struct result result = {0};
    uint64_t begin = now_ns();

    ch_writer_init(&writer, &resources, 3, NULL);
    for (size_t b = 0; b < made->count; b++)
        ch_write_batch(&writer, made->at[b]);
    ch_write_end(&writer);
    for (int i = 0; i < CH_WRITE_TABLES; i++) {
        struct ch_insert *insert = &writer.inserts[i];
        struct ch_body body = {0};

        if (!insert->native)
            continue;
        if (ch_native_compress(insert->native, &body) != OK)
            abort();
        result.bytes += body.len + insert->bytes;
        ch_body_release(&body);
    }
    result.ns = now_ns() - begin;
    ch_writer_release(&writer);
    return result;
}

/* The same without frames: the first records only. */
static struct result encode_only(const struct shop_batches *made)
{
    struct result result = {0};

    for (size_t b = 0; b < made->count; b++) {
        struct ch_writer writer;
        uint64_t begin;

        ch_writer_init(&writer, &resources, 3, NULL);
        ch_write_batch(&writer, made->at[b]); /* the memory is there then */
        for (int i = 0; i < CH_WRITE_TABLES; i++) {
            if (writer.inserts[i].native) {
                ch_native_write(writer.inserts[i].native, count_bytes, NULL);
                ch_native_reset(writer.inserts[i].native);
            }
        }
        begin = now_ns();
        ch_write_batch(&writer, made->at[b]);
        result.ns += now_ns() - begin;
        ch_writer_release(&writer);
    }
    return result;
}

static void bench(const char *what, enum signal signal, bool wild)
{
    struct shop_batches made =
        shop_batches_make(signal, RECORDS, PER_REQUEST, wild);
    struct result best = {.ns = UINT64_MAX}, encode = {.ns = UINT64_MAX};
    double n = (double)made.records;

    for (size_t b = 0; b < made.count; b++)
        tag(made.at[b], signal);
    for (int i = 0; i < ROUNDS; i++) {
        struct result all = write_all(&made), only;

        plain_bytes = 0;
        only = encode_only(&made);
        best = all.ns < best.ns ? all : best;
        encode = only.ns < encode.ns ? only : encode;
    }
    printf("%-16s %8.1f ns, of it %8.1f ns to encode; %8.1f bytes, "
           "compressed %6.1f\n",
           what, (double)best.ns / n, (double)encode.ns / n,
           (double)plain_bytes / n, (double)best.bytes / n);
    shop_batches_free(&made);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (!*what || strcmp(what, "spans") == 0)
        bench("span", SIGNAL_SPANS, false);
    if (!*what || strcmp(what, "wild") == 0)
        bench("span, wild", SIGNAL_SPANS, true);
    if (!*what || strcmp(what, "logs") == 0)
        bench("log record", SIGNAL_LOGS, false);
    if (!*what || strcmp(what, "metrics") == 0)
        bench("point", SIGNAL_METRICS, false);
    return 0;
}
