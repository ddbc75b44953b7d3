/*
 * The text of an operation, composed in the caller's buffer: it is only hashed
 * and looked up; a new one is copied to the table of names.
 */
#include "ascii.h"
#include "endpoint.h"
#include "url.h"

struct operation_writer {
    char *at, *end;
    const struct semconv *semconv;
};

/* Truncates what does not fit; nothing is added after that. */
static void add(struct operation_writer *text, struct slice s)
{
    struct slice fits = slice_truncate(s, (size_t)(text->end - text->at));

    slice_copy(text->at, fits);
    text->at += fits.len;
    if (fits.len < s.len)
        text->end = text->at;
}

static void add_masked(struct operation_writer *text, struct slice path)
{
    struct slice masked =
        operation_mask_path(path, text->at, (size_t)(text->end - text->at));

    text->at += masked.len;
}

static bool is_hex(char c)
{
    return is_digit(c) || (unsigned char)((c | 32) - 'a') < 6;
}

/* Numbers, UUIDs with or without dashes, hex of at least eight digits. */
static bool is_id(struct slice segment)
{
    size_t digits = 0, dashes = 0;

    for (size_t i = 0; i < segment.len; i++) {
        char c = segment.ptr[i];

        if (!is_hex(c) && c != '-')
            return false;
        digits += is_digit(c);
        dashes += c == '-';
    }
    if (dashes == 0)
        return segment.len > 0 && (digits == segment.len || segment.len >= 8);
    return segment.len == 36 && dashes == 4 && segment.ptr[8] == '-' &&
           segment.ptr[13] == '-' && segment.ptr[18] == '-' &&
           segment.ptr[23] == '-';
}

/* The end of a segment: '/', '?', '#' or the end of the path. parameter: the
 * first ';' of the segment, or its end. */
static size_t segment_end(struct slice path, size_t at, size_t *parameter)
{
    size_t found = SIZE_MAX;

    while (at < path.len && path.ptr[at] != '/' && path.ptr[at] != '?' &&
           path.ptr[at] != '#') {
        if (path.ptr[at] == ';' && found == SIZE_MAX)
            found = at;
        at++;
    }
    *parameter = found < at ? found : at;
    return at;
}

struct slice operation_mask_path(struct slice path, char *out, size_t room)
{
    struct operation_writer text = {out, out + room, NULL};
    size_t at = 0;

    while (at < path.len && path.ptr[at] != '?' && path.ptr[at] != '#') {
        size_t parameter; /* "carts;jsessionid=9f86d081" */
        size_t end = segment_end(path, at, &parameter);
        struct slice segment = {path.ptr + at, parameter - at};

        add(&text, is_id(segment) ? SLICE("{id}") : segment);
        at = end;
        if (at < path.len && path.ptr[at] == '/') {
            add(&text, SLICE("/"));
            at++;
        }
    }
    return (struct slice){out, (size_t)(text.at - out)};
}

/* Adds a word of a span's name. A URL is reduced to its path with ids masked; a
 * word that is an id is masked unless it is short enough to be a count. */
static void add_word(struct operation_writer *text, struct slice word)
{
    enum { SHORT_NUMBER = 3 };
    const char *start = text->at;

    if (semconv_is_uri(word))
        word = url_split(word).path;
    if ((word.len > 0 && memchr(word.ptr, '/', word.len)) ||
        (word.len > SHORT_NUMBER && is_id(word)))
        add_masked(text, word);
    if (text->at == start) /* no path, or only a fragment */
        add(text, word);
}

/* The span's name, the last resort. Some instrumentations put the raw path into
 * it. */
static void add_name(struct operation_writer *text)
{
    struct slice name = text->semconv->span->name;

    while (name.len > 0) {
        struct slice rest = name, word = slice_split(&rest, ' ');

        add_word(text, word);
        if (word.len < name.len)
            add(text, SLICE(" "));
        name = rest;
    }
}

static void add_path(struct operation_writer *text, const struct url *url)
{
    if (url->relative)
        add(text, SLICE("/"));
    add_masked(text, url->path);
}

/* A route that matches every path: "/" (nginx sends its location), "/{*path}",
 * "/{path:path}", ASP.NET's "{controller=Home}/{action=Index}/{id?}". */
static bool is_catch_all(struct slice route)
{
    if (slice_starts(route, SLICE("/")))
        route = slice_from(route, 1);
    if (route.len == 0 || slice_starts(route, SLICE("{controller")))
        return true;
    if (memchr(route.ptr, '/', route.len))
        return false;
    return slice_starts(route, SLICE("*")) ||
           slice_starts(route, SLICE("{*")) || slice_ends(route, SLICE("+}")) ||
           slice_ends(route, SLICE("*}")) ||
           slice_ends(route, SLICE(":path}")) ||
           slice_ends(route, SLICE("(.*)")) ||
           slice_equal(route, SLICE("$default"));
}

/* The request's path; empty if the span has none. Micrometer's uri is a
 * template, "root", or a word for requests without one: UNKNOWN, NOT_FOUND,
 * REDIRECTION, none. The path is preferred to a template that matches all.
 */
static struct url request_path(const struct semconv *semconv)
{
    struct slice uri = semconv_text(semconv, SEM_PLAIN_URI);
    bool is_uri = semconv_is_uri(uri);
    struct url url = {.relative = false};

