/*
 * What can go wrong, one row each, and what must not be taken for it. The
 * first row is the fault of the demo.
 */
#include <string.h>

#include "shop.h"

const struct fault_spec shop_faults[] = {
    {.name = "cpu",
     .component = "inventory",
     .own = 12,
     .errors = 100,
     .cpu = 1,
     .throttled = 0.9},
    {.name = "leak",
     .component = "recommend",
     .own = 4,
     .errors = 20,
     .memory = 1},
    {.name = "disk-full",
     .target = "orders-db",
     .target_fails = true,
     .target_times = 1,
     .target_log = "SQLSTATE 53100: could not extend file "
                   "\"base/16385/24612\": No space left on device"},
    {.name = "queue",
     .component = "shipping",
     .own = 80,
     .errors = 0,
     .lag = true},
    {.name = "bad-version",
     .component = "checkout",
     .own = 1,
     .errors = 700,
     .one_pod = true,
     .version = "1.5.0",
     .log = "cannot read field total of null"},
    {.name = "dead-host",
     .target = "api.bank.example",
     .target_fails = true,
     .target_times = 60},
    {.name = "retry-storm",
     .component = "inventory",
     .own = 1.5,
     .errors = 400,
     .retries = 3,
     .log = "too many requests"},
    {.name = "pool",
     .component = "cart",
     .own = 250,
     .errors = 150,
     .pool = true,
     .log = "no connection became free in time"},
    {.name = "timeouts",
     .target = "users-db",
     .target_times = 400,
     .timeout_ms = 500},
    {.name = "neighbour",
     .component = "search",
     .own = 3,
     .errors = 0,
     .cpu = 0.98,
     .throttled = 0.6,
     .neighbour = "catalog"},
    {.name = "network",
     .component = "payment",
     .own = 1,
     .errors = 0,
     .wire_ms = 150,
     .retransmits = 40},
    {.name = "code",
     .component = "users",
     .own = 1,
     .errors = 900,
     .log = "cannot parse key of tenant"},
    {.name = "dead-pods", .component = "catalog", .own = 1, .dead = true},
    /* Quiet: nothing of this is a cause. */
    {.name = "night", .rate = 0.2},
    {.name = "rush", .rate = 3},
    {.name = "rollout",
     .component = "checkout",
     .own = 1,
     .errors = -1,
     .version = "1.5.0"},
    {.name = "outlier",
     .component = "orders",
     .own = 1,
     .errors = -1,
     .outlier = true},
    {.name = "always-failing",
     .component = "inventory",
     .own = 1,
     .errors = 80,
     .always = true},
    {.name = "nothing"},
    {.name = NULL},
};

const struct fault_spec *fault_named(const char *name)
{
    const struct fault_spec *f = shop_faults;

    while (f->name && strcmp(f->name, name) != 0)
        f++;
    return f->name ? f : NULL;
}

const struct fault_spec *fault_now(const struct world *w)
{
    const struct fault_spec *f = w->options->kind;

    return w->fault || f->always ? f : NULL;
}

bool fault_is_at(const struct fault_spec *f, const struct component *c,
                 const struct pod *pod)
{
    return f && f->component && strcmp(f->component, c->spec->name) == 0 &&
           (!f->one_pod || pod == &c->pods[0]);
}

bool fault_hits(const struct fault_spec *f, const char *target)
{
    return f && f->target && target && strcmp(f->target, target) == 0;
}

double fault_times(const struct fault_spec *f, const struct component *c,
                   const struct pod *pod)
{
    if (fault_is_at(f, c, pod))
        return f->own;
    if (f && f->neighbour && strcmp(f->neighbour, c->spec->name) == 0)
        return 8;
    return 1;
}

int fault_errors(const struct fault_spec *f, const struct component *c,
                 const struct pod *pod, int usual)
{
    return fault_is_at(f, c, pod) && f->errors >= 0 && f->errors > usual
               ? f->errors
               : usual;
}
