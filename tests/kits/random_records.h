/* random_records - records with everything in them, for property tests. */
#ifndef RANDOM_RECORDS_H
#define RANDOM_RECORDS_H

#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "record.h"
#include "store.h"
#include "test.h"

static inline struct slice random_text(struct arena *arena, uint32_t max)
{
    static const char letters[] =
        "aB0 1z_-.:=/\"5 9\xc3\xa9 err GET id=timeout 77 \x11{}";
    uint32_t len = test_random(max + 1);
    char *text = arena_alloc(arena, len + 1);

    for (uint32_t i = 0; i < len; i++)
        text[i] = letters[test_random(sizeof(letters) - 1)];
    return (struct slice){text, len};
}

static inline struct slice random_word(struct arena *arena, const char *stem,
                                       uint32_t kinds)
{
    char *text = arena_alloc(arena, 32);
    int len = snprintf(text, 32, "%s%u", stem, test_random(kinds));

    return (struct slice){text, (size_t)len};
}

static inline void random_items(struct arena *arena, struct attr *items,
                                uint32_t count, bool keys, int depth);

static inline void random_value(struct arena *arena, struct attr *value,
                                int depth)
{
    static const double doubles[] = {0.0, -0.0, 1.5, 1e300, 0.1, 3, -7};
    struct slice text;
    struct attr *items;
    uint64_t nan = 0x7ff8000000001234;

    value->i = 0;
    value->len = 0;
    value->type = (uint8_t)test_random(depth > 2 ? VALUE_ARRAY : VALUE_MAP + 1);
    switch (value->type) {
    case VALUE_STRING:
    case VALUE_BYTES:
        text = test_random(2) ? random_text(arena, 20)
                              : random_word(arena, "v", 9);
        value->str = text.ptr;
        value->len = (uint32_t)text.len;
        break;
    case VALUE_BOOL:
        value->b = test_random(2);
        break;
    case VALUE_INT:
        value->i = test_random(3) ? (int64_t)test_random(50) - 10
                                  : (int64_t)test_random64();
        break;
    case VALUE_DOUBLE:
        value->d = doubles[test_random(7)];
        if (test_random(9) == 0)
            memcpy(&value->d, &nan, sizeof(nan));
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        value->len = test_random(4);
        items = arena_zero(arena, 4, sizeof(*items));
        random_items(arena, items, value->len, value->type == VALUE_MAP,
                     depth + 1);
        value->items = items;
        break;
    }
}

static inline void random_items(struct arena *arena, struct attr *items,
                                uint32_t count, bool keys, int depth)
{
    for (uint32_t i = 0; i < count; i++) {
        struct slice key = {"", 0};

        if (keys)
            key = test_random(20) ? random_word(arena, "key.", 7)
                                  : random_text(arena, 12);
        items[i].key = key.ptr;
        items[i].key_len = (uint16_t)key.len;
        random_value(arena, &items[i], depth);
    }
}

static inline struct attrs random_attrs(struct arena *arena, uint32_t max)
{
    uint32_t count = test_random(max + 1);
    struct attr *at = arena_zero(arena, count + 1, sizeof(*at));

    random_items(arena, at, count, true, 0);
    return (struct attrs){at, count, test_random(10) ? 0 : test_random(5)};
}

static inline const struct scope *random_scope(struct arena *arena)
{
    struct scope *scope = arena_zero(arena, 1, sizeof(*scope));

    if (test_random(3) == 0)
        return NULL;
    scope->name = random_word(arena, "scope", 3);
    scope->version = test_random(2) ? SLICE("1.0") : SLICE("");
    scope->schema_url = test_random(3) ? SLICE("") : SLICE("http://s");
    if (test_random(4) == 0)
        scope->attrs = random_attrs(arena, 2);
    return scope;
}

static inline void random_id(uint8_t *id, size_t len, uint32_t kinds)
{
    memset(id, 0, len);
    id[0] = (uint8_t)(1 + test_random(kinds));
    id[len - 1] = (uint8_t)test_random(3);
}

static inline void random_events(struct arena *arena, struct span *span)
{
    struct span_event *events;
    struct span_link *links;

    span->event_count = test_random(3) ? 0 : test_random(4);
    span->link_count = test_random(4) ? 0 : test_random(3);
    events = arena_zero(arena, 4, sizeof(*events));
    links = arena_zero(arena, 4, sizeof(*links));
    for (uint32_t i = 0; i < span->event_count; i++) {
        events[i].time_ns = span->start_ns + test_random(1000) - 300;
        events[i].name = random_word(arena, "event", 3);
        events[i].attrs = random_attrs(arena, 3);
    }
    for (uint32_t i = 0; i < span->link_count; i++) {
        random_id(links[i].trace_id, 16, 50);
        random_id(links[i].span_id, 8, 50);
        links[i].trace_state = random_text(arena, 5);
        links[i].attrs = random_attrs(arena, 3);
        links[i].flags = test_random(3);
    }
    span->events = events;
    span->links = links;
}

