/* Why an answer has nothing in it; see empty_reply.h. */
#include "empty_reply.h"

#include "catalog.h"
#include "clock.h"
#include "component.h"
#include "similar.h"
#include "store.h"

const struct reply_table empty_table = REPLY_TABLE(
    struct empty_reply, REPLY(struct empty_reply, "reason", reason),
    REPLY(struct empty_reply, "message", message),
    REPLY_OPTIONAL_TIME(struct empty_reply, "lastSeen", last_seen_ns),
    REPLY_OPTIONAL_LIST(struct empty_reply, "similar", similar, &reply_texts));

/* ---- the nearest names ---- */

struct nearest_names {
    struct slice wanted;
    struct slice names[EMPTY_SIMILAR];
    uint32_t distances[EMPTY_SIMILAR], count;
};

static bool has_name(const struct nearest_names *near, struct slice name)
{
    for (uint32_t i = 0; i < near->count; i++)
        if (slice_equal(near->names[i], name))
            return true;
    return name.len == 0;
}

static void add_near(struct nearest_names *near, struct slice name)
{
    uint32_t distance = similar_distance(name, near->wanted);
    uint32_t at = near->count;

    if (has_name(near, name) ||
        (at == EMPTY_SIMILAR && distance >= near->distances[at - 1]))
        return;
    if (at < EMPTY_SIMILAR)
        near->count++;
    else
        at--;
    for (; at > 0 && near->distances[at - 1] > distance; at--) {
        near->names[at] = near->names[at - 1];
        near->distances[at] = near->distances[at - 1];
    }
    near->names[at] = name;
    near->distances[at] = distance;
}

/* ---- which name of the scope is unknown ---- */

enum { LEVELS = 4 };
static const char *const level_names[LEVELS] = {"namespace", "project",
                                                "component", "environment"};

struct known_names {
    struct slice wanted[LEVELS];
    struct slice uids[LEVELS - 1];
    uint32_t level; /* the deepest at which names fit all wanted so far */
    struct nearest_names near[LEVELS];
};

/* Names of one component, as far as they fit; environment empty: any. */
static void add_known(struct known_names *known, const struct identity *id)
{
    const struct slice names[LEVELS] = {id->namespace, id->project,
                                        id->component, id->environment};
    const struct slice uids[LEVELS] = {
        {NULL, 0}, id->project_uid, id->component_uid, id->environment_uid};

    for (uint32_t level = 0; level < LEVELS; level++) {
        struct slice wanted = known->wanted[level];

        if (level > known->level)
            known->level = level;
        add_near(&known->near[level], names[level]);
        if (wanted.len > 0 && !slice_equal(wanted, names[level]) &&
            !(uids[level].len > 0 && slice_equal(wanted, uids[level])))
            return;
    }
    known->level = LEVELS;
}

static void add_declared(struct known_names *known,
                         struct query_request *request)
{
    struct catalog_snapshot *snapshot = catalog_get(request->services->catalog);
    /* A catalogue has no environments: one that is unknown while others are
     * known stays so. */
    const struct slice none = {NULL, 0},
                       environment = known->near[LEVELS - 1].count > 0
                                         ? none
                                         : known->wanted[LEVELS - 1];

    for (uint32_t i = 0; i < catalog_count(snapshot); i++) {
        const struct catalog_component *c = catalog_at(snapshot, i);
        struct identity id = {.namespace =
                                  arena_copy(request->arena, c->namespace),
                              .project = arena_copy(request->arena, c->project),
                              .component = arena_copy(request->arena, c->name),
                              .environment = environment};

        if (catalog_is_seen(&request->viewer, c, none))
            add_known(known, &id);
    }
    catalog_release(snapshot);
}

/* All components that may be seen, of any name. */
static void find_names(struct known_names *known, struct query_request *request,
                       const struct scope_filter *scope)
{
    static const struct scope_filter all = {.unassigned = false};
    uint32_t count = 0;
    const struct component_info *infos =
        registry_components(request->services->registry, &all, &request->viewer,
                            request->arena, &count);

    *known =
        (struct known_names){.wanted = {scope->namespace, scope->project,
                                        scope->component, scope->environment}};
    for (uint32_t level = 0; level < LEVELS; level++)
        known->near[level].wanted = known->wanted[level];
    for (uint32_t i = 0; i < count; i++)
        add_known(known, &infos[i].identity);
}

