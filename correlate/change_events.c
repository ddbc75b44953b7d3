/*
 * The ring holds the last events with the lsn of their batches. It is saved as
 * one text whenever a batch added to it; the store commits it with, or before,
 * the next data. At the next start the events above the watermark of logs were
 * in a memtable that is gone: when the batch of their lsn is replayed, they are
 * written with it again. The resource that caused them is known by then, so it
 * causes no second event.
 *
 * The text: version, number of events; each: lsn, time, resource, kind
 * (varints), then from and to, each with its length before it.
 */
#include "change_events.h"

#include <stdlib.h>

#include "buf.h"
#include "byte_reader.h"
#include "derived.h"
#include "mem.h"

static const char *const kinds[CHANGE_KINDS] = {"version", "image",
                                                "pod-template"};

static const char STATE_NAME[] = "correlator.changes";
enum { STATE_VERSION = 1, STATE_MAX = 64 * 1024 };

static struct change_event *event_at(const struct change_events *events,
                                     uint64_t at)
{
    return &events->recent[at % CHANGE_MAX_RECENT];
}

/* The oldest event in the ring. */
static uint64_t first_event(const struct change_events *events)
{
    return events->count < CHANGE_MAX_RECENT
               ? 0
               : events->count - CHANGE_MAX_RECENT;
}

static struct slice text_from(const struct change_event *event)
{
    return (struct slice){event->from, event->from_len};
}

static struct slice text_to(const struct change_event *event)
{
    return (struct slice){event->to, event->to_len};
}

/* ---- saved text ---- */

static void write_text(struct buf *out, struct slice text)
{
    buf_varint(out, text.len);
    buf_add(out, text);
}

static void save(const struct change_events *events)
{
    uint64_t first = first_event(events);
    struct buf out;

    buf_init(&out, STATE_MAX);
    buf_varint(&out, STATE_VERSION);
    buf_varint(&out, events->count - first);
    for (uint64_t at = first; at < events->count; at++) {
        const struct change_event *event = event_at(events, at);

        buf_varint(&out, event->lsn);
        buf_varint(&out, event->time_ns);
        buf_varint(&out, event->resource);
        buf_varint(&out, event->kind);
        write_text(&out, text_from(event));
        write_text(&out, text_to(event));
    }
    metadata_save_value(store_metadata(events->store), STATE_NAME,
                        buf_slice(&out));
    buf_release(&out);
}

static uint8_t read_text(struct byte_reader *in, char text[CHANGE_MAX_TEXT])
{
    struct slice read = byte_reader_slice(in);

    if (read.len > CHANGE_MAX_TEXT) {
        byte_reader_fail(in);
        return 0;
    }
    slice_copy(text, read);
    return (uint8_t)read.len;
}

/* Malformed events are dropped. */
static void load(struct change_events *events, struct slice text)
{
    struct byte_reader in = byte_reader_over(text);
    uint64_t count;

    if (byte_reader_varint(&in) != STATE_VERSION)
        return;
    count = byte_reader_varint(&in);
    while (events->count < count && events->count < CHANGE_MAX_RECENT) {
        struct change_event *event = event_at(events, events->count);
        uint64_t resource, kind;

        event->lsn = byte_reader_varint(&in);
        event->time_ns = byte_reader_varint(&in);
        resource = byte_reader_varint(&in);
        kind = byte_reader_varint(&in);
        event->from_len = read_text(&in, event->from);
        event->to_len = read_text(&in, event->to);
        if (in.bad || kind >= CHANGE_KINDS || resource >= RESOURCE_NONE)
            return;
        event->resource = (uint32_t)resource;
        event->kind = (uint8_t)kind;
        events->count++;
        if (event->lsn > events->lost_to)
            events->lost_to = event->lsn;
    }
}

enum status change_events_open(struct change_events *events,
                               struct store *store)
{
    struct slice text = {NULL, 0};
    struct arena arena;
    enum status status;

    *events = (struct change_events){
        .store = store,
        .committed = store_watermark(store, STREAM_LOGS),
        .recent = mem_zero(CHANGE_MAX_RECENT, sizeof(*events->recent))};
    arena_init(&arena, NULL, 2 * STATE_MAX);
    status =
        metadata_load_value(store_metadata(store), STATE_NAME, &arena, &text);
    if (status == OK)
        load(events, text);
    events->pending = events->count;
    arena_release(&arena);
    return status;
}

