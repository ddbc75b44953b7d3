/*
 * Rates, errors and latencies of components, with the operations that differ
 * most; operations that differ while their component as a whole does not; calls
 * to what does not tell itself; callees and callers that are new or gone.
 *
 * A component whose callees fail, or are slow, fails or is slow itself. What of
 * its difference its calls have as well is theirs, so its score counts only its
 * own part, but a tenth at least.
 */
#include <math.h>

#include "compare.h"
#include "significance.h"

/* Smaller differences do not matter, however sure they are. */
static const double LEAST_RATE = 1.3;     /* times as many */
static const double LEAST_LATENCY = 1.25; /* times as long, */
static const double LEAST_SECONDS = 5e-4; /* and so much longer */
static const double LEAST_SHARE = 0.005;  /* of requests that fail */
/* Latencies of a moment are alike. */
static const double LATENCY_DISPERSION = 2;
static const double OWN_PART = 0.1; /* at least */

struct effects {            /* of one component, as rates over the window */
    double errors, seconds; /* more than before, per request */
};

/* ---- how counts of a component vary ---- */

static double dispersion_of(const struct comparison *c,
                            const struct identity *identity, uint32_t leaf)
{
    const struct pair *pair = pair_find(&c->counts, key_identity(1, identity));
    double most = 1;

    for (int side = BEFORE; pair && side < SIDES; side++) {
        const struct metric_group *group = pair->of[side];

        if (group->cells && group->cells[leaf].row.values)
            most = fmax(most, counts_dispersion(group->cells[leaf].row.values,
                                                c->cells[side].count));
    }
    return most;
}

static double seconds_of(const struct comparison *c, enum side side)
{
    return grid_seconds(side ? &c->window.now : &c->base.now, 0);
}

static double errors_of(const struct figures *f)
{
    return f->count > 0 ? f->error_ratio * f->count : 0;
}

/* ---- what callees explain ---- */

/* More seconds, or errors, per request in the calls of this component. */
static struct effects of_callees(const struct comparison *c,
                                 const struct pair *total)
{
    struct effects sum[SIDES] = {{0, 0}, {0, 0}};

    for (uint32_t i = 0; i < c->callees.count; i++) {
        const struct pair *call = &c->callees.at[i];

        if (identity_compare(call->identity, total->identity) != 0)
            continue;
        for (int side = BEFORE; side < SIDES; side++) {
            const struct figures *f = &call->figures[side];
            double requests = total->figures[side].count;

            if (f->count < RED_NONE || requests < RED_NONE)
                continue;
            sum[side].errors += errors_of(f) / requests;
            if (f->latency && isfinite(f->latency->mean))
                sum[side].seconds += f->latency->mean * f->count / requests;
        }
    }
    return (struct effects){sum[NOW].errors - sum[BEFORE].errors,
                            sum[NOW].seconds - sum[BEFORE].seconds};
}

static double own_part(double own, double of_callees)
{
    return own > 0 ? fmax(OWN_PART, 1 - fmax(0, of_callees) / own) : 1;
}

/* ---- differences of a pair ---- */

static double surely(double z)
{
    return fmin(1, (fabs(z) - SIGNIFICANT_Z + 2) / 4);
}

struct found { /* a difference that is told, or z 0 */
    double from, to, z, score;
    const char *metric;
};

static struct found errors_differ(const struct pair *p, double dispersion,
                                  bool client)
{
    struct share shares[SIDES];
    struct found f = {.metric = client ? "clientErrorRatio" : "errorRatio"};

    for (int side = BEFORE; side < SIDES; side++) {
        double ratio = client ? p->figures[side].client_error_ratio
                              : p->figures[side].error_ratio;

        shares[side].all = p->figures[side].count;
        shares[side].count =
            shares[side].all > 0 ? ratio * shares[side].all : 0;
    }
    f.z = shares_differ(shares[BEFORE], shares[NOW], dispersion);
    f.from = shares[BEFORE].count / shares[BEFORE].all;
    f.to = shares[NOW].count / shares[NOW].all;
    if (fabs(f.z) < SIGNIFICANT_Z || fabs(f.to - f.from) < LEAST_SHARE)
        return (struct found){0};
    f.score = (client ? 3 : 10) * sqrt(fabs(f.to - f.from)) * surely(f.z);
    return f;
}