static struct slice no_such(struct query_request *request,
                            const struct known_names *known)
{
    const struct nearest_names *near = &known->near[known->level];

    if (near->count == 0)
        return SLICE("nothing was received that you may see");
    return arena_format(request->arena,
                        "no %s \"%.*s\" was seen; the nearest name is "
                        "\"%.*s\"",
                        level_names[known->level],
                        SLICE_ARGS(known->wanted[known->level]),
                        SLICE_ARGS(near->names[0]));
}

static void set_unknown(struct empty_reply *empty,
                        struct query_request *request,
                        const struct empty_of *of)
{
    struct known_names *known = arena_zero(request->arena, 1, sizeof(*known));

    if (!known)
        return;
    find_names(known, request, &of->scope);
    add_declared(known, request);
    if (known->level == LEVELS) {
        empty->reason = "declared";
        empty->message =
            arena_format(request->arena,
                         "the catalogue declares it, but it has sent nothing");
        return;
    }
    empty->reason = "unknown";
    empty->message = no_such(request, known);
    empty->similar =
        (struct reply_list){.count = known->near[known->level].count,
                            .items = known->near[known->level].names};
}

/* ---- when it was seen ---- */

static struct slice time_text(struct query_request *request, uint64_t ns)
{
    char text[CLOCK_TEXT];
    struct slice made = {text, clock_format_rfc3339(text, ns)};

    return arena_copy(request->arena, made);
}

static void set_seen(struct empty_reply *empty, struct query_request *request,
                     const struct empty_of *of)
{
    struct arena *arena = request->arena;

    if (empty->last_seen_ns == 0) {
        empty->reason = "never";
        empty->message = arena_format(arena, "it has never sent %s", of->what);
    } else if (empty->last_seen_ns < of->start_ns) {
        empty->reason = "before";
        empty->message =
            arena_format(arena, "no %s since %.*s, before the window", of->what,
                         SLICE_ARGS(time_text(request, empty->last_seen_ns)));
    } else if (of->filtered) {
        empty->reason = "filter";
        empty->message = arena_format(
            arena, "no %s in the window match the filters", of->what);
    } else {
        empty->reason = "window";
        empty->message = arena_format(arena, "no %s in the window", of->what);
    }
}

/* The window begins before what is kept. */
static void add_retention(struct empty_reply *empty,
                          struct query_request *request,
                          const struct empty_of *of)
{
    static const char *const names[SIGNAL_COUNT] = {"traces", "log records",
                                                    "metrics"};
    const struct store *store = request->services->store;
    const char *before = "; the server keeps ";
    char age[CLOCK_TEXT];

    for (int signal = 0; store && signal < SIGNAL_COUNT; signal++) {
        uint64_t keep = store_retention(store, (enum signal)signal);

        if (keep == 0 || of->start_ns + keep >= request->now_ns)
            continue;
        age[clock_format_age(age, keep)] = '\0';
        empty->message = arena_format(request->arena, "%.*s%s%s for %s",
                                      SLICE_ARGS(empty->message), before,
                                      names[signal], age);
        before = ", ";
    }
}

const struct empty_reply *empty_reply_of(struct query_request *request,
                                         const struct empty_of *of)
{
    struct empty_reply *empty = arena_zero(request->arena, 1, sizeof(*empty));
    uint32_t count = 0;
    const struct component_info *infos =
        registry_components(request->services->registry, &of->scope,
                            &request->viewer, request->arena, &count);

    if (!empty)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t last = component_last_seen(&infos[i], of->signal);

        if (last > empty->last_seen_ns)
            empty->last_seen_ns = last;
    }
    if (count == 0)
        set_unknown(empty, request, of);
    else
        set_seen(empty, request, of);
    add_retention(empty, request, of);
    return arena_status(request->arena) == OK && empty->reason ? empty : NULL;
}
