/*
 * The series of requests and calls in both windows. Windows that are near each
 * other are read in one pass, others in one each, so that what lies between
 * them is not.
 */
#include "array.h"
#include "compare.h"
#include "derived.h"
#include "reply_metrics.h"

/* ---- pairs ---- */

struct pair *pair_find(const struct pair_list *list, uint64_t key)
{
    map_each(&list->index, map_hash(key), at)
        if (list->at[at].key == key)
            return &list->at[at];
    return NULL;
}

static struct pair *pair_at(struct comparison *c, struct pair_list *list,
                            uint64_t key)
{
    struct pair *pair = pair_find(list, key);

    if (pair)
        return pair;
    pair = arena_append(c->request->arena, &list->at, list->count, &list->room);
    if (!pair || !map_add(&list->index, map_hash(key), list->count))
        return NULL;
    *pair = (struct pair){.key = key};
    list->count++;
    for (int side = BEFORE; side < SIDES; side++) {
        pair->of[side] = metric_group_at(&list->tables[side], key);
        if (!pair->of[side])
            return NULL;
    }
    return pair;
}

const struct hist *pair_durations(const struct pair *pair, enum side side)
{
    const struct series_cells *cells = pair->of[side]->cells;

    return cells && cells[0].row.values && cells[0].hists ? &cells[0].hists[0]
                                                          : NULL;
}

/* ---- what is read, by resource and labels ---- */

enum { BY_ENDPOINT, BY_OPERATION };

enum raw_kind { RAW_SERVED, RAW_OUT, RAW_IN, RAW_COUNTS, RAW_KINDS };

struct raw_tables {
    struct metric_table at[SIDES][RAW_KINDS];
};

static void init_counts(struct comparison *c, struct metric_table *table,
                        enum side side)
{
    metric_table_init(table, c->request->arena, &c->cells[side], NULL);
    (void)metric_table_add(table, &c->counted);
    (void)metric_table_add(table, &c->failed); /* two fit */
}

static void init_tables(struct comparison *c, struct raw_tables *raw)
{
    static const char *const operation[] = {DERIVED_ENDPOINT, DERIVED_OPERATION,
                                            NULL};
    const char *const *by = c->screening ? NULL : operation;
    struct arena *arena = c->request->arena;

    c->counted = c->served.latency;
    c->counted.op = EXPR_INCREASE;
    c->failed = c->served.errors;
    for (int side = BEFORE; side < SIDES; side++) {
        const struct grid *grid = side ? &c->window.now : &c->base.now;
        struct metric_table *at = raw->at[side];

        red_table_init(&at[RAW_SERVED], arena, grid, by, &c->served);
        red_table_init(&at[RAW_OUT], arena, grid, red_call_labels, &c->out);
        red_table_init(&at[RAW_IN], arena, grid, red_call_labels, &c->in);
        init_counts(c, &at[RAW_COUNTS], (enum side)side);
        for (int kind = 0; kind < RAW_KINDS; kind++)
            at[kind].by_resource = true;
        red_table_init(&c->totals.tables[side], arena, grid, NULL, &c->served);
        red_table_init(&c->operations.tables[side], arena, grid, NULL,
                       &c->served);
        red_table_init(&c->callees.tables[side], arena, grid, NULL, &c->out);
        red_table_init(&c->callers.tables[side], arena, grid, NULL, &c->in);
        init_counts(c, &c->counts.tables[side], (enum side)side);
    }
    c->totals.index.arena = c->operations.index.arena = arena;
    c->callees.index.arena = c->callers.index.arena = arena;
    c->counts.index.arena = arena;
}

static enum status read_raw(struct comparison *c, struct raw_tables *raw)
{
    static const enum raw_kind kinds[RAW_KINDS] = {RAW_SERVED, RAW_COUNTS,
                                                   RAW_OUT, RAW_IN};
    uint32_t each = c->screening ? 2 : RAW_KINDS;
    struct metric_table *tables[SIDES * RAW_KINDS];
    bool near = c->base.end_ns + (c->base.end_ns - c->base.start_ns) >=
                    c->window.start_ns &&
                c->base.start_ns <= c->window.end_ns;
    enum status s;

