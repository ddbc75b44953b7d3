/*
 * Components are read some at a time, so that their minutes fit; of those with
 * symptoms the minutes are kept. Then those of one project and environment are
 * looked at together (incidents.h).
 */
#include "incident_history.h"

#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "incidents.h"
#include "red_series.h"

enum {
    MAX_CELLS = 1 << 18,  /* minutes of components that are read at once, */
    MAX_ALL = 1 << 22,    /* and of all; fewer of a window if there are more */
    MIN_MINUTES = 240,    /* of each; else there are too many components */
    PART = 60,            /* minutes that are judged at once, */
    MIN_PARTS = 8,        /* or more of a long window, */
    MAX_JUDGED = 1 << 14, /* if there are many parts and components */
    LOOK_BACK_PARTS = 12, /* as cause.h: so many times as long, */
    LOOK_BACK_MIN = 120,  /* and at least so many minutes */
    CALLS_MIN = 360,      /* the last minutes of which calls are read */
};

struct history_reader {
    const struct incident_query *query;
    struct arena *arena;
    struct incident_history *history;
    const struct identity **names; /* of all components, in order */
    uint32_t count;
    struct minutes_span span;
    struct symptom_minutes all; /* of the components with symptoms */
    const struct identity **of; /* by row */
    uint32_t room, of_room;
    uint32_t known; /* minutes until the last in which anything was measured */
    struct call_graph graph; /* by row */
    bool has_graph;
};

/* ---- what is looked at ---- */

static bool find_names(struct history_reader *r)
{
    const struct incident_query *q = r->query;
    uint32_t count;
    const struct component_info *infos = registry_components(
        q->registry, &q->scope, q->viewer, r->arena, &count);

    r->names = arena_alloc(r->arena, (count + 1) * sizeof(*r->names));
    for (uint32_t i = 0; r->names && i < count; i++)
        if (infos[i].identity.component.len > 0)
            r->names[r->count++] = &infos[i].identity;
    return r->names;
}

static uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Minutes of a part of a window. */
static uint32_t part_of(uint32_t window, uint32_t components)
{
    uint32_t parts = most(MIN_PARTS, MAX_JUDGED / components);

    return window <= PART ? window : most(PART, (window + parts - 1) / parts);
}

static enum status choose_span(struct history_reader *r)
{
    const struct cause_window *w = &r->query->window;
    uint32_t all = MAX_ALL / most(r->count, 1);
    uint64_t end = (w->end_ns + NS_PER_MIN - 1) / NS_PER_MIN;
    uint32_t window = (uint32_t)(end - w->start_ns / NS_PER_MIN);
    uint32_t part = part_of(window, most(r->count, 1));
    uint32_t back =
        most(LOOK_BACK_MIN, LOOK_BACK_PARTS * (part < PART ? part : PART));

    if (all < MIN_MINUTES)
        return ERR_TOO_BIG;
    if (window + back > all) {
        back = back < all / 2 ? back : all / 2;
        window = window < all - back ? window : all - back;
    }
    if (end < window + back)
        return ERR_INVALID; /* 1970 */
    r->history->judged = *w;
    if (w->start_ns < (end - window) * NS_PER_MIN)
        r->history->judged.start_ns = (end - window) * NS_PER_MIN;
    r->span =
        (struct minutes_span){.from_ns = (end - window - back) * NS_PER_MIN,
                              .judged_ns = (end - window) * NS_PER_MIN,
                              .end_ns = w->end_ns,
                              .part = part,
                              .most = back,
                              .grows = true};
    r->all.from_ns = r->span.from_ns;
    r->all.count = window + back;
    return OK;
}

/* ---- reading ---- */

static bool has_symptoms(const struct minute_row *row, uint32_t minutes)
{
    for (uint32_t i = 0; i < minutes; i++)
        if (row->symptoms[i])
            return true;
    return false;
}

static void *copy(struct arena *arena, const void *from, size_t size)
{
    void *to = from ? arena_alloc(arena, size) : NULL;

    return to ? memcpy(to, from, size) : NULL;
}

static int compare_names(const void *key, const void *at)
{
    return identity_compare(key, *(const struct identity *const *)at);
}

static void keep_row(struct history_reader *r, const struct minute_row *row,
                     const struct identity *names)
{
    uint32_t count = r->all.count;
    const struct identity **known =
        bsearch(names, r->names, r->count, sizeof(*r->names), compare_names);
    struct minute_row *kept =
        known ? arena_append(r->arena, &r->all.rows, r->all.row_count, &r->room)
              : NULL;
    const struct identity **of =
        kept ? arena_append(r->arena, &r->of, r->all.row_count, &r->of_room)
             : NULL;

    if (!of)
        return; /* it came just now; or the arena is full */
    *of = *known;
    *kept = (struct minute_row){
        .component = r->all.row_count,
        .at = copy(r->arena, row->at, count * sizeof(*row->at)),
        .symptoms = copy(r->arena, row->symptoms, count)};
    if (kept->symptoms)
        r->all.row_count++;
}

