/* Log patterns that are new, gone, more or less frequent than before. */
#include <math.h>

#include "compare.h"
#include "derived.h"
#include "reply_metrics.h"
#include "significance.h"

enum { BY_ID, BY_LEVEL, BY_TEXT };

static const double LEAST_TIMES = 2; /* as often */

struct pattern_pair {
    const struct identity *identity;
    struct slice text, id, level;
    struct metric_group *of[SIDES];
};

/* The weight of a pattern by its level. */
static double weight_of(struct slice level)
{
    if (slice_equal(level, SLICE("ERROR")) ||
        slice_equal(level, SLICE("FATAL")))
        return 1;
    return slice_equal(level, SLICE("WARN")) ? 0.5 : 0.15;
}

static double sum_of(const struct metric_group *group, uint32_t cells,
                     double out[COMPARE_CELLS])
{
    double sum = 0;

    for (uint32_t i = 0; i < cells; i++) {
        bool known = group && group->cells && group->cells[0].row.values &&
                     group->cells[0].row.known[i];

        out[i] = known ? group->cells[0].row.values[i] : 0;
        sum += out[i];
    }
    return sum;
}

static double seconds_of(const struct grid *grid)
{
    double sum = 0;

    for (uint32_t i = 0; i < grid->count; i++)
        sum += grid_seconds(grid, i);
    return sum;
}

static bool tell(struct comparison *c, const struct pattern_pair *p,
                 const double counts[SIDES], double z)
{
    double seconds[SIDES] = {seconds_of(&c->cells[BEFORE]),
                             seconds_of(&c->cells[NOW])};
    double from = counts[BEFORE] / fmax(seconds[BEFORE], 1),
           to = counts[NOW] / fmax(seconds[NOW], 1);
    double times = fmax(from, to) / fmax(fmin(from, to), 1e-9);
    bool news = counts[BEFORE] <= 0 || counts[NOW] <= 0;
    struct difference *d, *errors;

    if (fabs(z) < SIGNIFICANT_Z || (!news && times < LEAST_TIMES))
        return true;
    d = difference_add(c, "logs", "recordRate", p->identity);
    if (!d)
        return false;
    difference_set(d, from, to, z);
    d->text = p->text;
    d->template_id = p->id;
    d->level = p->level;
    d->counts[BEFORE] = counts[BEFORE];
    d->counts[NOW] = counts[NOW];
    d->score = weight_of(p->level) *
               (counts[BEFORE] <= 0 ? 1 + 0.2 * log(1 + counts[NOW])
                                    : fmin(log(times), 3)) /
               (z > 0 ? 1 : 3);
    errors = difference_of(c, "errors", p->identity);
    if (errors && z > 0) /* it tells of failures of others */
        d->score *= errors->own;
    return true;
}

static bool compare_pattern(struct comparison *c, const struct pattern_pair *p)
{
    double cells[SIDES][COMPARE_CELLS], counts[SIDES], dispersion = 1;
    struct counted counted[SIDES];

    for (int side = BEFORE; side < SIDES; side++) {
        uint32_t n = c->cells[side].count;

        counts[side] = sum_of(p->of[side], n, cells[side]);
        counted[side] =
            (struct counted){counts[side], seconds_of(&c->cells[side])};
        dispersion = fmax(dispersion, counts_dispersion(cells[side], n));
    }
    /* A pattern that begins in the middle varies by that, too. */
    if (counts[BEFORE] <= 0 || counts[NOW] <= 0)
        dispersion = 1;
    return tell(
        c, p, counts,
        rates_differ(counted[BEFORE], counted[NOW], fmin(dispersion, 30)));
}

/* The same pattern of one component in the other window. */
static struct metric_group *other_group(const struct metric_table *table,
                                        uint64_t key)
{
    map_each(&table->index, map_hash_number(key), at)
        if (table->groups[at]->key == key)
            return table->groups[at];
    return NULL;
}

/* Of a component that was not there before everything is new. */
static bool was_there(const struct comparison *c, uint32_t resource,
                      const struct identity *identity)
{
    const struct pair *total = pair_find(&c->totals, key_identity(1, identity));

    return bitmap_has(c->logged_before, resource) ||
           (total && total->figures[BEFORE].count >= RED_NONE);
}

static bool compare_group(struct comparison *c, struct metric_group *group,
                          struct metric_table *const tables[SIDES],
                          enum side side)
{
    struct pattern_pair p = {
        .identity = reply_resource_identity(c->request, group->resource_id),
        .level = metric_label(group, c->screening ? 0 : BY_LEVEL)};

    if (!c->screening) {
        p.text = metric_label(group, BY_TEXT);
        p.id = metric_label(group, BY_ID);
    }

    p.of[side] = group;
    p.of[!side] = other_group(tables[!side], group->key);
    if (!p.identity)
        return false;
    if (p.identity->component.len == 0 ||
        slice_equal(p.text, SLICE(DERIVED_OTHER)) ||
        !part_is_seen(&c->logs, p.identity) || (side == BEFORE && p.of[NOW]) ||
        !was_there(c, group->resource_id, p.identity))
        return true;
    return compare_pattern(c, &p);
}

enum status compare_logs(struct comparison *c)
{
    static const char *const by[] = {DERIVED_TEMPLATE_ID, DERIVED_LEVEL,
                                     DERIVED_TEMPLATE, NULL};
    static const char *const level[] = {DERIVED_LEVEL, NULL};
    static const struct slice logs = SLICE_INIT(DERIVED_LOGS);
    const struct metric_expr logged = {
        EXPR_INCREASE, .select = {.names = &logs, .name_count = 1}};
    struct metric_table of[SIDES], *tables[SIDES] = {&of[BEFORE], &of[NOW]};
    enum status s = OK;

    for (int side = BEFORE; side < SIDES; side++) {
        metric_table_init(&of[side], c->request->arena, &c->cells[side],
                          c->screening ? level : by);
        of[side].by_resource = true;
        (void)metric_table_add(&of[side], &logged); /* one fits */
    }
    for (int side = BEFORE; s == OK && side < SIDES; side++)
        s = read_metrics(c->request, c->resources, NULL, &tables[side], 1);
    c->logged_before = bitmap_new(c->request->arena, c->resources->limit);
    if (!c->logged_before)
        return arena_status(c->request->arena);
    c->logged_now = of[NOW].count > 0;
    for (uint32_t i = 0; s == OK && i < of[BEFORE].count; i++)
        bitmap_add(c->logged_before, of[BEFORE].groups[i]->resource_id);
    for (int side = NOW; s == OK && side >= BEFORE; side--)
        for (uint32_t i = 0; s == OK && i < of[side].count; i++)
            if (!compare_group(c, of[side].groups[i], tables, (enum side)side))
                s = arena_status(c->request->arena);
    return s;
}
