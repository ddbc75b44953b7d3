/*
 * What a metric that was sent is to Prometheus: which series, by which names.
 *
 * A series has one name; by a matcher `=` it is found under others, too, and
 * then has that one: the name as it was sent, and that name with what
 * Prometheus puts behind it (_bucket, _sum, _count). Classic histograms are
 * native ones with the same bounds under the name without these, if that is
 * asked for by `=`.
 */
#include "array.h"
#include "prom_names.h"
#include "selection.h"

static const struct slice name_label = SLICE_INIT("__name__");

static bool wants_name(const struct selection *s, struct slice name)
{
    const struct promql_label label = {name_label, name};
    const struct promql_labels labels = {&label, 1};

    for (uint32_t i = 0; i < s->matcher_count; i++)
        if (slice_equal(s->matchers[i].name, name_label) &&
            !promql_matches(&s->matchers[i], 1, &labels))
            return false;
    return true;
}

static bool view_has(const struct metric_view *view, struct slice name)
{
    for (uint32_t i = 0; i < view->output_count; i++)
        if (slice_equal(view->outputs[i].name, name))
            return true;
    return false;
}

void view_add(struct selection *s, struct metric_view *view,
              enum output_kind kind, struct slice base, const char *suffix)
{
    struct arena *arena = s->source->request->arena;
    size_t len = base.len + strlen(suffix);
    char *at = arena_alloc(arena, len + 1);
    struct slice name = {at, len};

    if (!at || view->output_count == MAX_OUTPUTS)
        return;
    slice_copy(at, base);
    slice_copy(at + base.len, slice_of(suffix));
    if (wants_name(s, name) && !view_has(view, name))
        view->outputs[view->output_count++] = (struct view_output){kind, name};
}

void view_finish(const struct selection *s, struct metric_view *view)
{
    bool counts =
        view->type == METRIC_HISTOGRAM || view->type == METRIC_EXP_HISTOGRAM;

    for (uint32_t i = 0; i < view->output_count; i++) {
        enum output_kind kind = view->outputs[i].kind;

        counts &= kind == OUT_COUNT || kind == OUT_ERRORS ||
                  kind == OUT_CLIENT_ERRORS ||
                  (s->counts_only && kind == OUT_NATIVE);
    }
    view->counts = counts;
}

static void add_outputs(struct selection *s, struct metric_view *view,
                        struct slice base)
{
    switch (view->type) {
    case METRIC_GAUGE:
    case METRIC_SUM:
        view_add(s, view, OUT_VALUE, base, "");
        break;
    case METRIC_HISTOGRAM:
        view_add(s, view, OUT_BUCKETS, base, "_bucket");
        view_add(s, view, OUT_SUM, base, "_sum");
        view_add(s, view, OUT_COUNT, base, "_count");
        if (slice_equal(s->name, base))
            view_add(s, view, OUT_CUSTOM, base, "");
        break;
    case METRIC_EXP_HISTOGRAM:
        view_add(s, view, OUT_NATIVE, base, "");
        break;
    default:
        view_add(s, view, OUT_QUANTILES, base, "");
        view_add(s, view, OUT_SUM, base, "_sum");
        view_add(s, view, OUT_COUNT, base, "_count");
    }
}

static const struct metric_view *make_view(struct selection *s,
                                           const struct metric *metric)
{
    struct arena *arena = s->source->request->arena;
    struct metric_view *view = arena_zero(arena, 1, sizeof(*view));
    struct slice sent;

    if (!view)
        return NULL;
    view->type = metric->type;
    view->delta = metric->temporality == DELTA &&
                  metric->type != METRIC_GAUGE &&
                  metric->type != METRIC_SUMMARY;
    view->base = prom_metric_name(metric, arena);
    add_outputs(s, view, view->base);
    sent = s->name.len > 0 && slice_starts(s->name, metric->name)
               ? arena_copy(arena, metric->name)
               : SLICE("");
    if (sent.len > 0)
        add_outputs(s, view, sent);
    view_finish(s, view);
    return view->output_count > 0 ? view : NULL;
}

bool sent_wants_metric(void *selection, const struct metric *metric)
{
    struct selection *s = selection;
    uint64_t key =
        hash_bytes(metric->name.ptr, metric->name.len,
                   (uint64_t)metric->type << 16 |
                       (uint64_t)metric->temporality << 8 | metric->monotonic);
    struct sent_view *slot;

    key = hash_bytes(metric->unit.ptr, metric->unit.len, key);
    s->metric_key = key;
    map_each(&s->views_index, map_hash(key), at)
        if (s->views[at].key == key) {
            s->sent = s->views[at].view;
            return s->sent || s->target_view.output_count > 0;
        }
    s->views_index.arena = s->source->request->arena;
    slot = arena_append(s->views_index.arena, &s->views, s->view_count,
                        &s->view_room);
    if (!slot || !map_add(&s->views_index, map_hash(key), s->view_count))
        return false;
    s->view_count++;
    *slot = (struct sent_view){key, make_view(s, metric)};
    s->sent = slot->view;
    return s->sent || s->target_view.output_count > 0;
}

/* The point's own labels replace those of its resource; such a series may be
 * one of another resource, too. */
static bool put_labels(struct selection *s, const struct point *head)
{
    bool replaced = false;

    s->labels.count = 0;
    labels_put_attrs(&s->labels, &head->attrs, &s->group);
    for (uint32_t i = 0; i < s->resource.count; i++)
        replaced |= labels_put(&s->labels, s->resource.at[i].name,
                               s->resource.at[i].value, LABEL_KEEP, &s->group);
    return replaced;
}

static void add_target(struct selection *s, struct known_series *known,
                       const struct metric_view *view, bool late)
{
    struct raw *raw;

    if (!selection_matches(s))
        return;
    if (late && !s->late_pass) {
        s->saw_late = true;
        return;
    }
    raw = late == s->late_pass ? selection_raw(s, view) : NULL;
    if (raw)
        known->targets[known->count++] = (struct target){raw, LIST_MAIN, 1};
}

void sent_targets(struct selection *s, const struct point *head,
                  struct known_series *known)
{
    if (s->sent) {
        bool replaced = put_labels(s, head);

        add_target(s, known, s->sent, replaced);
    }
    if (s->target_view.output_count > 0) {
        s->labels.count = 0;
        if (labels_put_target(&s->labels, &s->resource_attrs, &s->group))
            add_target(s, known, &s->target_view, true);
    }
}
