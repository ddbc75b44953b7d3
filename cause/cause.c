/*
 *   sample of traces and logs ──► trees ──┬► behaviour ─┐
 *                                         └► waits ─────┼► rank ─► report
 *   metrics ────────────────────────────► limits ───────┘
 */
#include "cause.h"

#include <stdlib.h>

#include "clock.h"
#include "hash.h"
#include "rca_context.h"

const char *const candidate_kind_names[CANDIDATE_KINDS] = {
    "component", "database", "queue", "external"};
const char *const evidence_kind_names[EVIDENCE_KINDS] = {
    "resource", "network", "behaviour", "latency",
    "errors",   "silence", "metric",    "change"};

enum {
    /* Memory for one span of the sample with all that is made of it; measured
     * on the shop: 700 to 830. */
    SPAN_BYTES = 800,
    ATTEMPTS = 5,
};

static enum status choose_times(const struct cause_question *q,
                                struct rca_context *facts)
{
    uint64_t start = q->window.start_ns;

    if (start >= q->window.end_ns || start <= NS_PER_MIN)
        return ERR_INVALID;
    facts->times[DURING] = q->window;
    facts->times[BEFORE] = q->baseline;
    if (!q->has_baseline)
        return baseline_choose(facts);
    return facts->times[BEFORE].start_ns < facts->times[BEFORE].end_ns &&
                   facts->times[BEFORE].end_ns <= start
               ? OK
               : ERR_INVALID;
}

/* ---- components ---- */

static bool same_component(const struct identity *a, const struct identity *b)
{
    return slice_equal(a->component, b->component) &&
           slice_equal(a->environment, b->environment) &&
           slice_equal(a->project, b->project) &&
           slice_equal(a->namespace, b->namespace);
}

static uint32_t find_component(struct rca_context *facts, uint32_t resource)
{
    struct arena *arena = facts->arena;
    struct identity identity;

    if (!bitmap_has(facts->resources, resource) ||
        !registry_resource_identity(facts->question->registry, resource, arena,
                                    &identity))
        return NOBODY;
    for (uint32_t i = 0; i < facts->component_count; i++)
        if (same_component(&facts->components[i], &identity))
            return i;
    return NOBODY;
}

uint32_t facts_component(struct rca_context *facts, uint32_t resource)
{
    enum { UNKNOWN = 0, NONE = 1 };

    if (resource >= facts->of_resource_room) {
        uint32_t room = facts->of_resource_room;
        uint32_t more = resource + 1 + room;
        uint32_t *grown = arena_zero(facts->arena, more, sizeof(*grown));

        if (resource == RESOURCE_NONE || !grown)
            return NOBODY;
        if (room > 0)
            memcpy(grown, facts->of_resource, room * sizeof(*grown));
        facts->of_resource = grown;
        facts->of_resource_room = more;
    }
    uint32_t *slot = &facts->of_resource[resource];
    if (*slot == UNKNOWN) {
        uint32_t c = find_component(facts, resource);

        *slot = c == NOBODY ? NONE : c + 2;
    }
    return *slot == NONE ? NOBODY : *slot - 2;
}

/* Derived series hang on resources of their own, which have no metrics. */
static struct bitmap *without_derived(struct rca_context *facts,
                                      const struct component_info *list,
                                      uint32_t count)
{
    const struct bitmap *all = facts->resources;
    struct bitmap *derived = bitmap_new(facts->arena, all->limit);
    struct bitmap *set = bitmap_new(facts->arena, all->limit);

    if (!derived || !set)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        bitmap_add(derived, list[i].derived_resource);
    for (uint32_t id = 0; id < all->limit; id++)
        if (bitmap_has(all, id) && !bitmap_has(derived, id))
            bitmap_add(set, id);
    return set;
}

static bool find_components(struct rca_context *facts)
{
    const struct cause_question *q = facts->question;
    struct scope_filter scope = q->scope;
    uint32_t count;
    struct component_info *list;

    /* Causes lie outside of the component that suffers. */
    scope.component = (struct slice){NULL, 0};
    list = registry_components(q->registry, &scope, facts->arena, &count);
    facts->components =
        arena_zero(facts->arena, count + MAX_PEERS, sizeof(struct identity));
    facts->component_kinds = arena_zero(facts->arena, count + MAX_PEERS, 1);
    facts->resources = registry_select(q->registry, &scope, facts->arena);
    if (!facts->components || !facts->resources || !facts->component_kinds)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (list[i].identity.component.len > 0)
            facts->components[facts->component_count++] = list[i].identity;
    facts->reporting = without_derived(facts, list, count);
    if (!facts->reporting)
        return false;
    return terms_init(&facts->link_keys, facts->arena) &&
           terms_init(&facts->terms, facts->arena);
}

