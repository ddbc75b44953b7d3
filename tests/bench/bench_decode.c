/*
 * Decoding on one core: the shop's requests, ordinary and with attributes of
 * which each span has its own, and its spans as OTLP/JSON. One line per figure.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "otlp.h"
#include "otlp_tojson.h"
#include "shop_batches.h"

enum { RECORDS = 512 };

/* otlp_tojson.h draws a spelling; any number but 0 is that of the SDKs. */
uint32_t test_random(uint32_t bound)
{
    return bound - 1;
}

/* A request of spans again, as a JS SDK writes it. */
static void make_json(struct batch *batch)
{
    Otlp__TracesData *data = otlp__traces_data__unpack(
        NULL, batch->body_len, (const uint8_t *)batch->body);
    struct jsonw w;
    struct buf buf;

    if (!data)
        abort();
    buf_init(&buf, SIZE_MAX / 2);
    jsonw_init(&w, &buf);
    tojson_message(&w, &data->base);
    otlp__traces_data__free_unpacked(data, NULL);
    free(batch->body);
    batch->body = buf_detach(&buf, &batch->body_len);
    batch->encoding = BATCH_JSON;
}

/* The hash by which a request is known when it comes again, of each record's
 * share of the body; the best of ten rounds as well. */
static double measure_hash(const struct batch *batch, uint32_t count)
{
    static struct request_key key;
    struct slice none = {NULL, 0}, body = {batch->body, batch->body_len};
    double best = 1e9;
    uint64_t mix = 0;

    request_key_make(&key, (const uint8_t *)"0123456789abcdef");
    for (int round = 0; round < 10; round++) {
        uint64_t start = clock_monotonic_ns();

        for (int i = 0; i < 50; i++)
            mix ^= request_hash_of(&key, mix, none, body).a;

        double took = (double)(clock_monotonic_ns() - start) / 50 / count;
        if (took < best)
            best = took;
    }
    return mix ? best : 0;
}

/* Half a second of decoding the same batch; the best of its tenths. */
static void measure(const char *what, struct batch *batch)
{
    double best = 1e9;
    uint32_t count = 0;

    for (int round = 0; round < 10; round++) {
        uint64_t start = clock_monotonic_ns(), end = start;
        uint64_t records = 0;

        while (end - start < NS_PER_S / 20) {
            arena_reset(&batch->arena);
            if (otlp_decode(batch, 0, NULL) != OK)
                abort();
            records += count = batch->count;
            end = clock_monotonic_ns();
        }
        if ((double)(end - start) / (double)records < best)
            best = (double)(end - start) / (double)records;
    }
    printf("decode_%s %.0f ns/record %.0f MB/s (%zu bytes/record, arena %zu)\n",
           what, best, (double)batch->body_len / count / best * 1000,
           batch->body_len / count, arena_size(&batch->arena) / count);
    printf("hash_%s %.1f ns/record %.0f MB/s\n", what,
           measure_hash(batch, count),
           (double)batch->body_len / count / measure_hash(batch, count) * 1000);
}

/* The first request of the signal. */
static void measure_shop(const char *what, enum signal signal, bool wild,
                         bool json)
{
    struct shop_batches made =
        shop_batches_make(signal, RECORDS, RECORDS, wild);

    if (json)
        make_json(made.at[0]);
    measure(what, made.at[0]);
    shop_batches_free(&made);
}

int main(void)
{
    measure_shop("spans", SIGNAL_SPANS, false, false);
    measure_shop("spans_wild", SIGNAL_SPANS, true, false);
    measure_shop("spans_json", SIGNAL_SPANS, false, true);
    measure_shop("logs", SIGNAL_LOGS, false, false);
    measure_shop("points", SIGNAL_METRICS, false, false);
    return 0;
}
