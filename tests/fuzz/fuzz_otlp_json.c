/*
 * A JSON request of any signal (the first byte says which): it never crashes,
 * and its text lies in the request or in the arena.
 */
#include <stdlib.h>

#include "otlp.h"

/* Touches each byte, so that ASan sees those that are not ours. */
static unsigned touch(struct slice s)
{
    unsigned sum = 0;

    for (size_t i = 0; i < s.len; i++)
        sum += (unsigned char)s.ptr[i];
    return sum;
}

static unsigned touch_value(const struct attr *a, unsigned depth)
{
    unsigned sum = touch(attr_key(a));

    if (depth > ATTR_MAX_DEPTH)
        abort();
    if (a->type == VALUE_STRING || a->type == VALUE_BYTES)
        sum += touch((struct slice){a->str, a->len});
    else if (a->type == VALUE_ARRAY || a->type == VALUE_MAP)
        for (uint32_t i = 0; i < a->len; i++)
            sum += touch_value(&a->items[i], depth + 1);
    return sum;
}

static unsigned touch_attrs(const struct attrs *attrs)
{
    unsigned sum = 0;

    for (uint32_t i = 0; i < attrs->count; i++)
        sum += touch_value(&attrs->at[i], 0);
    return sum;
}

static unsigned touch_records(const struct batch *batch)
{
    unsigned sum = 0;

    for (uint32_t i = 0; i < batch->resource_count; i++)
        sum += touch_attrs(&batch->resources[i].attrs);
    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->signal == SIGNAL_SPANS) {
            const struct span *span = &batch->spans[i];

            sum += touch(span->name) + touch_attrs(&span->attrs);
            for (uint32_t e = 0; e < span->event_count; e++)
                sum += touch_attrs(&span->events[e].attrs);
        } else if (batch->signal == SIGNAL_LOGS) {
            sum += touch_value(&batch->logs[i].body, 0);
            sum += touch_attrs(&batch->logs[i].attrs);
        } else {
            sum += touch(batch->points[i].metric->name);
            sum += touch_attrs(&batch->points[i].attrs);
        }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice detail = {NULL, 0};
    struct batch *batch;
    char *body;

    if (size == 0)
        return 0;
    body = malloc(size);
    if (!body)
        abort();
    slice_copy(body, (struct slice){(const char *)data + 1, size - 1});
    batch =
        batch_new((enum signal)(data[0] % SIGNAL_COUNT), body, size - 1, NULL);
    batch->encoding = BATCH_JSON;
    batch->arena.cap = 64 << 20;
    batch->received_ns = UINT64_C(1795253952000000000);
    if (otlp_decode(batch, 0, &detail) == OK)
        touch_records(batch);
    else if (touch(detail) == 0)
        abort();
    batch_free(batch);
    return 0;
}
