/* The HTTP server with a service of the test's own: the hook where
 * authentication will stand, and answers that browsers keep. */
#include "http_server_kit.h"

#include <libdeflate.h>
#include <microhttpd.h>

#include <stdio.h>

enum { LARGE = 20000 };

static int admitted, handled;
static char text[2 * LARGE + 4096];

static enum status admit(void *arg, struct http_request *request,
                         const char **why)
{
    (void)arg;
    (void)request;
    (void)why;
    admitted++;
    return OK;
}

enum { PAGE_ROOM = 200 };

static const char page[] = "<p>a small file</p>";
static char packed[PAGE_ROOM]; /* the page, by gzip */
static struct http_file file;

static void pack_page(void)
{
    static const struct http_header headers[] = {{"X-Own", "yes"},
                                                 {NULL, NULL}};
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(9);
    size_t len = libdeflate_gzip_compress(compressor, page, strlen(page),
                                          packed, sizeof(packed));

    CHECK(len > 0);
    libdeflate_free_compressor(compressor);
    file = (struct http_file){
        .content_type = "text/html",
        .begin = packed,
        .end = packed + len,
        .headers = headers,
    };
}

static enum http_next handle(void *arg, struct http_request *request)
{
    (void)arg;
    handled++;
    if (request->route->user) {
        request->response.code = 200;
        request->response.file = request->route->user;
        return HTTP_DONE;
    }
    request->response.code = 200;
    request->response.content_type = "text/plain";
    buf_init(&request->response.body, LARGE);
    for (int i = 0; i < LARGE / 10; i++)
        buf_add(&request->response.body, SLICE("0123456789"));
    return HTTP_DONE;
}

static void begin(void)
{
    static const struct http_route routes[] = {
        {"GET", "/large", ACTION_ANY, SCOPE_NONE, 0, 0, NULL},
        {"POST", "/things/{}", ACTION_ANY, SCOPE_NONE, 0, 0, NULL},
        {"GET", "/page.html", ACTION_ANY, SCOPE_NONE, 0, 0, &file},
        {"POST", "/closed", ACTION_NONE, SCOPE_NONE, 0, 0, NULL},
        {"GET", "/closed.html", ACTION_NONE, SCOPE_NONE, 0, 0, &file}};

    admitted = handled = 0;
    pack_page();
    server_begin(routes, sizeof(routes) / sizeof(*routes),
                 (struct http_service){.admit = admit,
                                       .handle = handle,
                                       .refuse = server_refuse});
}

/* What is answered to it until the connection ends. */
static const char *ask(const char *request)
{
    int fd = tcp_dial(http_port(server));

    tcp_say(fd, request);
    tcp_read_all(fd, text, sizeof(text));
    return text;
}

#define HOST "Host: localhost\r\nConnection: close\r\n"

TEST(what_a_route_does_not_allow_is_refused_before_the_body)
{
    begin();
    CHECK(strstr(ask("POST /closed HTTP/1.1\r\n" HOST
                     "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n"),
                 "HTTP/1.1 403")); /* not a byte of the body was sent */
    CHECK(strstr(text, "everyone may not do"));
    CHECK_EQ(admitted, 0);
    CHECK(strstr(
        ask("POST /things/a HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody"),
        "HTTP/1.1 200"));
    CHECK_EQ(handled, 1);
    CHECK(strstr(ask("GET /nowhere HTTP/1.1\r\n" HOST "\r\n"), "HTTP/1.1 404"));
    CHECK(strstr(ask("GET /large?project=a&project=b HTTP/1.1\r\n" HOST "\r\n"),
                 "HTTP/1.1 400"));
    CHECK_EQ(handled, 1);
    server_end();
}

