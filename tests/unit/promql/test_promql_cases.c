/*
 * Expressions and what they yield, in cases/: files of
 *
 *   clear
 *   load 1m
 *       x{a="1"} 0+10x5            see promql_kit.h
 *   at 5m: rate(x[5m])             an instant query
 *       {a="1"} 0.2                its result, in any order
 *   over 0 5m 1m: x                a range query
 *       x{a="1"} 0 10 20 _ 40 50   one value per step
 *
 * In place of series a result can be:
 *
 *       none                       nothing
 *       scalar 5                   (over: one value per step)
 *       string "x"
 *       fails: part of the message
 *
 * Besides them:
 *
 *       ordered                    the order counts
 *       info: / warning: text      an annotation, all of them
 *
 * At an instant a range shows raw samples: {a="1"} 10@60 20@120.
 */

#include "promql_kit.h"
#include "test.h"

static struct kit kit;

struct query_case {
    const char *file;
    int line;
    char text[1024];
    struct promql_time time;
    char expected[64][1024];
    uint32_t expected_count;
};

/* ---- numbers and times ---- */

static int64_t duration_ms(const char *text)
{
    char *end;
    double v = strtod(text, &end);

    switch (*end) {
    case 'm':
        return (int64_t)(end[1] == 's' ? v : v * 60000);
    case 'h':
        return (int64_t)(v * 3600000);
    case 'd':
        return (int64_t)(v * 86400000);
    default:
        return (int64_t)(v * 1000);
    }
}

static bool near(double got, double want)
{
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want);
    if (got == want)
        return true;
    return fabs(got - want) <= 1e-10 * fmax(fabs(got), fabs(want));
}

/* ---- histograms ---- */

static double bucket_at(const struct promql_buckets *side, int64_t index)
{
    int64_t i = index - side->offset;

    return i >= 0 && i < (int64_t)side->count ? side->counts[i] : 0;
}

static bool near_side(const struct promql_buckets *a,
                      const struct promql_buckets *b)
{
    for (int64_t i = -300; i < 300; i++)
        if (!near(bucket_at(a, i), bucket_at(b, i)))
            return false;
    return true;
}

static bool near_histogram(const struct promql_histogram *a,
                           const struct promql_histogram *b)
{
    return a->schema == b->schema && near(a->count, b->count) &&
           near(a->sum, b->sum) && near(a->zero_count, b->zero_count) &&
           near(a->zero_threshold, b->zero_threshold) &&
           near_side(&a->positive, &b->positive) &&
           near_side(&a->negative, &b->negative);
}

/* ---- comparing ---- */

/* Says why, once per case. */
static bool wrong(const struct query_case *c, const char *why)
{
    fprintf(stderr, "# %s:%d: %s: %s\n", c->file, c->line, c->text, why);
    return false;
}

static bool same_labels(const struct promql_labels *a,
                        const struct promql_labels *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!slice_equal(a->at[i].name, b->at[i].name) ||
            !slice_equal(a->at[i].value, b->at[i].value))
            return false;
    return true;
}

static void show(const struct promql_labels *labels)
{
    for (uint32_t i = 0; i < labels->count; i++)
        fprintf(stderr, " %.*s=%.*s", SLICE_ARGS(labels->at[i].name),
                SLICE_ARGS(labels->at[i].value));
}

static bool compare_series(const struct query_case *c,
                           const struct promql_result_series *got,
                           const char *values)
{
    struct kit_samples want;
    uint32_t steps = promql_steps(&c->time), next = 0;

    kit_samples(&kit, values, 1, &want);
    for (uint32_t i = 0; i < steps; i++) {
        const struct promql_histogram *h =
            got->histograms ? got->histograms[i] : NULL;
        bool have = h || !promql_is_absent(got->values[i]);
        bool wanted = next < want.count && want.times[next] == i;

        if (have != wanted ||
            (have && ((h != NULL) != (want.histograms[next] != NULL) ||
                      (h ? !near_histogram(h, want.histograms[next])
                         : !near(got->values[i], want.values[next]))))) {
            fprintf(stderr, "# step %u: got %s %.17g; series", i,
                    have ? h ? "a histogram" : "a float" : "nothing",
                    h ? h->count : got->values[i]);
            show(&got->labels);
            fprintf(stderr, "\n");
            return wrong(c, "another value");
        }
        next += wanted;
    }
    return next == want.count || wrong(c, "too few steps");
}

