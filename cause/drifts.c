/*
 * Metrics against their own history: how far the window is from what is usual,
 * measured in what is usual to differ. Without traces this is all there is.
 *
 * What a component uses (CPU, memory, disk) is its own; what it shows to others
 * (latency, errors) may be theirs. So a resource counts if anybody suffers,
 * and load alone is no cause: more requests may cost more in proportion.
 */
#include <math.h>
#include <stdlib.h>

#include "facts.h"
#include "hash.h"
#include "meters.h"

/* Metrics have heavy tails: of Student's distributions the one with three
 * degrees of freedom is the heaviest that has a spread. */
static const double FREEDOM = 3;
/* A value that hardly moves still moves by that part of itself, and by that
 * part of what others of its kind have: what is near zero may double. */
static const double OWN_PART = 0.02, TYPICAL_PART = 0.05;
/* Where the history never moved, ten times that is all one can say. */
static const double NEVER_MOVED = 0.1;
/* Of what may as well be worse as better, or due to others. */
static const double UNKNOWN_WEIGHT = 0.25;
/* What is as likely by chance is a hint all the same, after all else. */
static const double BELOW_CHANCE = 0.1;
/* Requests were followed, and none was seen to come by. */
static const double ASIDE_WEIGHT = 0.1;
/* What is likely enough to say that somebody suffers: twenty to one. */
static const double SUFFERS_NATS = 3;
/* From this share of failing requests on a fault counts whole, as in served.c.
 */
static const double FELT_SHARE = 0.05;

/* clang-format off */
static const struct {
    const char *class;
    uint8_t kind;
} told[MEANINGS] = {
    [MEANS_UNKNOWN] = {"metric", CAUSE_METRIC},
    [MEANS_CPU]     = {"cpu", CAUSE_RESOURCE},
    [MEANS_MEMORY]  = {"memory", CAUSE_RESOURCE},
    [MEANS_DISK]    = {"disk", CAUSE_RESOURCE},
    [MEANS_RESTART] = {"restart", CAUSE_RESOURCE},
    [MEANS_DROPS]   = {"network", CAUSE_NETWORK},
    [MEANS_POOL]    = {"pool", CAUSE_METRIC},
    [MEANS_QUEUE]   = {"queue", CAUSE_METRIC},
    [MEANS_CALLS]   = {"calls", CAUSE_METRIC},
    [MEANS_LATENCY] = {"latency", CAUSE_LATENCY},
    [MEANS_ERRORS]  = {"errors", CAUSE_ERRORS},
    [MEANS_SUCCESS] = {"errors", CAUSE_ERRORS},
    [MEANS_LOGGED]  = {"errors", CAUSE_ERRORS},
};
/* clang-format on */

static bool is_judged(enum meaning meaning)
{
    return meaning != MEANS_NOTHING && meaning != MEANS_LIMIT &&
           meaning != MEANS_TRAFFIC && meaning != MEANS_FLOW;
}

static bool is_noticed(enum meaning meaning)
{
    return meaning == MEANS_LATENCY || meaning == MEANS_ERRORS ||
           meaning == MEANS_SUCCESS || meaning == MEANS_LOGGED;
}

/* ---- what is usual ---- */

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static double quantile(double *values, uint32_t count, double q)
{
    double place = q * (count - 1);
    uint32_t low = (uint32_t)place, high = low + 1 < count ? low + 1 : low;

    qsort(values, count, sizeof(*values), by_value);
    return values[low] + (place - low) * (values[high] - values[low]);
}

static uint32_t readings_before(const struct facts *facts,
                                const struct meter *m)
{
    uint32_t n = 0;

    while (n < m->count && m->at[n].time_ns <= facts->times[BEFORE].end_ns)
        n++;
    return n;
}

