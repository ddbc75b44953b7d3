/* What is answered to what. */
#define _GNU_SOURCE /* memmem */
#include "http_kit.h"

/* ---- the table of answers ---- */

TEST(accepted_in_every_coding)
{
    struct slice plain = spans(100, 0, 10);
    struct slice packed[] = {plain, gzip(plain), zstd(plain), plain, plain};
    const char *codings[] = {
        "", "Content-Encoding: gzip\r\n", "content-encoding: ZSTD\r\n",
        "Content-Encoding: identity\r\n", "Content-Encoding: none\r\n"};

    for (int mode = AT_ONCE; mode <= LATER; mode++) {
        begin();
        fake.mode = (enum mode)mode;
        for (unsigned i = 0; i < 5; i++) {
            char more[128];
            struct reply reply;

            snprintf(more, sizeof(more), "%s%s", PROTOBUF, codings[i]);
            reply = post("/v1/traces", more, packed[i]);
            CHECK_EQ(reply.status, 200);
            CHECK_EQ(reply.len, 0);
            CHECK_TEXT(slice_of(reply_header(&reply, "Content-Type")),
                       "application/x-protobuf");
            CHECK_EQ(submitted(), i + 1);
            CHECK_EQ(fake.body_len, plain.len);
        }
        CHECK_EQ(fake.records, 500);
        end();
    }
    drop(packed[1]), drop(packed[2]), drop(plain);
}

TEST(counters_tell)
{
    struct slice plain = spans(10, 3, 10), packed = gzip(plain);
    uint64_t requests = stats_get(STATS_REQUESTS_SPANS);
    uint64_t accepted = stats_get(STATS_ACCEPTED_SPANS);
    uint64_t rejected = stats_get(STATS_REJECTED_SPANS);
    uint64_t received = stats_get(STATS_RECEIVED_BYTES);
    uint64_t decoded = stats_get(STATS_DECODED_BYTES);

    begin();
    CHECK_EQ(post("/v1/traces", PROTOBUF "Content-Encoding: gzip\r\n", packed)
                 .status,
             200);
    CHECK_EQ(stats_get(STATS_REQUESTS_SPANS) - requests, 1);
    CHECK_EQ(stats_get(STATS_ACCEPTED_SPANS) - accepted, 7);
    CHECK_EQ(stats_get(STATS_REJECTED_SPANS) - rejected, 3);
    CHECK_EQ(stats_get(STATS_RECEIVED_BYTES) - received, packed.len);
    CHECK_EQ(stats_get(STATS_DECODED_BYTES) - decoded, plain.len);
    end();
    drop(plain), drop(packed);
}

TEST(partial_success)
{
    struct slice some = spans(10, 3, 4), none = spans(4, 4, 4);
    struct reply reply;

    begin();
    reply = post("/v1/traces", PROTOBUF, some);
    CHECK_EQ(reply.status, 200);
    CHECK(mentions(&reply, "3 of 10 spans: span_id"));
    CHECK_EQ(fake.records, 7);
    reply = post("/v1/traces", PROTOBUF, none); /* not worth a journal entry */
    CHECK_EQ(reply.status, 200);
    CHECK(mentions(&reply, "4 of 4 spans: span_id"));
    CHECK_EQ(submitted(), 1);
    oldest = clock_wall_ns() + NS_PER_MIN;
    drop(some);
    some = spans(2, 0, 4);
    reply = post("/v1/traces", PROTOBUF, some);
    CHECK_EQ(reply.status, 200);
    CHECK(mentions(&reply, "2 of 2 spans: older"));
    end();
    drop(some), drop(none);
}

TEST(nothing_in_it_is_success)
{
    struct reply reply;

    begin();
    reply = post("/v1/traces", PROTOBUF, SLICE(""));
    CHECK_EQ(reply.status, 200);
    CHECK_EQ(reply.len, 0);
    reply = post("/v1/logs", PROTOBUF, SLICE(""));
    CHECK_EQ(reply.status, 200);
    reply = post("/v1/metrics", PROTOBUF, SLICE("\x0a\x00"));
    CHECK_EQ(reply.status, 200);
    CHECK_EQ(submitted(), 0);
    end();
}

