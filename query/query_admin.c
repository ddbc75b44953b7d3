/*
 * Questions about the program itself: health, counters, catalogue.
 */
#include "clock.h"
#include "query_request.h"
#include "stats.h"

static enum status get_root(struct query_request *request)
{
    jsonw_open(&request->json, '{');
    jsonw_member_text(&request->json, "name", SLICE("callboard"));
    jsonw_member_open(&request->json, "links", '{');
    jsonw_member_text(&request->json, "components",
                      SLICE("/api/v1/components"));
    jsonw_member_text(&request->json, "catalog", SLICE("/api/v1/catalog"));
    jsonw_member_text(&request->json, "health", SLICE("/health"));
    jsonw_member_text(&request->json, "metrics", SLICE("/metrics"));
    jsonw_close(&request->json, '}');
    jsonw_close(&request->json, '}');
    return OK;
}

/* A queue that is full for the moment is load, not illness. */
static bool is_ill(enum status status)
{
    return status != OK && status != ERR_BUSY;
}

static const char *what_is_wrong(struct query_request *request)
{
    enum status store = store_health(request->services->store);
    enum status journal = OK;

    if (is_ill(store))
        return store == ERR_IO ? "the store cannot be written to (disk full "
                                 "or read-only); reading goes on"
                               : status_text(store);
    if (request->services->journal) {
        struct sink sink = journal_sink(request->services->journal);

        journal = sink.ready(sink.arg);
    }
    if (is_ill(journal))
        return journal == ERR_IO ? "the journal cannot be written to (disk "
                                   "full or read-only); reading goes on"
                                 : status_text(journal);
    return NULL;
}

typedef bool note_writer(const struct query_options *services, struct buf *out);

static bool note_receiver(const struct query_options *services, struct buf *out)
{
    return services->trouble && services->trouble(services->receiver, out);
}

static bool note_registry(const struct query_options *services, struct buf *out)
{
    return services->registry && registry_note(services->registry, out);
}

/* What does not work, though we do. */
static void reply_notes(struct query_request *request)
{
    static note_writer *const writers[] = {note_receiver, note_registry};
    struct buf note;
    bool any = false;

    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        buf_init(&note, 1024);
        if (writers[i](request->services, &note)) {
            if (!any)
                jsonw_member_open(&request->json, "notes", '[');
            any = true;
            jsonw_text(&request->json, buf_slice(&note));
        }
        buf_release(&note);
    }
    if (any)
        jsonw_close(&request->json, ']');
}

static enum status get_health(struct query_request *request)
{
    const char *wrong = what_is_wrong(request);

    jsonw_open(&request->json, '{');
    if (wrong) {
        request->http_status = 503;
        jsonw_member_text(&request->json, "status", SLICE("unhealthy"));
        jsonw_member_text(&request->json, "error", slice_of(wrong));
    } else {
        jsonw_member_text(&request->json, "status", SLICE("healthy"));
    }
    reply_notes(request);
    jsonw_member_time(&request->json, "timestamp", request->now_ns);
    jsonw_close(&request->json, '}');
    return OK;
}

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
    catalog_text(request->services->catalog, &request->out);
    return OK;
}

struct catalog_counts {
    uint64_t components, endpoints, dependencies;
};

static struct catalog_counts count_catalog(struct catalog *catalog)
{
    struct catalog_snapshot *snapshot = catalog_get(catalog);
    struct catalog_counts counts = {catalog_count(snapshot), 0, 0};

    for (uint32_t i = 0; i < counts.components; i++) {
        const struct catalog_component *c = catalog_at(snapshot, i);

        counts.endpoints += c->endpoint_count;
        counts.dependencies += c->dependency_count;
    }
    catalog_release(snapshot);
    return counts;
}

static enum status put_catalog(struct query_request *request)
{
    const struct query_options *services = request->services;
    struct slice detail = {NULL, 0};
    struct catalog_counts counts;
    enum status s = store_health(services->store);

    /* What cannot be written would pile up in memory. */
    if (s == ERR_IO)
        return query_fail(request, s, NULL, "%s", status_text(s));
    s = catalog_put(services->catalog, request->raw_body, request->arena,
                    &detail);
    if (s != OK)
        return query_fail(request, s, NULL, "%.*s", (int)detail.len,
                          detail.ptr);
    counts = count_catalog(services->catalog);
    jsonw_open(&request->json, '{');
    jsonw_member_uint(&request->json, "components", counts.components);
    jsonw_member_uint(&request->json, "endpoints", counts.endpoints);
    jsonw_member_uint(&request->json, "dependencies", counts.dependencies);
    jsonw_close(&request->json, '}');
    return OK;
}

const struct route routes_admin[] = {
    {"GET", "/", get_root, NULL, ON_IO, 0, NULL},
    {"GET", "/health", get_health, NULL, ON_IO, 0, NULL},
    {"GET", "/metrics", get_metrics, NULL, 0, 0, NULL},
    {"GET", "/api/v1/catalog", get_catalog, NULL, NO_READER, 0, NULL},
    {"PUT", "/api/v1/catalog", put_catalog, NULL, TAKES_RAW | NO_READER,
     CATALOG_MAX_BYTES, NULL},
    {0},
};
