/*
 * Which resources a selection has to read.
 */
#include "regex_match.h"
#include "selection.h"

static const struct slice scope_labels[IDENTITY_NAMES] = {
    [IDENTITY_NAMESPACE] = SLICE_INIT("namespace"),
    [IDENTITY_PROJECT] = SLICE_INIT("project"),
    [IDENTITY_COMPONENT] = SLICE_INIT("component"),
    [IDENTITY_ENVIRONMENT] = SLICE_INIT("environment"),
};

enum { MAX_ALTERNATIVES = 64 };

/* What the matchers say about the identity: names, and for one of them
 * alternatives. */
struct matched_scope {
    struct scope_filter filter;
    struct slice alternatives[MAX_ALTERNATIVES];
    uint32_t alternative_count;
    int alternatives_of; /* enum identity_text */
    bool named[IDENTITY_NAMES];
};

static struct slice *filter_text(struct scope_filter *filter, int text)
{
    struct slice *const texts[IDENTITY_NAMES] = {
        [IDENTITY_NAMESPACE] = &filter->namespace,
        [IDENTITY_PROJECT] = &filter->project,
        [IDENTITY_COMPONENT] = &filter->component,
        [IDENTITY_ENVIRONMENT] = &filter->environment,
    };

    return texts[text];
}

static void scope_match(struct selection *s, struct matched_scope *scope,
                        int text, const struct promql_matcher *matcher)
{
    if (matcher->value.len == 0)
        return;
    if (matcher->op == PROMQL_EQUAL) {
        *filter_text(&scope->filter, text) = matcher->value;
        scope->named[text] = true;
    } else if (matcher->op == PROMQL_REGEX && scope->alternative_count == 0) {
        scope->alternative_count =
            regex_alternatives(matcher->value, s->source->request->arena,
                               scope->alternatives, MAX_ALTERNATIVES);
        scope->alternatives_of = text;
        for (uint32_t i = 0; i < scope->alternative_count; i++)
            if (scope->alternatives[i].len == 0)
                scope->alternative_count = 0;
        scope->named[text] |= scope->alternative_count > 0;
    }
}

static void bitmap_or(struct bitmap *to, const struct bitmap *from)
{
    for (uint32_t id = 0; id < from->limit && id < to->limit; id++)
        if (bitmap_has(from, id) && !bitmap_has(to, id))
            bitmap_add(to, id);
}

static struct bitmap *select_filter(struct selection *s,
                                    const struct scope_filter *filter)
{
    struct query_request *request = s->source->request;

    return registry_select(request->services->registry, filter,
                           &request->viewer, request->arena);
}

static struct bitmap *select_scope(struct selection *s,
                                   struct matched_scope *scope)
{
    struct slice *text = filter_text(&scope->filter, scope->alternatives_of);
    struct bitmap *all = NULL;

    if (scope->alternative_count == 0)
        return select_filter(s, &scope->filter);
    for (uint32_t i = 0; i < scope->alternative_count; i++) {
        struct bitmap *one;

        *text = scope->alternatives[i];
        one = select_filter(s, &scope->filter);
        if (!one)
            return NULL;
        if (all)
            bitmap_or(all, one);
        else
            all = one;
    }
    return all;
}

/* Labels of a point may say something else than its resource. Of what was sent,
 * resources are left out only if component and project, or component and
 * namespace, are both asked for, and they have a component. */
struct bitmap *selection_resources(struct selection *s)
{
    static const struct scope_filter unassigned = {.unassigned = true};
    struct matched_scope scope = {.alternatives_of = IDENTITY_NAMESPACE};
    struct bitmap *set, *more;

    for (uint32_t i = 0; i < s->matcher_count; i++)
        for (int k = 0; k < IDENTITY_NAMES; k++)
            if (slice_equal(s->matchers[i].name, scope_labels[k]))
                scope_match(s, &scope, k, &s->matchers[i]);
    if (!s->derived &&
        !(scope.named[IDENTITY_COMPONENT] &&
          (scope.named[IDENTITY_PROJECT] || scope.named[IDENTITY_NAMESPACE])))
        scope = (struct matched_scope){.alternatives_of = IDENTITY_NAMESPACE};
    set = select_scope(s, &scope);
    if (!set || s->derived)
        return set;
    more = select_filter(s, &unassigned);
    if (more)
        bitmap_or(set, more);
    return more ? set : NULL;
}
