/*
 * The ring holds the last events with the lsn of their batches and is saved,
 * as one text, whenever a batch added to it; the store commits it with, or
 * before, the next data. At the next start those beyond the watermark of logs
 * were in a head that is gone: when the batch of their lsn is replayed they go
 * with it again. The resource that showed them is known by then, so they are
 * not seen a second time.
 *
 * The text: version, number of events; each: lsn, time, resource, kind
 * (varints), then from and to, with their lengths in a byte in front.
 */
#include "change_events.h"

#include <stdlib.h>

#include "buf.h"
#include "derived.h"
#include "mem.h"

static const char *const kinds[CHANGE_KINDS] = {"version", "image",
                                                "pod-template"};

static const char STATE_NAME[] = "correlator.changes";
enum { STATE_VERSION = 1, STATE_MAX = 64 * 1024 };

/* ---- kept over a restart ---- */

static void save(struct change_events *log)
{
    uint64_t at =
        log->count < CHANGE_MAX_RECENT ? 0 : log->count - CHANGE_MAX_RECENT;
    struct buf out;

    buf_init(&out, STATE_MAX);
    buf_varint(&out, STATE_VERSION);
    buf_varint(&out, log->count - at);
    for (; at < log->count; at++) {
        const struct change_event *event = &log->recent[at % CHANGE_MAX_RECENT];

        buf_varint(&out, event->lsn);
        buf_varint(&out, event->time_ns);
        buf_varint(&out, event->resource);
        buf_varint(&out, event->kind);
        buf_byte(&out, (char)event->from_len);
        buf_add(&out, (struct slice){event->from, event->from_len});
        buf_byte(&out, (char)event->to_len);
        buf_add(&out, (struct slice){event->to, event->to_len});
    }
    store_save_text(log->store, STATE_NAME, buf_slice(&out));
    buf_release(&out);
}

