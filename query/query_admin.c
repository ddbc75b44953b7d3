/*
 * The server itself: links, health, counters, and the catalogue.
 */
#include "clock.h"
#include "query_health.h"
#include "stats.h"

struct links {
    const char *components, *catalog, *health, *metrics, *openapi;
};
static const struct reply_table links_table =
    REPLY_TABLE(struct links, REPLY(struct links, "components", components),
                REPLY(struct links, "catalog", catalog),
                REPLY(struct links, "health", health),
                REPLY(struct links, "metrics", metrics),
                REPLY(struct links, "openapi", openapi));

struct root {
    const char *name;
    struct links links;
};
static const struct reply_table root_table =
    REPLY_TABLE(struct root, REPLY(struct root, "name", name),
                REPLY_OBJECT(struct root, "links", links, 0, &links_table));

static enum status get_root(struct query_request *request)
{
    static const struct root root = {"callboard",
                                     {"/api/v1/components", "/api/v1/catalog",
                                      "/health", "/metrics", "/openapi.yaml"}};

    if (query_prefers_page(request))
        return query_redirect(request, "ui/");
    reply_write(&request->json, &root_table, &root);
    return OK;
}

/* ---- health ---- */

/* A full queue is load, not a failure. */
static bool is_failure(enum status status)
{
    return status != OK && status != ERR_BUSY;
}

const char *query_failure(const struct query_request *request)
{
    enum status store = store_health(request->services->store);
    enum status journal = OK;

    if (is_failure(store) && store_health_reason(request->services->store))
        return store_health_reason(request->services->store);
    if (is_failure(store))
        return store == ERR_IO ? "the store cannot be written to (disk full "
                                 "or read-only); queries still work"
                               : status_text(store);
    if (request->services->journal) {
        struct sink sink = journal_sink(request->services->journal);

        journal = sink.ready(sink.arg);
    }
    if (is_failure(journal))
        return journal == ERR_IO ? "the journal cannot be written to (disk "
                                   "full or read-only); queries still work"
                                 : status_text(journal);
    return NULL;
}

typedef bool note_writer(const struct query_options *services, struct buf *out);

static bool note_receiver(const struct query_options *services, struct buf *out)
{
    return services->notes && services->notes(services->receiver, out);
}

static bool note_registry(const struct query_options *services, struct buf *out)
{
    return services->registry && registry_note(services->registry, out);
}

bool query_sees_system(const struct query_request *request)
{
    const struct viewer viewer = {request->viewer.grants, ACTION_SYSTEM_VIEW};

    return viewer_sees_all(&viewer);
}

void query_notes_read(const struct query_request *request,
                      struct query_notes *notes)
{
    static note_writer *const writers[QUERY_NOTES_MAX] = {note_receiver,
                                                          note_registry};

    notes->count = 0;
    for (size_t i = 0; i < QUERY_NOTES_MAX; i++) {
        struct buf *buffer = &notes->buffers[i];

        buf_init(buffer, 1024);
        if (query_sees_system(request) && writers[i](request->services, buffer))
            notes->texts[notes->count++] = buf_slice(buffer);
    }
}

void query_notes_release(struct query_notes *notes)
{
    for (size_t i = 0; i < QUERY_NOTES_MAX; i++)
        buf_release(&notes->buffers[i]);
}

struct health {
    const char *status, *error;
    struct reply_list notes;
    uint64_t time_ns;
};
static const struct reply_table health_table = REPLY_TABLE(
    struct health, REPLY(struct health, "status", status),
    REPLY_OPTIONAL(struct health, "error", error),
    REPLY_OPTIONAL_LIST(struct health, "notes", notes, &reply_texts),
    REPLY_TIME(struct health, "timestamp", time_ns));

static enum status get_health(struct query_request *request)
{
    const char *error = query_failure(request);
    struct query_notes notes;
    struct health health = {.status = error ? "unhealthy" : "healthy",
                            .error = error,
                            .time_ns = request->now_ns};

    query_notes_read(request, &notes);
    health.notes = (struct reply_list){notes.count, notes.texts, NULL, NULL};
    if (error)
        request->http_status = 503;
    reply_write(&request->json, &health_table, &health);
    query_notes_release(&notes);
    return OK;
}

/* ---- metrics ---- */

static void print_sizes(struct buf *out, const char *name, const char *help,
                        const uint64_t values[STREAM_COUNT])
{
    static const char *const streams[STREAM_COUNT] = {"traces", "logs",
                                                      "metrics", "derived"};

    buf_format(out, "# HELP callboard_%s %s\n# TYPE callboard_%s gauge\n", name,
               help, name);
    for (int i = 0; i < STREAM_COUNT; i++)
        buf_format(out, "callboard_%s{stream=\"%s\"} %llu\n", name, streams[i],
                   (unsigned long long)values[i]);
}