TEST(an_answer_that_is_known_is_not_sent_again)
{
    char request[256], etag[64] = "";
    const char *at;

    begin();
    at = strstr(ask("GET /large HTTP/1.1\r\n" HOST "\r\n"), "ETag: ");
    CHECK(at && sscanf(at, "ETag: %60[^\r]", etag) == 1);
    CHECK(strstr(text, "Content-Length: 20000") &&
          strstr(text, "Cache-Control: private, no-cache"));
    snprintf(request, sizeof(request),
             "GET /large HTTP/1.1\r\n" HOST "If-None-Match: \"x\", %s\r\n\r\n",
             etag);
    CHECK(strstr(ask(request), "HTTP/1.1 304") && strstr(text, etag));
    CHECK(!strstr(text, "0123456789"));
    snprintf(request, sizeof(request),
             "GET /large HTTP/1.1\r\n" HOST "If-None-Match: \"x\"\r\n"
             "Accept-Encoding: gzip\r\n\r\n");
    CHECK(strstr(ask(request), "HTTP/1.1 200") &&
          strstr(text, "Content-Encoding: gzip") && strstr(text, etag));
    CHECK(!strstr(text, "Content-Length: 20000"));
    snprintf(request, sizeof(request),
             "HEAD /large HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n");
    CHECK(strstr(ask(request), "HTTP/1.1 304"));
    server_end();
}

TEST(a_file_in_memory_is_sent_as_it_is_kept)
{
    char request[256], etag[64] = "";
    const char *at;

    begin();
    CHECK(strstr(ask("GET /closed.html HTTP/1.1\r\n" HOST "\r\n"),
                 "HTTP/1.1 403")); /* files are guarded like other routes */
    at = strstr(ask("GET /page.html HTTP/1.1\r\n" HOST "\r\n"), "ETag: ");
    CHECK(at && sscanf(at, "ETag: %60[^\r]", etag) == 1);
    CHECK(strstr(text, "HTTP/1.1 200") &&
          strstr(text, "Content-Type: text/html") &&
          strstr(text, "Cache-Control: private, no-cache") &&
          strstr(text, "Vary: Accept-Encoding") && strstr(text, "X-Own: yes") &&
          !strstr(text, "Content-Encoding") &&
          strstr(text, "\r\n\r\n<p>a small file</p>"));
    snprintf(request, sizeof(request),
             "GET /page.html HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n",
             etag);
    CHECK(strstr(ask(request), "HTTP/1.1 304") && !strstr(text, "small"));
    at = strstr(
        ask("GET /page.html HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n"),
        "\r\n\r\n");
    CHECK(at && memcmp(at + 4, packed, (size_t)(file.end - packed)) == 0);
    CHECK(strstr(text, "Content-Encoding: gzip") && strstr(text, etag));
    CHECK(strstr(ask("HEAD /page.html HTTP/1.1\r\n" HOST "\r\n"),
                 "Content-Length: 19") &&
          !strstr(text, "small"));
    CHECK(strstr(
        ask("POST /page.html HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"),
        "HTTP/1.1 405"));
    CHECK_EQ(handled, 4);
    server_end();
}

TEST(a_file_that_is_no_gzip_is_refused_and_not_sent)
{
    begin();
    packed[12] ^= 0x55;
    CHECK(
        strstr(ask("GET /page.html HTTP/1.1\r\n" HOST "\r\n"), "HTTP/1.1 503"));
    server_end();
}

/* The timer thread, which looks at the slots, ends before they are freed. */
TEST(a_start_that_fails_leaves_nothing_behind)
{
    struct http_options options = {
        .name = "test",
        .max_connections = 16,
        .files_eighths = 1,
        .idle_timeout_ns = 10 * NS_PER_S,
        .budget = &budget,
        /* An address of nobody here. */
        .listen = "203.0.113.77:9",
    };
    struct http_server *none = NULL;

    budget_init(&budget, 4 << 20);
    for (int i = 0; i < 20; i++)
        CHECK_EQ(http_start(&none, &options), ERR_IO);
    CHECK(none == NULL);
    CHECK_EQ(budget_used(&budget), 0);
}