struct refusal {
    const char *path, *more;
    int status, code; /* HTTP, google.rpc */
};

TEST(refusals)
{
    static const struct refusal refusals[] = {
        {"/v1/traces", PROTOBUF, 400, 3},
        {"/v1/traces", PROTOBUF "Content-Encoding: gzip\r\n", 400, 3},
        {"/v1/traces", PROTOBUF "Content-Encoding: zstd\r\n", 400, 3},
        {"/v1/traces", PROTOBUF "Content-Encoding: br\r\n", 415, 12},
        {"/v1/traces", PROTOBUF "Content-Encoding: gzip, gzip\r\n", 415, 12},
        {"/v1/traces", "Content-Type: text/plain\r\n", 415, 12},
        {"/v1/traces", "", 415, 12},
        {"/v1/traces", "Content-Type: application/x-protobuffer\r\n", 415, 12},
        {"/v1development/profiles", PROTOBUF, 404, 5},
        {"/v1/traces/", PROTOBUF, 404, 5},
        {"/", JSON, 404, 5},
    };

    begin();
    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
        const struct refusal *want = &refusals[i];
        bool protobuf = strstr(want->more, "x-protobuf\r\n") != NULL;
        struct reply reply = post(want->path, want->more, SLICE("\x0a\x05xyz"));
        char code[32];

        CHECK_EQ(reply.status, want->status);
        CHECK_TEXT(slice_of(reply_header(&reply, "Content-Type")),
                   protobuf ? "application/x-protobuf" : "application/json");
        CHECK(reply.len > 2 && reply.len < 4096);
        snprintf(code, sizeof(code), "\"code\":%d", want->code);
        if (protobuf)
            CHECK(reply.body[0] == 8 && reply.body[1] == want->code);
        else
            CHECK(mentions(&reply, code));
        CHECK_TEXT(slice_of(reply_header(&reply, "Retry-After")), "");
    }
    CHECK_EQ(submitted(), 0);
    end();
}

TEST(media_type_is_compared_alone)
{
    struct slice body = spans(1, 0, 4);

    begin();
    CHECK_EQ(post("/v1/traces",
                  "content-type: Application/X-Protobuf ; charset=utf-8\r\n",
                  body)
                 .status,
             200);
    end();
    drop(body);
}

TEST(only_post)
{
    static const char *const methods[] = {"GET", "PUT", "DELETE", "HEAD"};

    begin();
    for (size_t i = 0; i < 4; i++) {
        char head[128];
        struct reply reply;
        int fd = dial();

        snprintf(head, sizeof(head),
                 "%s /v1/traces HTTP/1.1\r\nHost: localhost\r\n\r\n",
                 methods[i]);
        (void)put_text(fd, head);
        if (strcmp(methods[i], "HEAD") == 0) {
            char start[13] = "";

            CHECK(recv(fd, start, 12, MSG_WAITALL) == 12);
            CHECK(strcmp(start, "HTTP/1.1 405") == 0);
        } else {
            reply = get(fd);
            CHECK_EQ(reply.status, 405);
            CHECK_TEXT(slice_of(reply_header(&reply, "Allow")), "POST");
        }
        close(fd);
    }
    end();
}

