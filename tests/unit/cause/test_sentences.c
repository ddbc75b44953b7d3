/*
 * Sentences of the answer: values as people write them, without exponents,
 * rounded to nothing, or without their units.
 */
#include "event_sentence.h"
#include "log_shown.h"
#include "metric_sentence.h"

#include <stdio.h>

#include "test.h"

static struct arena arena;

static struct timeseries metric(const char *name, const char *unit,
                                enum metric_class class)
{
    return (struct timeseries){.name = slice_of(name),
                               .unit = slice_of(unit),
                               .class = (uint8_t) class};
}

/* What the sentence says; valid until the next one. */
static struct cause_evidence told(struct timeseries t, double before,
                                  double now)
{
    struct cause_evidence e = {0};

    arena_release(&arena);
    arena_init(&arena, NULL, 1 << 20);
    metric_describe(&arena, &t, before, now, &e);
    return e;
}

static bool says(struct timeseries t, double before, double now,
                 const char *text)
{
    struct cause_evidence e = told(t, before, now);

    if (slice_equal(e.text, slice_of(text)))
        return true;
    printf("# '%.*s'\n", SLICE_ARGS(e.text));
    return false;
}

TEST(values_have_the_units_that_people_use)
{
    struct timeseries cpu = metric("container.cpu.time", "s", CLASS_CPU);

    cpu.is_rate = true;
    CHECK(says(cpu, 0.0133, 0.8031,
               "CPU rose from 0.0133 to 0.803 cores "
               "(container.cpu.time)"));
    CHECK(says(metric("container.memory.usage", "By", CLASS_MEMORY),
               148193140.61, 376381126.33,
               "memory rose from 148 to 376 MB (container.memory.usage)"));
    CHECK(says(metric("http.server.request.duration", "s", CLASS_LATENCY),
               0.004498, 0.009186,
               "takes 9.19 ms, 4.5 ms before (http.server.request.duration)"));
    CHECK(says(metric("http_request_duration_seconds", "", CLASS_LATENCY),
               0.0595, 192,
               "takes 3.2 min, 59.5 ms before "
               "(http_request_duration_seconds)"));
    CHECK(says(metric("http.client.request.duration", "s", CLASS_CALLS), 0.002,
               0.0332,
               "its calls take 33.2 ms, 2 ms before "
               "(http.client.request.duration)"));
    CHECK(says(metric("cpu.utilization", "1", CLASS_CPU), 0.35, 1,
               "CPU rose from 35% to 100% (cpu.utilization)"));
    CHECK(says(metric("k8s.pod.disk.io", "By/s", CLASS_DISK), 10500, 26.5e6,
               "k8s.pod.disk.io rose from 10.5 kB/s to 26.5 MB/s"));
}

TEST(numbers_have_no_exponent_and_are_told_apart)
{
    CHECK(says(metric("items", "", CLASS_UNKNOWN), 1.2e7, 3.45e9,
               "items rose from 12 million to 3.45 billion"));
    CHECK(says(metric("items", "", CLASS_UNKNOWN), 0.000012, 0.00045,
               "items rose from 0.000012 to 0.00045"));
    CHECK(says(metric("queue.size", "1", CLASS_QUEUE), 0, 818,
               "queue.size rose from 0 to 818"));
    CHECK(says(metric("items", "{item}", CLASS_UNKNOWN), 100.01, 100.04,
               "items rose from 100.01 to 100.04 items"));
    struct timeseries available =
        metric("memory.available", "By", CLASS_MEMORY);
    available.less_is_worse = true;
    CHECK(says(available, 3e8, 1e7, "memory.available fell from 300 to 10 MB"));
}

TEST(shares_are_percent)
{
    struct timeseries up = metric("availability", "", CLASS_SUCCESS);
    struct timeseries failures = metric("failures in x", "%", CLASS_ERRORS);

    failures.is_share = true;
    CHECK(says(failures, 0.001, 0.07,
               "fails in 7% of requests, 0.1% before (x)"));
    CHECK(says(failures, 0, 0.07, "fails in 7% of requests, 0% before (x)"));
    up.is_share = true;
    up.complement = 100; /* its values are what is missing */
    CHECK(says(up, 0.001, 0.358, "availability fell from 99.9% to 64.2%"));
}