    for (uint32_t i = 0; i < SIDES * each; i++)
        tables[i] = &raw->at[i / each][kinds[i % each]];
    if (near)
        return read_metrics(c->request, c->resources, NULL, tables,
                            SIDES * each);
    s = read_metrics(c->request, c->resources, NULL, tables, each);
    return s == OK ? read_metrics(c->request, c->resources, NULL, tables + each,
                                  each)
                   : s;
}

/* ---- grouped by names ---- */

static bool add_to(struct comparison *c, struct pair_list *list,
                   const struct pair *what, enum side side,
                   const struct metric_group *group)
{
    struct pair *pair = pair_at(c, list, what->key);

    if (!pair)
        return false;
    if (!pair->identity) {
        pair->identity = what->identity;
        pair->peer = what->peer;
        pair->endpoint = what->endpoint;
        pair->operation = what->operation;
        pair->peer_name = what->peer_name;
        pair->peer_kind = what->peer_kind;
    }
    return metric_group_add(&list->tables[side], pair->of[side], group);
}

static bool add_served(struct comparison *c, enum side side,
                       const struct metric_group *group, struct pair *what)
{
    what->key = key_identity(1, what->identity);
    if (!add_to(c, &c->totals, what, side, group))
        return false;
    if (c->screening)
        return true;
    what->endpoint = metric_label(group, BY_ENDPOINT);
    what->operation = metric_label(group, BY_OPERATION);
    what->key = key_text(key_text(what->key, what->endpoint), what->operation);
    return add_to(c, &c->operations, what, side, group);
}

static bool add_call(struct comparison *c, struct pair_list *list,
                     enum side side, const struct metric_group *group,
                     struct pair *what)
{
    const struct identity *peer =
        reply_peer_identity(c->request, &group->labels[CALL_PEER_ID]);

    what->key = key_identity(2, what->identity);
    what->peer_kind = metric_label(group, CALL_PEER_KIND);
    what->peer_name = metric_label(group, CALL_PEER_NAME);
    if (peer == &identity_hidden) {
        what->peer_name = SLICE(PEER_HIDDEN);
        what->peer_kind = SLICE("external");
    } else if (peer && peer->component.len > 0) {
        what->peer = peer;
        what->peer_name = peer->component;
        what->key = key_identity(what->key, peer);
    } else if (what->peer_name.len == 0) {
        what->peer_name = metric_label(group, CALL_PEER_SYSTEM);
    }
    what->key = key_text(key_text(what->key, what->peer_kind), what->peer_name);
    return add_to(c, list, what, side, group);
}

static bool add_group(struct comparison *c, enum raw_kind kind, enum side side,
                      const struct metric_group *group)
{
    struct pair what = {
        .identity = reply_resource_identity(c->request, group->resource_id)};

    if (!what.identity)
        return false;
    if (what.identity->component.len == 0)
        return true;
    switch (kind) {
    case RAW_SERVED:
        return add_served(c, side, group, &what);
    case RAW_OUT:
        return add_call(c, &c->callees, side, group, &what);
    case RAW_IN:
        return add_call(c, &c->callers, side, group, &what);
    default:
        what.key = key_identity(1, what.identity);
        return add_to(c, &c->counts, &what, side, group);
    }
}

static void set_figures(struct pair_list *list, const struct red *red)
{
    for (uint32_t i = 0; i < list->count; i++)
        for (int side = BEFORE; side < SIDES; side++)
            figures_set(&list->at[i].figures[side], red, &list->tables[side],
                        list->at[i].of[side]);
}

enum status compare_read(struct comparison *c)
{
    struct raw_tables *raw = arena_zero(c->request->arena, 1, sizeof(*raw));
    enum status s;

    if (!raw)
        return arena_status(c->request->arena);
    red_init(&c->served, RED_SERVED);
    red_init(&c->out, RED_OUT);
    red_init(&c->in, RED_IN);
    init_tables(c, raw);
    s = read_raw(c, raw);
    if (s != OK)
        return s;
    for (int side = BEFORE; side < SIDES; side++)
        for (int kind = 0; kind < RAW_KINDS; kind++) {
            const struct metric_table *table = &raw->at[side][kind];

            for (uint32_t i = 0; i < table->count; i++)
                if (!add_group(c, (enum raw_kind)kind, (enum side)side,
                               table->groups[i]))
                    return arena_status(c->request->arena);
        }
    set_figures(&c->totals, &c->served);
    set_figures(&c->operations, &c->served);
    set_figures(&c->callees, &c->out);
    set_figures(&c->callers, &c->in);
    return OK;
}
