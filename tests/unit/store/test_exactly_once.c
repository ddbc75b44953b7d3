/*
 * Derived series, exactly once: the real correlator on the real store, with
 * tables so small that they are flushed in the middle of batches, killed at any
 * point and read at any moment.
 *
 * A request is a function of its number, so any instance can make it again, as
 * the journal would replay it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "clock.h"
#include "correlate.h"
#include "derived.h"
#include "hash.h"
#include "store_help.h"

enum {
    BATCHES = 60,
    CALLS = 12,    /* that begin in one batch */
    MAX_DELAY = 6, /* batches until the other end comes */
    RESOURCES = 64,
    ROOM = 256
};

/* Spans of a call. */
enum { CALLER = 1, CALLEE, ROOT, DATABASE };

#define BASE (UINT64_C(1767225600) * NS_PER_S)

/* ---- requests ---- */

/* Number `salt` of the many that belong to a thing. */
static uint32_t draw(uint64_t thing, uint32_t salt, uint32_t bound)
{
    return (uint32_t)(hash_mix(thing + 1, salt + 1) >> 33) % bound;
}

static void set_text(struct batch *batch, struct attrs *attrs, const char *key,
                     const char *value)
{
    struct attr *at = (struct attr *)(uintptr_t)attrs->at;

    if (!at)
        attrs->at = at = arena_zero(&batch->arena, 4, sizeof(*at));
    at[attrs->count++] = (struct attr){.key = key,
                                       .key_len = (uint16_t)strlen(key),
                                       .type = VALUE_STRING,
                                       .str = value,
                                       .len = (uint32_t)strlen(value)};
}

static struct batch *empty_batch(uint64_t lsn, enum signal signal)
{
    static const char *const services[] = {"front", "cart"};
    struct batch *batch = batch_new(signal, NULL, 0, NULL);

    batch->lsn = lsn;
    batch->received_ns = BASE + lsn * NS_PER_S;
    batch->resources = arena_zero(&batch->arena, 2, sizeof(struct resource));
    batch->resource_count = 2;
    for (int i = 0; i < 2; i++) {
        batch->resources[i].id = RESOURCE_NONE;
        set_text(batch, &batch->resources[i].attrs, "service.name",
                 services[i]);
    }
    if (signal == SIGNAL_SPANS)
        batch->spans = arena_zero(&batch->arena, ROOM, sizeof(struct span));
    else
        batch->logs =
            arena_zero(&batch->arena, ROOM, sizeof(struct log_record));
    return batch;
}

static struct span *add_span(struct batch *batch, uint64_t call,
                             enum span_kind kind, uint64_t id, uint64_t parent)
{
    struct span *span = &batch->spans[batch->count++];

    span->resource = &batch->resources[kind == SPAN_SERVER];
    span->kind = (uint8_t)kind;
    memcpy(span->trace_id, &call, sizeof(call));
    span->trace_id[15] = 1;
    memcpy(span->span_id, &id, 8);
    memcpy(span->parent_span_id, &parent, 8);
    span->start_ns = BASE + draw(call, 1, 30) * NS_PER_MIN;
    span->end_ns = span->start_ns + draw(call, 2, 1000) * NS_PER_MS;
    span->name = SLICE("call");
    if (id == DATABASE) {
        set_text(batch, &span->attrs, "db.system", "redis");
        set_text(batch, &span->attrs, "server.address", "cache");
        return span;
    }
    set_text(batch, &span->attrs, "http.request.method", "GET");
    set_text(batch, &span->attrs, "http.route", "/cart");
    if (kind == SPAN_CLIENT)
        set_text(batch, &span->attrs, "server.address",
                 draw(call, 3, 2) ? "a.example" : "b.example");
    return span;
}

/* The ends of calls that come in this batch, some of them never; what is
 * served while they are made, and a call of a database besides. */
