/*
 * What metrics tell where nothing better does: without traces it is all there
 * is.
 *
 * What a component uses (CPU, memory, disk) is its own; what it shows to others
 * (latency, errors) may be theirs. So a resource counts if anybody suffers,
 * and load alone is no cause: more requests may cost more in proportion.
 */
#include <math.h>
#include <stdlib.h>

#include "timeseries.h"

/* Of what may as well be worse as better, or due to others. */
static const double UNKNOWN_WEIGHT = 0.25;
/* What is as likely by chance is a hint all the same, after all else. */
static const double BELOW_CHANCE = 0.1;
/* Requests were followed, and none was seen to come by. */
static const double ASIDE_WEIGHT = 0.1;
/* What is likely enough to say that somebody suffers: twenty to one. */
static const double SUFFERS_NATS = 3;

/* clang-format off */
static const struct {
    const char *class;
    uint8_t kind;
} told[MEANINGS] = {
    [MEANS_UNKNOWN] = {"metric", EVIDENCE_METRIC},
    [MEANS_CPU]     = {"cpu", EVIDENCE_RESOURCE},
    [MEANS_MEMORY]  = {"memory", EVIDENCE_RESOURCE},
    [MEANS_DISK]    = {"disk", EVIDENCE_RESOURCE},
    [MEANS_RESTART] = {"restart", EVIDENCE_RESOURCE},
    [MEANS_DROPS]   = {"network", EVIDENCE_NETWORK},
    [MEANS_POOL]    = {"pool", EVIDENCE_METRIC},
    [MEANS_QUEUE]   = {"queue", EVIDENCE_METRIC},
    [MEANS_CALLS]   = {"calls", EVIDENCE_METRIC},
    [MEANS_LATENCY] = {"latency", EVIDENCE_LATENCY},
    [MEANS_ERRORS]  = {"errors", EVIDENCE_ERRORS},
    [MEANS_SUCCESS] = {"errors", EVIDENCE_ERRORS},
    [MEANS_LOGGED]  = {"errors", EVIDENCE_ERRORS},
};
/* clang-format on */

static bool is_judged(enum metric_class meaning)
{
    return meaning != MEANS_NOTHING && meaning != MEANS_LIMIT &&
           meaning != MEANS_TRAFFIC && meaning != MEANS_FLOW;
}

static bool is_noticed(enum metric_class meaning)
{
    return meaning == MEANS_LATENCY || meaning == MEANS_ERRORS ||
           meaning == MEANS_SUCCESS || meaning == MEANS_LOGGED;
}

/* ---- what a component is asked, and what it shows ---- */

/* How much more than usual each meter of a meaning counts, of one component. */
static uint32_t find_ratios(const struct rca_context *facts,
                            const struct timeseries *m, uint32_t count,
                            enum metric_class meaning, double *ratios,
                            struct role *role, double *room)
{
    static const struct role as_usual = {.load = 1};
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct drift d;

        if (m[i].meaning != meaning || m[i].before < 3 || m[i].mid <= 0)
            continue;
        history_drift(facts, &m[i], 1, &as_usual, room, &d);
        if (d.now > 0)
            ratios[n++] = d.now / m[i].mid;
        if (meaning == MEANS_TRAFFIC)
            role->requests = fmax(role->requests, d.now);
    }
    return n;
}

/* Meters lie by component. Who counts no requests counts bytes, perhaps; who
 * counts neither is asked as much more as the others. */
static bool find_loads(struct rca_context *facts, struct role *roles,
                       double *room)
{
    size_t size = (facts->meter_count + 1) * sizeof(double);
    double *ratios = arena_alloc(facts->arena, size);
    double *all = arena_alloc(facts->arena, size);
    uint32_t known = 0;

    if (!ratios || !all)
        return false;
    for (uint32_t i = 0; i < facts->meter_count;) {
        const struct timeseries *m = &facts->meters[i];
        struct role *role = &roles[m->component];
        uint32_t n = 0, k;

        while (i < facts->meter_count &&
               facts->meters[i].component == m->component) {
            n++;
            i++;
        }
        k = find_ratios(facts, m, n, MEANS_TRAFFIC, ratios, role, room);
        if (k == 0)
            k = find_ratios(facts, m, n, MEANS_FLOW, ratios, role, room);
        if (k > 0)
            all[known++] = role->load =
                fmax(1, history_quantile(ratios, k, 0.5));
    }
    double usual = known > 0 ? history_quantile(all, known, 0.5) : 1;
    for (uint32_t c = 0; c < facts->component_count; c++)
        if (!(roles[c].load > 0))
            roles[c].load = usual;
    return true;
}

