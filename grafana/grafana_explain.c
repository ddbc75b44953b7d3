/*
 * Why a frame is empty, in words. In: a query that found nothing. Out: a
 * notice: the scope selects nothing, and the nearest names; or nothing in this
 * range, and when the last data came.
 */
#include <stdlib.h>

#include "clock.h"
#include "grafana_query.h"
#include "similar.h"

enum { NEAREST = 3, DESCRIBED = 400 };

/* ---- names that are near ---- */

struct near_names {
    struct slice name[NEAREST];
    uint32_t distance[NEAREST];
    uint32_t count;
};

static void add_near(struct near_names *near, struct slice name, uint32_t far)
{
    uint32_t at;

    for (uint32_t i = 0; i < near->count; i++)
        if (slice_equal(near->name[i], name))
            return;
    if (near->count < NEAREST)
        near->count++;
    else if (near->distance[NEAREST - 1] <= far)
        return;
    for (at = near->count - 1; at > 0 && near->distance[at - 1] > far; at--) {
        near->name[at] = near->name[at - 1];
        near->distance[at] = near->distance[at - 1];
    }
    near->name[at] = name;
    near->distance[at] = far;
}

/* ---- what was asked for ---- */

static const char *operator_text(enum filter_op op)
{
    static const char *const texts[] = {
        [FILTER_IS] = "=",       [FILTER_NOT] = "!=",
        [FILTER_MATCHES] = "=~", [FILTER_MATCHES_NOT] = "!~",
        [FILTER_LESS] = "<",     [FILTER_GREATER] = ">"};

    return texts[op];
}

/* "component = cart, endpoint != /health" */
static struct slice describe(const struct grafana_query *q)
{
    struct arena *arena = q->request->arena;
    struct slice text = {NULL, 0};

    for (const struct grafana_filter *f = q->filters; f && text.len < DESCRIBED;
         f = f->next) {
        struct slice value =
            f->count > 0 ? slice_truncate(f->values[0], 80) : SLICE("?");

        text = arena_format(arena, "%.*s%s%.*s %s %.*s%s", SLICE_ARGS(text),
                            text.len ? ", " : "", SLICE_ARGS(f->key),
                            operator_text(f->op), SLICE_ARGS(value),
                            f->count > 1 ? " ..." : "");
    }
    return text;
}

static struct slice time_text(struct arena *arena, uint64_t ns)
{
    char text[CLOCK_TEXT];
    size_t len = clock_format_rfc3339(text, ns - ns % NS_PER_S);

    return arena_copy(arena, (struct slice){text, len});
}

/* ---- the scope selects nothing ---- */

static struct slice name_of(const struct identity *identity, int key)
{
    static const enum identity_text texts[] = {
        IDENTITY_NAMESPACE, IDENTITY_PROJECT, IDENTITY_ENVIRONMENT,
        IDENTITY_COMPONENT};

    return identity->text[texts[key]];
}

static const struct grafana_filter *find_filter(const struct grafana_query *q,
                                                const char *key)
{
    for (const struct grafana_filter *f = q->filters; f; f = f->next)
        if (slice_equal(f->key, slice_of(key)))
            return f;
    return NULL;
}

/* The first key whose filter fits no identity at all; near: what there is. */
static const struct grafana_filter *find_unknown(
    const struct grafana_query *q, const struct component_info *infos,
    uint32_t count, struct near_names *near)
{
    for (int k = 0; k < SCOPE_IDENTITY_KEYS; k++) {
        const struct grafana_filter *f = find_filter(q, scope_keys[k]);
        bool any = false;

        *near = (struct near_names){.count = 0};
        for (uint32_t i = 0; f && !any && i < count; i++) {
            struct slice name = name_of(&infos[i].identity, k);

            any = query_fits(q, scope_keys[k], name);
            if (name.len > 0 && f->count > 0)
                add_near(near, name, similar_distance(name, f->values[0]));
        }
        if (f && !any)
            return f;
    }
    return NULL;
}

