/*
 * Names of a scope as people know them. In: the arguments of a call. Out: the
 * same, complete: names for uids and for another case, the only namespace, the
 * project of a component. Or an error with the names there are.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "component.h"
#include "mcp_task.h"
#include "similar.h"

enum {
    LEVELS = 4,
    NAMES_SHOWN = 20, /* in an error */
    NEAR_SHOWN = 5,
};

static const char *const level_names[LEVELS] = {"namespace", "project",
                                                "component", "environment"};

/* What the asker may see, of which fewer stay with each name. */
struct known {
    struct mcp_call *call;
    const struct identity **at;
    uint32_t count;
};

static struct slice name_at(const struct identity *identity, int level)
{
    const struct slice names[LEVELS] = {identity->namespace, identity->project,
                                        identity->component,
                                        identity->environment};

    return names[level];
}

static struct slice uid_at(const struct identity *identity, int level)
{
    const struct slice uids[LEVELS] = {SLICE(""), identity->project_uid,
                                       identity->component_uid,
                                       identity->environment_uid};

    return uids[level];
}

/* ---- what is known ---- */

static void add_declared(struct known *known, const struct viewer *viewer,
                         struct arena *arena,
                         const struct catalog_snapshot *snapshot)
{
    for (uint32_t i = 0; i < catalog_count(snapshot); i++) {
        const struct catalog_component *c = catalog_at(snapshot, i);
        struct identity *id;

        if (!catalog_is_seen(viewer, c, SLICE("")))
            continue;
        id = arena_zero(arena, 1, sizeof(*id));
        if (!id)
            return;
        id->namespace = arena_copy(arena, c->namespace);
        id->project = arena_copy(arena, c->project);
        id->component = arena_copy(arena, c->name);
        id->component_uid = arena_copy(arena, c->uid);
        known->at[known->count++] = id;
    }
}

/* False: the arena is full. */
static bool read_known(struct known *known, struct mcp_call *call)
{
    struct query_request *request = call->request;
    const struct query_options *services = request->services;
    const struct scope_filter all = {.unassigned = false};
    const struct route *route = mcp_tool_route(call->tool);
    struct viewer viewer = {request->subject->grants,
                            route ? route->action : ACTION_NONE};
    struct catalog_snapshot *snapshot = catalog_get(services->catalog);
    uint32_t count = 0;
    const struct component_info *infos = registry_components(
        services->registry, &all, &viewer, request->arena, &count);

    *known = (struct known){.call = call};
    known->at = arena_zero(request->arena, count + catalog_count(snapshot) + 1,
                           sizeof(struct identity *));
    for (uint32_t i = 0; known->at && i < count; i++)
        if (infos[i].identity.component.len > 0)
            known->at[known->count++] = &infos[i].identity;
    if (known->at)
        add_declared(known, &viewer, request->arena, snapshot);
    catalog_release(snapshot);
    return known->at != NULL;
}

/* ---- names in errors ---- */

struct name_list {
    char text[MCP_MESSAGE - 300];
    size_t len;
    uint32_t count;
};

static void add_text(struct name_list *texts, struct slice a, struct slice b)
{
    char text[160];
    int len;

    a = slice_truncate(a, 70);
    b = slice_truncate(b, 70);
    len = snprintf(text, sizeof(text), "%s%.*s%s%.*s", texts->count ? ", " : "",
                   SLICE_ARGS(a), b.len > 0 ? "/" : "", SLICE_ARGS(b));
    if (texts->count == NAMES_SHOWN ||
        texts->len + (size_t)len + 8 > sizeof(texts->text)) {
        if (texts->len > 0 && texts->text[texts->len - 1] != '.')
            texts->len +=
                (size_t)snprintf(texts->text + texts->len,
                                 sizeof(texts->text) - texts->len, ", ...");
        return;
    }
    memcpy(texts->text + texts->len, text, (size_t)len + 1);
    texts->len += (size_t)len;
    texts->count++;
}

