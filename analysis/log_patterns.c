/* Records by pattern; see log_patterns.h. */
#include "log_patterns.h"

#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "derived.h"
#include "hash.h"
#include "hex.h"
#include "reply_metrics.h"
#include "store.h"
#include "template.h"

/* ---- patterns ---- */

struct log_pattern *log_pattern_at(struct log_patterns *p, uint64_t id,
                                   uint8_t level)
{
    struct arena *arena = p->request->arena;
    uint64_t key = hash_mix(id, level + 1U);
    uint32_t hash = map_hash(key);
    struct log_pattern *pattern;

    map_each(&p->index, hash, at)
        if (p->at[at].key == key)
            return &p->at[at];
    pattern = arena_append(arena, &p->at, p->count, &p->room);
    if (!pattern || !map_add(&p->index, hash, p->count))
        return NULL;
    *pattern = (struct log_pattern){.key = key, .level = level};
    p->count++;
    return pattern;
}

/* Those that log it most are named. A component comes once, or, line by line,
 * again and again. */
void log_pattern_component(struct log_pattern *pattern,
                           const struct identity *identity, double count)
{
    struct pattern_component *least = &pattern->components[0];

    for (uint32_t i = 0; i < PATTERN_COMPONENTS; i++) {
        struct pattern_component *c = &pattern->components[i];

        if (!c->identity || c->identity == identity ||
            identity_compare(c->identity, identity) == 0) {
            pattern->component_count += !c->identity;
            c->identity = identity;
            c->count += count;
            return;
        }
        if (c->count < least->count)
            least = c;
    }
    pattern->component_count++;
    if (count > least->count)
        *least = (struct pattern_component){identity, count};
}

static uint8_t level_of(struct slice name)
{
    for (uint8_t level = LEVEL_UNSET; level < LEVEL_COUNT; level++)
        if (slice_equal(name, slice_of(log_level_name(level))) &&
            level != LEVEL_TRACE && level != LEVEL_UNSET)
            return level;
    return slice_equal(name, SLICE("TRACE")) ? LEVEL_DEBUG : LEVEL_INFO;
}

/* As answers show it: TRACE is debugging, and no level is INFO. */
static uint8_t shown_level(uint8_t level)
{
    return level == LEVEL_TRACE   ? LEVEL_DEBUG
           : level == LEVEL_UNSET ? LEVEL_INFO
                                  : level;
}

/* Bars are whole steps, which the window may cut: what lies outside of it does
 * not count there either. */
static void count_bar(struct log_patterns *p, uint64_t from_ns,
                      uint64_t until_ns, uint8_t level, double count)
{
    const struct window *w = &p->window;
    uint64_t first = from_ns > w->start_ns ? from_ns : w->start_ns;
    uint64_t last = until_ns < w->end_ns ? until_ns : w->end_ns;
    struct grid_part part = grid_parts(&p->bars, first, last);

    if (from_ns < until_ns && first >= last)
        return;
    if (from_ns < until_ns)
        count *= (double)(last - first) / (double)(until_ns - from_ns);
    while (grid_next(&p->bars, &part))
        p->bar_counts[part.cell][level] += count * part.share;
}

/* ---- from the derived series ---- */

enum { BY_ID, BY_LEVEL, BY_TEXT };

struct series_patterns {
    struct log_patterns *patterns;
    struct log_templates templates;
};

static bool is_wanted(const struct log_patterns *p, uint8_t level)
{
    return p->query.levels == 0 || p->query.levels >> level & 1;
}