static struct slice near_text(struct arena *arena,
                              const struct near_names *near)
{
    struct slice text = {NULL, 0};

    for (uint32_t i = 0; i < near->count; i++)
        text = arena_format(arena, "%.*s%s%.*s", SLICE_ARGS(text),
                            i ? ", " : "", SLICE_ARGS(near->name[i]));
    return text;
}

static void explain_scope(struct grafana_query *q, struct grafana_frame *frame)
{
    static const struct scope_filter all = {.unassigned = false};
    struct arena *arena = q->request->arena;
    const struct grafana_filter *unknown;
    struct component_info *infos;
    struct near_names near;
    struct slice asked = describe(q), text;
    uint32_t count;

    infos = registry_components(q->request->services->registry, &all,
                                &q->request->viewer, arena, &count);
    if (count == 0) {
        frame_notice(frame, NOTICE_INFO,
                     "no component has sent anything that you may see");
        return;
    }
    unknown = find_unknown(q, infos, count, &near);
    text = near_text(arena, &near);
    if (unknown && unknown->count > 0)
        frame_notice(frame, NOTICE_WARNING,
                     "unknown %.*s '%.*s'; the nearest names are %.*s",
                     SLICE_ARGS(unknown->key),
                     SLICE_ARGS(slice_truncate(unknown->values[0], 80)),
                     SLICE_ARGS(text));
    else
        frame_notice(frame, NOTICE_WARNING, "no component fits all of: %.*s",
                     SLICE_ARGS(asked));
}

/* ---- nothing in this range ---- */

static uint64_t last_seen(const struct grafana_query *q, enum signal signal)
{
    struct component_info *infos;
    uint64_t last = 0;
    uint32_t count;

    infos = registry_components(q->request->services->registry, &q->scope,
                                &q->request->viewer, q->request->arena, &count);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t seen = component_last_seen(&infos[i], signal);

        if (seen > last && query_fits_identity(q, &infos[i].identity))
            last = seen;
    }
    return last;
}

void query_empty(struct grafana_query *q, struct grafana_frame *frame,
                 const char *what, enum signal signal)
{
    struct arena *arena = q->request->arena;
    struct slice asked = describe(q), last;
    uint64_t last_ns;

    if (!frame)
        return;
    if (q->resources && q->resources->count == 0) {
        explain_scope(q, frame);
        return;
    }
    if (q->sent && q->sent->count == 0) {
        frame_notice(frame, NOTICE_WARNING,
                     "nothing that was sent has attributes that fit all of: "
                     "%.*s",
                     SLICE_ARGS(asked));
        return;
    }
    last_ns = last_seen(q, signal);
    if (last_ns == 0) {
        frame_notice(frame, NOTICE_INFO, "no %s%s%.*s was ever received", what,
                     asked.len ? " of " : "", SLICE_ARGS(asked));
        return;
    }
    last = time_text(arena, last_ns);
    frame_notice(frame, NOTICE_INFO,
                 "no %s%s%.*s in this range; the last data came at %.*s", what,
                 asked.len ? " of " : "", SLICE_ARGS(asked), SLICE_ARGS(last));
}

static bool is_key(struct slice key, const char *const *keys)
{
    for (; *keys; keys++)
        if (slice_equal(key, slice_of(*keys)))
            return true;
    return false;
}

void query_tell_unapplied(const struct grafana_query *q,
                          struct grafana_frame *frame, const char *const *keys)
{
    for (const struct grafana_filter *f = q->filters; f; f = f->next)
        if (!f->of_resources && !is_key(f->key, scope_keys) &&
            !is_key(f->key, keys))
            frame_notice(frame, NOTICE_WARNING,
                         "the filter on %.*s is not applied: nothing in the "
                         "scope has this attribute",
                         SLICE_ARGS(f->key));
}
