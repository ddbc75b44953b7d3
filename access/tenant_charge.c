/*
 * What a tenant may send.
 *
 * recordsPerSecond is a token bucket of ten seconds. A request is admitted
 * while the level is above 0, and its records are taken off once they are
 * decoded, so the level may become negative and nothing is decoded that is then
 * refused. A short burst passes; the average rate is exact.
 */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "tenants_int.h"

/* ---- the bucket and the day; the caller holds the tenant's lock ---- */

static void refill(struct tenant *tenant, double rate, uint64_t monotonic)
{
    double most = rate * TENANT_BURST_S;

    if (tenant->filled_ns == 0) {
        tenant->level = most;
        tenant->filled_ns = monotonic;
    } else if (monotonic > tenant->filled_ns) {
        tenant->level +=
            rate * (double)(monotonic - tenant->filled_ns) / (double)NS_PER_S;
        tenant->filled_ns = monotonic;
    }
    if (tenant->level > most)
        tenant->level = most;
}

static void turn_day(struct tenant *tenant, uint64_t wall)
{
    uint64_t day = wall / NS_PER_DAY;

    if (tenant->day == day)
        return;
    tenant->day = day;
    tenant->bytes_today = 0;
}

/* Whole seconds, rounded up, until the bucket is above 0 again. */
static unsigned debt_seconds(const struct tenant *tenant, double rate)
{
    double seconds = -tenant->level / rate;

    if (seconds >= TENANT_RETRY_MAX_S)
        return TENANT_RETRY_MAX_S;
    return (unsigned)seconds + 1;
}

static unsigned seconds_to_midnight(uint64_t wall)
{
    uint64_t left = (NS_PER_DAY - wall % NS_PER_DAY + NS_PER_S - 1) / NS_PER_S;

    return left < TENANT_RETRY_DAY_S ? (unsigned)left : TENANT_RETRY_DAY_S;
}

/* ---- refusals ---- */

enum status tenant_over_limit(const struct tenant *tenant,
                              enum tenant_limit limit, uint64_t value,
                              unsigned retry_after,
                              struct tenant_refusal *refusal)
{
    *refusal = (struct tenant_refusal){
        .status = ERR_LIMITED,
        .outcome = limit == LIMIT_RECORDS_PER_SECOND ? TENANT_RATE
                   : limit == LIMIT_BYTES_PER_DAY    ? TENANT_DAILY
                                                     : TENANT_MEMORY,
        .retry_after = retry_after};
    snprintf(refusal->text, sizeof(refusal->text),
             "namespace %.100s is over its limit: %s %" PRIu64
             "; retry in %u s",
             tenant->name, tenant_limit_name(limit), value, retry_after);
    return ERR_LIMITED;
}

enum status tenant_admit(struct tenant *tenant, uint64_t monotonic,
                         uint64_t wall, struct tenant_refusal *refusal)
{
    uint64_t rate = tenant_limit(tenant, LIMIT_RECORDS_PER_SECOND, UINT64_MAX);
    uint64_t daily = tenant_limit(tenant, LIMIT_BYTES_PER_DAY, UINT64_MAX);
    enum status status = OK;

    if (rate == UINT64_MAX && daily == UINT64_MAX)
        return OK;
    pthread_mutex_lock(&tenant->lock);
    turn_day(tenant, wall);
    if (rate != UINT64_MAX) {
        refill(tenant, (double)rate, monotonic);
        if (tenant->level <= 0)
            status =
                tenant_over_limit(tenant, LIMIT_RECORDS_PER_SECOND, rate,
                                  debt_seconds(tenant, (double)rate), refusal);
    }
    if (status == OK && tenant->bytes_today >= daily)
        status = tenant_over_limit(tenant, LIMIT_BYTES_PER_DAY, daily,
                                   seconds_to_midnight(wall), refusal);
    pthread_mutex_unlock(&tenant->lock);
    return status;
}

/* ---- the journal ---- */

/* What was written longer ago than the journal reaches counts half, then a
 * quarter. */
static void age_window(struct tenants *tenants)
{
    struct tenant_window *window = &tenants->window;

    window->total = 0;
    window->active = 0;
    pthread_rwlock_rdlock(&tenants->lock);
    for (uint32_t i = 0; i < tenants->count; i++) {
        struct tenant *tenant = tenants->at[i];

        tenant->written /= 2;
        window->total += tenant->written;
        window->active += tenant->written > 0;
    }
    pthread_rwlock_unlock(&tenants->lock);
}

static void note_written(struct tenant *tenant, uint64_t bytes)
{
    struct tenant_window *window = &tenant->tenants->window;

    pthread_mutex_lock(&window->lock);
    window->active += tenant->written == 0 && bytes > 0;
    tenant->written += bytes;
    window->total += bytes;
    if (window->total > window->max)
        age_window(tenant->tenants);
    pthread_mutex_unlock(&window->lock);
}

void tenants_set_journal_max(struct tenants *tenants, uint64_t bytes)
{
    tenants->window.max = bytes;
}

enum status tenant_admit_to_journal(struct tenant *tenant,
                                    struct tenant_refusal *refusal)
{
    struct tenant_window *window = &tenant->tenants->window;
    bool above;

    pthread_mutex_lock(&window->lock);
    above =
        window->active > 1 && tenant->written > window->total / window->active;
    pthread_mutex_unlock(&window->lock);
    if (!above)
        return OK;
    *refusal = (struct tenant_refusal){
        .status = ERR_LIMITED, .outcome = TENANT_MEMORY, .retry_after = 1};
    snprintf(refusal->text, sizeof(refusal->text),
             "the journal is nearly full, and namespace %.100s has more than "
             "its share of it; retry in 1 s",
             tenant->name);
    return ERR_LIMITED;
}

/* ---- charging ---- */

void tenant_charge(struct tenant *tenant, uint64_t records, uint64_t bytes,
                   uint64_t monotonic, uint64_t wall)
{
    uint64_t rate = tenant_limit(tenant, LIMIT_RECORDS_PER_SECOND, UINT64_MAX);

    pthread_mutex_lock(&tenant->lock);
    if (rate != UINT64_MAX) {
        refill(tenant, (double)rate, monotonic);
        tenant->level -= (double)records;
    }
    turn_day(tenant, wall);
    tenant->bytes_today += bytes;
    pthread_mutex_unlock(&tenant->lock);
    note_written(tenant, bytes);
}

void tenant_count(struct tenant *tenant, enum tenant_outcome outcome,
                  uint64_t count)
{
    if (tenant)
        atomic_fetch_add_explicit(&tenant->records[outcome], count,
                                  memory_order_relaxed);
}

uint32_t tenant_connections(struct tenant *tenant, int step)
{
    return atomic_fetch_add(&tenant->connections, (unsigned)step) +
           (unsigned)step;
}

/* ---- queries ---- */

void tenant_query_done(struct tenant *tenant, uint64_t worker_ns, int http_code)
{
    _Atomic uint64_t *count = http_code < 400 ? &tenant->queries_ok
                              : http_code == 429 || http_code == 503
                                  ? &tenant->queries_refused
                                  : &tenant->queries_failed;

    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&tenant->query_ns, worker_ns,
                              memory_order_relaxed);
}
