/*
 * fault_kit - the way of a batch from receiver to block, in one program: a
 * real journal, store, registry and correlator over one folder, numbered
 * records to send through them, and the comparison of what can be read with
 * what was acknowledged.
 *
 * Record i of batch k has the number k * RECORDS + i, which is its trace id,
 * its time and its value. Batch k is spans, logs or metrics as k % 3 says.
 */
#ifndef FAULT_KIT_H
#define FAULT_KIT_H

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>

#include "budget.h"
#include "clock.h"
#include "correlate.h"
#include "derived.h"
#include "journal_io.h"
#include "log.h"
#include "mem.h"
#include "otlp.h"
#include "stats.h"
#include "store_help.h"
#include "store_int.h"

enum {
    BATCHES = 24,
    MORE = 2, /* that are sent after everything, to see that it works on */
    RECORDS = 5,
    NUMBERS = (BATCHES + MORE) * RECORDS,
    RESOURCES = 64,
    PATIENCE_MS = 20000
};

#define BASE (UINT64_C(1767225600) * NS_PER_S)

/* Leaves an empty folder. */
static inline void temp_empty(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *file;

    while (dir && (file = readdir(dir)) != NULL)
        if (file->d_name[0] != '.')
            CHECK_EQ(unlinkat(dirfd(dir), file->d_name, 0), 0);
    if (dir)
        closedir(dir);
}

/* ---- requests ---- */

static const char resource_text[] =
    "\"resource\":{\"attributes\":["
    "{\"key\":\"openchoreo.dev/project\",\"value\":{\"stringValue\":\"shop\"}},"
    "{\"key\":\"openchoreo.dev/component\","
    "\"value\":{\"stringValue\":\"c%u\"}}]}";

static inline void put_record(struct buf *out, enum signal signal,
                              uint32_t number)
{
    unsigned long long at = BASE + number;

    if (signal == SIGNAL_SPANS)
        buf_format(out,
                   "{\"traceId\":\"%032x\",\"spanId\":\"%016x\",\"kind\":2,"
                   "\"name\":\"call\",\"startTimeUnixNano\":\"%llu\","
                   "\"endTimeUnixNano\":\"%llu\"}",
                   number + 1, number + 1, at, at + 1000);
    else if (signal == SIGNAL_LOGS)
        buf_format(out,
                   "{\"timeUnixNano\":\"%llu\",\"severityNumber\":9,"
                   "\"body\":{\"stringValue\":\"order %u placed\"}}",
                   at, number);
    else
        buf_format(out,
                   "{\"name\":\"numbers\",\"gauge\":{\"dataPoints\":["
                   "{\"timeUnixNano\":\"%llu\",\"asInt\":\"%u\"}]}}",
                   at, number);
}

/* The same in every instance, as if it had been read from the store. */
static inline const struct request_key *kit_key(void)
{
    static struct request_key key;

    if (key.sip[0] == 0)
        request_key_make(&key, (const uint8_t *)"0123456789abcdef");
    return &key;
}

/* Batch k as a receiver would hand it on, or NULL if it would refuse it. */
static inline struct batch *kit_batch(uint32_t k, struct budget *budget)
{
    static const char *const names[SIGNAL_COUNT][3] = {
        [SIGNAL_SPANS] = {"resourceSpans", "scopeSpans", "spans"},
        [SIGNAL_LOGS] = {"resourceLogs", "scopeLogs", "logRecords"},
        [SIGNAL_METRICS] = {"resourceMetrics", "scopeMetrics", "metrics"}};
    enum signal signal = (enum signal)(k % SIGNAL_COUNT);
    struct buf out;

    buf_init(&out, 1 << 20);
    buf_format(&out, "{\"%s\":[{", names[signal][0]);
    buf_format(&out, resource_text, k % 2);
    buf_format(&out, ",\"%s\":[{\"%s\":[", names[signal][1], names[signal][2]);
    for (uint32_t i = 0; i < RECORDS; i++) {
        if (i > 0)
            buf_byte(&out, ',');
        put_record(&out, signal, k * RECORDS + i);
    }
    buf_format(&out, "]}]}]}");
    if (!budget_take(budget, out.len)) {
        buf_release(&out);
        return NULL;
    }
    struct batch *batch =
        batch_new(signal, mem_copy(out.ptr, out.len), out.len, budget);
    buf_release(&out);
    batch->encoding = BATCH_JSON;
    batch->received_ns = BASE + k * NS_PER_S;
    if (otlp_decode(batch, 0, NULL) == OK) {
        request_hash_batch(kit_key(), batch);
        return batch;
    }
    batch_free(batch);
    return NULL;
}

/* ---- a running instance ---- */

struct instance {
    struct budget budget;
    struct journal *journal;
    struct store *store;
    struct registry *registry;
    struct correlator *correlator;
};

static inline enum status kit_replay_entry(void *arg, struct batch *batch)
{
    enum status status = otlp_decode(batch, 0, NULL);

    if (status == OK) {
        request_hash_batch(kit_key(), batch);
        correlator_take(arg, batch);
    } else {
        batch_free(batch);
    }
    return status;
}

