/*
 * GET /api/v1/components: what is known, when it was seen last, and how it is
 * doing now against the same length of time before.
 *
 * What was heard of and what is only declared are two lists in one order, that
 * of the names; a page is a part of the two made one, and the cursor is the
 * names of its last entry. So pages neither repeat nor leave out what is there
 * all the time, whatever comes and goes. The derived series of the components
 * on the page are read in one pass.
 */
#include <stdlib.h>

#include "clock.h"
#include "component.h"
#include "derived.h"
#include "hex.h"

enum { LIST_MAX = 1000, NAMES = 4, NAME_MAX_LEN = 255 };

struct list_entry {
    const struct component_info *info; /* NULL: declared only */
    const struct catalog_component *declared;
    struct identity id;
    struct tally *now, *before;
};

struct component_list {
    struct query_request *request;
    struct scope_filter scope;
    struct window window;
    struct identity cursor;       /* its names */
    struct tally_map now, before; /* by names; item of now: its entry */
    struct tally_map resources;   /* by id; item: the tally of now */
    const struct component_info *infos;
    const struct catalog_component **declared; /* that nobody heard of */
    uint32_t info_count, declared_count;
    struct list_entry *page;
    uint64_t limit;
    uint32_t count, total;
    bool has_cursor, more, full;
};

static uint64_t names_key(const struct identity *id)
{
    return key_text(key_text(key_text(key_text(1, id->namespace), id->project),
                             id->component),
                    id->environment);
}

/* ---- the cursor: a byte of length and the text of each name, in hex ---- */

static enum status read_cursor(struct component_list *l)
{
    struct identity *id = &l->cursor;
    struct slice *names[NAMES] = {&id->namespace, &id->project, &id->component,
                                  &id->environment};
    struct slice text = query_param(l->request, "cursor");
    size_t len = text.len / 2, at = 0;
    uint8_t *bytes;
    bool good;

    if (text.len == 0)
        return OK;
    bytes = arena_alloc(l->request->arena, len);
    if (!bytes)
        return arena_status(l->request->arena);
    good = hex_bytes(text, bytes, len);
    for (int i = 0; i < NAMES && good; i++) {
        good = at < len && len - at > bytes[at];
        if (good)
            *names[i] = (struct slice){(char *)&bytes[at + 1], bytes[at]};
        at += 1 + names[i]->len;
    }
    if (!good || at != len)
        return query_invalid(l->request,
                             "cursor must be the nextCursor of an answer");
    l->has_cursor = true;
    return OK;
}

static void reply_cursor(struct component_list *l)
{
    const struct identity *id = &l->page[l->count - 1].id;
    struct slice names[NAMES] = {id->namespace, id->project, id->component,
                                 id->environment};
    uint8_t bytes[NAMES * (1 + NAME_MAX_LEN)];
    size_t len = 0;

    for (int i = 0; i < NAMES; i++) {
        bytes[len++] = (uint8_t)names[i].len;
        slice_copy((char *)&bytes[len], names[i]);
        len += names[i].len;
    }
    jsonw_member_hex(&l->request->json, "nextCursor", bytes, len);
}

/* ---- who there is ---- */

static struct identity names_of(const struct catalog_component *c)
{
    return (struct identity){.namespace = c->namespace,
                             .project = c->project,
                             .component = c->name,
                             .component_uid = c->uid};
}

static int compare_declared(const void *left, const void *right)
{
    struct identity a =
        names_of(*(const struct catalog_component *const *)left);
    struct identity b =
        names_of(*(const struct catalog_component *const *)right);

    return identity_compare(&a, &b);
}

/* In whatever environment. */
static int compare_known(const void *key, const void *at)
{
    const struct component_info *info = at;
    struct identity id = names_of(key);

    id.environment = info->identity.environment;
    return identity_compare(&id, &info->identity);
}

static bool is_called(struct slice asked, struct slice name, struct slice uid)
{
    return asked.len == 0 || slice_equal(asked, name) ||
           (uid.len > 0 && slice_equal(asked, uid));
}

static void find_declared(struct component_list *l,
                          const struct catalog_snapshot *snapshot)
{
    const struct slice none = {NULL, 0};

    for (uint32_t i = 0; i < catalog_count(snapshot); i++) {
        const struct catalog_component *c = catalog_at(snapshot, i);

        if (is_called(l->scope.namespace, c->namespace, none) &&
            is_called(l->scope.project, c->project, none) &&
            is_called(l->scope.component, c->name, c->uid) &&
            (l->info_count == 0 || !bsearch(c, l->infos, l->info_count,
                                            sizeof(*l->infos), compare_known)))
            l->declared[l->declared_count++] = c;
    }
    qsort(l->declared, l->declared_count, sizeof(*l->declared),
          compare_declared);
}

/* Counts it, and puts it on the page if it belongs there. */
static void add(struct component_list *l, const struct list_entry *entry)
{
    struct list_entry *at = &l->page[l->count];

    l->total++;
    if (l->has_cursor && identity_compare(&entry->id, &l->cursor) <= 0)
        return;
    if (l->count == l->limit) {
        l->more = true;
        return;
    }
    *at = *entry;
    at->now = tally_at(&l->now, names_key(&at->id));
    at->before = tally_at(&l->before, names_key(&at->id));
    if (!at->now || !at->before) {
        l->full = true;
        return;
    }
    at->now->item = at;
    l->count++;
}