static inline void random_span(struct arena *arena, struct span *span,
                               uint32_t traces)
{
    *span = (struct span){0};
    random_id(span->trace_id, 16, traces);
    random_id(span->span_id, 8, 40);
    span->span_id[3] = (uint8_t)test_random(256);
    if (test_random(4))
        random_id(span->parent_span_id, 8, 40);
    span->start_ns = 1700000000000000000 + test_random(1000000000);
    span->end_ns = span->start_ns + test_random(100000);
    span->name = random_word(arena, "name", 9);
    span->status_message = test_random(4) ? SLICE("") : random_text(arena, 30);
    span->trace_state = test_random(4) ? SLICE("") : SLICE("a=b");
    span->attrs = random_attrs(arena, 8);
    random_events(arena, span);
    span->dropped_events = test_random(9) ? 0 : test_random(9);
    span->dropped_links = test_random(9) ? 0 : test_random(9);
    span->flags = test_random(3) * 0x100;
    span->resource_id = test_random(12) * 7;
    span->scope = random_scope(arena);
    span->kind = (uint8_t)test_random(6);
    span->status = (uint8_t)test_random(3);
    span->corrected = (uint8_t)test_random(4);
    span->failed = span->status == SPAN_UNSET && test_random(40) == 0;
    span->endpoint = random_word(arena, "ep", 3);
    span->operation = random_word(arena, "op", 5);
}

/* A line of one of a few kinds, with numbers and ids of all sorts in it. */
static inline struct slice random_line(struct arena *arena)
{
    static const char *const lines[] = {
        "GET /api/orders/%u took %u ms",
        "order %u failed: timeout after %u",
        "user=%u id=%08x done",
        "%02u:%02u tick",
        "%u",
        "trace %016x err=%u",
        "from 10.0.%u.%u port open",
        "cache miss for key-%u in shard %u of ERR_x",
        "no variables in Here at all"};
    char *text = arena_alloc(arena, 80);
    int len;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    len = snprintf(text, 80, lines[test_random(9)], test_random(90),
                   test_random(test_random(2) ? 50 : 100000));
#pragma GCC diagnostic pop
    return (struct slice){text, (size_t)len};
}

static inline void random_log(struct arena *arena, struct log_record *log)
{
    struct slice text;

    *log = (struct log_record){0};
    log->time_ns = 1700000000000000000 + test_random(1000000) * 1000ULL;
    log->observed_ns = log->time_ns + (test_random(2) ? 0 : test_random(9999));
    if (test_random(2))
        random_id(log->trace_id, 16, 90);
    if (test_random(2))
        random_id(log->span_id, 8, 90);
    log->body.key = "";
    if (test_random(12) == 0) {
        random_value(arena, &log->body, 0);
    } else {
        text = test_random(4) ? random_line(arena) : random_text(arena, 40);
        if (test_random(50) == 0)
            text = random_text(arena, 9000);
        log->body.type = VALUE_STRING;
        log->body.str = text.ptr;
        log->body.len = (uint32_t)text.len;
    }
    log->severity_text = test_random(2) ? SLICE("INFO") : SLICE("");
    log->event_name = test_random(9) ? SLICE("") : SLICE("k8s.Killing");
    log->attrs = random_attrs(arena, 3);
    log->flags = test_random(2);
    log->resource_id = test_random(12) * 7;
    log->scope = random_scope(arena);
    log->severity = (uint8_t)test_random(25);
    log->level = (uint8_t)test_random(LEVEL_COUNT);
    log->corrected = test_random(9) == 0;
    log->is_event = test_random(9) == 0;
}

/* Something to look for that is there now and then. */
static inline void random_wish(struct arena *arena, struct attr_match *wish)
{
    static const char *const values[] = {
        "true", "5",  "-3", "0.1", "1e+300", "null", "v3",
        "",     "-0", "3",  "0",   "1.50",   "1.5",  "false"};

    wish->key = random_word(arena, "key.", 7);
    wish->value = test_random(3) ? slice_of(values[test_random(14)])
                                 : random_word(arena, "v", 9);
}

#endif