static void usual_of(struct meter *m, double *room)
{
    double step = INFINITY;

    for (uint32_t i = 0; i < m->before; i++)
        room[i] = m->at[i].value;
    m->mid = quantile(room, m->before, 0.5);
    for (uint32_t i = 1; i < m->before; i++)
        if (room[i] > room[i - 1])
            step = fmin(step, room[i] - room[i - 1]);
    for (uint32_t i = 0; i < m->before; i++)
        room[i] = fabs(m->at[i].value - m->mid);
    /* 1.4826 and 1.645: what makes them the deviation of a normal distribution.
     * The second for what is one value mostly. */
    m->spread = 1.4826 * quantile(room, m->before, 0.5);
    if (!(m->spread > 0))
        m->spread = quantile(room, m->before, 0.9) / 1.645;
    if (isfinite(step)) /* what comes in steps moves by a step */
        m->spread = fmax(m->spread, step);
}

/* What others of the same name have. */
static void add_typical(struct facts *facts, struct meter *const *group,
                        uint32_t count, double *room)
{
    for (uint32_t i = 0; i < count; i++)
        room[i] = fabs(group[i]->mid);
    double typical = quantile(room, count, 0.5);

    for (uint32_t i = 0; i < count; i++)
        group[i]->spread =
            fmax(group[i]->spread,
                 fmax(OWN_PART * fabs(group[i]->mid), TYPICAL_PART * typical));
    (void)facts;
}

static int by_sort(const void *left, const void *right)
{
    const struct meter *a = *(struct meter *const *)left;
    const struct meter *b = *(struct meter *const *)right;

    return (a->sort > b->sort) - (a->sort < b->sort);
}

static bool find_usual(struct facts *facts)
{
    uint32_t n = 0, most = 0;
    struct meter **list =
        arena_alloc(facts->arena, (facts->meter_count + 1) * sizeof(*list));

    for (uint32_t i = 0; i < facts->meter_count; i++)
        if (facts->meters[i].count > most)
            most = facts->meters[i].count;
    if (most < facts->meter_count)
        most = facts->meter_count;
    double *room = arena_alloc(facts->arena, (most + 1) * sizeof(*room));
    if (!list || !room)
        return false;
    for (uint32_t i = 0; i < facts->meter_count; i++) {
        struct meter *m = &facts->meters[i];

        m->before = readings_before(facts, m);
        if (m->before < 3)
            continue;
        usual_of(m, room);
        list[n++] = m;
    }
    if (n > 0)
        qsort(list, n, sizeof(*list), by_sort);
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i;

        while (end < n && list[end]->sort == list[i]->sort)
            end++;
        add_typical(facts, &list[i], end - i, room);
        i = end;
    }
    return true;
}

/* What a component is asked, and what it shows. */
struct role {
    double load;     /* how much more than usual it is asked; at least 1 */
    double requests; /* as its metrics count them; 0: not known */
    double shows;    /* the strongest that others notice, in nats */
    bool notices;    /* others would notice */
};

/* ---- how far the window is from it ---- */

struct drift {
    uint32_t first, end;      /* readings of the window */
    double now, beyond, nats; /* beyond: of what the history did reach */
    uint64_t onset_ns;
};

/* What a quarter of the readings is beyond, in a direction: a third of a window
 * that is ill shows, one spike does not. */
static double level(const struct meter *m, uint32_t first, uint32_t count,
                    double sign, double *room)
{
    for (uint32_t i = 0; i < count; i++)
        room[i] = sign * m->at[first + i].value;
    qsort(room, count, sizeof(*room), by_value);
    return room[3 * (count - 1) / 4];
}

/* How far as many readings in a row were from the middle before: almost at
 * most, as an earlier incident may be among them. */
static double reach_of(const struct meter *m, uint32_t run, double sign,
                       double *room)
{
    double *levels = room + m->count;
    uint32_t n = 0;

    if (run > m->before)
        run = m->before;
    for (uint32_t i = 0; i + run <= m->before; i++)
        levels[n++] = level(m, i, run, sign, room) - sign * m->mid;
    return fmax(0, quantile(levels, n, 0.9));
}

/* Failures that hardly anybody would feel; 0 of what counts none. */
static double least_failures(const struct meter *m, const struct role *role)
{
    if (m->is_share)
        return FELT_SHARE / 10;
    return m->meaning == MEANS_ERRORS ? role->requests * FELT_SHARE / 10 : 0;
}