static inline enum status kit_replay(struct instance *instance)
{
    uint64_t from = UINT64_MAX, highest = 0;

    for (int i = 0; i < STREAM_COUNT; i++) {
        uint64_t mark = store_watermark(instance->store, (enum stream)i);

        from = mark < from ? mark : from;
        highest = mark > highest ? mark : highest;
    }
    enum status status = journal_replay(instance->journal, from,
                                        kit_replay_entry, instance->correlator);
    journal_skip_lsns(instance->journal, highest);
    return status;
}

/* False if any of the memory that batches were given was not given back. */
static inline bool instance_close(struct instance *instance)
{
    store_begin_shutdown(instance->store);
    journal_stop(instance->journal);
    correlator_close(instance->correlator);
    registry_close(instance->registry);
    store_close(instance->store);
    journal_close(instance->journal);
    return budget_used(&instance->budget) == 0;
}

/* The order is that of daemon/serve.c. */
static inline enum status instance_open(struct instance *instance,
                                        const char *dir,
                                        const struct journal_io *io)
{
    /* So small that it presses for a flush of the derived series, and so many
     * segments that some go. */
    struct journal_options journal = {.dir = dir,
                                      .max_bytes = 32 << 10,
                                      .segment_bytes = 8 << 10,
                                      .budget = &instance->budget};
    struct store_options store = options_in(dir);
    struct registry_options registry = {.max_resources = RESOURCES,
                                        .max_identities = RESOURCES};
    struct correlator_options correlator = {.max_operations = 50,
                                            .max_series = 64,
                                            .max_unpaired_spans = 24,
                                            .edge_wait_ns = NS_PER_S,
                                            .max_templates = 20,
                                            .budget = &instance->budget,
                                            .queue = 16};

    *instance = (struct instance){.journal = NULL};
    budget_init(&instance->budget, 64 << 20);
    enum status status = journal_open_io(&instance->journal, &journal, io);
    store.journal = instance->journal;
    if (status == OK)
        status = store_open(&instance->store, &store);
    if (status == OK)
        status = registry_open(&instance->registry, &registry, instance->store);
    if (status == OK)
        status = correlator_open(&instance->correlator, &correlator,
                                 instance->store, instance->registry, NULL);
    if (status == OK)
        status = kit_replay(instance);
    if (status == OK)
        status = correlator_start(instance->correlator);
    if (status == OK)
        status = journal_start(instance->journal,
                               correlator_sink(instance->correlator));
    if (status != OK)
        CHECK(instance_close(instance));
    return status;
}

static inline void kit_done(void *arg, enum status status)
{
    atomic_store((atomic_int *)arg, (int)status);
}

/* The status that the sender of batch k gets. */
static inline enum status instance_send(struct instance *instance, uint32_t k)
{
    struct sink sink = journal_sink(instance->journal);
    struct batch *batch = kit_batch(k, &instance->budget);
    atomic_int told = -1;

    if (!batch)
        return ERR_BUSY;
    batch->done = kit_done;
    batch->done_arg = &told;
    sink.submit(sink.arg, batch);
    WAIT_FOR(atomic_load(&told) >= 0);
    CHECK(atomic_load(&told) >= 0);
    return (enum status)atomic_load(&told);
}

/* Sends it, and again while that is refused, as an exporter does. */
static inline bool instance_send_until_taken(struct instance *instance,
                                             uint32_t k)
{
    struct sink sink = journal_sink(instance->journal);

    for (int i = 0; i < PATIENCE_MS; i++) {
        if (sink.ready(sink.arg) == OK && instance_send(instance, k) == OK)
            return true;
        test_pause_us(1000);
    }
    return false;
}

/* Writes what is in memory and waits until it is committed. */
static inline bool instance_flush(struct instance *instance)
{
    bool waiting = true;

    store_flush(instance->store);
    for (int i = 0; i < PATIENCE_MS * 5 && waiting; i++) {
        waiting = false;
        pthread_mutex_lock(&instance->store->commits.lock);
        for (int stream = 0; stream < STREAM_COUNT; stream++)
            waiting |= instance->store->memtables.streams[stream].closed > 0;
        pthread_mutex_unlock(&instance->store->commits.lock);
        if (waiting)
            test_pause_us(200);
    }
    return !waiting;
}

/* ---- what can be read ---- */

struct found {
    uint32_t times[NUMBERS];                   /* each record */
    uint64_t odd;                              /* none of ours */
    uint64_t counted[SIGNAL_COUNT], templates; /* by the derived series */
};

static inline void found_number(struct found *found, uint64_t number,
                                enum signal signal)
{
    if (number < NUMBERS && number / RECORDS % SIGNAL_COUNT == signal)
        found->times[number]++;
    else
        found->odd++;
}

static inline void found_span(void *arg, const struct span *span)
{
    found_number(arg, span->start_ns - BASE, SIGNAL_SPANS);
}