static void keep(struct history_reader *r, const struct symptom_minutes *m,
                 const struct candidates *candidates)
{
    for (uint32_t i = 0; i < m->row_count; i++)
        if (has_symptoms(&m->rows[i], m->count))
            keep_row(r, &m->rows[i],
                     &candidates->identities[m->rows[i].component]);
    for (uint32_t i = r->known; i < m->count; i++)
        if (m->known[i])
            r->known = i + 1;
    r->history->components += m->row_count;
}

/* Of the components from one on. */
static enum status read_some(struct history_reader *r, uint32_t first,
                             uint32_t count)
{
    const struct incident_query *q = r->query;
    struct scope_filter scope = q->scope;
    struct symptom_minutes minutes;
    struct candidates candidates;
    struct arena arena;
    enum status s;

    scope.after = first > 0 ? r->names[first - 1] : NULL;
    scope.until = r->names[first + count - 1];
    arena_begin(&arena, r->arena);
    s = candidates_find(&candidates, q->registry, &scope, q->viewer, &arena)
            ? symptom_minutes_judge(&minutes, q->reader, &candidates, &r->span,
                                    &arena)
            : arena_status(&arena);
    if (s == OK)
        keep(r, &minutes, &candidates);
    arena_release(&arena);
    return s == OK ? arena_status(r->arena) : s;
}

static enum status read_all(struct history_reader *r)
{
    uint32_t step = most(MAX_CELLS / r->all.count, 1);
    enum status s = OK;

    r->span.what = MINUTES_OF_REQUESTS;
    for (uint32_t i = 0; i < r->count && s == OK; i += step)
        s = read_some(r, i, r->count - i < step ? r->count - i : step);
    if (s != OK || r->history->components > 0 || r->count > step ||
        r->count == 0)
        return s;
    r->span.what = MINUTES_OF_METRICS;
    return read_some(r, 0, r->count);
}

/* ---- calls between the components with symptoms ---- */

static void add_call(void *arg, const struct red_point *p)
{
    struct history_reader *r = arg;

    if (p->component != NO_INDEX && p->callee != NO_INDEX)
        call_graph_add(&r->graph, p->component, p->callee);
}

/* The rows as candidates. False: the arena is full. */
static bool as_candidates(struct history_reader *r, struct candidates *c)
{
    const struct incident_query *q = r->query;
    uint32_t count = r->all.row_count;

    *c = (struct candidates){
        .arena = r->arena,
        .registry = q->registry,
        .scope = q->scope,
        .viewer = q->viewer,
        .identities =
            arena_zero(r->arena, count + MAX_PEERS, sizeof(*c->identities)),
        .kinds = arena_zero(r->arena, count + MAX_PEERS, sizeof(*c->kinds)),
        .component_count = count,
        .count = count,
        .resources =
            registry_select(q->registry, &q->scope, q->viewer, r->arena)};
    if (!c->identities || !c->kinds || !c->resources)
        return false;
    c->by_resource =
        arena_zero(r->arena, c->resources->limit, sizeof(*c->by_resource));
    for (uint32_t i = 0; i < count; i++)
        c->identities[i] = *r->of[i];
    return c->by_resource;
}

/* The time of the last symptoms of any. */
static uint64_t last_symptoms(const struct history_reader *r)
{
    uint32_t last = 0;

    for (uint32_t i = 0; i < r->all.row_count; i++)
        for (uint32_t k = last; k < r->all.count; k++)
            if (r->all.rows[i].symptoms[k])
                last = k + 1;
    return r->all.from_ns + last * NS_PER_MIN;
}

static enum status read_calls(struct history_reader *r)
{
    struct cause_window time = {0, last_symptoms(r)};
    struct candidates candidates;
    struct bitmap *resources;
    bool *wanted;
    enum status s;

    if (r->all.row_count < 2)
        return OK;
    if (time.end_ns > CALLS_MIN * NS_PER_MIN)
        time.start_ns = time.end_ns - CALLS_MIN * NS_PER_MIN;
    wanted = arena_alloc(r->arena, r->all.row_count);
    if (!wanted || !as_candidates(r, &candidates) ||
        !call_graph_init(&r->graph, &candidates, r->arena))
        return arena_status(r->arena);
    memset(wanted, true, r->all.row_count);
    resources = candidates_resources(&candidates, wanted);
    if (!resources)
        return arena_status(r->arena);
    s = red_series_read(r->query->reader, &candidates, resources, time, true,
                        add_call, r);
    call_graph_add_declared(&r->graph, &candidates, r->query->catalog);
    call_graph_close(&r->graph, candidates.count);
    r->has_graph = true;
    return s;
}

/* ---- what is found ---- */

