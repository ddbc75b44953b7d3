/*
 * Calls run on the serving thread, each once; one that it never gets to is
 * withdrawn. Deleting a namespace is such a call.
 */
#include "thread_calls.h"

#include <stdatomic.h>

#include "clock.h"
#include "correlate_kit.h"

enum { CALLERS = 8 };

static struct thread_calls calls;
static atomic_uint ran;
static atomic_bool stop;

static enum status count(void *arg)
{
    ran++;
    return arg ? ERR_NOT_FOUND : OK;
}

static void *caller(void *arg)
{
    CHECK_EQ(thread_calls_run(&calls, count, arg, 60 * NS_PER_S),
             arg ? ERR_NOT_FOUND : OK);
    return NULL;
}

static void *server(void *arg)
{
    (void)arg;
    while (!stop)
        thread_calls_serve(&calls);
    return NULL;
}

TEST(each_runs_once_and_its_status_is_returned)
{
    pthread_t callers[CALLERS], thread;

    ran = 0;
    stop = false;
    thread_calls_init(&calls);
    CHECK_EQ(pthread_create(&thread, NULL, server, NULL), 0);
    for (int i = 0; i < CALLERS; i++)
        CHECK_EQ(
            pthread_create(&callers[i], NULL, caller, i % 2 ? &calls : NULL),
            0);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    CHECK_EQ(ran, CALLERS);
    stop = true;
    pthread_join(thread, NULL);
    thread_calls_release(&calls);
}

TEST(nobody_serves)
{
    ran = 0;
    thread_calls_init(&calls);
    CHECK_EQ(thread_calls_run(&calls, count, NULL, NS_PER_MS), ERR_BUSY);
    thread_calls_serve(&calls);
    CHECK_EQ(ran, 0);
    thread_calls_release(&calls);
}

#define OF(ns) "openchoreo.dev/namespace=" ns ",openchoreo.dev/component=cart"

static uint32_t found(struct kit *kit)
{
    const struct scope_filter all = {.unassigned = false};
    struct arena arena;
    uint32_t count;

    arena_init(&arena, NULL, SIZE_MAX);
    registry_components(kit->registry, &all, &viewer_all, &arena, &count);
    arena_release(&arena);
    return count;
}

/* A replay of the same batches finds all of them stored. */
TEST(a_deleted_namespace_stays_deleted)
{
    struct kit kit = kit_open();
    struct registry_deletion deleted;

    for (int i = 0; i < 2; i++) {
        struct batch *batch = kit_batch(&kit, i ? SIGNAL_LOGS : SIGNAL_SPANS);

        if (i)
            kit_log(batch, OF("acme"), "text", "");
        else
            kit_span(batch, OF("acme"), SPAN_SERVER, 1, 1, 0, "");
        if (!i)
            kit_span(batch, OF("beta"), SPAN_CLIENT, 1, 2, 1, "");
        kit_take_all(&kit, batch);
    }
    CHECK_EQ(found(&kit), 2);
    CHECK_EQ(correlator_start(kit.correlator), OK);
    CHECK_EQ(correlator_delete(kit.correlator, SLICE("acme"), &deleted), OK);
    CHECK_EQ(deleted.identities, 1);
    CHECK_EQ(found(&kit), 1);
    CHECK_EQ(correlator_delete(kit.correlator, SLICE("acme"), &deleted),
             ERR_NOT_FOUND);
    CHECK_EQ(store_watermark(kit_the_store(), STREAM_SPANS), 1);
    CHECK_EQ(store_watermark(kit_the_store(), STREAM_LOGS), 2);
    CHECK_EQ(store_watermark(kit_the_store(), STREAM_DERIVED), 2);
    kit_end(&kit);
    kit = kit_open_with(&kit_options);
    CHECK_EQ(found(&kit), 1);
    kit_end(&kit);
}