static void drift_of(const struct facts *facts, const struct meter *m,
                     double sign, const struct role *role, double *room,
                     struct drift *d)
{
    uint32_t first = m->before, end;

    *d = (struct drift){0};
    while (first < m->count && m->at[first].time_ns <= facts->from_ns)
        first++;
    end = first;
    while (end < m->count && m->at[end].time_ns <= facts->times[DURING].end_ns)
        end++;
    /* One reading is no trend, if there are more. */
    while (first > m->before && end - first < 2 &&
           m->at[first - 1].time_ns > facts->times[DURING].start_ns)
        first--;
    if (end == first)
        return;
    /* More requests may cost as much more. */
    double grown =
        sign > 0 && !m->is_share ? (role->load - 1) * fabs(m->mid) : 0;
    double now = level(m, first, end - first, sign, room);
    double reach = reach_of(m, end - first, sign, room);
    double spread = fmax(m->spread, least_failures(m, role));

    if (!(spread > 0))
        spread = NEVER_MOVED * fabs(now);
    double beyond = now - sign * m->mid - reach - grown;

    d->first = first;
    d->end = end;
    d->now = sign * now;
    if (beyond <= 0 || spread <= 0)
        return;
    double z = beyond / spread;
    d->nats = (FREEDOM + 1) / 2 * log(1 + z * z / FREEDOM);
    for (uint32_t i = m->before; i < end && d->onset_ns == 0; i++)
        if (sign * (m->at[i].value - m->mid) > reach + grown + beyond / 2)
            d->onset_ns = m->at[i].time_ns;
}

/* ---- what a component is asked, and what it shows ---- */

static bool take_load(struct facts *facts, uint32_t c, uint32_t *i,
                      enum meaning meaning, double *ratios, uint32_t *count,
                      struct role *role, double *room)
{
    const struct meter *m = &facts->meters[*i];
    static const struct role as_usual = {.load = 1};
    struct drift d;

    if (m->component != c)
        return false;
    if (m->meaning != meaning || m->before < 3 || m->mid <= 0)
        return true;
    drift_of(facts, m, 1, &as_usual, room, &d);
    if (d.now > 0)
        ratios[(*count)++] = d.now / m->mid;
    if (meaning == MEANS_TRAFFIC)
        role->requests = fmax(role->requests, d.now);
    return true;
}

/* Meters lie by component. Who counts no requests counts bytes, perhaps; who
 * counts neither is asked as much more as the others. */
static bool find_loads(struct facts *facts, struct role *roles, double *room)
{
    static const enum meaning counts[] = {MEANS_TRAFFIC, MEANS_FLOW};
    size_t size = (facts->meter_count + 1) * sizeof(double);
    double *ratios = arena_alloc(facts->arena, size);
    double *all = arena_alloc(facts->arena, size);
    uint32_t known = 0, first = 0;

    if (!ratios || !all)
        return false;
    for (uint32_t c = 0; c < facts->component_count; c++) {
        uint32_t k = 0, i = first;

        for (int n = 0; n < 2 && k == 0; n++)
            for (i = first; i < facts->meter_count &&
                            take_load(facts, c, &i, counts[n], ratios, &k,
                                      &roles[c], room);)
                i++;
        first = i;
        roles[c].load = k > 0 ? fmax(1, quantile(ratios, k, 0.5)) : 0;
        if (k > 0)
            all[known++] = roles[c].load;
    }
    double usual = known > 0 ? quantile(all, known, 0.5) : 1;
    for (uint32_t c = 0; c < facts->component_count; c++)
        if (!(roles[c].load > 0))
            roles[c].load = usual;
    return true;
}

/* ---- evidence ---- */