static void make_page(struct component_list *l,
                      const struct catalog_snapshot *snapshot)
{
    uint32_t i = 0, k = 0;

    while (i < l->info_count || k < l->declared_count) {
        struct list_entry entry = {.info = NULL};

        if (k < l->declared_count) {
            entry.declared = l->declared[k];
            entry.id = names_of(entry.declared);
        }
        if (i < l->info_count &&
            (k == l->declared_count ||
             identity_compare(&l->infos[i].identity, &entry.id) < 0)) {
            entry.info = &l->infos[i++];
            entry.id = entry.info->identity;
            entry.declared =
                catalog_component(snapshot, entry.id.namespace,
                                  entry.id.project, entry.id.component);
            if (entry.id.component.len == 0)
                continue; /* counted as unassigned */
        } else {
            k++;
        }
        add(l, &entry);
    }
}

static enum status list(struct component_list *l,
                        const struct catalog_snapshot *snapshot)
{
    struct arena *arena = l->request->arena;

    l->infos = registry_components(l->request->services->registry, &l->scope,
                                   arena, &l->info_count);
    l->declared =
        arena_zero(arena, catalog_count(snapshot) + 1, sizeof(*l->declared));
    l->page = arena_zero(arena, l->limit + 1, sizeof(*l->page));
    if (!l->declared || !l->page)
        return arena_status(arena);
    find_declared(l, snapshot);
    make_page(l, snapshot);
    return l->full ? arena_status(arena) : OK;
}

/* ---- figures ---- */

/* The entry that a derived resource belongs to, looked up once. */
static const struct list_entry *entry_of(struct component_list *l,
                                         uint32_t resource_id)
{
    struct tally *cached = tally_at(&l->resources, resource_id), *now;
    struct identity identity;

    if (cached && !cached->item &&
        registry_resource_identity(l->request->services->registry, resource_id,
                                   l->request->arena, &identity))
        cached->item = tally_at(&l->now, names_key(&identity));
    now = cached ? cached->item : NULL;
    return now ? now->item : NULL;
}

static void visit(void *arg, const struct point *point)
{
    struct component_list *l = arg;
    double now = window_share(&l->window, point);
    double before = window_share_before(&l->window, point);
    const struct list_entry *entry;
    int sign = derived_sign(point->metric->name);

    if (l->full || (now <= 0 && before <= 0))
        return;
    entry = entry_of(l, point->resource_id);
    if (entry &&
        ((now > 0 && !tally_add(&l->now, entry->now, point, sign * now)) ||
         (before > 0 &&
          !tally_add(&l->before, entry->before, point, sign * before))))
        l->full = true;
}

static enum status read_figures(struct component_list *l)
{
    struct series_query query = {.names = derived_names,
                                 .name_count = DERIVED_SERVED_NAMES};
    struct scope_filter scope = l->scope;
    enum status s;

    if (l->count == 0)
        return OK;
    scope.after = l->has_cursor ? &l->cursor : NULL;
    scope.until = &l->page[l->count - 1].id;
    query.resources = registry_select(l->request->services->registry, &scope,
                                      l->request->arena);
    if (!query.resources)
        return arena_status(l->request->arena);
    window_query(&l->window, &query);
    s = reader_query_series(l->request->reader, &query, visit, l);
    if (s != OK)
        return query_fail_read(l->request, s);
    return l->full ? arena_status(l->request->arena) : OK;
}

/* ---- answering ---- */

static void reply_entry(struct component_list *l,
                        const struct list_entry *entry)
{
    struct query_request *request = l->request;
    struct jsonw *w = &request->json;
    uint64_t length = l->window.end_ns - l->window.start_ns;

    jsonw_open(w, '{');
    reply_component(request, &entry->id);
    jsonw_member_bool(w, "declared", entry->declared != NULL);
    if (entry->info)
        reply_last_seen(request, entry->info);
    reply_figures(request, entry->now, window_seconds(&l->window));
    jsonw_member_open(w, "previous", '{');
    reply_figures(request, entry->before, (double)length / (double)NS_PER_S);
    jsonw_close(w, '}');
    jsonw_close(w, '}');
}

static void reply(struct component_list *l)
{
    struct jsonw *w = &l->request->json;
    uint32_t unassigned = 0;

    for (uint32_t i = 0; i < l->info_count; i++)
        if (l->infos[i].identity.component.len == 0)
            unassigned += l->infos[i].resources;
    jsonw_open(w, '{');
    jsonw_member_open(w, "components", '[');
    for (uint32_t i = 0; i < l->count; i++)
        reply_entry(l, &l->page[i]);
    jsonw_close(w, ']');
    jsonw_member_uint(w, "total", l->total);
    if (l->more)
        reply_cursor(l);
    jsonw_member_open(w, "unassigned", '{');
    jsonw_member_uint(w, "resources", unassigned);
    jsonw_close(w, '}');
    reply_window(l->request, &l->window, 0);
    jsonw_member_int(w, "tookMs", query_took_ms(l->request));
    jsonw_close(w, '}');
}

enum status component_list(struct query_request *request)
{
    struct component_list l = {.request = request,
                               .window = {.now_ns = request->now_ns},
                               .limit = LIST_MAX};
    struct catalog_snapshot *snapshot;
    enum status s = params_query_scope(request, &l.scope);

    if (s == OK)
        s = params_query_range(request, 15 * NS_PER_MIN, &l.window.start_ns,
                               &l.window.end_ns);
    if (s == OK)
        s = params_query_number(request, "limit", 1, LIST_MAX, &l.limit);
    if (s == OK)
        s = read_cursor(&l);
    if (s != OK)
        return s;
    tally_map_init(&l.now, request->arena);
    tally_map_init(&l.before, request->arena);
    tally_map_init(&l.resources, request->arena);
    snapshot = catalog_get(request->services->catalog);
    s = list(&l, snapshot);
    if (s == OK)
        s = read_figures(&l);
    if (s == OK)
        reply(&l);
    catalog_release(snapshot);
    return s;
}