static bool compare_line(const struct query_case *c,
                         const struct promql_result *result, const char *line,
                         int position)
{
    struct promql_labels labels = kit_labels(&kit, &line);

    for (uint32_t i = 0; i < result->count; i++)
        if (same_labels(&labels, &result->series[i].labels)) {
            if (position >= 0 && (uint32_t)position != i)
                return wrong(c, "another order");
            return compare_series(c, &result->series[i], line);
        }
    for (uint32_t i = 0; i < result->count; i++) {
        fprintf(stderr, "# got:");
        show(&result->series[i].labels);
        fprintf(stderr, " %g\n", result->series[i].values[0]);
    }
    return wrong(c, "a series is missing");
}

static bool compare_samples(const struct query_case *c,
                            const struct promql_result *result,
                            const char *line)
{
    struct promql_labels labels = kit_labels(&kit, &line);
    const struct promql_series *series = NULL;
    uint32_t n = 0;

    for (uint32_t i = 0; i < result->count; i++)
        if (same_labels(&labels, &result->samples[i].labels))
            series = &result->samples[i];
    if (!series)
        return wrong(c, "a series is missing");
    for (kit_blanks(&line); *line; kit_blanks(&line), n++) {
        double v = kit_number(&line), t;

        line++;
        t = kit_number(&line);
        if (n >= series->count || !near(series->values[n], v) ||
            series->times[n] != (int64_t)(t * 1000))
            return wrong(c, "another sample");
    }
    return n == series->count || wrong(c, "too many samples");
}

static bool has_note(const char *const *notes, uint32_t count, const char *text)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(notes[i], text) == 0)
            return true;
    return false;
}

static bool starts(const char *line, const char *word, const char **rest)
{
    size_t len = strlen(word);

    if (strncmp(line, word, len) != 0)
        return false;
    *rest = line + len + strspn(line + len, " ");
    return true;
}

struct tally {
    uint32_t series, infos, warnings;
    bool ordered;
};

static bool compare_one(const struct query_case *c,
                        const struct promql_result *r, const char *line,
                        struct tally *tally)
{
    const char *rest;

    if (strcmp(line, "none") == 0)
        return r->count == 0 || wrong(c, "there is a result");
    if (strcmp(line, "ordered") == 0)
        return tally->ordered = true;
    if (starts(line, "info:", &rest)) {
        tally->infos++;
        return has_note(r->infos, r->info_count, rest) ||
               wrong(c, r->info_count ? r->infos[0] : "no info");
    }
    if (starts(line, "warning:", &rest)) {
        tally->warnings++;
        return has_note(r->warnings, r->warning_count, rest) ||
               wrong(c, r->warning_count ? r->warnings[0] : "no warning");
    }
    if (starts(line, "scalar", &rest)) {
        tally->series++;
        return (r->type == PROMQL_SCALAR && r->count == 1 &&
                compare_series(c, &r->series[0], rest)) ||
               wrong(c, "another scalar");
    }
    if (starts(line, "string", &rest))
        return (r->type == PROMQL_STRING &&
                strncmp(rest + 1, r->string.ptr, r->string.len) == 0 &&
                strlen(rest) == r->string.len + 2) ||
               wrong(c, "another string");
    tally->series++;
    if (r->type == PROMQL_MATRIX)
        return compare_samples(c, r, line);
    return compare_line(c, r, line,
                        tally->ordered ? (int)tally->series - 1 : -1);
}

static bool compare(const struct query_case *c, enum status s,
                    const struct promql_result *result,
                    const struct promql_error *error)
{
    struct tally tally = {0};
    const char *rest;

    if (c->expected_count == 0)
        return wrong(c, "the case says nothing");
    if (starts(c->expected[0], "fails:", &rest)) {
        if (s == OK)
            return wrong(c, "it did not fail");
        return strstr(error->text, rest) || wrong(c, error->text);
    }
    if (s != OK)
        return wrong(c, error->text[0] ? error->text : status_text(s));
    for (uint32_t i = 0; i < c->expected_count; i++)
        if (!compare_one(c, result, c->expected[i], &tally))
            return false;
    if (tally.series != result->count)
        return wrong(c, "another number of series");
    if (tally.infos != result->info_count)
        return wrong(c, result->info_count ? result->infos[0] : "infos");
    if (tally.warnings != result->warning_count)
        return wrong(c,
                     result->warning_count ? result->warnings[0] : "warnings");
    return true;
}