static void tell(struct facts *facts, const struct meter *m,
                 const struct drift *d, double nats)
{
    struct evidence_list *list = &facts->evidence[m->component];
    char *unit = arena_zero(facts->arena, m->unit.len + 1, 1);

    bool logged = m->meaning == MEANS_LOGGED;

    if (!unit)
        return;
    slice_copy(unit, m->unit);
    double scale = m->whole > 0 ? -m->whole : m->is_share ? 100 : 1;
    double was = m->whole + scale * m->mid, is = m->whole + scale * d->now;
    struct cause_evidence e = {
        .kind = told[m->meaning].kind,
        .class = told[m->meaning].class,
        .nats = nats,
        .metric = logged ? SLICE("") : m->name,
        .template = logged ? m->name : SLICE(""),
        .peer = NOBODY,
        .numbers = {was, is, 0, 0, unit},
        .meter = m,
        .drift = true,
        .base = m->whole,
        .scale = scale,
        .onset_ns = d->onset_ns,
        .text =
            facts_text(facts, "%.*s %s from %.4g to %.4g%s%s", (int)m->name.len,
                       m->name.ptr, is > was ? "rose" : "fell", was, is,
                       m->unit.len > 0 ? " " : "", unit)};
    evidence_add(facts, m->component, &e);
    list->drift = fmax(list->drift, d->nats);
}

/* Of failures: what part of all requests they are, by that which counts
 * whole. */
static double share_of(const struct meter *m, const struct drift *d,
                       const struct role *role)
{
    double rise = fabs(d->now - m->mid);

    if (m->is_share)
        return fmin(1, rise / FELT_SHARE);
    if (m->meaning != MEANS_ERRORS || !(role->requests > 0))
        return 1;
    return fmin(1, rise / role->requests / FELT_SHARE);
}

/* Of failures that were counted: what the counts allow to say. */
static double counted(const struct meter *m, const struct drift *d)
{
    double k[HALVES] = {0}, n[HALVES] = {0};

    for (uint32_t i = 0; i < d->end; i++) {
        enum half half = i < m->before ? BEFORE : DURING;

        if (i >= m->before && i < d->first)
            continue;
        k[half] += m->at[i].value * m->at[i].of;
        n[half] += m->at[i].of;
    }
    return n[BEFORE] + n[DURING] > 0
               ? nats_of(k[BEFORE], n[BEFORE], k[DURING], n[DURING])
               : INFINITY;
}

/* Of lines: how much more likely their numbers are if more are written now. As
 * lines come in bursts, by how they came before, and no more than the minutes
 * allow in which there are more than almost ever. */
static double lines_nats(const struct meter *m, const struct drift *d,
                         double load, double *room)
{
    double k[HALVES] = {0}, n[HALVES] = {0}, above[HALVES] = {0}, square = 0;

    for (uint32_t i = 0; i < m->before; i++) {
        room[i] = m->at[i].value;
        square += room[i] * room[i];
    }
    double limit = quantile(room, m->before, 0.95);
    for (uint32_t i = 0; i < d->end; i++) {
        enum half half = i < m->before ? BEFORE : DURING;

        if (i >= m->before && i < d->first)
            continue;
        k[half] += m->at[i].value;
        above[half] += m->at[i].value > (half == DURING ? load : 1) * limit;
        n[half]++;
    }
    double times = load * n[DURING]; /* more requests, more failures */
    if (n[DURING] < 1 || k[DURING] * n[BEFORE] <= k[BEFORE] * times)
        return 0;
    double mean = (k[BEFORE] + 1) / n[BEFORE], all = k[BEFORE] + k[DURING];
    double expected = all * times / (n[BEFORE] + times);
    double bursts = fmax(1, (square / n[BEFORE] - mean * mean) / mean);
    double nats = k[DURING] * log(k[DURING] / expected);
    if (k[BEFORE] > 0)
        nats += k[BEFORE] * log(k[BEFORE] / (all - expected));
    return fmin(nats / bursts,
                nats_of(above[BEFORE], n[BEFORE], above[DURING], n[DURING]));
}

/* What a component uses, by whether anything of it is noticed. */
static double own_weight(const struct facts *facts, const struct role *role,
                         uint32_t component, bool followed)
{
    double sure = fmin(1, role->shows / SUFFERS_NATS);

    if (followed && !served_any(facts, component))
        return ASIDE_WEIGHT;
    if (followed)
        return sure;
    return role->notices ? (1 + sure) / 2 : 1;
}