struct bitmap *facts_resources(struct rca_context *facts, uint32_t component)
{
    struct scope_filter scope = facts->question->scope;

    scope.component = facts->components[component].component;
    scope.environment = facts->components[component].environment;
    return registry_select(facts->question->registry, &scope, facts->arena);
}

uint32_t facts_identity(struct rca_context *facts, uint32_t id)
{
    struct identity identity;

    if (!registry_identity(facts->question->registry, id, facts->arena,
                           &identity))
        return NOBODY;
    for (uint32_t i = 0; i < facts->served_components; i++)
        if (same_component(&facts->components[i], &identity))
            return i;
    return NOBODY;
}

static uint8_t party_of(struct slice kind)
{
    return slice_equal(kind, SLICE("database"))   ? CANDIDATE_DATABASE
           : slice_equal(kind, SLICE("queue"))    ? CANDIDATE_QUEUE
           : slice_equal(kind, SLICE("external")) ? CANDIDATE_EXTERNAL
                                                  : CANDIDATE_COMPONENT;
}

uint32_t facts_find_peer(const struct rca_context *facts, struct slice kind,
                         struct slice name)
{
    uint8_t party = party_of(kind);

    for (uint32_t i = facts->served_components; i < facts->component_count; i++)
        if (facts->component_kinds[i] == party &&
            slice_equal(facts->components[i].component, name))
            return i;
    return NOBODY;
}

uint32_t facts_peer(struct rca_context *facts, struct slice kind,
                    struct slice name)
{
    uint32_t n = facts->component_count;
    uint32_t known = facts_find_peer(facts, kind, name);
    uint8_t party = party_of(kind);

    if (known != NOBODY)
        return known;
    if (party == CANDIDATE_COMPONENT || name.len == 0 ||
        n - facts->served_components == MAX_PEERS - 1)
        return NOBODY;
    facts->components[n].component = arena_copy(facts->arena, name);
    facts->component_kinds[n] = party;
    return facts->component_count++;
}

void facts_link(struct rca_context *facts, uint32_t from, uint32_t to)
{
    uint32_t count = facts->link_keys.count;
    struct call_edge *link;

    if (terms_add(&facts->link_keys, hash_mix((uint64_t)from << 32 | to, 1),
                  (struct slice){NULL, 0}, (struct slice){NULL, 0},
                  false) != count)
        return;
    link = facts_append(facts, &facts->links, facts->link_count,
                        &facts->link_room);
    if (!link)
        return;
    *link = (struct call_edge){from, to};
    facts->link_count++;
}

static uint32_t named(const struct rca_context *facts,
                      const struct identity *beside,
                      const struct catalog_dependency *d)
{
    struct slice namespace =
        d->namespace.len ? d->namespace : beside->namespace;
    struct slice project = d->project.len ? d->project : beside->project;

    for (uint32_t i = 0; i < facts->served_components; i++) {
        const struct identity *c = &facts->components[i];

        if (slice_equal(c->component, d->component) &&
            slice_equal(c->environment, beside->environment) &&
            slice_equal(c->project, project) &&
            slice_equal(c->namespace, namespace))
            return i;
    }
    return NOBODY;
}

/* Declared dependencies are calls, of whose answers nothing may be known. */
static void link_declared(struct rca_context *facts)
{
    struct catalog *catalog = facts->question->catalog;
    struct catalog_snapshot *snapshot = catalog ? catalog_get(catalog) : NULL;

    for (uint32_t from = 0; snapshot && from < facts->served_components;
         from++) {
        const struct identity *id = &facts->components[from];
        const struct catalog_component *c = catalog_component(
            snapshot, id->namespace, id->project, id->component);

        for (uint32_t i = 0; c && i < c->dependency_count; i++) {
            uint32_t to = named(facts, id, &c->dependencies[i]);

            if (to != NOBODY)
                facts_link(facts, from, to);
        }
    }
    if (snapshot)
        catalog_release(snapshot);
}

/* ---- the whole ---- */

static void count_traces(struct rca_context *facts)
{
    const struct trace_sample *s = &facts->halves[DURING];

    facts->traces[BEFORE] = facts->halves[BEFORE].tree_count;
    facts->traces[DURING] = 0;
    for (uint32_t i = 0; i < s->tree_count; i++)
        facts->traces[DURING] += s->trees[i].start_ns >= facts->from_ns;
}