static bool is_before(const struct known *known, uint32_t i, int level,
                      bool with_project)
{
    for (uint32_t k = 0; k < i; k++)
        if (slice_equal(name_at(known->at[k], level),
                        name_at(known->at[i], level)) &&
            (!with_project ||
             slice_equal(known->at[k]->project, known->at[i]->project)))
            return true;
    return false;
}

/* The different names at a level; the number of them. */
static uint32_t list_names(const struct known *known, int level,
                           bool with_project, struct name_list *texts)
{
    uint32_t different = 0;

    *texts = (struct name_list){.len = 0};
    for (uint32_t i = 0; i < known->count && different <= NAMES_SHOWN; i++) {
        struct slice name = name_at(known->at[i], level);

        if (name.len == 0 || is_before(known, i, level, with_project))
            continue;
        different++;
        if (with_project)
            add_text(texts, known->at[i]->project, name);
        else
            add_text(texts, name, SLICE(""));
    }
    return different;
}

/* Those nearest to a name that is not there. */
static void list_near(const struct known *known, int level, struct slice wanted,
                      struct name_list *texts)
{
    uint32_t most = (uint32_t)wanted.len / 3 + 1;

    *texts = (struct name_list){.len = 0};
    for (uint32_t distance = 0;
         distance <= most && distance < 8 && texts->count < NEAR_SHOWN;
         distance++)
        for (uint32_t i = 0; i < known->count; i++) {
            struct slice name = name_at(known->at[i], level);

            if (similar_distance(wanted, name) == distance && name.len > 0 &&
                texts->count < NEAR_SHOWN &&
                !is_before(known, i, level, level == 2))
                add_text(texts, level == 2 ? known->at[i]->project : name,
                         level == 2 ? name : SLICE(""));
        }
}

static void fail_unknown(const struct known *known, int level,
                         struct slice wanted)
{
    struct name_list near, all;

    wanted = slice_truncate(slice_truncate(wanted, 63), 63);
    list_near(known, level, wanted, &near);
    list_names(known, level, level == 2, &all);
    mcp_fail(known->call, "unknown %s \"%.*s\". %s%s%s%s", level_names[level],
             SLICE_ARGS(wanted), near.count ? "Did you mean: " : "There are: ",
             near.count ? near.text : all.text, near.count ? "?" : "",
             level == 2 ? " (list_components has all of them)" : "");
}

/* ---- one level after the other ---- */

static struct slice given(const struct known *known, int level)
{
    return slice_trim(mcp_text(known->call, level_names[level]), PARAMS_BLANKS);
}

static void set(struct known *known, int level, struct slice name)
{
    json_object_set_new(known->call->arguments, level_names[level],
                        json_stringn(name.ptr, name.len));
}

enum match { MATCH_NONE, MATCH_CASE, MATCH_NAME };

static enum match match_of(const struct identity *identity, int level,
                           struct slice wanted)
{
    struct slice name = name_at(identity, level);

    if (slice_equal(name, wanted) ||
        (wanted.len == 36 && slice_equal(uid_at(identity, level), wanted)))
        return MATCH_NAME;
    return name.len == wanted.len &&
                   strncasecmp(name.ptr, wanted.ptr, name.len) == 0
               ? MATCH_CASE
               : MATCH_NONE;
}

/* Those that match best, in a list of their own. */
static struct known matching(const struct known *known, int level,
                             struct slice wanted)
{
    struct known few = {.call = known->call};
    enum match best = MATCH_NONE;

    few.at = arena_zero(known->call->request->arena, known->count + 1,
                        sizeof(struct identity *));
    for (uint32_t i = 0; few.at && i < known->count; i++) {
        enum match match = match_of(known->at[i], level, wanted);

        if (match > best) {
            few.count = 0;
            best = match;
        }
        if (match == best && match != MATCH_NONE)
            few.at[few.count++] = known->at[i];
    }
    return few;
}

/* Those that match the names given below a level. */
static struct known matching_below(const struct known *known, int level)
{
    struct known few = *known;

    for (int below = level + 1; below < 3; below++)
        if (given(known, below).len > 0) {
            struct known next = matching(&few, below, given(known, below));

            if (next.count > 0)
                few = next;
        }
    return few;
}