/* Bars have finer cells than the table, so they are filled from the points. */
static void visit_logged(void *arg, struct metric_group *group,
                         const struct point *point)
{
    struct log_patterns *p = arg;
    uint8_t level = level_of(metric_label(group, BY_LEVEL));
    uint64_t from = point->start_ns, until = point->time_ns;
    struct log_template *item = group->item;

    if (is_wanted(p, level) && !p->filtered)
        count_bar(p, from, until, level,
                  point->is_int ? (double)point->i : point->d);
    if (!item) {
        item = group->item = arena_zero(p->request->arena, 1, sizeof(*item));
        if (item)
            item->text =
                arena_copy(p->request->arena, metric_label(group, BY_TEXT));
    }
    if (!item)
        return; /* the arena is full */
    if (!item->first_ns || from < item->first_ns)
        item->first_ns = from;
    if (until > item->last_ns)
        item->last_ns = until;
}

static uint64_t id_number(struct slice id)
{
    uint8_t bytes[8] = {0};

    return hex_bytes(id, bytes, sizeof(bytes)) ? list_time_number(bytes) : 0;
}

static bool add_group(struct log_patterns *p, const struct log_templates *t,
                      const struct metric_group *group)
{
    uint8_t level = level_of(metric_label(group, BY_LEVEL));
    double count = metric_first(&t->now, group, &t->logged);
    const struct log_template *item = group->item;
    const struct identity *identity =
        reply_resource_identity(p->request, group->resource_id);
    struct log_pattern *pattern;

    if (!is_wanted(p, level) || count < RED_NONE || !item || !identity)
        return true;
    pattern = log_pattern_at(p, id_number(metric_label(group, BY_ID)), level);
    if (!pattern)
        return false;
    pattern->text = item->text;
    pattern->id = metric_label(group, BY_ID);
    pattern->count += count;
    if (!pattern->first_ns || item->first_ns < pattern->first_ns)
        pattern->first_ns = item->first_ns;
    if (item->last_ns > pattern->last_ns)
        pattern->last_ns = min_u64(item->last_ns, p->request->now_ns);
    log_pattern_component(pattern, identity, count);
    p->levels[level] += count;
    p->total += count;
    return true;
}

/* How many there were before, of the patterns that there are now. */
static void add_before(struct log_patterns *p, const struct log_templates *t)
{
    for (uint32_t i = 0; i < t->before.count; i++) {
        const struct metric_group *group = t->before.groups[i];
        uint8_t level = level_of(metric_label(group, BY_LEVEL));
        uint64_t key =
            hash_mix(id_number(metric_label(group, BY_ID)), level + 1U);

        map_each(&p->index, map_hash(key), at)
            if (p->at[at].key == key)
                p->at[at].before += metric_first(&t->before, group, &t->logged);
    }
}

/* ---- from the lines ---- */

static bool add_line(struct log_patterns *p, const struct log_record *log,
                     struct template_split *split, struct buf *shown)
{
    struct slice line = log_message(log);
    uint8_t level = shown_level(log->level), bytes[8];
    const struct identity *identity =
        reply_resource_identity(p->request, log->resource_id);
    struct log_pattern *pattern;
    uint64_t id;

    if (line.len == 0)
        line = reply_value_text(p->request, &log->body);
    template_split(line, split);
    id = hash_bytes(split->text, split->len, 0);
    pattern = log_pattern_at(p, id, level);
    if (!pattern || !identity)
        return false;
    if (pattern->count == 0) {
        buf_reset(shown);
        template_show(shown, (struct slice){split->text, split->len});
        pattern->text = arena_copy(p->request->arena, buf_slice(shown));
        list_number(bytes, id);
        pattern->id = hex_text(p->request->arena, bytes, sizeof(bytes));
        pattern->last_ns = log->time_ns;
        pattern->example = (struct pattern_example){
            .time_ns = log->time_ns, .log = line, .identity = identity};
        memcpy(pattern->example.trace_id, log->trace_id, 16);
        memcpy(pattern->example.span_id, log->span_id, 8);
    }
    pattern->first_ns = log->time_ns; /* newest first */
    pattern->count++;
    log_pattern_component(pattern, identity, 1);
    p->levels[level]++;
    p->total++;
    count_bar(p, log->time_ns, log->time_ns + 1, level, 1);
    return true;
}