static struct batch *calls_batch(uint64_t lsn)
{
    struct batch *batch = empty_batch(lsn, SIGNAL_SPANS);

    for (uint64_t from = lsn > MAX_DELAY ? lsn - MAX_DELAY : 1; from <= lsn;
         from++)
        for (uint64_t i = 0; i < CALLS; i++) {
            uint64_t call = from * CALLS + i;

            if (from + draw(call, 4, MAX_DELAY + 2) == lsn)
                add_span(batch, call, SPAN_CLIENT, CALLER, ROOT);
            if (from + draw(call, 5, MAX_DELAY + 4) == lsn)
                add_span(batch, call, SPAN_SERVER, CALLEE, CALLER);
            if (from + draw(call, 10, MAX_DELAY + 2) == lsn)
                add_span(batch, call, SPAN_SERVER, ROOT, 0);
            if (from + draw(call, 11, MAX_DELAY + 2) == lsn)
                add_span(batch, call, SPAN_CLIENT, DATABASE, ROOT);
        }
    return batch;
}

static struct batch *logs_batch(uint64_t lsn)
{
    static const char *const bodies[] = {"order placed", "cart is empty"};
    struct batch *batch = empty_batch(lsn, SIGNAL_LOGS);

    batch->count = 1 + draw(lsn, 6, 50);
    for (uint32_t i = 0; i < batch->count; i++) {
        struct log_record *log = &batch->logs[i];
        const char *body = bodies[draw(lsn, 100 + i, 2)];

        log->resource = &batch->resources[draw(lsn, 200 + i, 2)];
        log->time_ns = log->observed_ns =
            BASE + draw(lsn, 300 + i, 20) * NS_PER_MIN;
        log->body = (struct attr){
            .type = VALUE_STRING, .str = body, .len = (uint32_t)strlen(body)};
    }
    return batch;
}

static struct batch *request(uint64_t lsn)
{
    return draw(lsn, 7, 4) ? calls_batch(lsn) : logs_batch(lsn);
}

/* ---- a running instance ---- */

struct instance {
    struct store *store;
    struct registry *registry;
    struct correlator *correlator;
};

static struct instance instance_open(const char *dir, uint64_t memtable_age_ns)
{
    struct instance instance = {0};
    struct store_options options = options_in(dir);
    struct registry_options registry = {.max_resources = RESOURCES,
                                        .max_identities = RESOURCES};
    struct correlator_options correlator = {.max_operations = 50,
                                            .max_series = 16,
                                            .max_unpaired_spans = 24,
                                            .edge_wait_ns = 4 * NS_PER_S,
                                            .max_templates = 20,
                                            .queue = 16};

    options.memtable_age_ns = memtable_age_ns;
    options.block_spans = options.block_logs = 50;
    CHECK_EQ(store_open(&instance.store, &options), OK);
    CHECK_EQ(registry_open(&instance.registry, &registry, instance.store), OK);
    CHECK_EQ(correlator_open(&instance.correlator, &correlator, instance.store,
                             instance.registry, NULL),
             OK);
    return instance;
}

static void instance_close(struct instance *instance)
{
    correlator_close(instance->correlator);
    registry_close(instance->registry);
    store_close(instance->store);
}

/* Takes requests up to this number; those committed are passed over. */
static void take(struct instance *instance, uint64_t last)
{
    for (uint64_t lsn = 1; lsn <= last; lsn++)
        correlator_take(instance->correlator, request(lsn));
}

/* ---- what was counted ---- */

/* Sums that do not depend on how points are cut into parts. */
struct sums {
    uint64_t points; /* each series and minute by its own weight */
    uint64_t records, served, out, in, back, logs;
};

