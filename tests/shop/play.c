/*
 * Simulated time: what happens at which moment, paced or as fast as it goes.
 */
#include <math.h>
#include <time.h>

#include "clock.h"
#include "shop.h"

const struct shop_options shop_defaults = {.otlp = "127.0.0.1:4318",
                                           .seed = 1,
                                           .shops = 1,
                                           .pods = 2,
                                           .batch = 500,
                                           .connections = 4,
                                           .rate = 20,
                                           .scrape_ns = 15 * NS_PER_S,
                                           .spans = true,
                                           .logs = true,
                                           .metrics = true,
                                           .kind = &shop_faults[0],
                                           .pace = true};

/* Every pod once per scrape interval, all in one go. */
static void report_all(struct world *w, uint64_t now_ns)
{
    if (gauges_tell_states(w, now_ns))
        gauges_report_cluster(w, now_ns);
    for (int i = 0; i < w->options->shops * SHOP_COMPONENTS; i++)
        for (int p = 0; p < w->components[i].pod_count; p++) {
            struct pod *pod = &w->components[i].pods[p];

            events_of_fault(w, &w->components[i], pod, now_ns);
            gauges_report(w, &w->components[i], pod, now_ns);
        }
}

static void at_time(struct world *w, uint64_t now_ns)
{
    const struct shop_options *o = w->options;
    uint64_t since = now_ns - o->start_ns;

    if (o->rollout_ns && !w->rolled_out && since >= o->rollout_ns) {
        w->rolled_out = true;
        world_rollout(w, now_ns, false);
    }
    w->fault = o->fault_ns && since >= o->fault_ns &&
               (!o->fault_end_ns || since < o->fault_end_ns);
    if (w->fault && !w->was_fault) {
        w->fault_since_ns = now_ns;
        if (o->kind->version)
            world_rollout(w, now_ns, o->kind->one_pod);
    }
    if (w->succeeds_ns > 0 && now_ns >= w->succeeds_ns) {
        event_release(w, &w->components[SHOP_CHECKOUT], w->succeeds_ns,
                      "Succeeded");
        w->succeeds_ns = 0;
    }
    w->was_fault = w->fault;
}

static void wait_until(uint64_t now_ns)
{
    uint64_t wall = clock_wall_ns();

    if (now_ns > wall) {
        struct timespec t = {(time_t)((now_ns - wall) / NS_PER_S),
                             (long)((now_ns - wall) % NS_PER_S)};
        nanosleep(&t, NULL);
    }
}

void world_play(struct world *w, const volatile sig_atomic_t *stop)
{
    const struct shop_options *o = w->options;
    uint64_t now_ns = o->start_ns, next_report = now_ns, next_flush = now_ns;

    for (uint64_t made = 0; !*stop; made++) {
        if ((o->requests && made == o->requests) ||
            (o->end_ns && now_ns >= o->end_ns))
            break;
        if (o->pace)
            wait_until(now_ns);
        at_time(w, now_ns);
        world_request(w, now_ns);
        if (o->metrics && now_ns >= next_report) {
            report_all(w, now_ns);
            next_report += o->scrape_ns;
        }
        /* An SDK sends what it has every second; history, in fewer requests. */
        if (now_ns >= next_flush) {
            bool live = o->pace && now_ns + NS_PER_MIN > clock_wall_ns();

            world_flush(w);
            next_flush = now_ns + (live ? NS_PER_S : NS_PER_MIN);
        }
        double rate =
            o->rate * (w->fault && o->kind->rate > 0 ? o->kind->rate : 1);
        rate *= 1 + o->swing * sin((double)(now_ns - o->start_ns) /
                                   (double)NS_PER_HOUR * 6.283185307);
        now_ns += (uint64_t)(1e9 / rate * (0.5 + world_uniform(w)));
    }
    world_flush(w);
}
