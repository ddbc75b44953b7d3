/*
 * What was decoded is encoded and decoded again, by our decoder and by
 * protobuf-c, and is the same; packed again by protobuf-c it is the same bytes.
 * The JSON is checked by Python in tests/e2e/tempo.sh.
 */
#include "otlp_encode.h"

#include <stdlib.h>

#include "otlp.h"
#include "otlp_random.h"
#include "otlp_tree.h"
#include "same_attrs.h"
#include "test.h"

static struct batch *decode(struct slice bytes)
{
    char *body = malloc(bytes.len + 1);
    struct batch *batch;

    if (!body)
        abort();
    slice_copy(body, bytes);
    batch = batch_new(SIGNAL_SPANS, body, bytes.len, NULL);
    batch->received_ns = RANDOM_NOW;
    if (otlp_decode(batch, 0, NULL) == OK)
        return batch;
    batch_free(batch);
    return NULL;
}

static const struct resource *resource_of(void *arg, uint32_t id)
{
    const struct batch *batch = arg;

    return id < batch->resource_count ? &batch->resources[id] : NULL;
}

static void check_span(const struct span *a, const struct span *b)
{
    CHECK(memcmp(a->trace_id, b->trace_id, 16) == 0);
    CHECK(memcmp(a->span_id, b->span_id, 8) == 0);
    CHECK(memcmp(a->parent_span_id, b->parent_span_id, 8) == 0);
    CHECK_EQ(a->start_ns, b->start_ns);
    CHECK_EQ(a->end_ns, b->end_ns);
    CHECK(slice_equal(a->name, b->name));
    CHECK(slice_equal(a->status_message, b->status_message));
    CHECK(slice_equal(a->trace_state, b->trace_state));
    CHECK(same_attrs(&a->attrs, &b->attrs));
    CHECK_EQ(a->kind, b->kind);
    CHECK_EQ(a->status, b->status);
    CHECK_EQ(a->flags, b->flags);
    CHECK_EQ(a->dropped_events, b->dropped_events);
    CHECK_EQ(a->dropped_links, b->dropped_links);
    CHECK_EQ(a->event_count, b->event_count);
    CHECK_EQ(a->link_count, b->link_count);
    for (uint32_t i = 0; i < a->event_count && i < b->event_count; i++) {
        CHECK_EQ(a->events[i].time_ns, b->events[i].time_ns);
        CHECK(slice_equal(a->events[i].name, b->events[i].name));
        CHECK(same_attrs(&a->events[i].attrs, &b->events[i].attrs));
    }
    for (uint32_t i = 0; i < a->link_count && i < b->link_count; i++) {
        const struct span_link *l = &a->links[i], *m = &b->links[i];

        CHECK(memcmp(l->trace_id, m->trace_id, 16) == 0);
        CHECK(memcmp(l->span_id, m->span_id, 8) == 0);
        CHECK(slice_equal(l->trace_state, m->trace_state));
        CHECK(same_attrs(&l->attrs, &m->attrs));
        CHECK_EQ(l->flags, m->flags);
    }
}

/* Every span of the groups, in order, is in the second batch. */
static void check_groups(const struct otlp_spans *groups,
                         const struct batch *again, uint32_t count)
{
    uint32_t at = 0;

    CHECK_EQ(again->count, count);
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct otlp_resource_group *group = &groups->resources[i];

        for (uint32_t k = 0; k < group->count; k++)
            for (uint32_t n = 0; n < group->scopes[k].count; n++) {
                const struct span *span = group->scopes[k].spans[n];
                const struct span *other = &again->spans[at++];

                check_span(span, other);
                CHECK(same_scope(span->scope, other->scope));
                CHECK(same_attrs(&span->resource->attrs,
                                 &other->resource->attrs));
                CHECK(slice_equal(span->resource->schema_url,
                                  other->resource->schema_url));
            }
    }
    CHECK_EQ(at, count);
}

static void check_protobuf_c(struct slice bytes, const struct batch *again)
{
    Otlp__TracesData *tree =
        otlp__traces_data__unpack(NULL, bytes.len, (const uint8_t *)bytes.ptr);
    const char *wrong;
    uint8_t *packed;

    CHECK(tree != NULL);
    if (!tree)
        return;
    wrong = tree_compare(again, &tree->base);
    CHECK_TEXT(slice_of(wrong ? wrong : ""), "");
    CHECK_EQ(otlp__traces_data__get_packed_size(tree), bytes.len);
    packed = random_memory(bytes.len + 1);
    otlp__traces_data__pack(tree, packed);
    CHECK(memcmp(packed, bytes.ptr, bytes.len) == 0);
    free(packed);
    otlp__traces_data__free_unpacked(tree, NULL);
}

static void check_batch(struct batch *batch)
{
    struct arena arena;
    struct otlp_spans groups;
    struct buf out;
    struct batch *again;

    for (uint32_t i = 0; i < batch->count; i++)
        batch->spans[i].resource_id =
            (uint32_t)(batch->spans[i].resource - batch->resources);
    arena_init(&arena, NULL, SIZE_MAX);
    buf_init(&out, 64 << 20);
    CHECK(otlp_spans_group(&arena, batch->spans, batch->count, resource_of,
                           batch, &groups));
    otlp_spans_write(&out, 1, &groups);
    CHECK_EQ(out.status, OK);
    again = decode(buf_slice(&out));
    CHECK(again != NULL);
    if (again) {
        CHECK_EQ(again->rejected, 0);
        check_groups(&groups, again, batch->count);
        check_protobuf_c(buf_slice(&out), again);
        batch_free(again);
    }
    buf_release(&out);
    arena_release(&arena);
}