static uint64_t weight_of(const struct point *point)
{
    uint64_t hash = hash_bytes(point->metric->name.ptr, point->metric->name.len,
                               point->time_ns);

    hash = hash_mix(hash, point->resource_id);
    for (uint32_t i = 0; i < point->attrs.count; i++) {
        const struct attr *attr = &point->attrs.at[i];
        struct slice key = attr_key(attr);

        /* Who was serving is not kept over a crash. */
        if (slice_starts(point->metric->name, SLICE("callboard.edge.")) &&
            (slice_equal(key, SLICE(DERIVED_ENDPOINT)) ||
             slice_equal(key, SLICE(DERIVED_PEER_ENDPOINT))))
            continue;
        hash = hash_bytes(key.ptr, key.len, hash);
        if (attr->type == VALUE_STRING)
            hash = hash_bytes(attr->str, attr->len, hash);
        else
            hash = hash_mix(hash, (uint64_t)attr->i);
    }
    return hash;
}

static void add_point(void *arg, const struct point *point)
{
    struct sums *sums = arg;
    struct slice name = point->metric->name;
    uint64_t value = point->metric->type == METRIC_EXP_HISTOGRAM
                         ? point->histogram->count
                         : (uint64_t)point->i;

    sums->points += value * weight_of(point);
    if (slice_equal(name, SLICE(DERIVED_RECORDS)))
        sums->records += value;
    else if (slice_equal(name, SLICE(DERIVED_DURATION)))
        sums->served += value;
    else if (slice_equal(name, SLICE(DERIVED_OUT_DURATION)))
        sums->out += value;
    else if (slice_equal(name, SLICE(DERIVED_IN_DURATION)))
        sums->in += value;
    else if (slice_equal(name, SLICE(DERIVED_OUT_RETRACTED_DURATION)))
        sums->back += value;
    else if (slice_equal(name, SLICE(DERIVED_LOGS)))
        sums->logs += value;
}

/* pause_us: between the view and the question, for flushes to come between. */
static enum status sum_all(struct reader *reader, unsigned pause_us,
                           struct sums *sums)
{
    struct arena arena;
    enum status status = reader_begin(reader);

    *sums = (struct sums){0};
    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *set = bitmap_new(&arena, RESOURCES);
    struct series_query query = {.end_ns = UINT64_MAX, .resources = set};
    for (uint32_t id = 0; id < RESOURCES; id++)
        bitmap_add(set, id);
    if (pause_us > 0)
        test_pause_us(pause_us);
    if (status == OK)
        status = reader_query_series(reader, &query, add_point, sums);
    reader_end(reader);
    arena_release(&arena);
    return status;
}

static struct sums sums_in(const char *dir)
{
    struct store_options options = options_in(dir);
    struct store *store = NULL;
    struct reader *reader = NULL;
    struct sums sums = {0};

    CHECK_EQ(store_open(&store, &options), OK);
    CHECK_EQ(reader_open(&reader, store), OK);
    CHECK_EQ(sum_all(reader, 0, &sums), OK);
    reader_close(reader);
    store_close(store);
    return sums;
}

/* ---- kill -9 ---- */

/* Between two steps, if `last` comes first; at any instruction if not. */
static void live_and_die(const char *dir, uint64_t last)
{
    static const uint64_t ages[] = {NS_PER_MS / 10, 3 * NS_PER_MS, NS_PER_HOUR};
    uint64_t age_ns = ages[test_random(3)];
    uint32_t pause_us = test_random(4000), die_us = 2000 + test_random(40000);
    bool soon = test_random(2);
    fflush(stdout); /* or the child has it too */
    pid_t child = fork();

    if (child == 0) {
        struct instance instance = instance_open(dir, age_ns);

        take(&instance, last);
        test_pause_us(pause_us); /* some is committed, some is not */
        kill(getpid(), SIGKILL);
    }
    if (soon) {
        test_pause_us(die_us);
        CHECK_EQ(kill(child, SIGKILL), 0);
    }
    CHECK_EQ(waitpid(child, NULL, 0), child);
}

