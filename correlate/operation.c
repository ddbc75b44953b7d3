/*
 * The text of an operation, put together in a buffer of the caller: it is
 * needed only to be hashed and looked up, and kept once.
 */
#include "endpoint.h"
#include "systems.h"

struct text {
    char *at, *end;
};

/* What does not fit ends the text: nothing is added behind a cut. */
static void add(struct text *text, struct slice s)
{
    struct slice fits = capped_cut(s, (size_t)(text->end - text->at));

    slice_copy(text->at, fits);
    text->at += fits.len;
    if (fits.len < s.len)
        text->end = text->at;
}

static void add_masked(struct text *text, struct slice path)
{
    struct slice masked =
        operation_mask_path(path, text->at, (size_t)(text->end - text->at));

    text->at += masked.len;
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static bool is_hex(char c)
{
    return is_digit(c) || (unsigned char)((c | 32) - 'a') < 6;
}

/* Numbers, UUIDs with or without their dashes, hex of eight digits and more. */
static bool is_id(struct slice segment)
{
    size_t digits = 0, hex = 0, dashes = 0;

    for (size_t i = 0; i < segment.len; i++) {
        digits += is_digit(segment.ptr[i]);
        hex += is_hex(segment.ptr[i]);
        dashes += segment.ptr[i] == '-';
    }
    if (segment.len == 0 || hex + dashes != segment.len)
        return false;
    if (dashes == 0)
        return digits == segment.len || segment.len >= 8;
    return segment.len == 36 && dashes == 4 && segment.ptr[8] == '-' &&
           segment.ptr[13] == '-' && segment.ptr[18] == '-' &&
           segment.ptr[23] == '-';
}

struct slice operation_mask_path(struct slice path, char *out, size_t room)
{
    struct text text = {out, out + room};
    size_t at = 0;

    while (at < path.len && path.ptr[at] != '?' && path.ptr[at] != '#') {
        size_t start = at;

        while (at < path.len && path.ptr[at] != '/' && path.ptr[at] != '?' &&
               path.ptr[at] != '#')
            at++;

        struct slice segment = {path.ptr + start, at - start};

        add(&text, is_id(segment) ? SLICE("{id}") : segment);
        if (at < path.len && path.ptr[at] == '/') {
            add(&text, SLICE("/"));
            at++;
        }
    }
    return (struct slice){out, (size_t)(text.at - out)};
}

/* What stands behind "scheme://", empty if that is not there. */
static struct slice after_scheme(struct slice url)
{
    for (size_t i = 0; i + 2 < url.len; i++)
        if (url.ptr[i] == ':' && url.ptr[i + 1] == '/' && url.ptr[i + 2] == '/')
            return slice_from(url, i + 3);
    return (struct slice){NULL, 0};
}

static size_t authority_len(struct slice rest)
{
    size_t len = 0;

    while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?' &&
           rest.ptr[len] != '#')
        len++;
    return len;
}

struct slice operation_url_path(struct slice url)
{
    struct slice rest = after_scheme(url);

    if (rest.len > 0)
        rest = slice_from(rest, authority_len(rest));
    return rest.len > 0 && rest.ptr[0] == '/' ? rest : SLICE("/");
}

struct slice operation_url_host(struct slice url)
{
    struct slice host = after_scheme(url);

    host.len = authority_len(host);
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] == '@')
            host = slice_from(host, i + 1), i = 0;
    return host;
}

/* A span's name, for want of better. Some instrumentations put the raw path
 * into it. */
static void add_name(struct text *text, const struct span *span)
{
    struct slice name = span->name;

    if (memchr(name.len ? name.ptr : "", '/', name.len)) {
        const char *space = memchr(name.ptr, ' ', name.len);
        size_t verb = space ? (size_t)(space - name.ptr) + 1 : 0;

        add(text, (struct slice){name.ptr, verb});
        add_masked(text, slice_from(name, verb));
        return;
    }
    add(text, name);
}

static void add_http(struct text *text, const struct span *span,
                     const struct semconv *semconv)
{
    struct slice method = semconv_text(semconv, SEM_HTTP_METHOD);
    struct slice route = semconv_text(semconv, SEM_HTTP_ROUTE);
    struct slice path = semconv_text(semconv, SEM_URL_PATH);

    if (route.len == 0)
        route = semconv_text(semconv, SEM_URL_TEMPLATE);
    if (path.len == 0 && semconv_text(semconv, SEM_URL_FULL).len > 0)
        path = operation_url_path(semconv_text(semconv, SEM_URL_FULL));
    if (route.len == 0 && path.len == 0) {
        add_name(text, span);
        return;
    }
    if (method.len > 0) {
        add(text,
            slice_equal(method, SLICE("_OTHER")) ? SLICE("HTTP") : method);
        add(text, SLICE(" "));
    }
    if (route.len > 0)
        add(text, route);
    else
        add_masked(text, path);
}

static void add_grpc(struct text *text, const struct span *span,
                     const struct semconv *semconv)
{
    struct slice service = semconv_text(semconv, SEM_RPC_SERVICE);
    struct slice method = semconv_text(semconv, SEM_RPC_METHOD);

    if (method.len == 0) {
        add_name(text, span);
        return;
    }
    if (service.len > 0 && !memchr(method.ptr, '/', method.len)) {
        add(text, service);
        add(text, SLICE("/"));
    }
    add(text, method);
}

/* "verb object", either of which may be missing. */
static void add_two(struct text *text, const struct span *span,
                    struct slice verb, struct slice object)
{
    if (verb.len == 0 && object.len == 0)
        add_name(text, span);
    add(text, verb);
    if (verb.len > 0 && object.len > 0)
        add(text, SLICE(" "));
    add(text, object);
}

static void add_message(struct text *text, const struct span *span,
                        const struct semconv *semconv)
{
    struct slice verb = semconv_text(semconv, SEM_MSG_OPERATION);

    if (verb.len == 0)
        verb = systems_method(semconv);
    add_two(text, span, verb, systems_destination(semconv));
}

/* An object store has buckets for collections, an SDK's method for an
 * operation. */
static void add_query(struct text *text, const struct span *span,
                      const struct semconv *semconv)
{
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
    add_two(text, span, verb, object);
}

struct slice operation_text(const struct span *span,
                            const struct semconv *semconv,
                            enum protocol protocol, char *out)
{
    struct text text = {out, out + OPERATION_MAX_TEXT};

    switch (protocol) {
    case PROTOCOL_HTTP:
        add_http(&text, span, semconv);
        break;
    case PROTOCOL_GRPC:
        add_grpc(&text, span, semconv);
        break;
    case PROTOCOL_MESSAGING:
        add_message(&text, span, semconv);
        break;
    case PROTOCOL_DB:
        add_query(&text, span, semconv);
        break;
    case PROTOCOL_NONE:
        add_name(&text, span);
        break;
    }
    return (struct slice){out, (size_t)(text.at - out)};
}