TEST(numbers_and_chart_agree_with_the_text)
{
    struct cause_evidence e =
        told(metric("http.server.request.duration", "s", CLASS_LATENCY), 0.0045,
             0.0092);

    CHECK_TEXT(slice_of(e.numbers.unit), "ms");
    CHECK(e.numbers.before > 4.49 && e.numbers.before < 4.51);
    CHECK(e.numbers.after > 9.19 && e.numbers.after < 9.21);
    CHECK(e.chart_scale > 999 && e.chart_scale < 1001);
}

TEST(lines_are_counted_as_times)
{
    CHECK(says(metric("card declined", "lines/min", CLASS_ERROR_LOGS), 0, 1,
               "logs \"card declined\" 1 time a minute, 0 before"));
    CHECK(says(metric("card declined", "lines/min", CLASS_ERROR_LOGS), 1, 12,
               "logs \"card declined\" 12 times a minute, 1 before"));
}

/* ---- log lines ---- */

static bool shows(const char *line, const char *text)
{
    arena_release(&arena);
    arena_init(&arena, NULL, 1 << 20);
    struct slice shown = log_shown(&arena, slice_of(line));

    if (slice_equal(shown, slice_of(text)))
        return true;
    printf("# '%.*s'\n", SLICE_ARGS(shown));
    return false;
}

TEST(log_lines_hide_ids_and_addresses)
{
    CHECK(shows("charge 1252f declined by the bank",
                "charge <id> declined by the bank"));
    CHECK(shows("f.m.s.BasicServiceImpl#415 TraceID: "
                "6e57b2b067d58f003e0bc87983502f61 SpanID: eed6973ba1b84908 "
                "[getRoutes][Failed]",
                "f.m.s.BasicServiceImpl#415 TraceID: <id> SpanID: <id> "
                "[getRoutes][Failed]"));
    CHECK(shows("order 92708982-77af-4f6c-a8f5-0a1b2c3d4e5f not found",
                "order <id> not found"));
    CHECK(shows("dial tcp 10.0.12.7:5432: connection refused",
                "dial tcp <address>: connection refused"));
    CHECK(shows("from fe80::1ff:fe23:4567:890a to ::ffff:10.1.2.3",
                "from <address> to <address>"));
    CHECK(shows("no mailbox for anna.berg@example.org.",
                "no mailbox for <e-mail>."));
    CHECK(shows("GET /orders/123456789/items?user=anna failed",
                "GET /orders/<number>/items?user=anna failed"));
    CHECK(shows("card 4111 1111 1111 1111 and 5500-0000-0000-0004, declined",
                "card <number> and <number>, declined"));
}