TEST(random_spans_come_back)
{
    uint32_t seen = 0;

    for (int round = 0; round < 3000; round++) {
        ProtobufCMessage *tree = random_request(SIGNAL_SPANS);
        size_t len = protobuf_c_message_get_packed_size(tree);
        char *bytes = random_memory(len + 1);
        struct batch *batch;

        protobuf_c_message_pack(tree, (uint8_t *)bytes);
        batch = decode((struct slice){bytes, len});
        if (batch && batch->count > 0) {
            seen += batch->count;
            check_batch(batch);
        }
        batch_free(batch);
        free(bytes);
        protobuf_c_message_free_unpacked(tree, NULL);
    }
    CHECK(seen > 400);
}

/* A length of more than one byte moves what it stands before. */
TEST(long_messages)
{
    char text[70000];
    struct attr attr = {.key = "k", .key_len = 1, .type = VALUE_STRING};
    struct span span = {.trace_id = {1}, .span_id = {1}, .name = SLICE("n")};
    struct resource none = {0};
    struct batch batch = {.resources = &none, .resource_count = 1};
    static const uint32_t lengths[] = {0,   1,     115,   127,
                                       128, 16383, 16384, 65000};

    memset(text, 'x', sizeof(text));
    attr.str = text;
    span.resource = &none;
    span.attrs = (struct attrs){&attr, 1, 0};
    span.start_ns = span.end_ns = RANDOM_NOW;
    batch.spans = &span;
    batch.count = 1;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        attr.len = lengths[i];
        check_batch(&batch);
    }
}

TEST(a_full_buffer_is_said)
{
    struct span span = {.trace_id = {1}, .span_id = {1}, .name = SLICE("name")};
    struct arena arena;
    struct otlp_spans groups;
    struct batch none = {0};

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK(otlp_spans_group(&arena, &span, 1, resource_of, &none, &groups));
    for (size_t cap = 0; cap < 40; cap++) {
        struct buf out;

        buf_init(&out, cap);
        otlp_spans_write(&out, 1, &groups);
        CHECK_EQ(out.status, ERR_TOO_BIG);
        CHECK(out.len <= cap);
        buf_release(&out);
    }
    arena_release(&arena);
}

static const struct resource *no_resource(void *arg, uint32_t id)
{
    (void)arg;
    (void)id;
    return NULL;
}

TEST(json_in_the_mapping_of_protobuf)
{
    struct attr attrs[] = {
        {.key = "i", .key_len = 1, .type = VALUE_INT, .i = INT64_MIN},
        {.key = "d", .key_len = 1, .type = VALUE_DOUBLE, .d = 1.5},
        {.key = "e", .key_len = 1, .type = VALUE_EMPTY},
        {.key = "b",
         .key_len = 1,
         .type = VALUE_BYTES,
         .str = "\1\2",
         .len = 2},
    };
    struct span_event event = {.time_ns = 7, .name = SLICE("ev")};
    struct span span = {.trace_id = {1},
                        .span_id = {2},
                        .name = SLICE("GET"),
                        .kind = SPAN_SERVER,
                        .status = SPAN_ERROR,
                        .start_ns = 5,
                        .end_ns = 9,
                        .attrs = {attrs, 4, 3},
                        .events = &event,
                        .event_count = 1};
    struct otlp_spans groups;
    struct arena arena;
    struct buf out;
    struct jsonw w;

    arena_init(&arena, NULL, SIZE_MAX);
    buf_init(&out, 1 << 16);
    jsonw_init(&w, &out);
    CHECK(otlp_spans_group(&arena, &span, 1, no_resource, NULL, &groups));
    otlp_spans_json(&w, &groups);
    CHECK_TEXT(buf_slice(&out),
               "[{\"resource\":{\"attributes\":[]},\"scopeSpans\":[{\"scope\":"
               "{},\"spans\":[{\"traceId\":\"AQAAAAAAAAAAAAAAAAAAAA==\","
               "\"spanId\":\"AgAAAAAAAAA=\",\"name\":\"GET\",\"kind\":"
               "\"SPAN_KIND_SERVER\",\"startTimeUnixNano\":\"5\","
               "\"endTimeUnixNano\":\"9\",\"attributes\":[{\"key\":\"i\","
               "\"value\":{\"intValue\":\"-9223372036854775808\"}},{\"key\":"
               "\"d\",\"value\":{\"doubleValue\":1.5}},{\"key\":\"e\","
               "\"value\":{}},{\"key\":\"b\",\"value\":{\"bytesValue\":"
               "\"AQI=\"}}],\"droppedAttributesCount\":3,\"events\":["
               "{\"timeUnixNano\":\"7\",\"name\":\"ev\"}],\"status\":{\"code\":"
               "\"STATUS_CODE_ERROR\"}}]}]}]");
    buf_release(&out);
    arena_release(&arena);
}
