/*
 * Any text as a TraceQL query, as tags, and as the name of a field. What is
 * read runs over a small trace; what one span says does not change when more is
 * known of it.
 */
#include <assert.h>
#include <stdint.h>

#include "traceql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SPANS = 3 };

static struct traceql_trace make_trace(struct arena *arena)
{
    static const struct attr attrs[] = {
        {.key = "a", .key_len = 1, .type = VALUE_STRING, .str = "x", .len = 1},
        {.key = "n", .key_len = 1, .type = VALUE_INT, .i = 5},
        {.key = "d", .key_len = 1, .type = VALUE_DOUBLE, .d = 0.5}};
    static const struct attr service[] = {{.key = "service.name",
                                           .key_len = 12,
                                           .type = VALUE_STRING,
                                           .str = "cart",
                                           .len = 4}};
    static const struct resource resource = {.attrs = {service, 1, 0}};
    static const struct identity identity = {.namespace = SLICE_INIT("acme")};
    static const struct span_event event = {.time_ns = 10,
                                            .name = SLICE_INIT("e")};
    static const struct resource *resources[SPANS];
    static const struct identity *identities[SPANS];
    static struct span spans[SPANS];

    for (uint32_t i = 0; i < SPANS; i++) {
        spans[i] = (struct span){.span_id = {(uint8_t)(i + 1)},
                                 .parent_span_id = {(uint8_t)i},
                                 .start_ns = i,
                                 .end_ns = 100 * i,
                                 .name = SLICE_INIT("GET"),
                                 .attrs = {attrs, i, 0},
                                 .events = &event,
                                 .event_count = i == 1,
                                 .kind = (uint8_t)(i + 1),
                                 .status = (uint8_t)i};
        resources[i] = &resource;
        identities[i] = &identity;
    }
    struct traceql_trace trace = {.spans = spans,
                                  .resources = resources,
                                  .identities = identities,
                                  .count = SPANS};
    bool fits = traceql_trace_index(&trace, arena);

    assert(fits);
    return trace;
}

static void test_filter(const struct traceql_set *set,
                        const struct traceql_trace *trace)
{
    if (set->relation != TRACEQL_FILTER) {
        test_filter(set->left, trace);
        test_filter(set->right, trace);
        return;
    }
    for (uint32_t i = 0; i < SPANS; i++) {
        struct traceql_subject all = traceql_subject_at(trace, i);
        struct traceql_subject part = {.span = all.span, .attrs = true};
        enum traceql_truth whole = traceql_test(set->filter, &all);
        enum traceql_truth before = traceql_test(set->filter, &part);

        assert(whole != TRACEQL_MAYBE);
        assert(before == TRACEQL_MAYBE || before == whole);
    }
}

static void run(struct traceql *query, enum status status, struct arena *arena,
                const char *error)
{
    if (status == OK) {
        struct traceql_trace trace = make_trace(arena);
        struct traceql_result result;

        test_filter(query->first, &trace);
        if (traceql_run(query, &trace, arena, &result))
            for (uint32_t i = 0; i < result.count; i++)
                assert(result.sets[i].count > 0);
    } else {
        assert(status == ERR_INVALID && error[0]);
    }
    traceql_release(query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    char error[TRACEQL_ERROR];
    struct traceql_field field;
    struct traceql query;
    struct arena arena;
    enum status s;

    if (size > 8192)
        return 0;
    arena_init(&arena, NULL, 64 << 20);
    s = traceql_parse(text, &arena, &query, error);
    run(&query, s, &arena, error);
    s = traceql_parse_tags(text, &arena, &query, error);
    run(&query, s, &arena, error);
    (void)traceql_field_parse(text, &arena, &field);
    arena_release(&arena);
    return 0;
}
