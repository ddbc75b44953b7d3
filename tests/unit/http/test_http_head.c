/* Request heads, hosts, origins and lists, as text. */
#include "http_head.h"
#include "http_origin.h"
#include "http_server.h"
#include "test.h"

/* A head of name and value pairs, ended by NULL. */
static const char *fault_of(const char *method, const char *target,
                            const char *version, const char *const *fields)
{
    struct http_head head;

    http_head_init(&head, slice_of(method), slice_of(target),
                   slice_of(version));
    for (; *fields; fields += 2)
        http_head_add(&head, slice_of(fields[0]), slice_of(fields[1]));
    return http_head_check(&head);
}

#define FAULT(...)                             \
    fault_of("POST", "/v1/traces", "HTTP/1.1", \
             (const char *const[]){__VA_ARGS__, NULL})

TEST(good_heads)
{
    CHECK(!FAULT("Host", "localhost:4318", "Content-Length", "10"));
    CHECK(!FAULT("Host", "[::1]:4318", "Transfer-Encoding", "Chunked"));
    CHECK(!FAULT("Host", "a.example", "X-Note", "umlauts \xc3\xa4, tab\t."));
    CHECK(!FAULT("host", "a", "Accept", "a", "Accept", "b"));
    CHECK(!fault_of("GET", "/a?b=%20+", "HTTP/1.0", (const char *[]){NULL}));
    CHECK(!fault_of("OPTIONS", "*", "HTTP/1.1",
                    (const char *[]){"Host", "a", NULL}));
}

TEST(dangerous_heads)
{
    CHECK(FAULT("Content-Length", "1")); /* no Host */
    CHECK(FAULT("Host", ""));
    CHECK(FAULT("Host", "a", "Host", "a"));
    CHECK(FAULT("Host", "a@b/c"));
    CHECK(FAULT("Host", "::1"));
    CHECK(FAULT("Host", "a:b"));
    CHECK(FAULT("Host", "[::1"));
    CHECK(FAULT("Host", "[]"));
    CHECK(FAULT("Host", ":80"));
    CHECK(FAULT("Host", "a", "Content-Length", "3", "Content-Length", "3"));
    CHECK(FAULT("Host", "a", "Content-Length", "3, 3"));
    CHECK(FAULT("Host", "a", "Content-Length", "+3"));
    CHECK(FAULT("Host", "a", "Content-Length", ""));
    CHECK(FAULT("Host", "a", "Content-Length", "3", "Transfer-Encoding",
                "chunked"));
    CHECK(FAULT("Host", "a", "Transfer-Encoding", "chunked",
                "Transfer-Encoding", "chunked"));
    CHECK(FAULT("Host", "a", "Transfer-Encoding", "gzip, chunked"));
    CHECK(FAULT("Host", "a", "Transfer-Encoding", "xchunked"));
    CHECK(FAULT("Host", "a", "Transfer-Encoding", "identity"));
    CHECK(FAULT("Host", "a", "Transfer-Encoding", "\vchunked"));
    CHECK(FAULT("Host", "a", "Transfer-Encoding ", "chunked"));
    CHECK(FAULT("Host", "a", "X(", "b"));
    CHECK(FAULT("Host", "a", "X", "b\rc"));
    CHECK(FAULT("Host", "a", "X", "b\nc"));
    CHECK(FAULT("Host", "a", "Origin", "b", "Origin", "b"));
    CHECK(FAULT("Host", "a", "Authorization", "b", "authorization", "c"));
    CHECK(FAULT("Host", "a", "Content-Type", "b", "Content-Type", "b"));
    CHECK(FAULT("Host", "a", "Content-Encoding", "b", "Content-Encoding", ""));
}