/* A name below a level that is nowhere: it is the one that is wrong. */
static bool fails_below(const struct known *known, int level)
{
    for (int below = level + 1; below < 3; below++) {
        struct slice wanted = given(known, below);

        if (wanted.len > 0 && known->count > 0 &&
            matching(known, below, wanted).count == 0) {
            fail_unknown(known, below, wanted);
            return true;
        }
    }
    return false;
}

/* The name that is not given: the only one there is. */
static void complete(struct known *known, int level, bool required)
{
    struct known few = matching_below(known, level);
    struct name_list names;
    bool narrowed = few.count < known->count;
    uint32_t different = list_names(&few, level, false, &names);

    if (different == 1 && (required || narrowed)) {
        set(known, level, name_at(few.at[0], level));
        *known = matching(known, level, name_at(few.at[0], level));
        return;
    }
    if (!required || fails_below(known, level))
        return;
    if (different == 0)
        mcp_fail(known->call,
                 "%s is required, and no component is known that you may see: "
                 "nothing has been received yet, or your grants cover none",
                 level_names[level]);
    else
        mcp_fail(known->call, "%s is required; there are: %s",
                 level_names[level], names.text);
}

static void resolve_level(struct known *known, int level, bool required)
{
    struct slice wanted = given(known, level);
    struct known few;

    if (wanted.len == 0) {
        complete(known, level, required);
        return;
    }
    if (known->count == 0)
        return; /* the route decides, and says what it sees */
    few = matching(known, level, wanted);
    if (few.count == 0 && level == 3 && known->at[0]->environment.len == 0)
        return; /* declared only: in no environment */
    if (few.count == 0) {
        fail_unknown(known, level, wanted);
        return;
    }
    set(known, level, name_at(few.at[0], level));
    *known = few;
}

/* A component whose name has a slash, behind its project: "shop/a/b". */
static bool split_known(struct known *known, int level, struct slice rest)
{
    struct arena *arena = known->call->request->arena;
    struct slice head = arena_copy(arena, slice_split(&rest, '/'));
    struct known few = matching(known, level, head);

    rest = arena_copy(arena, rest);
    if (level == 1 && matching(&few, 2, rest).count > 0)
        set(known, 2, rest);
    else if (level == 1 || !split_known(&few, 1, rest))
        return false;
    set(known, level, head);
    return true;
}

/* "shop/cart", "acme/shop/cart": unless a component is called so. */
static void split_path(struct known *known)
{
    struct slice rest = given(known, 2), parts[4];
    int count = 0;

    if (!memchr(rest.len ? rest.ptr : "", '/', rest.len) ||
        matching(known, 2, rest).count > 0)
        return;
    if (split_known(known, 1, rest) || split_known(known, 0, rest))
        return;
    while (count < 4 && rest.len > 0)
        parts[count++] =
            arena_copy(known->call->request->arena, slice_split(&rest, '/'));
    if (count < 2 || count > 3)
        return;
    for (int i = 0; i < count; i++)
        set(known, 3 - count + i, parts[i]);
}

static bool is_required(const struct known *known, int level,
                        enum mcp_scope scope)
{
    switch (level) {
    case 0:
        return scope != MCP_SCOPE_NONE || given(known, 1).len > 0 ||
               given(known, 2).len > 0 || given(known, 3).len > 0;
    case 1:
        return scope >= MCP_SCOPE_PROJECT || given(known, 2).len > 0;
    case 2:
        return scope >= MCP_SCOPE_COMPONENT;
    default:
        return false;
    }
}

void mcp_complete_scope(struct mcp_call *call, enum mcp_scope scope)
{
    struct known known;

    if (!read_known(&known, call))
        return;
    split_path(&known);
    if (scope == MCP_SCOPE_NONE && !is_required(&known, 0, scope) &&
        given(&known, 0).len == 0)
        return;
    for (int level = 0; level < LEVELS && !call->failed; level++)
        resolve_level(&known, level, is_required(&known, level, scope));
}
