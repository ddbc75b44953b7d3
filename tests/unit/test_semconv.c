#include "semconv.h"

#include "correlate_kit.h"

static struct arena arena;

static struct semconv read_attrs(const char *text)
{
    struct semconv semconv;
    struct attrs attrs = kit_attrs(&arena, text);

    semconv_init();
    semconv_read(&semconv, &attrs);
    return semconv;
}

static void check_text(const char *text, enum semconv_field field,
                       const char *want)
{
    struct semconv semconv = read_attrs(text);

    CHECK_TEXT(semconv_text(&semconv, field), want);
}

TEST(old_and_new_names)
{
    check_text("http.method=GET", SEM_HTTP_METHOD, "GET");
    check_text("http.request.method=PUT", SEM_HTTP_METHOD, "PUT");
    check_text("http.method=GET,http.request.method=PUT", SEM_HTTP_METHOD,
               "PUT");
    check_text("http.request.method=PUT,http.method=GET", SEM_HTTP_METHOD,
               "PUT");
    check_text("db.name=a,db.redis.database_index=3", SEM_DB_NAMESPACE, "a");
    check_text("db.elasticsearch.cluster.name=e", SEM_DB_NAMESPACE, "e");
    check_text("peer.service=p", SEM_PEER_SERVICE, "p");
    check_text("messaging.destination.template=t", SEM_MSG_TEMPLATE, "t");
    check_text("http.metho=GET,xttp.method=GET,http.methods=A", SEM_HTTP_METHOD,
               "");
}

TEST(the_first_of_equal_names_wins)
{
    check_text("url.path=/a,url.path=/b", SEM_URL_PATH, "/a");
}

static int64_t number(const char *text)
{
    struct semconv semconv = read_attrs(text);

    return semconv_number(&semconv, SEM_SERVER_PORT);
}

TEST(numbers)
{
    CHECK_EQ(number("server.port=#8080"), 8080);
    CHECK_EQ(number("server.port=8080"), 8080);
    CHECK_EQ(number("server.port=80a"), -1);
    CHECK_EQ(number("server.port="), -1);
    CHECK_EQ(number("server.port=99999999999999999999"), -1);
    CHECK_EQ(number("x=y"), -1);
}

static bool failed(const char *text, enum span_status status)
{
    struct semconv semconv = read_attrs(text);
    struct span span = {.status = (uint8_t)status};

    return semconv_failed(&semconv, &span);
}

TEST(failures)
{
    CHECK(!failed("", SPAN_UNSET));
    CHECK(failed("", SPAN_ERROR));
    CHECK(failed("http.status_code=#500", SPAN_UNSET));
    CHECK(failed("http.response.status_code=502", SPAN_UNSET));
    CHECK(!failed("http.status_code=#499", SPAN_UNSET));
    CHECK(!failed("http.status_code=#500", SPAN_OK));
    CHECK(failed("rpc.status_code=UNAVAILABLE", SPAN_UNSET));
    CHECK(failed("rpc.grpc.status_code=#2", SPAN_UNSET));
    CHECK(!failed("rpc.grpc.status_code=#5", SPAN_UNSET));
    CHECK(!failed("rpc.status_code=NOT_FOUND", SPAN_UNSET));
}

TEST(client_errors)
{
    struct semconv semconv = read_attrs("http.status_code=#404");
    struct span span = {.status = SPAN_UNSET};

    CHECK(semconv_client_error(&semconv, &span));
    span.status = SPAN_ERROR;
    CHECK(!semconv_client_error(&semconv, &span));
    semconv = read_attrs("http.status_code=#500");
    span.status = SPAN_UNSET;
    CHECK(!semconv_client_error(&semconv, &span));
    arena_release(&arena);
}

__attribute__((constructor)) static void set_up(void)
{
    arena_init(&arena, NULL, SIZE_MAX);
}
