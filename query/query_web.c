/*
 * The page for people at /ui/: the files of web/dist, as they were when the
 * program was built (make web). In: a path. Out: a file in memory
 * (http_response.c sends it), or a sentence how to get it.
 *
 * All pages are the same HTML, which reads the address. They are one segment
 * deep, and every address in them is relative, so that any prefix of a proxy
 * works. Names of assets have a hash of their contents, so they are kept for
 * ever by browsers; the HTML is asked for each time.
 */
#include <string.h>

#include "query_request.h"

/* WEB_FILES(X): X(name, content type, begin, end, EACH_TIME or FOR_EVER),
 * index.html first; the bytes are in the object. */
#include "web_files.h"

/* Scripts, styles and requests: of this server only. */
#define POLICY                                                    \
    "default-src 'none'; script-src 'self'; style-src 'self'; "   \
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; " \
    "form-action 'none'; frame-ancestors 'none'"

static const struct http_header headers[] = {
    {"Content-Security-Policy", POLICY},
    {"Referrer-Policy", "no-referrer"},
    {NULL, NULL},
};

#define INDEX     "index.html"
#define ASSETS    "assets/"
#define EACH_TIME "no-cache"
#define FOR_EVER  "public, max-age=31536000, immutable"

static const struct web_file {
    const char *name;
    struct http_file file;
} files[] = {
#define WEB_FILE(name, type, begin, end, cache) \
    {name, {type, begin, end, cache, headers}},
    WEB_FILES(WEB_FILE)
#undef WEB_FILE
        {NULL, {.headers = headers}}};

static const char *const pages[] = {
    "component", "project", "logs",    "traces",  "trace",  "cause",
    "reports",   "report",  "changes", "catalog", "status", "signin"};

bool query_has_page(const struct query_options *services)
{
    return services->page && files[0].name;
}

/* q-values are not compared: no program but a browser asks for text/html by
 * itself. */
bool query_prefers_page(const struct query_request *request)
{
    struct slice rest = request->accept.ptr ? request->accept : SLICE(""), one;

    while (rest.len > 0) {
        one = slice_split(&rest, ',');
        one = slice_trim(slice_split(&one, ';'), PARAMS_BLANKS);
        if (slice_equal(one, SLICE("text/html")))
            return query_has_page(request->services);
    }
    return false;
}

enum status query_redirect(struct query_request *request, const char *location)
{
    request->http_status = 302;
    request->location = location;
    request->content_type_out = "text/plain; charset=utf-8";
    return OK;
}

static enum status refuse(struct query_request *request)
{
    query_refuse_route(request);
    return ERR_NOT_FOUND;
}

static enum status get_file(struct query_request *request, const char *folder,
                            struct slice name)
{
    size_t len = strlen(folder);

    for (const struct web_file *f = files; f->name; f++)
        if (strncmp(f->name, folder, len) == 0 &&
            slice_equal(slice_of(f->name + len), name)) {
            request->file = &f->file;
            return OK;
        }
    return refuse(request);
}

static enum status get_page(struct query_request *request)
{
    if (!request->services->page)
        return refuse(request);
    if (files[0].name)
        return get_file(request, "", SLICE(INDEX));
    request->http_status = 404;
    request->content_type_out = "text/plain; charset=utf-8";
    buf_add(&request->out,
            SLICE("This callboard was built without its page: \"make web all\" "
                  "in its sources builds it, with Node.js 18 or newer and "
                  "npm.\n"));
    return OK;
}

static enum status get_named_page(struct query_request *request)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        if (slice_equal(request->parts[0], slice_of(pages[i])))
            return get_page(request);
    return refuse(request);
}

static enum status get_asset(struct query_request *request)
{
    if (!request->services->page)
        return refuse(request);
    return get_file(request, ASSETS, request->parts[0]);
}

static enum status get_folder(struct query_request *request)
{
    return request->services->page ? query_redirect(request, "ui/")
                                   : refuse(request);
}

const struct route routes_web[] = {
    {"GET", "/ui", ACTION_OPEN, SCOPE_NONE, get_folder, NULL, SENDS_FILE, 0,
     NULL},
    {"GET", "/ui/", ACTION_OPEN, SCOPE_NONE, get_page, NULL, SENDS_FILE, 0,
     NULL},
    {"GET", "/ui/{}", ACTION_OPEN, SCOPE_NONE, get_named_page, NULL, SENDS_FILE,
     0, NULL},
    {"GET", "/ui/assets/{}", ACTION_OPEN, SCOPE_NONE, get_asset, NULL,
     SENDS_FILE, 0, NULL},
    {0},
};