static enum status read_lines(struct log_patterns *p, uint32_t limit)
{
    struct count_limit counting = {.most = 1}; /* the total is not used */
    struct log_query query = p->query;
    uint64_t total;

    query.limit = limit;
    query.brief = true;
    query.counting = &counting;
    enum status s =
        reader_query_logs(p->request->reader, &query, p->request->arena,
                          &p->lines, &p->line_count, &total);
    return s == OK ? OK : query_fail_read(p->request, s);
}

static void merge(struct log_pattern *to, const struct log_pattern *from)
{
    to->count += from->count;
    if (from->first_ns < to->first_ns)
        to->first_ns = from->first_ns;
    if (from->last_ns > to->last_ns) {
        to->last_ns = from->last_ns;
        to->example = from->example;
    }
    for (uint32_t i = 0; i < PATTERN_COMPONENTS; i++)
        if (from->components[i].identity)
            log_pattern_component(to, from->components[i].identity,
                                  from->components[i].count);
}

/* Lines whose ids happen to have no digit join those whose ids have, as at
 * ingest (correlate/templates.c). */
static void join_hex(struct log_patterns *p, struct template_split *split)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < p->count; i++) {
        struct log_pattern *pattern = &p->at[i], *to = NULL;
        uint64_t key;

        template_split(pattern->example.log, split);
        if (template_mask_hex(split)) {
            key = hash_mix(hash_bytes(split->text, split->len, 0),
                           pattern->level + 1U);
            map_each(&p->index, map_hash(key), at)
                if (p->at[at].key == key && at != i) /* its example may be */
                    to = &p->at[at];                 /* one that has joined */
        }
        pattern->joined = to != NULL;
        if (to)
            merge(to, pattern);
    }
    for (uint32_t i = 0; i < p->count; i++)
        if (!p->at[i].joined)
            p->at[kept++] = p->at[i];
    p->count = kept;
}

/* After patterns have moved. */
static bool index_again(struct log_patterns *p)
{
    map_clear(&p->index);
    for (uint32_t i = 0; i < p->count; i++)
        if (!map_add(&p->index, map_hash(p->at[i].key), i))
            return false;
    return true;
}

/* Of all that match, where only some were read. */
static enum status count_all(struct log_patterns *p)
{
    uint64_t(*counts)[LEVEL_COUNT] =
        arena_zero(p->request->arena, p->bars.count + 1, sizeof(*counts));
    const struct log_counts out = {p->bars.start_ns, p->bars.step_ns,
                                   p->bars.count, counts};
    enum status s;

    if (!counts)
        return arena_status(p->request->arena);
    s = reader_count_logs(p->request->reader, &p->query, &out);
    if (s != OK)
        return query_fail_read(p->request, s);
    memset(p->levels, 0, sizeof(p->levels));
    memset(p->bar_counts, 0, p->bars.count * sizeof(*p->bar_counts));
    p->total = 0;
    for (uint32_t i = 0; i < p->bars.count; i++)
        for (uint8_t level = 0; level < LEVEL_COUNT; level++) {
            double count = (double)counts[i][level];

            p->bar_counts[i][shown_level(level)] += count;
            p->levels[shown_level(level)] += count;
            p->total += count;
        }
    return OK;
}

static enum status count_lines(struct log_patterns *p)
{
    struct template_split split;
    struct buf shown;
    bool room = true;
    enum status s = read_lines(p, PATTERN_LINES);

    if (s != OK)
        return s;
    p->truncated = p->line_count == PATTERN_LINES;
    buf_init(&shown, 2 * TEMPLATE_MAX_LINE);
    for (uint32_t i = 0; i < p->line_count && room; i++)
        room = add_line(p, &p->lines[i], &split, &shown);
    buf_release(&shown);
    if (room) {
        join_hex(p, &split);
        room = index_again(p);
    }
    if (!room)
        return arena_status(p->request->arena);
    return p->truncated ? count_all(p) : OK;
}

