/*
 * Rows of batches without a database: what they take of a budget, where INSERTs
 * end, how names of resources are asked for, numbers of arrival.
 */
#include "ch_arrival.h"
#include "ch_write.h"

#include "clock.h"
#include "test.h"

enum { MANY = CH_INSERT_ROWS + 1, EACH = 1000 };

static uint32_t described;

static bool describe(void *arg, uint32_t resource, struct arena *arena,
                     struct resource_names *out)
{
    (void)arg;
    (void)arena;
    described++;
    *out = (struct resource_names){.key = resource};
    out->identity.component = SLICE("checkout");
    return resource < 100;
}

static const struct store_resources resources = {.describe = describe};

static struct batch *log_batch(uint32_t count, uint64_t offset)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
    struct source_offset source = {
        .topic = SLICE("logs"), .partition = 5, .offset = offset};

    batch_set_source_offset(batch, &source);
    batch->logs = arena_zero(&batch->arena, count, sizeof(*batch->logs));
    batch->count = count;
    for (uint32_t i = 0; i < count; i++) {
        batch->logs[i].time_ns = NS_PER_S * (offset + 1) + i;
        batch->logs[i].body = attr_string("", SLICE("a line of a log"));
        batch->logs[i].resource_id = i % 7;
    }
    return batch;
}

static void add_logs(struct ch_writer *writer, uint32_t count, uint64_t offset)
{
    struct batch *batch = log_batch(count, offset);

    ch_write_batch(writer, batch);
    batch_free(batch);
}

/* Rows of each INSERT, of frames and what was not compressed yet. */
static void count_parts(const struct ch_insert *insert, uint32_t rows[3])
{
    for (uint32_t i = 0; i < insert->frame_count; i++)
        rows[insert->frames[i].part] += insert->frames[i].rows;
    rows[insert->part] += ch_native_rows(insert->native);
}

TEST(an_insert_ends_by_its_rows)
{
    struct ch_writer writer;
    uint32_t rows[3] = {0};

    ch_writer_init(&writer, &resources, 5, NULL);
    for (uint32_t i = 0; i < MANY / EACH; i++)
        add_logs(&writer, EACH, i);
    add_logs(&writer, 1, MANY);
    count_parts(&writer.inserts[CH_WRITE_LOGS], rows);
    CHECK_EQ(writer.inserts[CH_WRITE_LOGS].rows, MANY);
    CHECK_EQ(rows[0], CH_INSERT_ROWS);
    CHECK_EQ(rows[1], 1);
    CHECK(writer.inserts[CH_WRITE_LOGS].frame_count > 1);
    CHECK_EQ(writer.inserts[CH_WRITE_EVENTS].rows, 0);
    ch_writer_release(&writer);
}

/* Above its limit, too: the rows must not be lost. */
TEST(memory_is_charged_and_given_back)
{
    struct ch_writer writer;
    struct budget budget;

    budget_init(&budget, 1 << 16);
    ch_writer_init(&writer, &resources, 5, &budget);
    for (uint32_t i = 0; i < 50; i++)
        add_logs(&writer, EACH, i);
    CHECK_EQ(writer.inserts[CH_WRITE_LOGS].rows, 50 * EACH);
    CHECK(budget_used(&budget) > 1 << 16);
    CHECK(budget_used(&budget) < ch_writer_bytes(&writer) + (16 << 20));
    ch_writer_release(&writer);
    CHECK_EQ(budget_used(&budget), 0);
}

/* Names are known when a row is written, and may be others when it is written
 * again. */
TEST(frames_are_the_same_whatever_names_are)
{
    static const struct store_resources nameless = {.describe = NULL};
    struct ch_writer one, other;
    const struct ch_insert *a = &one.inserts[CH_WRITE_LOGS],
                           *b = &other.inserts[CH_WRITE_LOGS];

    ch_writer_init(&one, &resources, 5, NULL);
    ch_writer_init(&other, &nameless, 5, NULL);
    for (uint32_t i = 0; i < 30; i++) {
        add_logs(&one, EACH, i);
        add_logs(&other, EACH, i);
    }
    CHECK(a->frame_count > 1);
    if (CHECK_EQ(a->frame_count, b->frame_count))
        for (uint32_t i = 0; i < a->frame_count; i++)
            CHECK_EQ(a->frames[i].rows, b->frames[i].rows);
    ch_writer_release(&one);
    ch_writer_release(&other);
}

TEST(a_resource_is_described_once)
{
    struct ch_writer writer;

    described = 0;
    ch_writer_init(&writer, &resources, 5, NULL);
    for (uint32_t i = 0; i < 20; i++)
        add_logs(&writer, EACH, i);
    CHECK_EQ(described, 7);
    CHECK_TEXT(ch_names(&writer, 3)->identity.component, "checkout");
    CHECK_EQ(ch_names(&writer, 3)->key, 3);
    CHECK_EQ(ch_names(&writer, 200)->key, 0); /* not known */
    CHECK_TEXT(ch_names(&writer, 200)->identity.component, "");
    ch_writer_release(&writer);
}