static enum status gather(struct rca_context *facts)
{
    enum status s = OK;

    for (int half = 0; half < HALVES && s == OK; half++) {
        s = sample_read(facts, (enum rca_period)half);
        if (s == OK && !trees_build(facts, (enum rca_period)half))
            s = arena_status(facts->arena);
    }
    if (s == OK)
        s = meters_read(facts);
    if (s == OK)
        s = served_read(facts);
    if (s == OK)
        s = logged_read(facts);
    if (s == OK) {
        meters_sort(facts);
        link_declared(facts);
    }
    return s == OK ? changes_read(facts) : s;
}

/* The strongest first suspect of all tries wins; a shorter window has to be
 * better by what three tries may win by chance (ln 3). */
static const double TRY_NATS = 1.1;

static enum status judge(struct rca_context *facts, uint32_t try,
                         struct cause_report *report)
{
    facts->try = try;
    facts->from_ns = facts_try(facts, try);
    count_traces(facts);
    facts->evidence = arena_zero(facts->arena, facts->component_count + 1,
                                 sizeof(*facts->evidence));
    if (!facts->evidence || !limits_find(facts) || !waits_find(facts) ||
        !behaviour_find(facts) || !served_find(facts) || !drifts_find(facts) ||
        !changes_find(facts) || !rank(facts, report))
        return arena_status(facts->arena) != OK ? arena_status(facts->arena)
                                                : ERR_BUSY;
    return OK;
}

static double first_score(const struct cause_report *report)
{
    return report->suspect_count > 0 ? report->suspects[0].score : 0;
}

static enum status judge_best(struct rca_context *facts,
                              struct cause_report *report)
{
    enum status s = judge(facts, 0, report);
    struct evidence_list *best = facts->evidence;

    for (uint32_t i = 1; i < CAUSE_TRIES && s == OK; i++) {
        struct cause_report other = *report;

        s = judge(facts, i, &other);
        if (s == OK && first_score(&other) > first_score(report) + TRY_NATS) {
            *report = other;
            best = facts->evidence;
        }
    }
    facts->evidence = best;
    return s;
}

/* With a sample of at most max_spans of each half. */
static enum status find(const struct cause_question *question,
                        uint32_t max_spans, struct arena *arena,
                        struct cause_report **out)
{
    struct rca_context *facts = arena_zero(arena, 1, sizeof(*facts));
    struct cause_report *report = arena_zero(arena, 1, sizeof(*report));
    enum status s;

    if (!facts || !report)
        return arena_status(arena);
    facts->question = question;
    facts->arena = arena;
    facts->max_spans = max_spans;
    s = find_components(facts) ? OK : arena_status(arena);
    if (s == OK)
        s = choose_times(question, facts);
    if (s == OK)
        s = gather(facts);
    if (s == OK)
        s = judge_best(facts, report);
    if (s == OK)
        s = draw(facts, report);
    if (s == OK)
        s = story_tell(facts, report);
    if (s == OK && report->found)
        s = special_find(facts, report);
    if (s != OK)
        return s;
    report->window = facts->times[DURING];
    report->baseline = facts->times[BEFORE];
    report->components = facts->components;
    report->parties = facts->component_kinds;
    report->component_count = facts->component_count;
    report->traces_before = facts->halves[BEFORE].tree_count;
    report->traces_during = facts->halves[DURING].tree_count;
    for (int half = 0; half < HALVES; half++) {
        report->spans_read += facts->halves[half].part_count;
        report->logs_read += facts->halves[half].line_count;
    }
    *out = report;
    return arena_status(arena);
}

/* The sample that is likely to fit; smaller ones when it does not. Memory that
 * others hold (ERR_BUSY) is worth waiting for, and no reason for less. */
enum status cause_find(const struct cause_question *question,
                       struct arena *arena, struct cause_report **out)
{
    size_t fit = arena->cap / (2 * SPAN_BYTES);
    uint32_t max_spans =
        fit < CAUSE_MAX_SPANS ? (uint32_t)fit : CAUSE_MAX_SPANS;
    struct arena attempt;
    enum status s = ERR_TOO_BIG;

    for (int i = 0; i < ATTEMPTS && s == ERR_TOO_BIG; i++, max_spans /= 2) {
        arena_begin(&attempt, arena);
        s = find(question, max_spans, &attempt, out);
        if (s == OK)
            arena_adopt(arena, &attempt);
        else
            arena_release(&attempt);
    }
    return s;
}
