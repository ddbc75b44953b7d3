/* Log templates and their counts; see log_templates.h. */
#include "log_templates.h"

#include "derived.h"

enum { BY_TEMPLATE_ID, BY_LEVEL };

static void visit_template(void *arg, struct metric_group *group,
                           const struct point *point)
{
    struct query_request *request = arg;
    struct arena *arena = request->arena;
    uint64_t last = point->time_ns, now = request->now_ns;
    struct log_template *item = group->item;

    if (!item) {
        item = group->item = arena_zero(arena, 1, sizeof(*item));
        if (item)
            item->text = arena_copy(
                arena, attrs_text(&point->attrs, SLICE(DERIVED_TEMPLATE)));
    }
    if (!item)
        return; /* the arena is full */
    if (!item->first_ns || point->start_ns < item->first_ns)
        item->first_ns = point->start_ns;
    if (last > item->last_ns)
        item->last_ns = last < now ? last : now;
}

void log_templates_init(struct log_templates *t, struct query_request *request,
                        const struct window *window)
{
    static const char *const by[] = {DERIVED_TEMPLATE_ID, DERIVED_LEVEL,
                                     DERIVED_TEMPLATE, NULL};
    static const struct slice logs = SLICE_INIT(DERIVED_LOGS);

    t->request = request;
    t->logged = (struct metric_expr){
        EXPR_INCREASE, .select = {.names = &logs, .name_count = 1}};
    metric_table_init(&t->now, request->arena, &window->now, by);
    metric_table_init(&t->before, request->arena, &window->before, by);
    (void)metric_table_add(&t->now, &t->logged); /* sixteen fit */
    (void)metric_table_add(&t->before, &t->logged);
    t->now.visit = visit_template;
    t->now.visit_arg = request;
}

const struct reply_table template_table = REPLY_TABLE(
    struct template_item, REPLY(struct template_item, "template", log.text),
    REPLY(struct template_item, "templateId", id),
    REPLY(struct template_item, "level", level),
    REPLY(struct template_item, "count", count),
    REPLY(struct template_item, "new", new),
    REPLY_TIME(struct template_item, "firstSeen", log.first_ns),
    REPLY_TIME(struct template_item, "lastSeen", log.last_ns));

bool template_item_fill(struct template_item *item, struct log_templates *t,
                        const struct metric_group *group)
{
    *item = (struct template_item){
        .id = metric_label(group, BY_TEMPLATE_ID),
        .level = metric_label(group, BY_LEVEL),
        .count = metric_first(&t->now, group, &t->logged),
        .before = metric_first(
            &t->before, metric_group_at(&t->before, group->key), &t->logged)};
    item->new = item->before <= 0;
    if (group->item)
        item->log = *(const struct log_template *)group->item;
    return item->count > 0;
}