/* ---- running ---- */

static bool run_once(const struct query_case *c)
{
    struct arena arena;
    struct promql_result result = {0};
    struct promql_error error = {{0}, false};
    enum status s;
    bool good;

    arena_init(&arena, NULL, 1 << 28);
    s = kit_query(&kit, slice_of(c->text), &c->time, &arena, &result, &error);
    good = compare(c, s, &result, &error);
    arena_release(&arena);
    return good;
}

static bool parse_query(struct query_case *c, char *line)
{
    char *colon = strchr(line, ':');
    char from[32], to[32], step[32];

    if (!colon)
        return wrong(c, "no colon");
    snprintf(c->text, sizeof(c->text), "%s", colon + 1 + (colon[1] == ' '));
    *colon = '\0';
    c->time = (struct promql_time){0};
    if (sscanf(line, "at %31s", from) == 1) {
        c->time.start_ms = c->time.end_ms = duration_ms(from);
        return true;
    }
    if (sscanf(line, "over %31s %31s %31s", from, to, step) != 3)
        return wrong(c, "neither at nor over");
    c->time = (struct promql_time){.start_ms = duration_ms(from),
                                   .end_ms = duration_ms(to),
                                   .step_ms = duration_ms(step)};
    return true;
}

/* Runs the case that was read, if there is one. */
static uint32_t finish(struct query_case *c)
{
    uint32_t ran = c->text[0] != '\0';

    if (ran)
        CHECK(run_once(c));
    c->text[0] = '\0';
    c->expected_count = 0;
    return ran;
}

static uint32_t take_line(struct query_case *c, char *line, int number,
                          int64_t *interval_ms)
{
    uint32_t ran = 0;

    line[strcspn(line, "\n")] = '\0';
    if (line[0] == '#' || line[0] == '\0')
        return 0;
    if (line[0] == ' ') {
        line += strspn(line, " ");
        if (c->text[0] && c->expected_count < 64)
            snprintf(c->expected[c->expected_count++], 1024, "%s", line);
        else
            kit_load(&kit, line, *interval_ms);
        return 0;
    }
    ran = finish(c);
    c->line = number;
    if (strcmp(line, "clear") == 0)
        kit_clear(&kit);
    else if (strncmp(line, "load ", 5) == 0)
        *interval_ms = duration_ms(line + 5);
    else
        CHECK(parse_query(c, line));
    return ran;
}

static uint32_t run_file(const char *path)
{
    static struct query_case c;
    FILE *file = fopen(path, "r");
    char line[1024];
    int64_t interval_ms = 0;
    uint32_t ran = 0;
    int number = 0;

    c = (struct query_case){.file = path};
    if (!CHECK(file != NULL))
        return 0;
    kit_clear(&kit);
    while (fgets(line, sizeof(line), file))
        ran += take_line(&c, line, ++number, &interval_ms);
    ran += finish(&c);
    fclose(file);
    kit_clear(&kit);
    return ran;
}

static void run_named(const char *name, uint32_t least)
{
    char path[128];

    snprintf(path, sizeof(path), "tests/unit/promql/cases/%s.txt", name);
    CHECK(run_file(path) >= least);
}

TEST(selectors)
{
    run_named("selectors", 60);
}

TEST(rates)
{
    run_named("rate", 40);
}

TEST(over_time)
{
    run_named("over_time", 63);
}

TEST(aggregations)
{
    run_named("aggregate", 70);
}

TEST(operators)
{
    run_named("binary", 46);
}

TEST(matching)
{
    run_named("match", 55);
}

TEST(subqueries)
{
    run_named("subquery", 29);
}

TEST(histograms)
{
    run_named("histograms", 46);
}

TEST(functions)
{
    run_named("functions", 75);
}