TEST(arrival_goes_by_message_then_place)
{
    struct ch_writer writer;
    struct batch *batch;

    ch_writer_init(&writer, NULL, 5, NULL);
    add_logs(&writer, 3, 8);
    CHECK_EQ(ch_next_arrival(&writer), ch_arrival(8, 3, 5));
    batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL); /* made of the message */
    ch_write_batch(&writer, batch);
    batch_free(batch);
    CHECK_EQ(ch_next_arrival(&writer), ch_arrival(8, 4, 5));
    add_logs(&writer, 1, 9);
    CHECK_EQ(ch_next_arrival(&writer), ch_arrival(9, 1, 5));
    CHECK(ch_arrival(8, CH_ARRIVAL_PLACES + 5, 1023) < ch_arrival(9, 0, 0));
    CHECK(ch_arrival(8, 3, 5) != ch_arrival(8, 3, 6));
    ch_writer_release(&writer);
}

/* ---- copies of what rows share ---- */

enum { SENDERS = 3, SHARED = 24000 /* several frames */ };

static struct attr sender_attrs[SENDERS][2];
static struct resource senders[SENDERS];
static struct scope scopes[SENDERS];

static void make_senders(void)
{
    static const char *const names[SENDERS] = {"cart", "checkout", ""};

    for (int i = 0; i < SENDERS; i++) {
        sender_attrs[i][0] = attr_string("service.name", slice_of(names[i]));
        sender_attrs[i][1] = attr_string("k", SLICE("v"));
        senders[i].attrs =
            (struct attrs){.at = sender_attrs[i], .count = (uint32_t)i};
        senders[i].schema_url = slice_of(names[i]);
        scopes[i].name = slice_of(names[2 - i]);
        scopes[i].attrs =
            (struct attrs){.at = sender_attrs[i], .count = 2 - (uint32_t)i};
    }
}

/* Whose record this is: each changes by itself, and there may be none. */
static void set_origin(struct log_record *log, uint32_t random)
{
    log->resource = random & 3 ? &senders[(random & 3) % SENDERS] : NULL;
    log->scope = random >> 2 & 3 ? &scopes[(random >> 2 & 3) % SENDERS] : NULL;
    log->resource_id = random >> 4 & 1;
    log->is_event = random >> 5 & 1;
}

/* As one batch, or each in a batch of its own, which has its sender at the
 * address where the batch before had another. */
static void write_shared(struct ch_writer *writer, const uint32_t *randoms,
                         bool apart)
{
    static struct resource resource;
    static struct scope scope;
    uint32_t each = apart ? 1 : SHARED;

    for (uint32_t first = 0; first < SHARED; first += each) {
        struct batch *batch = log_batch(each, 4);

        for (uint32_t i = 0; i < each; i++) {
            struct log_record *log = &batch->logs[i];

            set_origin(log, randoms[first + i]);
            log->time_ns = first + i;
            if (apart && log->resource) {
                resource = *log->resource;
                log->resource = &resource;
            }
            if (apart && log->scope) {
                scope = *log->scope;
                log->scope = &scope;
            }
        }
        ch_write_batch(writer, batch);
        batch_free(batch);
    }
}

static void check_same_frames(struct ch_insert *one, struct ch_insert *other)
{
    struct ch_body a, b;

    CHECK(one->frame_count > 0);
    CHECK_EQ(one->frame_count, other->frame_count);
    for (uint32_t i = 0; i < one->frame_count && i < other->frame_count; i++)
        CHECK(slice_equal(
            (struct slice){one->frames[i].body.ptr, one->frames[i].body.len},
            (struct slice){other->frames[i].body.ptr,
                           other->frames[i].body.len}));
    CHECK_EQ(ch_native_compress(one->native, &a), OK);
    CHECK_EQ(ch_native_compress(other->native, &b), OK);
    CHECK(slice_equal((struct slice){a.ptr, a.len},
                      (struct slice){b.ptr, b.len}));
    ch_body_release(&a);
    ch_body_release(&b);
}

TEST(a_row_has_its_own_sender_whatever_was_copied)
{
    static uint32_t randoms[SHARED];
    struct ch_writer together, apart;

    make_senders();
    for (uint32_t i = 0; i < SHARED; i++)
        randoms[i] = i > 0 && test_random64() % 2
                         ? randoms[i - 1] /* runs, too */
                         : (uint32_t)test_random64();
    ch_writer_init(&together, &resources, 5, NULL);
    ch_writer_init(&apart, &resources, 5, NULL);
    write_shared(&together, randoms, false);
    write_shared(&apart, randoms, true);
    check_same_frames(&together.inserts[CH_WRITE_LOGS],
                      &apart.inserts[CH_WRITE_LOGS]);
    check_same_frames(&together.inserts[CH_WRITE_EVENTS],
                      &apart.inserts[CH_WRITE_EVENTS]);
    ch_writer_release(&together);
    ch_writer_release(&apart);
}
