#include "semconv.h"

#include "correlate_kit.h"

static struct arena arena;

static struct semconv read_attrs(const char *text)
{
    struct span span = {.attrs = kit_attrs(&arena, text)};
    struct semconv semconv;

    semconv_init();
    semconv_read(&semconv, &span);
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

TEST(the_newest_name_wins_over_one_that_comes_later)
{
    check_text("url.path=/a,http.target=/b", SEM_URL_PATH, "/a");
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
    arena_release(&arena);
}

__attribute__((constructor)) static void set_up(void)
{
    arena_init(&arena, NULL, SIZE_MAX);
}
