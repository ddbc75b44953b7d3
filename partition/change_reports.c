#include "change_reports.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "derived.h"
#include "hash.h"
#include "mem.h"

/* How far back the last change of a component is looked for. */
#define PAST_NS (30 * NS_PER_DAY)
/* A clock may be ahead. */
#define AHEAD_NS NS_PER_HOUR

enum { REPORTS_MAX = 256, CHANGE_ATTRS = 3 };

struct change_job {
    struct partition_job job; /* the first member */
    struct change_job *next;
    struct task_context *context;
    struct batch *batch;
    struct store_block *block; /* NULL: not needed yet */
};

static const struct log_record *event_of(const struct change_job *change)
{
    return &change->batch->logs[0];
}

static struct slice value_of(const struct change_job *change, const char *key)
{
    const struct attr *attr =
        attrs_find(&event_of(change)->attrs, slice_of(key));

    return attr ? attr_text(attr) : (struct slice){NULL, 0};
}

/* ---- the last one that is stored ---- */

struct stored_change {
    uint64_t time_ns; /* 0: none */
    bool same;        /* it says that this value runs */
};

static enum status look(const struct change_job *change,
                        const struct identity *identity, struct reader *reader,
                        struct arena *arena, struct stored_change *last)
{
    const struct partition_options *o = &change->context->options;
    struct scope_filter scope = {.namespace = identity->namespace,
                                 .project = identity->project,
                                 .component = identity->component,
                                 .environment = identity->environment};
    struct attr_match kind = {slice_of(DERIVED_CHANGE_KIND),
                              value_of(change, DERIVED_CHANGE_KIND)};
    uint64_t time_ns = event_of(change)->time_ns, total;
    struct log_query query = {
        .start_ns = time_ns > PAST_NS ? time_ns - PAST_NS : 0,
        .end_ns = time_ns + AHEAD_NS,
        .resources = registry_select(o->registry, &scope, NULL, arena),
        .events = true,
        .attrs = &kind,
        .attr_count = 1,
        .limit = 1};
    struct log_record *logs = NULL;
    const struct attr *to;
    uint32_t count = 0;
    enum status status =
        reader_query_logs(reader, &query, arena, &logs, &count, &total);

    *last = (struct stored_change){0, false};
    if (status != OK || count == 0)
        return status;
    to = attrs_find(&logs[0].attrs, SLICE(DERIVED_CHANGE_TO));
    last->time_ns = logs[0].time_ns;
    last->same =
        to && slice_equal(attr_text(to), value_of(change, DERIVED_CHANGE_TO));
    return OK;
}

static enum status find_last(const struct change_job *change,
                             const struct identity *identity,
                             struct arena *arena, struct stored_change *last)
{
    struct reader *reader = NULL;
    enum status status = reader_open(&reader, change->context->options.store);

    if (status == OK)
        status = reader_begin(reader);
    if (status == OK) {
        status = look(change, identity, reader, arena, last);
        reader_end(reader);
    }
    reader_close(reader);
    return status;
}

/* ---- writing it ---- */

static uint64_t add_hash(uint64_t hash, struct slice text)
{
    return hash_mix(hash, hash_bytes(text.ptr, text.len, 1));
}

static enum status write_event(struct change_job *change,
                               const struct identity *identity,
                               const struct stored_change *last)
{
    const struct partition_options *o = &change->context->options;
    static const atomic_bool never;
    char token[64];
    uint64_t hash = 1;

    hash = add_hash(hash, identity->namespace);
    hash = add_hash(hash, identity->project);
    hash = add_hash(hash, identity->component);
    hash = add_hash(hash, identity->environment);
    hash = add_hash(hash, value_of(change, DERIVED_CHANGE_KIND));
    hash = add_hash(hash, value_of(change, DERIVED_CHANGE_FROM));
    hash = add_hash(hash, value_of(change, DERIVED_CHANGE_TO));
    snprintf(token, sizeof(token), "change/%016" PRIx64 "/%" PRIu64, hash,
             last->time_ns);
    if (!change->block) {
        change->block = store_block_new(o->store, SLICE(""), 0, o->budget);
        store_block_add(change->block, change->batch);
    }
    return store_block_write(change->block, slice_of(token), &never);
}

static enum status run(struct partition_job *job)
{
    struct change_job *change = (struct change_job *)(void *)job;
    struct identity identity;
    struct arena arena;
    enum status status = ERR_STOPPING; /* the resource was deleted */
    struct stored_change last;

    arena_init(&arena, NULL, SIZE_MAX);
    if (registry_resource_identity(change->context->options.registry,
                                   event_of(change)->resource_id, &arena,
                                   &identity)) {
        status = find_last(change, &identity, &arena, &last);
        if (status == OK && !last.same)
            status = write_event(change, &identity, &last);
    }
    arena_release(&arena);
    return status;
}

/* ---- the list ---- */

void change_reports_add(struct change_reports *reports, struct batch *batch)
{
    struct change_job *change;

    if (reports->count == REPORTS_MAX) {
        batch_free(batch);
        return;
    }
    change = mem_zero(1, sizeof(*change));
    change->context = reports->context;
    change->batch = batch;
    change->job.run = run;
    change->next = reports->first;
    reports->first = change;
    reports->count++;
    partition_jobs_add(&reports->context->jobs, &change->job);
}

void change_reports_tick(struct change_reports *reports)
{
    struct change_job **at = &reports->first, *change;

    while ((change = *at)) {
        if (!change->job.done) {
            at = &change->next;
            continue;
        }
        *at = change->next;
        store_block_free(change->block);
        batch_free(change->batch);
        free(change);
        reports->count--;
    }
}

void change_reports_release(struct change_reports *reports)
{
    change_reports_tick(reports);
}
