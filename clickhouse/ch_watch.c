/*
 * The thread that looks what other instances have saved, and does what one
 * instance alone does.
 *
 * Every half second one small query gives a fingerprint of the rows of each
 * kind in callboard_values; a kind whose fingerprint differs has changed. A
 * merge that drops old rows changes it, too: then the same is loaded once more.
 */
#include "ch_rows.h"
#include "clickhouse_int.h"
#include "log.h"

#define LOOK_NS      (500 * NS_PER_MS)
#define LIMIT_NS     (5 * NS_PER_S)
#define RETENTION_NS (5 * NS_PER_MIN)

enum { KINDS = 3 };
static const struct {
    const char *kind;
    enum clickhouse_change change;
} kinds[KINDS] = {{"catalog", CLICKHOUSE_CATALOG},
                  {"report", CLICKHOUSE_REPORTS},
                  {"token", CLICKHOUSE_TOKENS}};

struct look {
    struct slice kind;
    uint64_t count, sum;
    uint64_t prints[KINDS]; /* of the rows */
};

static void decode_print(void *arg, struct byte_reader *in)
{
    struct look *look = arg;

    look->kind = ch_read_string(in);
    look->count = ch_read_u64(in);
    look->sum = ch_read_u64(in);
}

static enum status take_print(void *arg)
{
    struct look *look = arg;

    for (int i = 0; i < KINDS; i++)
        if (slice_equal(look->kind, slice_of(kinds[i].kind)))
            look->prints[i] = look->sum + look->count;
    return OK;
}

static enum status look_at(struct clickhouse *engine, struct look *look)
{
    struct ch_reader reader = {
        .client = engine->client,
        .probe = true,
        .cancelled = &engine->stop_watch,
        .deadline_ns = clock_monotonic_ns() + LIMIT_NS,
    };
    struct ch_rows rows = {
        .decode = decode_print, .take = take_print, .arg = look};
    struct ch_sql sql;
    enum status status;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT Kind, count(), sum(cityHash64(Name, Version, Deleted))"
                 " FROM callboard_values WHERE Kind != 'value' GROUP BY Kind");
    status = ch_select(&reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

/* Bits of what differs from `known`, which becomes the same. */
static unsigned compare(const struct look *look, uint64_t known[KINDS])
{
    unsigned changes = 0;

    for (int i = 0; i < KINDS; i++) {
        if (look->prints[i] != known[i])
            changes |= (unsigned)kinds[i].change;
        known[i] = look->prints[i];
    }
    return changes;
}

static void run_retention(struct clickhouse *engine)
{
    struct ch_reader reader = {
        .client = engine->client,
        .cancelled = &engine->stop_watch,
        .deadline_ns = clock_monotonic_ns() + NS_PER_MIN,
    };
    struct ch_retention_done done;

    if (ch_retention_run(&reader, &engine->retention, &done) != OK)
        log_warn("clickhouse", "retention failed; it is tried again",
                 log_text("reason", reader.error.text));
    else if (done.partitions > 0)
        log_info("clickhouse", "old days were dropped",
                 log_uint("partitions", done.partitions),
                 log_uint("bytes", done.bytes));
}

static bool leads(const struct clickhouse *engine)
{
    const struct clickhouse_watch *watch = &engine->watch;

    return watch->is_leader && watch->is_leader(watch->arg);
}

static void sleep_until(const struct clickhouse *engine, uint64_t ns)
{
    const struct timespec step = {.tv_nsec = 50 * (long)NS_PER_MS};

    while (!atomic_load(&engine->stop_watch) && clock_monotonic_ns() < ns)
        (void)nanosleep(&step, NULL);
}

static void *watch_main(void *arg)
{
    struct clickhouse *engine = arg;
    uint64_t known[KINDS] = {0}, retention_ns = 0;

    while (!atomic_load(&engine->stop_watch)) {
        uint64_t now = clock_monotonic_ns();
        struct look look = {.count = 0};

        /* Values are sent here if nobody waited for them. */
        if (ch_metadata_flush(&engine->metadata) == OK &&
            look_at(engine, &look) == OK) {
            unsigned changes = compare(&look, known);

            if (changes && engine->watch.changed)
                engine->watch.changed(engine->watch.arg, changes);
        }
        if (now >= retention_ns && leads(engine)) {
            run_retention(engine);
            retention_ns = clock_monotonic_ns() + RETENTION_NS;
        }
        sleep_until(engine, now + LOOK_NS);
    }
    return NULL;
}

enum status clickhouse_watch(struct store *store,
                             const struct clickhouse_watch *watch)
{
    struct clickhouse *engine = clickhouse_of(store);

    engine->watch = *watch;
    if (pthread_create(&engine->thread, NULL, watch_main, engine) != 0)
        return ERR_INTERNAL;
    engine->watching = true;
    return OK;
}

void clickhouse_stop_watch(struct store *store)
{
    struct clickhouse *engine = clickhouse_of(store);

    if (!store || !engine->watching)
        return;
    atomic_store(&engine->stop_watch, true);
    pthread_join(engine->thread, NULL);
    engine->watching = false;
}