TEST(log_lines_keep_what_helps)
{
    static const char *const lines[] = {
        "timed out after 30s (attempt 3 of 5), status 503",
        "HTTP/1.1 500 Internal Server Error",
        "db.go:52 no connection of 20 is free after 250 ms",
        "OutOfMemoryError: Java heap space",
        "v2.14.3 started, cache added a bad decade",
        "disk full: 0 of 10Gi left",
        "token expired",
        "[before get basic][trips: none] basic authentication failed",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        CHECK(shows(lines[i], lines[i]));
}

TEST(log_lines_hide_secrets)
{
    CHECK(shows("login failed password=hunter2 user=anna",
                "login failed password=<secret> user=anna"));
    CHECK(shows("{\"user\":\"anna\",\"password\": \"hunter2\",\"n\":1}",
                "{\"user\":\"anna\",\"password\": \"<secret>\",\"n\":1}"));
    CHECK(shows("password: hunter2, next", "password: <secret>, next"));
    CHECK(shows("db_password:hunter2 next", "db_password:<secret> next"));
    CHECK(shows("Authorization: Bearer abc.def next",
                "Authorization: Bearer <secret> next"));
    CHECK(shows("got Bearer abcdef12", "got Bearer <secret>"));
    CHECK(shows("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln rejected",
                "token <secret> rejected"));
    CHECK(shows("key AKIAIOSFODNN7EXAMPLE used", "key <secret> used"));
    CHECK(shows("postgres://app:hunter2@db:5432/orders is down",
                "postgres://<secret>@db:5432/orders is down"));
    CHECK(
        shows("GET /pay?api_key=abcdef&x=1", "GET /pay?api_key=<secret>&x=1"));
}

TEST(log_lines_are_cut_at_words)
{
    struct slice cut;

    arena_release(&arena);
    arena_init(&arena, NULL, 1 << 20);
    cut = text_cut(&arena, SLICE("one two three"), 10);
    CHECK_TEXT(cut, "one two\xe2\x80\xa6");
    cut = text_cut(&arena, SLICE("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"), 7);
    CHECK_TEXT(cut, "\xc3\xa4\xc3\xa4\xe2\x80\xa6");
    CHECK_TEXT(text_cut(&arena, SLICE("short"), 5), "short");
    char line[2000];
    memset(line, 'x', sizeof(line));
    CHECK(log_shown(&arena, (struct slice){line, sizeof(line)}).len <= 160);
    for (size_t i = 0; i < sizeof(line); i++)
        line[i] = "a \xc3\xa9 1f@=:-/"[i % 12];
    CHECK(log_shown(&arena, (struct slice){line, sizeof(line)}).len <= 160);
}

/* ---- counts ---- */

static bool tells(struct event_words e, const char *text)
{
    arena_release(&arena);
    arena_init(&arena, NULL, 1 << 20);
    e.what = SLICE("GET /stock");
    struct slice sentence = event_sentence(&arena, &e);

    if (slice_equal(sentence, slice_of(text)))
        return true;
    printf("# '%.*s'\n", SLICE_ARGS(sentence));
    return false;
}

TEST(calls_that_are_gone_do_not_go_well)
{
    struct event_words gone = {.is_call = true,
                               .before = 701,
                               .before_of = 701,
                               .now = 0,
                               .now_of = 459};

    CHECK(tells(gone, "call GET /stock is not made any more: in 0 of 459 "
                      "traces, 701 of 701 before"));
    gone.now = 2;
    CHECK(tells(gone, "call GET /stock is made in only 2 of 459 traces, 701 of "
                      "701 before"));
    gone.still_made = true;
    CHECK(tells(gone, "call GET /stock succeeds in only 2 of 459 traces, 701 "
                      "of 701 before"));
    struct event_words fails = {.is_call = true,
                                .is_error = true,
                                .is_sample = true,
                                .before = 1,
                                .before_of = 701,
                                .now = 178,
                                .now_of = 459,
                                .after = SLICE("GET /x")};
    CHECK(tells(fails, "call GET /stock fails in 178 of 459 sampled traces, 1 "
                       "of 701 before (after GET /x)"));
}

static bool share_is(double k, double n, const char *text, const char *before)
{
    arena_release(&arena);
    arena_init(&arena, NULL, 1 << 20);
    struct slice now = share_text(&arena, k, n, "requests");
    struct slice was = share_before_text(&arena, k, n);
    bool good =
        slice_equal(now, slice_of(text)) && slice_equal(was, slice_of(before));

    if (!good)
        printf("# '%.*s' '%.*s'\n", SLICE_ARGS(now), SLICE_ARGS(was));
    return good;
}

TEST(shares_are_counts_as_long_as_these_are_small)
{
    CHECK(share_is(3, 6, "3 of 6 requests", "3 of 6"));
    CHECK(share_is(1, 1, "1 of 1 request", "1 of 1"));
    CHECK(share_is(0, 20, "0 of 20 requests", "0 of 20"));
    CHECK(share_is(12.93, 20.4, "about 13 of 20 requests", "13 of 20"));
    CHECK(share_is(0.2, 20.4, "about 1 of 20 requests", "1 of 20"));
    CHECK(share_is(19.9, 20.1, "about 20 of 20 requests", "20 of 20"));
    CHECK(share_is(18.9, 20.1, "about 19 of 20 requests", "19 of 20"));
    CHECK(share_is(3.05, 3.1, "about 3 of 3 requests", "3 of 3"));
    CHECK(share_is(3, 12000, "0.025% of 12000 requests", "0.025%"));
    CHECK(share_is(0, 12000, "0% of 12000 requests", "0%"));
    CHECK(share_is(0, 0, "0 of 0 requests", "none"));
}
