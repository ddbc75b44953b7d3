/*
 * TraceQL: what is read and what is refused, what conditions mean on one span,
 * stages and relations on one trace; and random conditions, whose truth is
 * computed beside their text.
 */
#include "traceql.h"

#include <stdio.h>
#include <stdlib.h>

#include "map.h"
#include "test.h"
#include "traceql_texts.h"

static struct arena arena;

static bool parse(const char *text, struct traceql *query, char *error)
{
    return traceql_parse(slice_of(text), &arena, query, error) == OK;
}

TEST(what_is_read)
{
    char error[TRACEQL_ERROR];
    struct traceql query;

    arena_init(&arena, NULL, SIZE_MAX);
    for (size_t i = 0; i < sizeof(good_queries) / sizeof(good_queries[0]);
         i++) {
        if (!parse(good_queries[i], &query, error)) {
            printf("# %s: %s\n", good_queries[i], error);
            CHECK(false);
        }
        traceql_release(&query);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

TEST(what_is_refused)
{
    char error[TRACEQL_ERROR];
    struct traceql query;

    arena_init(&arena, NULL, SIZE_MAX);
    for (size_t i = 0; i < sizeof(bad_queries) / sizeof(bad_queries[0]); i++) {
        bool read = parse(bad_queries[i].query, &query, error);

        if (read || !strstr(error, bad_queries[i].why) ||
            !strstr(error, "line ")) {
            printf("# %s: %s\n", bad_queries[i].query, error);
            CHECK(false);
        }
        traceql_release(&query);
        arena_reset(&arena);
    }
    arena_release(&arena);
}

/* Every beginning of a query is read or refused, and nothing else. */
TEST(queries_cut_anywhere)
{
    char error[TRACEQL_ERROR];
    struct traceql query;

    arena_init(&arena, NULL, SIZE_MAX);
    for (size_t i = 0; i < sizeof(good_queries) / sizeof(good_queries[0]);
         i++) {
        size_t len = strlen(good_queries[i]);

        for (size_t n = 0; n < len; n++) {
            char *cut =
                malloc(n ? n : 1); /* so that ASan sees a read beyond it */
            enum status s;

            if (!cut)
                abort();
            memcpy(cut, good_queries[i], n);
            s = traceql_parse((struct slice){cut, n}, &arena, &query, error);
            CHECK(s == OK || (s == ERR_INVALID && error[0]));
            traceql_release(&query);
            arena_reset(&arena);
            free(cut);
        }
    }
    arena_release(&arena);
}

TEST(queries_that_are_too_deep_or_too_long)
{
    static char text[70000];
    char error[TRACEQL_ERROR];
    struct traceql query;

    arena_init(&arena, NULL, SIZE_MAX);
    text[0] = '{';
    memset(text + 1, '(', 5000);
    text[5001] = '\0';
    CHECK(!parse(text, &query, error));
    CHECK(strstr(error, "nested too deeply"));
    memset(text + 1, '!', 5000);
    CHECK(!parse(text, &query, error));
    CHECK(strstr(error, "nested too deeply"));
    memset(text, '(', 5000);
    CHECK(!parse(text, &query, error));
    CHECK(strstr(error, "nested too deeply"));
    strcpy(text, "{ .a");
    for (int i = 0; i < 2000; i++)
        strcat(text, "||.a");
    CHECK(!parse(text, &query, error));
    CHECK(strstr(error, "too long"));
    arena_release(&arena);
}

/* ---- one trace: a root (cart), its two children, and a child of the second
 * ---- */

static struct attr text_attr(const char *key, const char *text)
{
    return (struct attr){.key = key,
                         .key_len = (uint16_t)strlen(key),
                         .type = VALUE_STRING,
                         .str = text,
                         .len = (uint32_t)strlen(text)};
}

static struct attr int_attr(const char *key, int64_t i)
{
    return (struct attr){.key = key,
                         .key_len = (uint16_t)strlen(key),
                         .type = VALUE_INT,
                         .i = i};
}

enum { SPANS = 4 };
static struct span spans[SPANS];
static struct attr attrs[SPANS][5], resource_attrs[2][2], event_attr;
static struct attr items[2];
static struct resource resources[2];
static struct identity identity = {.namespace = SLICE_INIT("acme"),
                                   .component = SLICE_INIT("cart")};
static struct span_event events[2];
static struct span_link span_link;
static struct scope span_scope;
static const struct resource *of_span[SPANS];
static const struct identity *identities[SPANS];
static struct traceql_trace trace;

static void make_trace(void)
{
    static const char *const names[] = {"GET /", "query", "charge",
                                        "POST /pay"};

    arena_init(&arena, NULL, SIZE_MAX);
    memset(spans, 0, sizeof(spans));
    resource_attrs[0][0] = text_attr("service.name", "cart");
    resource_attrs[1][0] = text_attr("service.name", "pay");
    resource_attrs[1][1] = text_attr("namespace", "sent");
    for (int i = 0; i < 2; i++)
        resources[i].attrs =
            (struct attrs){resource_attrs[i], 1 + (uint32_t)i, 0};
    items[0] = text_attr("", "one");
    items[1] = text_attr("", "two");
    for (uint32_t i = 0; i < SPANS; i++) {
        struct span *span = &spans[i];

        span->trace_id[15] = 0xab;
        span->span_id[7] = (uint8_t)(i + 1);
        span->start_ns = 1000000000 + i;
        span->end_ns = span->start_ns + (i + 1) * 10000000;
        span->name = slice_of(names[i]);
        span->kind = (uint8_t)(i + 1);
        attrs[i][0] = int_attr("n", (int64_t)i * 100);
        attrs[i][1] = text_attr("route", i < 2 ? "/a" : "/b");
        attrs[i][2] = (struct attr){
            .key = "d", .key_len = 1, .type = VALUE_DOUBLE, .d = 0.5};
        attrs[i][3] = (struct attr){
            .key = "yes", .key_len = 3, .type = VALUE_BOOL, .b = i == 0};
        attrs[i][4] = (struct attr){.key = "list",
                                    .key_len = 4,
                                    .type = VALUE_ARRAY,
                                    .items = items,
                                    .len = 2};
        span->attrs = (struct attrs){attrs[i], i == 3 ? 1 : 5, 0};
        span->operation = SLICE("GET /a");
        of_span[i] = &resources[i / 2];
        identities[i] = &identity;
    }
    spans[1].parent_span_id[7] = spans[2].parent_span_id[7] = 1;
    spans[3].parent_span_id[7] = 3;
    spans[2].status = SPAN_ERROR;
    spans[2].status_message = SLICE("declined");
    event_attr = text_attr("exception.type", "Timeout");
    events[0] =
        (struct span_event){.time_ns = 1000000502, .name = SLICE("retry")};
    events[1] = (struct span_event){.time_ns = 1000001002,
                                    .name = SLICE("exception"),
                                    .attrs = {&event_attr, 1, 0}};
    spans[2].events = events;
    spans[2].event_count = 2;
    span_link.trace_id[15] = 0xcd;
    spans[2].links = &span_link;
    spans[2].link_count = 1;
    span_scope.name = SLICE("otel");
    span_scope.version = SLICE("1.2");
    spans[2].scope = &span_scope;
    trace = (struct traceql_trace){.spans = spans,
                                   .resources = of_span,
                                   .identities = identities,
                                   .count = SPANS};
    CHECK(traceql_trace_index(&trace, &arena));
    CHECK_EQ(trace.root, 0);
}

/* The places of the spans found: "02", sets of by() with bars: "01|2". */
static const char *run(const char *text)
{
    static char found[64];
    char error[TRACEQL_ERROR];
    struct traceql query;
    struct traceql_result result;
    size_t len = 0;

    found[0] = '\0';
    if (!parse(text, &query, error)) {
        snprintf(found, sizeof(found), "%.60s", error);
        printf("# %s\n", error);
    } else if (traceql_run(&query, &trace, &arena, &result)) {
        for (uint32_t i = 0; i < result.count; i++)
            for (uint32_t k = 0; k < result.sets[i].count; k++)
                len += (size_t)snprintf(found + len, sizeof(found) - len,
                                        "%s%u", i > 0 && k == 0 ? "|" : "",
                                        result.sets[i].spans[k]);
    }
    traceql_release(&query);
    return found;
}

static const struct {
    const char *query, *spans;
} runs[] = {
    {"{}", "0123"},
    {"{ false }", ""},
    {"{ name = \"query\" }", "1"},
    {"{ name != \"query\" }", "023"},
    {"{ name =~ \".*y\" }", "13"},
    {"{ name =~ \"uer\" }", ""},
    {"{ name !~ \".*y\" }", "02"},
    {"{ name > \"a\" }", "12"},
    {"{ status = error }", "2"},
    {"{ status != error }", "013"},
    {"{ status = unset }", "013"},
    {"{ statusMessage = \"declined\" }", "2"},
    {"{ kind = internal || kind = consumer }", "0"},
    {"{ kind = producer }", "3"},
    {"{ duration > 20ms }", "23"},
    {"{ duration >= 20ms && duration < 40ms }", "12"},
    {"{ duration = 0.01s }", "0"},
    {"{ duration > 30000000 }", "3"},
    {"{ span.n = 200 }", "2"},
    {"{ span.n = 200.0 }", "2"},
    {"{ span.n > 99.5 }", "123"},
    {"{ 100 < span.n }", "23"},
    {"{ 100 >= span.n }", "01"},
    {"{ span.n != 100 }", "023"},
    {"{ span.n = \"200\" }", ""},
    {"{ span.n =~ \"2.*\" }", ""},
    {"{ span.route = \"/b\" }", "2"},
    {"{ span.route != \"/b\" }", "01"},
    {"{ span.route = nil }", "3"},
    {"{ span.route != nil }", "012"},
    {"{ span.missing = nil }", "0123"},
    {"{ span.missing != \"x\" }", ""},
    {"{ !(span.missing = \"x\") }", "0123"},
    {"{ span.d = 0.5 }", "012"},
    {"{ .yes }", "0"},
    {"{ !.yes && .yes != nil }", "12"},
    {"{ span.list = \"two\" }", "012"},
    {"{ span.list != \"two\" }", ""},
    {"{ span.list != \"three\" }", "012"},
    {"{ span.list =~ \"t.*\" }", "012"},
    {"{ resource.service.name = \"pay\" }", "23"},
    {"{ .service.name = \"cart\" }", "01"},
    {"{ span.service.name = \"cart\" }", ""},
    {"{ resource.n = 200 }", ""},
    {"{ resource.component = \"cart\" }", "0123"},
    {"{ resource.namespace = \"acme\" }", "01"},
    {"{ .namespace = \"sent\" }", "23"},
    {"{ span.operation = \"GET /a\" }", "0123"},
    {"{ span.endpoint = nil }", "0123"},
    {"{ event:name = \"exception\" }", "2"},
    {"{ event:name = \"retry\" }", "2"},
    {"{ event:name != \"retry\" }", ""},
    {"{ event:timeSinceStart >= 1us }", "2"},
    {"{ event.exception.type = \"Timeout\" }", "2"},
    {"{ link:traceID = \"CD\" }", "2"},
    {"{ link:traceID != nil }", "2"},
    {"{ instrumentation:name = \"otel\" && instrumentation:version = \"1.2\" }",
     "2"},
    {"{ trace:id = \"ab\" }", "0123"},
    {"{ trace:id = \"000000000000000000000000000000AB\" }", "0123"},
    {"{ span:id = \"3\" }", "2"},
    {"{ span:parentID = \"0000000000000001\" }", "12"},
    {"{ span:parentID = nil }", "0"},
    {"{ nestedSetParent < 0 }", "0"},
    {"{ nestedSetParent > 0 }", "123"},
    {"{ span:childCount = 2 }", "0"},
    {"{ rootName = \"GET /\" && rootServiceName = \"cart\" }", "0123"},
    {"{ trace:duration > 39ms && traceDuration < 41ms }", "0123"},
    {"{ parent.n = 0 }", "12"},
    {"{ parent.resource.service.name = \"pay\" }", "3"},
    {"{ span.n + 1 = 201 }", "2"},
    {"{ span.n * 2 > 300 && span.n / 100 = 2 }", "2"},
    {"{ span.n % 200 = 0 }", "02"},
    {"{ (span.n / 100) ^ 2 = 9 }", "3"},
    {"{ -span.n < -150 }", "23"},
    {"{ span.n > duration }", ""},
    /* && and || from the left, as in Tempo */
    {"{ name = \"query\" || true && false }", ""},
    {"{ name = \"query\" || (true && false) }", "1"},
    {"{ span.n = 0 } && { span.n = 300 }", "03"},
    {"{ span.n = 0 } && { span.n = 7 }", ""},
    {"{ span.n = 0 } || { span.n = 7 }", "0"},
    {"{ name = \"GET /\" } > {}", "12"},
    {"{ name = \"GET /\" } >> {}", "123"},
    {"{ name = \"POST /pay\" } < {}", "2"},
    {"{ name = \"POST /pay\" } << {}", "02"},
    {"{ name = \"query\" } ~ {}", "2"},
    {"{ name = \"GET /\" } !> {}", "03"},
    {"{ name = \"GET /\" } !>> {}", "0"},
    {"{ name = \"query\" } !~ {}", "013"},
    {"{ name = \"GET /\" } &> { status = error }", "02"},
    {"{} &>> { name = \"POST /pay\" }", "023"},
    {"{ name = \"POST /pay\" } &<< {}", "023"},
    {"{} | count() > 3", "0123"},
    {"{} | count() > 4", ""},
    {"{} | avg(duration) = 25ms", "0123"},
    {"{} | min(span.n) = 0", "0123"},
    {"{} | max(span.n) >= 300", "0123"},
    {"{} | sum(span.n) = 600", "0123"},
    {"{ name = \"query\" } | max(span.missing) > 0", ""},
    {"{} | { span.n > 100 } | count() = 2", "23"},
    {"{} | by(resource.service.name)", "01|23"},
    {"{} | by(resource.service.name) | max(span.n) > 150", "23"},
    {"{} | by(status) | coalesce()", "0123"},
    {"{} | by(span.route)", "01|2|3"},
    {"{} | by(span.route) | by(kind) | count() > 0", "0|1|2|3"},
    {"{} | select(span.n)", "0123"},
};

TEST(what_queries_find)
{
    make_trace();
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        const char *found = run(runs[i].query);

        if (strcmp(found, runs[i].spans) != 0)
            printf("# %s: %s, wanted %s\n", runs[i].query, found,
                   runs[i].spans);
        CHECK_TEXT(slice_of(found), runs[i].spans);
    }
    arena_release(&arena);
}

TEST(attributes_of_spansets)
{
    char error[TRACEQL_ERROR];
    struct traceql query;
    struct traceql_result result;

    make_trace();
    CHECK(parse("{} | by(resource.service.name) | avg( duration ) > 1ms",
                &query, error));
    CHECK(traceql_run(&query, &trace, &arena, &result));
    CHECK_EQ(result.count, 2);
    CHECK_EQ(result.sets[1].attr_count, 2);
    CHECK_TEXT(attr_key(&result.sets[1].attrs[0]), "by(resource.service.name)");
    CHECK_TEXT(attr_text(&result.sets[1].attrs[0]), "pay");
    CHECK_TEXT(attr_key(&result.sets[1].attrs[1]), "avg( duration )");
    CHECK_TEXT(attr_text(&result.sets[1].attrs[1]), "35ms");
    traceql_release(&query);
    arena_release(&arena);
}

/* Parents in a circle, of themselves, and twice the same id. */
TEST(traces_that_are_no_trees)
{
    static const char *const queries[] = {"{} > {}",  "{} >> {}", "{} < {}",
                                          "{} << {}", "{} ~ {}",  "{} &>> {}"};

    make_trace();
    for (int shape = 0; shape < 200; shape++) {
        for (int i = 0; i < SPANS; i++) {
            spans[i].span_id[7] = (uint8_t)(1 + test_random(4));
            spans[i].parent_span_id[7] = (uint8_t)test_random(5);
        }
        CHECK(traceql_trace_index(&trace, &arena));
        CHECK(trace.root < SPANS);
        for (int k = 0; k < 6; k++)
            CHECK(strlen(run(queries[k])) <= SPANS);
    }
    arena_release(&arena);
}

TEST(tags_in_logfmt)
{
    static const struct {
        const char *tags, *spans;
    } rows[] = {{"", "0123"},
                {"  ", "0123"},
                {"n=200", "2"},
                {"route=/a n=100", "1"},
                {"name=\"GET /\"", "0"},
                {"service.name=pay", "23"},
                {"status.code=error", "2"},
                {"status.code=2", "2"},
                {"error=true", "2"},
                {"yes=true", "0"},
                {"d=0.5", "012"},
                {"root.name=\"GET /\" root.service.name=cart n=300", "3"},
                {"namespace=acme", "01"},
                {"list=two", "012"},
                {"n=\"2\"", ""}};
    static const char *const bad[] = {"a", "a b=c", "=x", "a=\"b", "\"a=b"};
    char error[TRACEQL_ERROR];
    struct traceql query;

    make_trace();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char found[8] = "";

        CHECK_EQ(
            traceql_parse_tags(slice_of(rows[i].tags), &arena, &query, error),
            OK);
        for (uint32_t k = 0; k < SPANS; k++) {
            struct traceql_subject subject = traceql_subject_at(&trace, k);

            if (traceql_test(query.first->filter, &subject) == TRACEQL_YES)
                found[strlen(found)] = (char)('0' + k);
        }
        if (strcmp(found, rows[i].spans) != 0)
            printf("# %s\n", rows[i].tags);
        CHECK_TEXT(slice_of(found), rows[i].spans);
        traceql_release(&query);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_EQ(traceql_parse_tags(slice_of(bad[i]), &arena, &query, error),
                 ERR_INVALID);
    arena_release(&arena);
}

/* ---- random conditions ---- */

/* One comparison, its text, and whether it holds for a span. */
static bool random_leaf(char *text, const struct span *span, uint32_t place)
{
    static const char *const ops[] = {"=", "!=", "<", "<=", ">", ">="};
    uint32_t op = test_random(6);
    int64_t wanted, seen;
    bool present = true;

    switch (test_random(7)) {
    case 0:
        wanted = test_random(5) * 100;
        seen = span->attrs.at[0].i;
        sprintf(text, "span.n %s %lld", ops[op], (long long)wanted);
        break;
    case 1:
        wanted = test_random(6) * 10000000;
        seen = (int64_t)(span->end_ns - span->start_ns);
        sprintf(text, "duration %s %lldns", ops[op], (long long)wanted);
        break;
    case 2:
        wanted = test_random(3);
        op = test_random(2);
        seen = (int64_t)place / 2;
        sprintf(text, "resource.service.name %s \"%s\"", ops[op],
                wanted == 0   ? "cart"
                : wanted == 1 ? "pay"
                              : "x");
        break;
    case 3:
        wanted = test_random(2);
        op = test_random(2);
        seen = place < 2 ? 0 : 1;
        present = span->attrs.count > 1;
        sprintf(text, ".route %s \"%s\"", ops[op], wanted ? "/b" : "/a");
        break;
    case 4:
        wanted = test_random(3);
        op = test_random(2);
        seen = span->status;
        sprintf(text, "status %s %s", ops[op],
                wanted == 0   ? "unset"
                : wanted == 1 ? "ok"
                              : "error");
        break;
    case 5:
        wanted = 0;
        op = test_random(2);
        seen = (int64_t)span->event_count; /* 0: absent, which is nil */
        sprintf(text, "event:name %s nil", ops[op]);
        break;
    default:
        wanted = test_random(60) * 1000000;
        seen = (int64_t)(trace.end_ns - trace.start_ns);
        sprintf(text, "traceDuration %s %lldns", ops[op], (long long)wanted);
        break;
    }
    return present && (op == 0   ? seen == wanted
                       : op == 1 ? seen != wanted
                       : op == 2 ? seen < wanted
                       : op == 3 ? seen <= wanted
                       : op == 4 ? seen > wanted
                                 : seen >= wanted);
}

static bool random_condition(char *text, const struct span *span,
                             uint32_t place, int depth)
{
    uint32_t kind = test_random(depth > 3 ? 1 : 4);
    bool left, right;

    if (kind == 0)
        return random_leaf(text, span, place);
    if (kind == 1) {
        strcpy(text, "!(");
        left = random_condition(text + 2, span, place, depth + 1);
        strcat(text, ")");
        return !left;
    }
    strcpy(text, "(");
    left = random_condition(text + 1, span, place, depth + 1);
    strcat(text, kind == 2 ? " && " : " || ");
    right = random_condition(text + strlen(text), span, place, depth + 1);
    strcat(text, ")");
    return kind == 2 ? left && right : left || right;
}

/* What is said before all is known is never taken back. */
static void check_parts(const struct traceql_expr *filter, uint32_t place,
                        bool wanted, const char *text)
{
    for (int known = 0; known < 16; known++) {
        struct traceql_subject subject = {.at = place};
        enum traceql_truth seen;

        if (known & 1)
            subject.resource = of_span[place];
        subject.identity = subject.resource ? &identity : NULL;
        if (known & 2)
            subject.span = &spans[place];
        subject.attrs = (known & 6) == 6;
        subject.whole = (known & 14) == 14;
        if (known == 15)
            subject.trace = &trace;
        seen = traceql_test(filter, &subject);
        if (known == 15 ? seen == TRACEQL_MAYBE
                        : seen == (wanted ? TRACEQL_NO : TRACEQL_YES))
            printf("# %d: %s\n", known, text);
        CHECK(seen != (wanted ? TRACEQL_NO : TRACEQL_YES));
        CHECK(known != 15 || seen != TRACEQL_MAYBE);
    }
}

TEST(random_conditions)
{
    static char text[8192];
    char error[TRACEQL_ERROR];
    struct traceql query;

    make_trace();
    for (int round = 0; round < 3000; round++) {
        uint32_t place = test_random(SPANS);
        bool wanted;
        struct arena keep = arena;

        arena_begin(&arena, &keep);
        strcpy(text, "{ ");
        wanted = random_condition(text + 2, &spans[place], place, 0);
        strcat(text, " }");
        if (!parse(text, &query, error))
            printf("# %s: %s\n", text, error);
        else
            check_parts(query.first->filter, place, wanted, text);
        CHECK(error[0] == '\0');
        traceql_release(&query);
        arena_release(&arena);
        arena = keep;
    }
    arena_release(&arena);
}