static void live_to_the_end(const char *dir)
{
    fflush(stdout); /* or the child has it too */
    pid_t child = fork();
    int status = 1;

    if (child == 0) {
        struct instance instance = instance_open(dir, NS_PER_HOUR);

        take(&instance, BATCHES);
        /* An hour later nothing waits any more. */
        correlator_take(instance.correlator,
                        empty_batch(BATCHES + 3600, SIGNAL_SPANS));
        instance_close(&instance);
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}

TEST(killed_at_any_point_every_record_and_call_is_counted_once)
{
    char whole[64], killed[64];

    temp_make(whole);
    live_to_the_end(whole);
    struct sums want = sums_in(whole);
    CHECK(want.records > 500 && want.served > 100 && want.out > 100);
    CHECK(want.in > 100 && want.logs > 50 && want.back > 0);
    for (int round = 0; round < 2; round++) {
        temp_make(killed);
        for (uint64_t last = 1; last <= BATCHES; last += 1 + test_random(5))
            live_and_die(killed, last);
        live_to_the_end(killed);

        struct sums got = sums_in(killed);
        CHECK_EQ(got.records, want.records);
        CHECK_EQ(got.served, want.served);
        CHECK_EQ(got.out, want.out);
        CHECK_EQ(got.in, want.in);
        CHECK_EQ(got.back, want.back);
        CHECK_EQ(got.logs, want.logs);
        CHECK_EQ(got.points, want.points);
        temp_remove(killed);
    }
    temp_remove(whole);
}

/* ---- reading at the same time ---- */

enum { SERVED = 40, ROUNDS = 150 };

struct race {
    struct instance instance;
    atomic_uint begun, taken; /* records */
    atomic_bool over;
};

/* Each is one record, one that was served, and one from outside. */
static struct batch *served_batch(uint64_t lsn)
{
    struct batch *batch = empty_batch(lsn, SIGNAL_SPANS);

    for (uint64_t i = 0; i < SERVED; i++)
        add_span(batch, lsn * SERVED + i, SPAN_SERVER, 1, 0);
    return batch;
}

static void *take_all(void *arg)
{
    struct race *race = arg;

    for (uint64_t lsn = 1; lsn <= ROUNDS; lsn++) {
        atomic_fetch_add(&race->begun, SERVED);
        correlator_take(race->instance.correlator, served_batch(lsn));
        atomic_fetch_add(&race->taken, SERVED);
    }
    atomic_store(&race->over, true);
    return NULL;
}

/* The sums are those of one moment between the begin and the end of a query. */
static void *read_all(void *arg)
{
    struct race *race = arg;
    struct reader *reader = NULL;
    struct sums sums;
    bool good = true, over;
    uint64_t round = 0;

    CHECK_EQ(reader_open(&reader, race->instance.store), OK);
    do {
        over = atomic_load(&race->over);
        unsigned least = atomic_load(&race->taken);
        unsigned pause_us = draw(round, 8, 3) * draw(round, 9, 1000);
        round++;
        good = CHECK_EQ(sum_all(reader, pause_us, &sums), OK);
        unsigned most = atomic_load(&race->begun);

        good &= CHECK_EQ(sums.records, sums.served) &&
                CHECK_EQ(sums.records, sums.in) &&
                CHECK(sums.records >= least) && CHECK(sums.records <= most);
    } while (good && !over);
    reader_close(reader);
    return NULL;
}

TEST(readers_see_the_counts_of_one_moment)
{
    char dir[64];
    struct race race = {.over = false};
    pthread_t writer, readers[2];

    temp_make(dir);
    race.instance = instance_open(dir, NS_PER_MS);
    CHECK_EQ(pthread_create(&writer, NULL, take_all, &race), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_create(&readers[i], NULL, read_all, &race), 0);
    pthread_join(writer, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    instance_close(&race.instance);
    CHECK_EQ(sums_in(dir).records, SERVED * ROUNDS);
    temp_remove(dir);
}