static enum status get_metrics(struct query_request *request)
{
    struct store_sizes sizes;

    request->content_type_out = "text/plain; version=0.0.4; charset=utf-8";
    stats_print(&request->out);
    if (request->services->metrics)
        request->services->metrics(request->services->receiver, &request->out);
    if (reader_sizes(request->reader, &sizes) != OK)
        return OK; /* the counters alone are worth having */
    print_sizes(&request->out, "stored_bytes", "Bytes of blocks on disk.",
                sizes.bytes);
    print_sizes(&request->out, "stored_records", "Records in blocks on disk.",
                sizes.records);
    print_sizes(&request->out, "stored_blocks", "Blocks on disk.",
                sizes.blocks);
    return OK;
}

static enum status get_catalog(struct query_request *request)
{
    enum status s =
        catalog_text_seen(request->services->catalog, &request->viewer,
                          query_param(request, "namespace"), &request->out);

    return s == OK ? OK : query_fail(request, s, NULL, "%s", status_text(s));
}

/* ---- catalogue ---- */

struct catalog_counts {
    uint64_t components, endpoints, dependencies;
};
static const struct reply_table counts_table =
    REPLY_TABLE(struct catalog_counts,
                REPLY(struct catalog_counts, "components", components),
                REPLY(struct catalog_counts, "endpoints", endpoints),
                REPLY(struct catalog_counts, "dependencies", dependencies));

/* Of a namespace; empty: of all. */
static struct catalog_counts count_catalog(struct catalog *catalog,
                                           struct slice namespace)
{
    struct catalog_snapshot *snapshot = catalog_get(catalog);
    struct catalog_counts counts = {0, 0, 0};

    for (uint32_t i = 0; i < catalog_count(snapshot); i++) {
        const struct catalog_component *c = catalog_at(snapshot, i);

        if (namespace.len > 0 && !slice_equal(c->namespace, namespace))
            continue;
        counts.components++;
        counts.endpoints += c->endpoint_count;
        counts.dependencies += c->dependency_count;
    }
    catalog_release(snapshot);
    return counts;
}

/* The document is one for all namespaces: none may take all of its room. */
enum { PART_MAX_BYTES = CATALOG_MAX_BYTES / 8 };

static enum status put_catalog(struct query_request *request)
{
    const struct query_options *services = request->services;
    struct slice detail = {NULL, 0};
    struct slice namespace = query_param(request, "namespace");
    struct catalog_counts counts;
    enum status s = store_health(services->store);

    /* Or a grant on a project would replace more than that. */
    if (query_param(request, "project").ptr ||
        query_param(request, "component").ptr ||
        query_param(request, "environment").ptr)
        return query_invalid(request,
                             "only namespace may restrict it; project, "
                             "component and environment may not");
    if (namespace.ptr && namespace.len == 0)
        return query_invalid(request, "namespace must not be empty");
    if (!viewer_sees_all(&request->viewer) &&
        request->raw_body.len > PART_MAX_BYTES)
        return query_fail(request, ERR_TOO_BIG, NULL,
                          "the entries of one namespace are at most %d bytes",
                          PART_MAX_BYTES);

    /* What cannot be written would pile up in memory. */
    if (s == ERR_IO)
        return query_fail(request, s, NULL, "%s", status_text(s));
    s = namespace.len > 0
            ? catalog_put_part(services->catalog, namespace, request->raw_body,
                               request->arena, &detail)
            : catalog_put(services->catalog, request->raw_body, request->arena,
                          &detail);
    if (s != OK)
        return query_fail(request, s, NULL, "%.*s", (int)detail.len,
                          detail.ptr);
    counts = count_catalog(services->catalog, namespace);
    reply_write(&request->json, &counts_table, &counts);
    return OK;
}

const struct route routes_admin[] = {
    {"GET", "/", ACTION_OPEN, SCOPE_NONE, get_root, NULL, ON_IO, 0,
     &root_table},
    {"GET", "/health", ACTION_OPEN, SCOPE_NONE, get_health, NULL, ON_IO, 0,
     &health_table},
    {"GET", "/metrics", ACTION_SYSTEM_VIEW, SCOPE_NONE, get_metrics, NULL, 0, 0,
     NULL},
    {"GET", "/api/v1/catalog", ACTION_CATALOG_VIEW, SCOPE_NARROWED, get_catalog,
     NULL, NO_READER, 0, NULL},
    {"PUT", "/api/v1/catalog", ACTION_CATALOG_UPDATE, SCOPE_QUERY, put_catalog,
     NULL, TAKES_RAW | NO_READER, CATALOG_MAX_BYTES, &counts_table},
    {0},
};