TEST(request_lines)
{
    static const char *const host[] = {"Host", "a", NULL};
    static const char *const chunked[] = {"Transfer-Encoding", "chunked", NULL};
    static const char *const targets[] = {
        "http://a/", "a",     "",          "*",      "/a b",
        "/a#b",      "/\x01", "/\xc3\xa4", "/a\x7f", "a:443"};

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
        CHECK(fault_of("GET", targets[i], "HTTP/1.1", host));
    CHECK(fault_of("GET", "/", "HTTP/1.2", host));
    CHECK(fault_of("GET", "/", "HTTP/2.0", host));
    CHECK(fault_of("GE(T", "/", "HTTP/1.1", host));
    CHECK(fault_of("POST", "/", "HTTP/1.0", chunked));
}

TEST(hosts)
{
    static const char list[] = "obs.example, Callboard:9097";
    static const char *const good[] = {
        "localhost",    "LOCALHOST:1", "localhost.", "127.0.0.1",
        "127.9.9.9:80", "[::1]",       "[::1]:80",   "obs.example:8443",
        "callboard",    "obs.example."};
    static const char *const bad[] = {"evil.example",
                                      "localhost.evil.example",
                                      "127.0.0.1.evil.example",
                                      "127.1",
                                      "127.0.0.1.1",
                                      "127.0.0.1234",
                                      "128.0.0.1",
                                      "0.0.0.0",
                                      "[::2]",
                                      "obs",
                                      "xobs.example",
                                      ""};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CHECK(http_host_allowed(list, slice_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!http_host_allowed(list, slice_of(bad[i])));
    CHECK(!http_host_allowed(NULL, SLICE("obs.example")));
}

TEST(origins)
{
    static const char list[] =
        " http://a.example ,https://b.example:8443, null";
    struct http_head head = {.host = SLICE("a.example:9097")};

    CHECK(http_origin_listed(list, SLICE("http://a.example")));
    CHECK(http_origin_listed(list, SLICE("https://b.example:8443")));
    CHECK(!http_origin_listed(list, SLICE("https://a.example")));
    CHECK(!http_origin_listed(list, SLICE("http://a.example.org")));
    CHECK(!http_origin_listed(list, SLICE("")));
    CHECK(!http_origin_listed("", SLICE("http://a.example")));
    CHECK(!http_origin_listed(",", SLICE("")));
    CHECK_EQ(http_origin_of(list, &head), HTTP_ORIGIN_NONE);
    head.origin = SLICE("http://a.example");
    CHECK_EQ(http_origin_of(list, &head), HTTP_ORIGIN_LISTED);
    head.origin = SLICE("http://c.example");
    CHECK_EQ(http_origin_of(list, &head), HTTP_ORIGIN_OTHER);
    head.origin = SLICE("http://a.example:9097");
    CHECK_EQ(http_origin_of(list, &head), HTTP_ORIGIN_NONE);
    head.origin = SLICE("a.example:9097");
    CHECK_EQ(http_origin_of(list, &head), HTTP_ORIGIN_OTHER);
    head.fetch_site = SLICE("same-site");
    CHECK_EQ(http_origin_of(list, &head), HTTP_ORIGIN_OTHER);
    head.fetch_site = SLICE("same-origin"); /* a proxy has changed Host */
    CHECK_EQ(http_origin_of(list, &head), HTTP_ORIGIN_NONE);
    head.fetch_site = SLICE("cross-site");
    head.origin = SLICE("null");
    CHECK_EQ(http_origin_of(list, &head), HTTP_ORIGIN_OPAQUE);
}

TEST(codings)
{
    static const char *const yes[] = {
        "gzip",       "deflate, gzip",
        "GZIP;q=0.5", "br;q=1.0, *;q=0.1",
        "x-gzip",     "identity;q=0.5, gzip;q=1.0"};
    static const char *const no[] = {
        "", "br", "gzip;q=0", "gzip; q=0.000, *", "*;q=0", "identity"};

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        CHECK(http_accepts_gzip(slice_of(yes[i])));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        CHECK(!http_accepts_gzip(slice_of(no[i])));
}