static void judge(struct facts *facts, const struct meter *m, struct role *role,
                  bool followed, double *room)
{
    bool own = told[m->meaning].kind == CAUSE_RESOURCE;
    double weight = 1;
    struct drift d, other;

    drift_of(facts, m, m->falls ? -1 : 1, role, room, &d);
    if (m->meaning == MEANS_UNKNOWN) {
        drift_of(facts, m, -1, role, room, &other);
        if (other.nats > d.nats)
            d = other;
    }
    if (m->meaning == MEANS_UNKNOWN || m->meaning == MEANS_CALLS)
        weight = UNKNOWN_WEIGHT;
    if (m->meaning == MEANS_LOGGED)
        d.nats = lines_nats(m, &d, role->load, room);
    else
        d.nats = fmin(d.nats, counted(m, &d)) * share_of(m, &d, role);
    if (own)
        weight = own_weight(facts, role, m->component, followed);
    else if (followed)
        weight *= ASIDE_WEIGHT;
    double told_nats = fmax(BELOW_CHANCE * d.nats, d.nats - facts->chance);
    if (d.nats > 0)
        tell(facts, m, &d, told_nats * weight);
    if (is_noticed(m->meaning)) {
        role->notices = true;
        role->shows = fmax(role->shows, d.nats);
    }
}

/* Where there are requests, they tell latency and errors exactly, and limits
 * how much of a resource is too much. */
static bool is_wanted(const struct facts *facts, const struct meter *m)
{
    if (m->before < 3 || !is_judged(m->meaning))
        return false;
    if (!served_any(facts, m->component))
        return true;
    return told[m->meaning].kind == CAUSE_RESOURCE && !m->limited;
}

static struct role *find_roles(struct facts *facts, bool *followed,
                               double *room)
{
    struct role *roles =
        arena_zero(facts->arena, facts->component_count + 1, sizeof(*roles));

    *followed = false;
    if (!roles || !find_loads(facts, roles, room))
        return NULL;
    for (uint32_t c = 0; c < facts->component_count; c++) {
        struct evidence_list *list = &facts->evidence[c];

        *followed = *followed || served_any(facts, c);
        for (int kind = 0; kind < CAUSE_KINDS; kind++) {
            list->other += list->best[kind];
            if (kind != CAUSE_RESOURCE)
                roles[c].shows = fmax(roles[c].shows, list->best[kind]);
        }
    }
    return roles;
}

static void find_suffering(struct facts *facts, const struct role *roles)
{
    bool notices = false, suffers = false;

    for (uint32_t c = 0; c < facts->component_count; c++) {
        notices = notices || roles[c].notices;
        suffers = suffers || roles[c].shows >= SUFFERS_NATS + facts->chance;
    }
    facts->suffers = suffers || !notices;
}

bool drifts_find(struct facts *facts)
{
    uint32_t most = 0, wanted = 0;
    bool followed;

    if (facts->try == 0 && !find_usual(facts))
        return false;
    for (uint32_t i = 0; i < facts->meter_count; i++)
        if (facts->meters[i].count > most)
            most = facts->meters[i].count;
    for (uint32_t i = 0; i < facts->meter_count; i++)
        wanted += is_wanted(facts, &facts->meters[i]);
    /* Of so many numbers one is as far off by chance. */
    facts->chance = log(fmax(1, wanted));
    double *room = arena_alloc(facts->arena, 2 * (most + 1) * sizeof(*room));
    struct role *roles = room ? find_roles(facts, &followed, room) : NULL;
    if (!roles)
        return false;
    for (int own = 0; own <= 1; own++) /* what is noticed is known then */
        for (uint32_t i = 0; i < facts->meter_count; i++) {
            const struct meter *m = &facts->meters[i];

            if ((told[m->meaning].kind == CAUSE_RESOURCE) != own ||
                !is_wanted(facts, m))
                continue;
            judge(facts, m, &roles[m->component], followed, room);
        }
    find_suffering(facts, roles);
    return !facts->full;
}