/* ---- reading ---- */

static int most_first(const void *left, const void *right)
{
    const struct log_pattern *a = left, *b = right;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return (a->key > b->key) - (a->key < b->key);
}

enum status log_patterns_read(struct log_patterns *p)
{
    struct log_templates t;
    struct metric_table *tables[] = {&t.now, &t.before};
    enum status s;

    p->bar_counts = arena_zero(p->request->arena, p->bars.count + 1,
                               sizeof(*p->bar_counts));
    if (!p->bar_counts)
        return arena_status(p->request->arena);
    p->index.arena = p->request->arena;
    log_templates_init(&t, p->request, &p->window);
    t.now.by_resource = true;
    t.now.visit = visit_logged;
    t.now.visit_arg = p;
    s = read_metrics(p->request, p->query.resources, NULL, tables, 2);
    for (uint32_t i = 0; s == OK && !p->filtered && i < t.now.count; i++)
        if (!add_group(p, &t, t.now.groups[i]))
            s = arena_status(p->request->arena);
    if (s == OK && p->filtered)
        s = count_lines(p);
    if (s != OK)
        return s;
    add_before(p, &t);
    if (p->count > 0)
        qsort(p->at, p->count, sizeof(*p->at), most_first);
    map_clear(&p->index);
    return OK;
}

/* ---- examples ---- */

/* The longest constant part: what a line of it surely has. */
static struct slice constant_part(struct slice text)
{
    struct slice best = {NULL, 0};

    for (size_t at = 0, from = 0; at <= text.len; at++) {
        bool hole = at + 3 <= text.len && memcmp(text.ptr + at, "<*>", 3) == 0;

        if (!hole && at < text.len)
            continue;
        if (at - from > best.len)
            best = (struct slice){text.ptr + from, at - from};
        from = at + 3;
        at += hole ? 2 : 0;
    }
    return best;
}

static void set_example(struct log_patterns *p, struct log_pattern *pattern,
                        const struct log_record *logs, uint32_t count)
{
    struct template_split split;

    for (uint32_t i = 0; i < count && pattern->example.time_ns == 0; i++) {
        struct slice line = log_message(&logs[i]);

        template_split(line, &split);
        if (hash_bytes(split.text, split.len, 0) != id_number(pattern->id) &&
            !slice_equal(pattern->text, SLICE(DERIVED_OTHER)))
            continue;
        pattern->example =
            (struct pattern_example){.time_ns = logs[i].time_ns,
                                     .log = line,
                                     .identity = reply_resource_identity(
                                         p->request, logs[i].resource_id)};
        memcpy(pattern->example.trace_id, logs[i].trace_id, 16);
        memcpy(pattern->example.span_id, logs[i].span_id, 8);
    }
}

enum status log_patterns_examples(struct log_patterns *p, uint32_t shown)
{
    enum { TRIED = 16 };

    for (uint32_t i = 0; i < shown && i < p->count; i++) {
        struct log_pattern *pattern = &p->at[i];
        struct count_limit counting = {.most = 1};
        struct log_query query = p->query;
        struct log_record *logs;
        uint32_t count;
        uint64_t total;
        enum status s;

        if (pattern->example.time_ns > 0)
            continue;
        query.start_ns = pattern->first_ns > query.start_ns ? pattern->first_ns
                                                            : query.start_ns;
        query.levels =
            log_level_filter(slice_of(log_level_name(pattern->level)));
        query.phrase = slice_equal(pattern->text, SLICE(DERIVED_OTHER))
                           ? (struct slice){NULL, 0}
                           : constant_part(pattern->text);
        query.limit = TRIED;
        query.brief = true;
        query.counting = &counting;
        s = reader_query_logs(p->request->reader, &query, p->request->arena,
                              &logs, &count, &total);
        if (s != OK)
            return query_fail_read(p->request, s);
        set_example(p, pattern, logs, count);
    }
    return OK;
}