static struct component_incident describe(const struct history_reader *r,
                                          const struct incident *time,
                                          const struct minute_row *row)
{
    struct incident_amounts a = incident_amounts(time, &r->all, row);

    return (struct component_incident){
        .identity = r->of[row->component],
        .symptom = !row->at                     ? INCIDENT_METRICS
                   : a.symptoms & SYMPTOM_FAILS ? INCIDENT_ERRORS
                                                : INCIDENT_LATENCY,
        .start_ns = r->all.from_ns + time->first * NS_PER_MIN,
        .end_ns = incident_is_over(time, r->known)
                      ? r->all.from_ns + time->end * NS_PER_MIN
                      : 0,
        .during = {a.now.requests, a.now.errors, a.now.seconds},
        .usual = {a.usual.requests, a.usual.errors, a.usual.seconds}};
}

static int by_start(const void *left, const void *right)
{
    const struct component_incident *a = left, *b = right;

    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return identity_compare(a->identity, b->identity);
}

/* Each with its own first and last minute with symptoms. */
static bool list_components(const struct history_reader *r,
                            const struct incident *incident,
                            const struct symptom_minutes *group,
                            struct found_incident *found)
{
    uint32_t n = 0;

    found->components = arena_alloc(r->arena, found->component_count *
                                                  sizeof(*found->components));
    for (uint32_t i = 0; found->components && i < group->row_count; i++) {
        const struct minute_row *row = &group->rows[i];
        struct incident own = *incident;

        if (incident_minutes(incident, row) == 0)
            continue;
        while (!row->symptoms[own.first])
            own.first++;
        while (!row->symptoms[own.end - 1])
            own.end--;
        found->components[n++] = describe(r, &own, row);
    }
    if (found->components)
        qsort(found->components, n, sizeof(*found->components), by_start);
    return found->components;
}

static bool add_incident(const struct history_reader *r,
                         const struct incident *incident,
                         const struct symptom_minutes *group, uint32_t *room)
{
    struct incident_history *h = r->history;
    struct found_incident found = {0};
    const struct minute_row *row =
        incident_lead(incident, group, r->has_graph ? &r->graph : NULL,
                      &found.component_count);

    if (!row)
        return true;
    found.lead = describe(r, incident, row);
    if (found.lead.end_ns > 0 && found.lead.end_ns <= h->judged.start_ns)
        return true; /* over before the window */
    found.text =
        incident_text(incident, group, row, found.component_count, r->arena);
    if (!list_components(r, incident, group, &found))
        return false;
    struct found_incident *at = arena_append(r->arena, &h->at, h->count, room);
    if (at)
        *at = found;
    h->count += at != NULL;
    return at;
}

static bool same_space(const struct identity *a, const struct identity *b)
{
    return slice_equal(a->namespace, b->namespace) &&
           slice_equal(a->project, b->project) &&
           slice_equal(a->environment, b->environment);
}

/* The incidents of each project and environment. */
static enum status find_incidents(const struct history_reader *r)
{
    const struct symptom_minutes *all = &r->all;
    struct incident_list *list = arena_alloc(r->arena, sizeof(*list));
    bool *done = arena_zero(r->arena, all->row_count, sizeof(*done));
    struct symptom_minutes group = *all;
    uint32_t room = 0;
    bool fits = true;

    group.rows =
        arena_alloc(r->arena, (all->row_count + 1) * sizeof(*group.rows));
    if (!list || !done || !group.rows)
        return arena_status(r->arena);
    for (uint32_t i = 0; i < all->row_count && fits; i++) {
        if (done[i])
            continue;
        group.row_count = 0;
        for (uint32_t k = i; k < all->row_count; k++)
            if (same_space(r->of[i], r->of[k])) {
                group.rows[group.row_count++] = all->rows[k];
                done[k] = true;
            }
        incidents_find(list, &group);
        for (uint32_t k = 0; k < list->count && fits; k++)
            fits = add_incident(r, &list->at[k], &group, &room);
    }
    return arena_status(r->arena);
}

static int latest_first(const void *left, const void *right)
{
    const struct found_incident *a = left, *b = right;

    return a->lead.start_ns == b->lead.start_ns
               ? identity_compare(a->lead.identity, b->lead.identity)
               : -by_start(&a->lead, &b->lead);
}

enum status incident_history_find(const struct incident_query *query,
                                  struct arena *arena,
                                  struct incident_history *history)
{
    struct history_reader r = {
        .query = query, .arena = arena, .history = history};
    enum status s;

    *history = (struct incident_history){.judged = query->window};
    if (query->window.end_ns <= query->window.start_ns)
        return ERR_INVALID;
    if (!find_names(&r))
        return arena_status(arena);
    s = choose_span(&r);
    if (s == OK)
        s = read_all(&r);
    if (s == OK)
        s = read_calls(&r);
    if (s == OK)
        s = find_incidents(&r);
    if (s == OK && history->count > 0)
        qsort(history->at, history->count, sizeof(*history->at), latest_first);
    return s;
}