static struct found latencies_differ(const struct pair *p)
{
    static const struct {
        double q;
        const char *metric;
    } quantiles[] = {
        {.5, "latencyP50"}, {.9, "latencyP90"}, {.99, "latencyP99"}};
    const struct hist *before = pair_durations(p, BEFORE),
                      *now = pair_durations(p, NOW);
    struct found best = {0};

    for (size_t i = 0; before && now && i < 3; i++) {
        double from = hist_quantile(before, quantiles[i].q),
               to = hist_quantile(now, quantiles[i].q);
        double times = fmax(from, to) / fmax(fmin(from, to), 1e-9);
        struct found f = {
            from, to,
            quantiles_differ(before, now, quantiles[i].q, LATENCY_DISPERSION),
            .metric = quantiles[i].metric};

        if (fabs(f.z) < SIGNIFICANT_Z || times < LEAST_LATENCY ||
            fabs(to - from) < LEAST_SECONDS || (to > from) != (f.z > 0))
            continue;
        f.score = log(times) * surely(f.z);
        if (f.score > best.score)
            best = f;
    }
    return best;
}

static struct found rates_of(const struct comparison *c, const struct pair *p,
                             double dispersion)
{
    double before = seconds_of(c, BEFORE), now = seconds_of(c, NOW);
    struct found f = {.metric = "requestRate"};
    double times;

    if (before <= 0 || now <= 0)
        return (struct found){0};
    f.z =
        rates_differ((struct counted){p->figures[BEFORE].count, before},
                     (struct counted){p->figures[NOW].count, now}, dispersion);
    f.from = p->figures[BEFORE].count / before;
    f.to = p->figures[NOW].count / now;
    times = fmax(f.from, f.to) / fmax(fmin(f.from, f.to), 1e-9);
    if (fabs(f.z) < SIGNIFICANT_Z || times < LEAST_RATE)
        return (struct found){0};
    f.score = fmin(0.5 * log(times), 3) * surely(f.z);
    return f;
}

/* ---- telling ---- */

static struct difference *tell(struct comparison *c, const char *kind,
                               const struct pair *p, const struct found *f)
{
    struct difference *d = difference_add(c, kind, f->metric, p->identity);

    if (!d)
        return NULL;
    difference_set(d, f->from, f->to, f->z);
    d->score = f->z > 0 ? f->score : f->score / 2;
    d->endpoint = p->endpoint;
    d->operation = p->operation;
    d->peer = p->peer_name;
    for (int side = BEFORE; side < SIDES; side++)
        d->counts[side] = p->figures[side].count;
    return d;
}

static void add_operation(struct difference *d, const struct pair *p,
                          const struct found *f)
{
    uint32_t at = d->operation_count;

    if (at == DIFFERENCE_OPERATIONS &&
        fabs(f->to - f->from) <=
            fabs(d->operations[at - 1].to - d->operations[at - 1].from))
        return;
    if (at < DIFFERENCE_OPERATIONS)
        d->operation_count++;
    else
        at--;
    for (; at > 0 && fabs(d->operations[at - 1].to -
                          d->operations[at - 1].from) < fabs(f->to - f->from);
         at--)
        d->operations[at] = d->operations[at - 1];
    d->operations[at] =
        (struct operation_change){p->endpoint, p->operation, f->from, f->to};
}

enum { ERRORS, CLIENT_ERRORS, LATENCY, RATE, FOUND_KINDS };
static const char *const kinds[FOUND_KINDS] = {"errors", "clientErrors",
                                               "latency", "requests"};

static struct found find_one(const struct comparison *c, const struct pair *p,
                             int kind)
{
    switch (kind) {
    case ERRORS:
    case CLIENT_ERRORS:
        return errors_differ(p, dispersion_of(c, p->identity, 1),
                             kind == CLIENT_ERRORS);
    case LATENCY:
        return latencies_differ(p);
    default:
        return rates_of(c, p, dispersion_of(c, p->identity, 0));
    }
}

