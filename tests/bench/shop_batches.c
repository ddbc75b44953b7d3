/*
 * In place of send.c: the bodies stay in memory, and end the play when there
 * are enough records.
 */
#include "shop_batches.h"

#include <stdlib.h>

#include "clock.h"
#include "mem.h"
#include "otlp.h"
#include "shop.h"

struct sender {
    struct shop_batches made;
    enum signal signal;
    size_t wanted;
    volatile sig_atomic_t enough;
};

void sender_send(struct sender *s, enum send_path path, struct slice body)
{
    static const enum signal signals[] = {SIGNAL_SPANS, SIGNAL_LOGS,
                                          SIGNAL_METRICS};
    struct batch *batch;
    if (signals[path] != s->signal || s->enough)
        return;
    batch = batch_new(s->signal, mem_copy(body.ptr, body.len), body.len, NULL);
    batch->received_ns = clock_wall_ns();
    if (otlp_decode(batch, 0, NULL) != OK)
        abort();
    s->made.at = mem_resize(s->made.at, s->made.count + 1, sizeof(*s->made.at));
    s->made.at[s->made.count++] = batch;
    s->made.records += batch->count;
    s->enough = s->made.records >= s->wanted;
}

struct shop_batches shop_batches_make(enum signal signal, size_t records,
                                      int per_batch, bool wild)
{
    struct shop_options options = shop_defaults;
    struct sender sender = {.signal = signal, .wanted = records};
    struct world world;

    options.pace = false;
    options.batch = per_batch;
    options.wild = wild;
    options.rate = 200;
    options.start_ns = clock_wall_ns() - 30 * NS_PER_MIN;
    options.spans = signal == SIGNAL_SPANS;
    options.logs = signal == SIGNAL_LOGS;
    options.metrics = signal == SIGNAL_METRICS;
    world_init(&world, &options, &sender);
    world_play(&world, &sender.enough);
    world_free(&world);
    return sender.made;
}

void shop_batches_free(struct shop_batches *batches)
{
    for (size_t i = 0; i < batches->count; i++)
        batch_free(batches->at[i]);
    free(batches->at);
}
