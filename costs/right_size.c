/*
 * The rule:
 *
 *   CPU     request  the 95th percentile of usage and 15 % more
 *           limit    twice the request, or the largest usage and 15 % more
 *   memory  request  the largest usage and 20 % more
 *           limit    the request and 25 % more
 *
 * Where the quota or the limit held usage down (throttled periods, OOM kills),
 * usage does not say what is needed: then at least the limit counts as used.
 * What differs from the present value by less than 10 % stays as it is, so that
 * the advice does not change from day to day.
 */
#include "right_size.h"

#include <math.h>
#include <stdio.h>

#define WIDTH          1.05
#define SAME           0.10
#define THROTTLED      0.05 /* of periods */
#define THROTTLED_MUCH 0.25

static const double least[PRICE_KINDS] = {
    [PRICE_CPU] = 1e-4, [PRICE_MEMORY] = 65536};

/* ---- distribution ---- */

void usage_sizes_add(struct usage_sizes *sizes, enum price_of kind,
                     double value)
{
    double at = value > least[kind] ? log(value / least[kind]) / log(WIDTH) : 0;

    if (!(value >= 0))
        return;
    sizes->counts[at < SIZE_BUCKETS - 1 ? (int)at : SIZE_BUCKETS - 1]++;
    sizes->count++;
    sizes->sum += value;
    sizes->max = fmax(sizes->max, value);
}

static double bound(enum price_of kind, int bucket)
{
    return least[kind] * pow(WIDTH, bucket + 1);
}

double usage_sizes_quantile(const struct usage_sizes *sizes, enum price_of kind,
                            double q)
{
    double rank = ceil(q * (double)sizes->count);
    uint64_t below = 0;

    for (int i = 0; i < SIZE_BUCKETS && sizes->count > 0; i++) {
        below += sizes->counts[i];
        if ((double)below >= rank && sizes->counts[i] > 0)
            return fmin(bound(kind, i), sizes->max);
    }
    return sizes->max;
}

double usage_sizes_paid(const struct usage_sizes *sizes, enum price_of kind,
                        double request)
{
    double paid = 0, usual = 0;

    for (int i = 0; i < SIZE_BUCKETS; i++) {
        double value = fmin(bound(kind, i) / (1 + (WIDTH - 1) / 2), sizes->max);

        paid += sizes->counts[i] * fmax(request, value);
        usual += sizes->counts[i] * value;
    }
    /* The buckets' middles do not add up to the sum exactly. */
    return sizes->count > 0 && usual > 0
               ? paid / (double)sizes->count *
                     (request > 0 ? 1 : sizes->sum / usual)
               : request;
}

/* ---- the rule ---- */

double sizing_throttled(const struct sizing *sizing)
{
    return sizing->periods > 0 ? sizing->throttled / sizing->periods
                               : (double)NAN;
}

/* To a step that people write: 10m below one core, 16Mi below 1Gi. */
static double round_up(enum price_of kind, double value)
{
    double mib = 1048576;
    double step = kind == PRICE_CPU ? (value < 1 ? 0.01 : 0.1)
                                    : (value < 1024 * mib ? 16 : 128) * mib;
    double floor_of = kind == PRICE_CPU ? 0.01 : 32 * mib;

    return fmax(ceil(value / step - 1e-9) * step, floor_of);
}

static double settle(enum price_of kind, double value, double now)
{
    value = round_up(kind, value);
    return now > 0 && fabs(value - now) <= SAME * now ? now : value;
}

static void size_cpu(const struct sizing *s, struct size_profile *to)
{
    const struct usage_sizes *usage = &s->usage[PRICE_CPU];
    double request = usage_sizes_quantile(usage, PRICE_CPU, 0.95) * 1.15;
    double limit = fmax(2 * request, usage->max * 1.15);
    double now = s->current.limit[PRICE_CPU];

    if (sizing_throttled(s) >= THROTTLED && now > 0)
        limit = fmax(limit, now * 1.5);
    to->request[PRICE_CPU] =
        settle(PRICE_CPU, request, s->current.request[PRICE_CPU]);
    to->limit[PRICE_CPU] =
        fmax(settle(PRICE_CPU, limit, now), to->request[PRICE_CPU]);
}

static void size_memory(const struct sizing *s, struct size_profile *to)
{
    double most = s->usage[PRICE_MEMORY].max;
    double now = s->current.limit[PRICE_MEMORY];

    if (s->oom_kills > 0)
        most = fmax(most, now);
    to->request[PRICE_MEMORY] =
        settle(PRICE_MEMORY, most * 1.2, s->current.request[PRICE_MEMORY]);
    to->limit[PRICE_MEMORY] = fmax(settle(PRICE_MEMORY, most * 1.2 * 1.25, now),
                                   to->request[PRICE_MEMORY]);
}

struct size_profile right_size(const struct sizing *sizing)
{
    struct size_profile to = sizing->current;

    if (sizing->usage[PRICE_CPU].count > 0)
        size_cpu(sizing, &to);
    if (sizing->usage[PRICE_MEMORY].count > 0)
        size_memory(sizing, &to);
    return to;
}

/* ---- risk ---- */

static void tell(enum size_risk *risk, enum size_risk at_least,
                 const char *reasons[RISK_REASONS], uint32_t *count,
                 const char *reason)
{
    if (at_least > *risk)
        *risk = at_least;
    reasons[(*count)++] = reason;
}

enum size_risk sizing_risk(const struct sizing *sizing, uint32_t hours,
                           const char *reasons[RISK_REASONS], uint32_t *count)
{
    enum size_risk risk = RISK_LOW;
    double throttled = sizing_throttled(sizing);

    *count = 0;
    if (sizing->oom_kills > 0)
        tell(&risk, RISK_HIGH, reasons, count,
             "containers were killed for using more memory than their limit");
    if (throttled >= THROTTLED)
        tell(&risk, throttled >= THROTTLED_MUCH ? RISK_HIGH : RISK_MEDIUM,
             reasons, count, "CPU was throttled at its limit");
    if (sizing->above_limit > 0)
        tell(&risk, RISK_MEDIUM, reasons, count,
             "memory came within a tenth of its limit");
    if (sizing->restarts > 0)
        tell(&risk, RISK_MEDIUM, reasons, count, "containers restarted");
    if (hours < 7 * 24)
        tell(&risk, RISK_MEDIUM, reasons, count,
             "less than a week was seen; a busier day may be missing");
    return risk;
}

void size_quantity(char text[QUANTITY_SIZE], enum price_of kind, double value)
{
    double unit = kind == PRICE_CPU ? 1000 : 1 / 1048576.0;

    (void)snprintf(text, QUANTITY_SIZE, "%.0f%s", fmin(value * unit, 1e12),
                   kind == PRICE_CPU ? "m" : "Mi");
}