void change_events_release(struct change_events *events)
{
    free(events->recent);
}

bool change_events_lost(const struct change_events *events, uint64_t lsn)
{
    return lsn <= events->lost_to && lsn > events->committed;
}

/* ---- the events of a batch ---- */

void change_events_begin(struct change_events *events, uint64_t lsn)
{
    uint64_t end = events->count;

    events->lsn = lsn;
    events->pending = end;
    if (!change_events_lost(events, lsn))
        return;
    for (uint64_t at = first_event(events); at < end; at++) {
        struct change_event *event = event_at(events, at);

        if (event->lsn != lsn)
            continue;
        *event_at(events, events->count++) = *event;
        event->lsn = 0; /* it has moved to the end */
    }
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

    if (!resource || !at)
        return;
    resource->id = event->resource;
    at[0] = attr_string(DERIVED_CHANGE_KIND, slice_of(kinds[event->kind]));
    at[1] =
        attr_string(DERIVED_CHANGE_FROM, arena_copy(arena, text_from(event)));
    at[2] = attr_string(DERIVED_CHANGE_TO, arena_copy(arena, text_to(event)));
    *log = (struct log_record){.time_ns = event->time_ns,
                               .observed_ns = event->time_ns,
                               .event_name = SLICE(DERIVED_CHANGE),
                               .severity = 9,
                               .level = LEVEL_INFO,
                               .is_event = true,
                               .resource = resource,
                               .resource_id = event->resource,
                               .attrs = {.at = at, .count = 3},
                               .body = attr_string("", sentence(event, arena))};
}

/* A batch of its own for one event. */
static void report(const struct change_events *events,
                   const struct change_event *event)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);

    batch->logs = arena_zero(&batch->arena, 1, sizeof(*batch->logs));
    batch->received_ns = event->time_ns;
    batch->count = 1;
    write_event(event, &batch->arena, batch->logs);
    events->report(events->report_arg, batch);
}

void change_events_add(struct change_events *events, uint32_t resource,
                       enum change_kind kind, struct slice from,
                       struct slice to, uint64_t time_ns)
{
    struct change_event added = {.lsn = events->lsn,
                                 .time_ns = time_ns,
                                 .resource = resource,
                                 .kind = (uint8_t)kind,
                                 .from_len = (uint8_t)from.len,
                                 .to_len = (uint8_t)to.len};

    slice_copy(added.from, from);
    slice_copy(added.to, to);
    if (events->report) {
        if (!events->silent)
            report(events, &added);
        return;
    }
    if (events->lsn <= events->committed ||
        events->count - events->pending == CHANGE_MAX_RECENT)
        return;
    *event_at(events, events->count++) = added;
}

/* The pending events after `count` free log records; NULL without memory. */
static struct log_record *write_events(const struct change_events *events,
                                       struct arena *arena, uint32_t count)
{
    size_t more = (size_t)(events->count - events->pending);
    struct log_record *logs =
        arena_alloc(arena, (count + more) * sizeof(*logs));

    for (uint64_t i = 0; logs && i < more; i++)
        write_event(event_at(events, events->pending + i), arena,
                    &logs[count + i]);
    return arena_status(arena) == OK ? logs : NULL;
}

struct batch *change_events_end(struct change_events *events,
                                struct batch *batch)
{
    uint32_t more = (uint32_t)(events->count - events->pending);
    struct log_record *logs;
    struct batch *own;

    if (more == 0)
        return NULL;
    save(events);
    if (batch->signal == SIGNAL_LOGS) {
        logs = write_events(events, &batch->arena, batch->count);
        if (logs) {
            if (batch->count > 0)
                memcpy(logs, batch->logs, batch->count * sizeof(*logs));
            batch->logs = logs;
            batch->count += more;
            return NULL;
        }
    }
    own = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
    own->logs = write_events(events, &own->arena, 0);
    own->count = more;
    own->lsn = events->lsn;
    own->received_ns = batch->received_ns;
    return own;
}