static inline void found_point(void *arg, const struct point *point)
{
    struct found *found = arg;
    struct slice name = point->metric->name;

    if (slice_equal(name, SLICE("numbers"))) {
        found_number(found, (uint64_t)point->i, SIGNAL_METRICS);
    } else if (slice_equal(name, SLICE(DERIVED_LOGS))) {
        found->templates += (uint64_t)point->i;
    } else if (slice_equal(name, SLICE(DERIVED_RECORDS))) {
        const struct attr *attr =
            attrs_find(&point->attrs, SLICE(DERIVED_SIGNAL));
        struct slice of = attr ? attr_text(attr) : SLICE("");

        found->counted[slice_equal(of, SLICE("traces")) ? SIGNAL_SPANS
                       : slice_equal(of, SLICE("logs")) ? SIGNAL_LOGS
                                                        : SIGNAL_METRICS] +=
            (uint64_t)point->i;
    }
}

static inline enum status read_all(struct reader *reader, struct found *found)
{
    struct arena arena;
    struct log_record *logs;
    uint32_t count = 0;
    uint64_t total;

    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *all = bitmap_new(&arena, RESOURCES);
    for (uint32_t id = 0; id < RESOURCES; id++)
        bitmap_add(all, id);
    struct sample_range always = {.end_ns = UINT64_MAX, .keep = SAMPLE_ALL};
    struct sample_query spans = {
        .ranges = &always, .range_count = 1, .resources = all};
    struct log_query of_logs = {.end_ns = UINT64_MAX, .limit = 2 * NUMBERS};
    struct series_query points = {.end_ns = UINT64_MAX, .resources = all};
    enum status status =
        reader_query_logs(reader, &of_logs, &arena, &logs, &count, &total);
    for (uint32_t i = 0; i < count && status == OK; i++)
        found_number(found, logs[i].time_ns - BASE, SIGNAL_LOGS);
    if (status == OK)
        status = reader_sample_spans(reader, &spans, found_span, found);
    if (status == OK)
        status = reader_query_series(reader, &points, found_point, found);
    arena_release(&arena);
    return status;
}

static inline enum status instance_read(struct instance *instance,
                                        struct found *found)
{
    struct reader *reader = NULL;
    enum status status = reader_open(&reader, instance->store);

    *found = (struct found){.odd = 0};
    if (status == OK)
        status = reader_begin(reader);
    if (status == OK) {
        status = read_all(reader, found);
        reader_end(reader);
    }
    reader_close(reader);
    return status;
}

/* ---- what must be there ---- */

/* Of each batch: how often it was acknowledged, and how often it was sent
 * without an answer, or the process ended before the answer was noted. */
struct account {
    uint8_t taken[BATCHES + MORE], unsure[BATCHES + MORE];
};

/* Every record that was acknowledged once, however often it was sent, none
 * twice, and the series count just these. */
static inline bool agrees(const struct found *found,
                          const struct account *account)
{
    uint64_t there[SIGNAL_COUNT] = {0};
    bool good = CHECK_EQ(found->odd, 0);

    for (uint32_t number = 0; number < NUMBERS && good; number++) {
        uint32_t k = number / RECORDS, times = found->times[number];

        there[k % SIGNAL_COUNT] += times;
        if (times >= (account->taken[k] > 0) &&
            times <= (account->taken[k] > 0 || account->unsure[k] > 0))
            continue;
        printf("# record %u of batch %u is there %u times, acknowledged %u, "
               "unsure %u\n",
               number % RECORDS, k, times, account->taken[k],
               account->unsure[k]);
        good = test_check(false, "a record is missing or doubled", __FILE__,
                          __LINE__);
    }
    if (!good)
        return false;
    for (int i = 0; i < SIGNAL_COUNT; i++)
        good &= CHECK_EQ(found->counted[i], there[i]);
    good &= CHECK_EQ(found->templates, there[SIGNAL_LOGS]);
    return good;
}

static inline int moved_aside(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *file;
    int count = 0;

    while (dir && (file = readdir(dir)) != NULL)
        count += strstr(file->d_name, ".damaged") != NULL;
    if (CHECK(dir != NULL))
        closedir(dir);
    return count;
}

/* Opens what is in the folder without any fault, compares, sends some more,
 * and looks again from a new instance if `twice`. */
static inline bool instance_after(const char *dir, struct account account,
                                  bool twice)
{
    struct instance instance;
    struct found found;
    bool good = CHECK_EQ(moved_aside(dir), 0);

    if (!CHECK_EQ(instance_open(&instance, dir, &journal_io_system), OK))
        return false;
    good &= CHECK_EQ(instance_read(&instance, &found), OK) &&
            agrees(&found, &account);
    for (uint32_t k = BATCHES; k < BATCHES + MORE && twice; k++)
        account.taken[k] += instance_send_until_taken(&instance, k);
    /* A sender that missed its answer sends it again to the new instance. */
    for (uint32_t k = 0; k < BATCHES && twice; k += 5)
        account.taken[k] += instance_send_until_taken(&instance, k);
    good &= CHECK(instance_close(&instance));
    if (!twice)
        return good;

    if (!CHECK_EQ(instance_open(&instance, dir, &journal_io_system), OK))
        return false;
    good &= CHECK_EQ(instance_read(&instance, &found), OK) &&
            agrees(&found, &account);
    return CHECK(instance_close(&instance)) && good;
}

#endif