TEST(json)
{
    static const char good[] =
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":["
        "{\"timeUnixNano\":\"1700000000000000000\","
        "\"body\":{\"stringValue\":\"hello\"}}]}]}]}";
    uint64_t fixed = stats_get(STATS_CORRECTED_TIMES);
    struct reply reply;

    begin();
    reply = post("/v1/logs", JSON, SLICE(good));
    CHECK_EQ(reply.status, 200);
    CHECK_TEXT(((struct slice){reply.body, reply.len}), "{}");
    CHECK_TEXT(slice_of(reply_header(&reply, "Content-Type")),
               "application/json");
    CHECK_EQ(fake.records, 1);
    CHECK_EQ(stats_get(STATS_CORRECTED_TIMES), fixed);
    reply = post("/v1/logs", JSON, SLICE("{\"resourceLogs\":[7]}"));
    CHECK_EQ(reply.status, 400);
    CHECK(mentions(&reply, "\"code\":3"));
    reply = post("/v1/logs", JSON,
                 SLICE("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":["
                       "{}]}]}]}"));
    CHECK_EQ(reply.status, 200);
    CHECK_EQ(stats_get(STATS_CORRECTED_TIMES), fixed + 1);
    end();
}

/* ---- size ---- */

TEST(too_large)
{
    struct slice big = spans(1, 0, 3 << 20); /* the limit is 1 MiB */
    struct slice packed = gzip(big), twice = zstd(big);
    struct slice fits = spans(1, 0, (1 << 20) - 200);
    struct reply reply;

    begin();
    reply = post("/v1/traces", PROTOBUF "Content-Encoding: gzip\r\n", packed);
    CHECK_EQ(reply.status, 413);
    CHECK(reply.body[0] == 8 && reply.body[1] == 3);
    reply = post("/v1/traces", PROTOBUF "Content-Encoding: zstd\r\n", twice);
    CHECK_EQ(reply.status, 413);
    reply = post("/v1/traces", PROTOBUF, (struct slice){big.ptr, 2 << 20});
    CHECK_EQ(reply.status, 413); /* read on, so that the client sees it */
    reply = post("/v1/traces", PROTOBUF, big);
    CHECK_EQ(reply.status, 413); /* also far beyond the limit */
    CHECK(budget.peak <= (1 << 20) + 2 * 64 * 1024);
    reply = post("/v1/traces", PROTOBUF, fits);
    CHECK_EQ(reply.status, 200);
    CHECK_EQ(submitted(), 1);
    end();
    drop(big), drop(packed), drop(twice), drop(fits);
}

TEST(length_without_end_is_refused_at_once)
{
    struct reply reply;
    int fd;

    begin();
    fd = dial();
    put_head(fd, "/v1/traces", SIZE_MAX / 4, PROTOBUF);
    reply = get(fd); /* not a byte of the body was sent */
    CHECK_EQ(reply.status, 413);
    close(fd);
    end();
}

static bool put_chunk(int fd, const char *bytes, size_t len)
{
    char head[32];

    snprintf(head, sizeof(head), "%zx\r\n", len);
    return put_text(fd, head) && put(fd, bytes, len) && put_text(fd, "\r\n");
}

TEST(chunked)
{
    struct slice body = spans(300, 0, 100);
    struct reply reply;
    int fd;

    begin();
    fd = dial();
    for (int round = 0; round < 3; round++) {
        (void)put_text(
            fd, "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n" PROTOBUF
                "Transfer-Encoding: chunked\r\n\r\n");
        for (size_t at = 0; at < body.len; at += 1000)
            (void)put_chunk(fd, body.ptr + at,
                            body.len - at < 1000 ? body.len - at : 1000);
        (void)put_text(fd, "0\r\n\r\n");
        reply = get(fd);
        CHECK_EQ(reply.status, 200);
        CHECK_EQ(fake.body_len, body.len);
    }
    CHECK_EQ(submitted(), 3);
    close(fd);
    end();
    drop(body);
}

/* 65 MiB in chunks, against the real limit: 413, and no more than the limit
 * was ever held. Then one that never ends: cut off. */
TEST(chunked_beyond_the_limit)
{
    char *chunk = mem_zero(1, 1 << 20);
    struct reply reply;
    bool sent = true;
    int fd;

    begin_with(64 << 20, 128 << 20);
    fd = dial();
    (void)put_text(fd,
                   "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n" PROTOBUF
                   "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 65; i++)
        CHECK(put_chunk(fd, chunk, 1 << 20));
    (void)put_text(fd, "0\r\n\r\n");
    reply = get(fd);
    CHECK_EQ(reply.status, 413);
    CHECK(budget.peak <= (64 << 20) + 2 * 64 * 1024);
    close(fd);
    end();

    begin();
    fd = dial();
    (void)put_text(fd,
                   "POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n" PROTOBUF
                   "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 100 && sent; i++)
        sent = put_chunk(fd, chunk, 1 << 20);
    CHECK(!sent);
    close(fd);
    end();
    free(chunk);
}

TEST(no_memory_is_busy)
{
    struct slice body = spans(1, 0, 700000);
    struct slice small = spans(1, 0, 10);
    struct reply reply;

    begin_with(1 << 20, 1 << 20);
    CHECK(budget_take(&budget, 600000));
    reply = post("/v1/traces", PROTOBUF, body); /* told by its length */
    CHECK_EQ(reply.status, 503);
    CHECK_TEXT(slice_of(reply_header(&reply, "Retry-After")), "1");
    CHECK_EQ(post("/v1/traces", PROTOBUF, small).status, 200);
    budget_give(&budget, 600000);
    CHECK_EQ(post("/v1/traces", PROTOBUF, small).status, 200);
    end();
    drop(body), drop(small);
}

static struct tenants *tenants_with(const char *limits)
{
    struct tenants *made = tenants_new();
    char why[TENANT_TEXT];

    CHECK_EQ(tenants_set_limits(made, slice_of(limits), why, sizeof(why)), OK);
    return made;
}

TEST(over_the_rate)
{
    struct slice body = spans(25, 0, 10);
    uint64_t refused = stats_get(STATS_REFUSED_TENANT);
    struct reply reply;

    tenants =
        tenants_with("namespaces: {\"{anonymous}\": {recordsPerSecond: 1}}");
    begin();
    CHECK_EQ(post("/v1/traces", PROTOBUF, body).status, 200); /* 10 and debt */
    reply = post("/v1/traces", PROTOBUF, body);
    CHECK_EQ(reply.status, 429);
    CHECK_TEXT(slice_of(reply_header(&reply, "Retry-After")), "5");
    CHECK(reply.body[0] == 8 && reply.body[1] == 8);
    CHECK(mentions(&reply, "namespace {anonymous} is over its limit: "
                           "recordsPerSecond 1; retry in 5 s"));
    CHECK(mentions(&reply, "type.googleapis.com/google.rpc.RetryInfo"));
    reply = post("/v1/traces", JSON, SLICE("{}"));
    CHECK_EQ(reply.status, 429);
    CHECK(mentions(&reply, "\"retryDelay\":\"5s\""));
    CHECK_EQ(submitted(), 1);
    CHECK_EQ(stats_get(STATS_REFUSED_TENANT) - refused, 2);
    end();
    tenants_free(tenants);
    tenants = NULL;
    drop(body);
}

TEST(what_cannot_be_read_is_charged)
{
    static char nonsense[20 * 1024];

    tenants =
        tenants_with("namespaces: {\"{anonymous}\": {recordsPerSecond: 1}}");
    begin();
    memset(nonsense, 0xff, sizeof(nonsense));
    CHECK_EQ(
        post("/v1/traces", PROTOBUF, (struct slice){nonsense, sizeof(nonsense)})
            .status,
        400); /* 10 and debt */
    CHECK_EQ(post("/v1/traces", JSON, SLICE("{}")).status, 429);
    end();
    tenants_free(tenants);
    tenants = NULL;
}

TEST(a_journal_that_is_nearly_full)
{
    struct slice body = spans(25, 0, 10);
    struct tenant_refusal refusal;
    struct tenant *other;

    tenants = tenants_with("");
    tenants_set_journal_max(tenants, 1 << 20);
    other = tenants_find(tenants, SLICE("other"));
    tenant_charge(other, 1, 1, 0, 0);
    begin();
    CHECK_EQ(post("/v1/traces", PROTOBUF, body).status, 200);
    nearly_full = true;
    CHECK_EQ(post("/v1/traces", PROTOBUF, body).status, 429);
    CHECK_EQ(tenant_admit_to_journal(other, &refusal), OK);
    nearly_full = false;
    CHECK_EQ(post("/v1/traces", PROTOBUF, body).status, 200);
    end();
    tenants_free(tenants);
    tenants = NULL;
    drop(body);
}