static bool read_varint(struct slice *in, uint64_t *number)
{
    *number = 0;
    for (int shift = 0; shift < 64 && in->len > 0; shift += 7) {
        unsigned char byte = (unsigned char)in->ptr[0];

        *in = slice_from(*in, 1);
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool read_text(struct slice *in, uint8_t *len,
                      char text[CHANGE_MAX_TEXT])
{
    if (in->len == 0 || (unsigned char)in->ptr[0] > CHANGE_MAX_TEXT ||
        (unsigned char)in->ptr[0] >= in->len)
        return false;
    *len = (uint8_t)in->ptr[0];
    memcpy(text, in->ptr + 1, *len);
    *in = slice_from(*in, 1U + *len);
    return true;
}

static bool read_event(struct slice *in, struct change_event *event)
{
    uint64_t resource, kind;

    if (!read_varint(in, &event->lsn) || !read_varint(in, &event->time_ns) ||
        !read_varint(in, &resource) || !read_varint(in, &kind) ||
        kind >= CHANGE_KINDS || resource >= RESOURCE_NONE)
        return false;
    event->resource = (uint32_t)resource;
    event->kind = (uint8_t)kind;
    return read_text(in, &event->from_len, event->from) &&
           read_text(in, &event->to_len, event->to);
}

/* What does not parse is left out: at worst an event is lost. */
static void load(struct change_events *log, struct slice in)
{
    uint64_t version, count;

    if (!read_varint(&in, &version) || version != STATE_VERSION ||
        !read_varint(&in, &count))
        return;
    for (; log->count < count && log->count < CHANGE_MAX_RECENT; log->count++) {
        struct change_event *event = &log->recent[log->count];

        if (!read_event(&in, event))
            return;
        if (event->lsn > log->lost_to)
            log->lost_to = event->lsn;
    }
}

enum status change_events_open(struct change_events *log, struct store *store)
{
    struct slice text = {NULL, 0};
    struct arena arena;
    enum status status;

    *log = (struct change_events){
        .store = store,
        .committed = store_watermark(store, STREAM_LOGS),
        .recent = mem_zero(CHANGE_MAX_RECENT, sizeof(*log->recent))};
    arena_init(&arena, NULL, 2 * STATE_MAX);
    status = store_load_text(store, STATE_NAME, &arena, &text);
    if (status == OK)
        load(log, text);
    log->pending = log->count;
    arena_release(&arena);
    return status;
}

void change_events_release(struct change_events *log)
{
    free(log->recent);
}

/* ---- of one batch ---- */

void change_events_begin(struct change_events *log, uint64_t lsn)
{
    uint64_t end = log->count;

    log->lsn = lsn;
    log->pending = end;
    if (lsn > log->lost_to || lsn <= log->committed)
        return;
    for (uint64_t at = end < CHANGE_MAX_RECENT ? 0 : end - CHANGE_MAX_RECENT;
         at < end; at++) {
        struct change_event *event = &log->recent[at % CHANGE_MAX_RECENT];

        if (event->lsn != lsn)
            continue;
        log->recent[log->count++ % CHANGE_MAX_RECENT] = *event;
        event->lsn = 0; /* it has moved to the end */
    }
}

void change_events_add(struct change_events *log, uint32_t resource,
                       enum change_kind kind, struct slice from,
                       struct slice to, uint64_t time_ns)
{
    struct change_event *event = &log->recent[log->count % CHANGE_MAX_RECENT];

    if (log->lsn <= log->committed ||
        log->count - log->pending == CHANGE_MAX_RECENT)
        return;
    *event = (struct change_event){.lsn = log->lsn,
                                   .time_ns = time_ns,
                                   .resource = resource,
                                   .kind = (uint8_t)kind,
                                   .from_len = (uint8_t)from.len,
                                   .to_len = (uint8_t)to.len};
    slice_copy(event->from, from);
    slice_copy(event->to, to);
    log->count++;
}

static void put(struct attrs *attrs, struct attr *at, const char *key,
                struct slice text)
{
    at[attrs->count++] = (struct attr){.key = key,
                                       .str = text.ptr,
                                       .len = (uint32_t)text.len,
                                       .key_len = (uint16_t)strlen(key),
                                       .type = VALUE_STRING};
}

static struct slice sentence(const struct change_event *event,
                             struct arena *arena)
{
    struct buf text;
    struct slice copy;

    buf_init(&text, 1024);
    buf_format(&text, "%s changed from %.*s to %.*s", kinds[event->kind],
               (int)event->from_len, event->from, (int)event->to_len,
               event->to);
    copy = arena_copy(arena, buf_slice(&text));
    buf_release(&text);
    return copy;
}

static void write_event(const struct change_event *event, struct arena *arena,
                        struct log_record *log)
{
    struct resource *resource = arena_zero(arena, 1, sizeof(*resource));
    struct attr *at = arena_zero(arena, 3, sizeof(*at));
    struct slice body = sentence(event, arena);
    struct slice from = {event->from, event->from_len};
    struct slice to = {event->to, event->to_len};

    if (!resource || !at)
        return;
    resource->id = event->resource;
    *log = (struct log_record){.time_ns = event->time_ns,
                               .observed_ns = event->time_ns,
                               .event_name = SLICE(DERIVED_CHANGE),
                               .severity = 9,
                               .level = LEVEL_INFO,
                               .is_event = true,
                               .resource = resource,
                               .resource_id = event->resource,
                               .attrs.at = at,
                               .body = {.str = body.ptr,
                                        .len = (uint32_t)body.len,
                                        .type = VALUE_STRING}};
    put(&log->attrs, at, DERIVED_CHANGE_KIND, slice_of(kinds[event->kind]));
    put(&log->attrs, at, DERIVED_CHANGE_FROM, arena_copy(arena, from));
    put(&log->attrs, at, DERIVED_CHANGE_TO, arena_copy(arena, to));
}

/* The pending events behind `count` log records; NULL if there is no memory. */
static struct log_record *write_events(const struct change_events *log,
                                       struct arena *arena, uint32_t count)
{
    size_t more = (size_t)(log->count - log->pending);
    struct log_record *logs =
        arena_alloc(arena, (count + more) * sizeof(*logs));

    for (uint64_t i = 0; logs && i < more; i++)
        write_event(&log->recent[(log->pending + i) % CHANGE_MAX_RECENT], arena,
                    &logs[count + i]);
    return arena_status(arena) == OK ? logs : NULL;
}

struct batch *change_events_end(struct change_events *log, struct batch *batch)
{
    uint32_t more = (uint32_t)(log->count - log->pending);
    struct log_record *logs;
    struct batch *own;

    if (more == 0)
        return NULL;
    save(log);
    if (batch->signal == SIGNAL_LOGS) {
        logs = write_events(log, &batch->arena, batch->count);
        if (logs) {
            if (batch->count > 0)
                memcpy(logs, batch->logs, batch->count * sizeof(*logs));
            batch->logs = logs;
            batch->count += more;
            return NULL;
        }
    }
    own = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
    own->logs = write_events(log, &own->arena, 0);
    own->count = more;
    own->lsn = log->lsn;
    own->received_ns = batch->received_ns;
    return own;
}
