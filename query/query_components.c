/*
 * GET /api/v1/components and /api/v1/components/{}/{}/{}: what both share.
 */
#include <math.h>

#include "clock.h"
#include "component.h"
#include "derived.h"
#include "hash.h"

double window_share(const struct window *window, const struct point *point)
{
    return tally_share(point, window->start_ns, window->end_ns, window->now_ns);
}

static uint64_t before_ns(const struct window *window)
{
    uint64_t length = window->end_ns - window->start_ns;

    return window->start_ns > length ? window->start_ns - length : 0;
}

double window_share_before(const struct window *window,
                           const struct point *point)
{
    return tally_share(point, before_ns(window), window->start_ns,
                       window->now_ns);
}

void window_query(const struct window *window, struct series_query *query)
{
    query->start_ns = before_ns(window);
    query->end_ns = window->end_ns + DERIVED_MINUTE_S * NS_PER_S;
}

double window_seconds(const struct window *window)
{
    uint64_t end =
        window->end_ns < window->now_ns ? window->end_ns : window->now_ns;
    double seconds = end > window->start_ns
                         ? (double)(end - window->start_ns) / (double)NS_PER_S
                         : 0;

    return seconds < 1 ? 1 : seconds;
}

uint64_t key_text(uint64_t seed, struct slice text)
{
    return hash_mix(seed, hash_bytes(text.ptr, text.len, text.len + 1));
}

void reply_figures(struct query_request *request, const struct tally *tally,
                   double seconds)
{
    struct jsonw *w = &request->json;
    double all = tally->requests;

    jsonw_member_double(w, "requestCount", all);
    jsonw_member_double(w, "requestRate", all / seconds);
    tally_number(w, "errorRatio", all > 0 ? tally->errors / all : NAN);
    tally_number(w, "clientErrorRatio",
                 all > 0 ? tally->client_errors / all : NAN);
    jsonw_key(w, "latency");
    if (all <= 0) {
        jsonw_null(w);
        return;
    }
    jsonw_open(w, '{');
    tally_number(w, "mean", hist_mean(&tally->hist));
    tally_number(w, "p50", hist_quantile(&tally->hist, .5));
    tally_number(w, "p90", hist_quantile(&tally->hist, .9));
    tally_number(w, "p99", hist_quantile(&tally->hist, .99));
    jsonw_close(w, '}');
}

void reply_window(struct query_request *request, const struct window *window,
                  uint64_t step_ns)
{
    struct jsonw *w = &request->json;

    jsonw_member_open(w, "window", '{');
    jsonw_member_time(w, "startTime", window->start_ns);
    jsonw_member_time(w, "endTime", window->end_ns);
    if (step_ns) {
        jsonw_key(w, "stepSeconds");
        jsonw_double(w, (double)step_ns / (double)NS_PER_S);
    }
    jsonw_close(w, '}');
}

void reply_component(struct query_request *request,
                     const struct identity *identity)
{
    static const char *const rules[] = {"none",    "stamped",  "stampedRecord",
                                        "learned", "inferred", "unassigned"};
    struct jsonw *w = &request->json;

    jsonw_member_text(w, "namespace", identity->namespace);
    jsonw_member_text(w, "project", identity->project);
    jsonw_member_text(w, "component", identity->component);
    reply_text(request, "environment", identity->environment);
    reply_uid(request, "projectUid", identity->project_uid);
    reply_uid(request, "componentUid", identity->component_uid);
    reply_uid(request, "environmentUid", identity->environment_uid);
    jsonw_member_text(w, "rule", slice_of(rules[identity->rule]));
}

void reply_last_seen(struct query_request *request,
                     const struct component_info *info)
{
    static const char *const names[SIGNAL_COUNT] = {"traces", "logs",
                                                    "metrics"};
    struct jsonw *w = &request->json;

    if (info->first_seen_ns)
        jsonw_member_time(w, "firstSeen", info->first_seen_ns);
    jsonw_member_open(w, "lastSeen", '{');
    for (int i = 0; i < SIGNAL_COUNT; i++)
        if (info->last_seen_ns[i])
            jsonw_member_time(w, names[i], info->last_seen_ns[i]);
    jsonw_close(w, '}');
}

const struct route routes_components[] = {
    {"GET", "/api/v1/components", component_list, NULL, 0, 0, NULL},
    {"GET", "/api/v1/components/{}/{}/{}", component_page, NULL, 0, 0, NULL},
    {0},
};