/* What a component that has a difference leaves to itself. */
static double own_score(const struct comparison *c, const struct pair *total,
                        int kind, const struct found *f)
{
    const struct figures *before = &total->figures[BEFORE],
                         *now = &total->figures[NOW];
    struct effects calls;

    if (f->z <= 0 || (kind != ERRORS && kind != LATENCY))
        return 1;
    calls = of_callees(c, total);
    if (kind == ERRORS)
        return own_part(f->to - f->from, calls.errors);
    if (!before->latency || !now->latency)
        return 1;
    return own_part(now->latency->mean - before->latency->mean, calls.seconds);
}

static enum status compare_total(struct comparison *c, const struct pair *total)
{
    for (int kind = 0; kind < FOUND_KINDS; kind++) {
        struct found f = find_one(c, total, kind);
        struct difference *d;
        double own;

        if (fabs(f.z) == 0)
            continue;
        own = own_score(c, total, kind, &f);
        f.score *= own;
        d = tell(c, kinds[kind], total, &f);
        if (!d)
            return arena_status(c->request->arena);
        d->own = own;
    }
    return OK;
}

static enum status compare_operation(struct comparison *c, const struct pair *p)
{
    for (int kind = 0; kind < FOUND_KINDS; kind++) {
        const struct found f = find_one(c, p, kind);
        struct difference *whole = difference_of(c, kinds[kind], p->identity);

        if (fabs(f.z) == 0)
            continue;
        if (whole)
            add_operation(whole, p, &f);
        else if (!tell(c, kinds[kind], p, &f))
            return arena_status(c->request->arena);
    }
    return OK;
}

/* Calls to a component that tells of itself are told there, unless it does not
 * see what its callers see. */
static enum status compare_call(struct comparison *c, const struct pair *p)
{
    for (int kind = 0; kind < RATE; kind++) {
        struct found f = find_one(c, p, kind);

        if (fabs(f.z) == 0 ||
            (p->peer && difference_of(c, kinds[kind], p->peer)))
            continue;
        f.score *= 0.9;
        if (!tell(c, kinds[kind], p, &f))
            return arena_status(c->request->arena);
    }
    return OK;
}

/* Callees and callers that are new or gone. */
static enum status compare_peers(struct comparison *c,
                                 const struct pair_list *list, const char *kind)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct pair *p = &list->at[i];
        bool was = p->figures[BEFORE].count >= RED_NONE,
             is = p->figures[NOW].count >= RED_NONE;
        struct found f;

        if (was == is || (list == &c->callers && p->peer))
            continue;
        f = rates_of(c, p, 2 * dispersion_of(c, p->identity, 0));
        f.metric = "callRate";
        f.score = is ? 0.5 : 0.7;
        if (fabs(f.z) > 0 && !tell(c, kind, p, &f))
            return arena_status(c->request->arena);
    }
    return OK;
}

static void count_few(struct comparison *c)
{
    enum { FEW = 12 };

    for (uint32_t i = 0; i < c->operations.count; i++) {
        const struct pair *p = &c->operations.at[i];

        c->few += p->figures[BEFORE].count < FEW && p->figures[NOW].count < FEW;
    }
}

enum status compare_requests(struct comparison *c)
{
    enum status s = OK;

    count_few(c);
    for (uint32_t i = 0; s == OK && i < c->totals.count; i++)
        s = compare_total(c, &c->totals.at[i]);
    for (uint32_t i = 0; s == OK && i < c->operations.count; i++)
        s = compare_operation(c, &c->operations.at[i]);
    for (uint32_t i = 0; s == OK && i < c->callees.count; i++)
        s = compare_call(c, &c->callees.at[i]);
    if (s == OK)
        s = compare_peers(c, &c->callees, "callee");
    return s == OK ? compare_peers(c, &c->callers, "caller") : s;
}