/* ---- evidence ---- */

static void tell(struct rca_context *facts, const struct timeseries *m,
                 const struct drift *d, double nats)
{
    struct evidence_list *list = &facts->evidence[m->component];
    char *unit = arena_zero(facts->arena, m->unit.len + 1, 1);
    bool logged = m->meaning == MEANS_LOGGED;
    const char *quote = logged ? "\"" : "";

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
        .text = facts_text(facts, "%s%.*s%s %s from %.4g to %.4g%s%s", quote,
                           (int)m->name.len, m->name.ptr, quote,
                           is > was ? "rose" : "fell", was, is,
                           m->unit.len > 0 ? " " : "", unit)};
    evidence_add(facts, m->component, &e);
    list->drift = fmax(list->drift, d->nats);
}

/* Of failures: what part of all requests they are, by that which counts
 * whole. */
static double share_of(const struct timeseries *m, const struct drift *d,
                       const struct role *role)
{
    double rise = fabs(d->now - m->mid);

    if (m->is_share)
        return fmin(1, rise / FELT_SHARE);
    if (m->meaning != MEANS_ERRORS || !(role->requests > 0))
        return 1;
    return fmin(1, rise / role->requests / FELT_SHARE);
}

/* What a component uses, by whether anything of it is noticed. */
static double own_weight(const struct rca_context *facts,
                         const struct role *role, uint32_t component,
                         bool followed)
{
    double sure = fmin(1, role->shows / SUFFERS_NATS);

    if (followed && !served_any(facts, component))
        return ASIDE_WEIGHT;
    if (followed)
        return sure;
    return role->notices ? (1 + sure) / 2 : 1;
}

static void judge(struct rca_context *facts, const struct timeseries *m,
                  struct role *role, bool followed, double *room)
{
    bool own = told[m->meaning].kind == EVIDENCE_RESOURCE;
    double weight = 1;
    struct drift d, other;

    history_drift(facts, m, m->falls ? -1 : 1, role, room, &d);
    if (m->meaning == MEANS_UNKNOWN) {
        history_drift(facts, m, -1, role, room, &other);
        if (other.nats > d.nats)
            d = other;
    }
    if (m->meaning == MEANS_UNKNOWN || m->meaning == MEANS_CALLS)
        weight = UNKNOWN_WEIGHT;
    if (m->meaning == MEANS_LOGGED)
        d.nats = history_lines(m, &d, role->load, room);
    else
        d.nats = fmin(d.nats, history_counted(m, &d)) * share_of(m, &d, role);
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
static bool is_wanted(const struct rca_context *facts,
                      const struct timeseries *m)
{
    if (m->before < 3 || !is_judged(m->meaning))
        return false;
    if (!served_any(facts, m->component))
        return true;
    return told[m->meaning].kind == EVIDENCE_RESOURCE && !m->limited;
}

static struct role *find_roles(struct rca_context *facts, bool *followed,
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
        for (int kind = 0; kind < EVIDENCE_KINDS; kind++) {
            list->other += list->best[kind];
            if (kind != EVIDENCE_RESOURCE)
                roles[c].shows = fmax(roles[c].shows, list->best[kind]);
        }
    }
    return roles;
}

static void find_suffering(struct rca_context *facts, const struct role *roles)
{
    bool notices = false, suffers = false;

    for (uint32_t c = 0; c < facts->component_count; c++) {
        notices = notices || roles[c].notices;
        suffers = suffers || roles[c].shows >= SUFFERS_NATS + facts->chance;
    }
    facts->suffers = suffers || !notices;
}

bool drifts_find(struct rca_context *facts)
{
    uint32_t most = 0, wanted = 0;
    bool followed;

    if (facts->try == 0 && !history_usual(facts))
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
            const struct timeseries *m = &facts->meters[i];

            if ((told[m->meaning].kind == EVIDENCE_RESOURCE) != own ||
                !is_wanted(facts, m))
                continue;
            judge(facts, m, &roles[m->component], followed, room);
        }
    find_suffering(facts, roles);
    return !facts->full;
}