    if (is_uri && (uri.len == 1 || !is_catch_all(uri)))
        return url_split(uri);
    url = url_split(semconv_text(semconv, SEM_URL_PATH));
    if (url.path.len == 0)
        url = url_split(semconv_text(semconv, SEM_URL_FULL));
    if (url.path.len == 0 && (is_uri || slice_equal(uri, SLICE("root"))))
        url = url_split(is_uri ? uri : SLICE("/"));
    return url;
}

/* A known method in upper case; "HTTP" for "_OTHER". */
static void add_method(struct operation_writer *text)
{
    const struct semconv *semconv = text->semconv;
    struct slice method = semconv_text(semconv, SEM_HTTP_METHOD);
    struct slice plain = semconv_text(semconv, SEM_PLAIN_METHOD);
    const char *verb = semconv_verb(method.len > 0 ? method : plain);

    if (verb)
        add(text, slice_of(verb));
    else if (slice_equal(method, SLICE("_OTHER")))
        add(text, SLICE("HTTP"));
    else
        add(text, method);
}

/* http.route, without the method that patterns of Go's net/http begin with. */
static struct slice route_of(const struct semconv *semconv)
{
    struct slice route = semconv_text(semconv, SEM_HTTP_ROUTE);
    const char *space =
        route.len > 0 ? memchr(route.ptr, ' ', route.len) : NULL;
    size_t len = space ? (size_t)(space - route.ptr) : 0;

    if (space && semconv_verb((struct slice){route.ptr, len}))
        route = slice_from(route, len + 1);
    return route;
}

static void add_http(struct operation_writer *text)
{
    const struct semconv *semconv = text->semconv;
    struct slice route = route_of(semconv);
    struct slice template = semconv_text(semconv, SEM_URL_TEMPLATE);
    struct url path = {.relative = false};
    const char *start = text->at;

    if (route.len == 0 || is_catch_all(route)) {
        if (template.len > 0)
            route = url_split(template).path;
        else
            path = request_path(semconv);
    }
    if (path.path.len == 0 && route.len == 0) {
        if (semconv->span->name.len > 0)
            add_name(text);
        else
            add_method(text);
        return;
    }
    add_method(text);
    if (text->at > start)
        add(text, SLICE(" "));
    if (path.path.len > 0)
        add_path(text, &path);
    else
        add(text, route);
}

/* "shop.Cart/Add" of the path: Envoy does not send rpc.service and rpc.method.
 */
static struct slice grpc_path(const struct semconv *semconv)
{
    struct url url = request_path(semconv);

    if (url.relative || url.path.len < 2 ||
        !memchr(url.path.ptr + 1, '/', url.path.len - 1))
        return (struct slice){NULL, 0};
    return slice_from(url.path, 1);
}

static void add_grpc(struct operation_writer *text)
{
    const struct semconv *semconv = text->semconv;
    struct slice service = semconv_text(semconv, SEM_RPC_SERVICE);
    struct slice method = semconv_text(semconv, SEM_RPC_METHOD);

    if (method.len == 0 || slice_equal(method, SLICE("_OTHER")))
        method = grpc_path(semconv);
    if (slice_starts(method, SLICE("/")))
        method = slice_from(method, 1);
    if (method.len == 0) {
        add_name(text);
        return;
    }
    if (service.len > 0 && !memchr(method.ptr, '/', method.len)) {
        add(text, service);
        add(text, SLICE("/"));
    }
    add(text, method);
}

/* "verb object"; either may be missing. */
static void add_two(struct operation_writer *text, struct slice verb,
                    struct slice object)
{
    if (verb.len == 0 && object.len == 0)
        add_name(text);
    add(text, verb);
    if (verb.len > 0 && object.len > 0)
        add(text, SLICE(" "));
    add(text, object);
}

static void add_message(struct operation_writer *text)
{
    const struct semconv *semconv = text->semconv;
    struct slice verb = semconv_text(semconv, SEM_MSG_OPERATION);

    if (verb.len == 0)
        verb = systems_method(semconv);
    add_two(text, verb, systems_destination(semconv));
}

/* For an object store the bucket is the collection; an SDK's method is the
 * operation. */
static void add_query(struct operation_writer *text)
{
    const struct semconv *semconv = text->semconv;
    struct slice summary = semconv_text(semconv, SEM_DB_SUMMARY);
    struct slice verb = semconv_text(semconv, SEM_DB_OPERATION);
    struct slice object = semconv_text(semconv, SEM_DB_COLLECTION);

    if (summary.len > 0) {
        add(text, summary);
        return;
    }
    if (verb.len == 0) {
        verb = systems_method(semconv);
        if (verb.len > 0 && object.len == 0)
            object = semconv_text(semconv, SEM_DB_NAMESPACE);
    }
    add_two(text, verb, object);
}

struct slice operation_text(const struct semconv *semconv,
                            enum protocol protocol, char *out)
{
    struct operation_writer text = {out, out + OPERATION_MAX_TEXT, semconv};

    switch (protocol) {
    case PROTOCOL_HTTP:
        add_http(&text);
        break;
    case PROTOCOL_GRPC:
        add_grpc(&text);
        break;
    case PROTOCOL_MESSAGING:
        add_message(&text);
        break;
    case PROTOCOL_DB:
        add_query(&text);
        break;
    case PROTOCOL_NONE:
        add_name(&text);
        break;
    }
    return (struct slice){out, (size_t)(text.at - out)};
}
