/*
 * Request heads: the checks, and what is read from the fields that pass them.
 * Input: a request line, then a field on each line, the name before the first
 * colon. What passes must be what it seems to be.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "http_head.h"
#include "http_origin.h"
#include "http_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice cut(struct slice *text, char end)
{
    const char *at = text->len ? memchr(text->ptr, end, text->len) : NULL;
    size_t len = at ? (size_t)(at - text->ptr) : text->len;
    struct slice first = {text->ptr, len};

    *text = slice_from(*text, at ? len + 1 : len);
    return first;
}

static void check_values(const struct http_head *head)
{
    static const char list[] = "http://a.example, obs.example";
    struct slice rest = head->if_none_match, one;

    assert(head->is_http10 || head->host.ptr);
    assert(!head->transfer_encoding.ptr || !head->content_length.ptr);
    assert(head->length < UINT64_MAX / 2);
    (void)http_host_allowed(list, head->host);
    (void)http_origin_of(list, head);
    (void)http_is_cross_site(head);
    (void)http_accepts_gzip(head->accept_encoding);
    while (http_list_next(&rest, &one))
        assert(one.len == 0 || (one.ptr[0] != ' ' && one.ptr[0] != ','));
}

static void check_target(struct slice target)
{
    static const struct http_route routes[] = {
        {"GET", "/a/{}/b/{}", ACTION_ANY, SCOPE_NONE, 0, 0, NULL},
        {"POST", "/v1/logs", ACTION_ANY, SCOPE_NONE, 0, 0, NULL}};
    struct http_match match;
    char *copy = malloc(target.len + 1);

    slice_copy(copy, target);
    assert(http_unescape(copy, target.len, true) <= target.len);
    free(copy);
    if (http_route_find(routes, 2, SLICE("GET"), target, &match))
        assert(match.parts[0].len > 0 && match.parts[1].len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size}, line = cut(&rest, '\n');
    struct slice method = cut(&line, ' '), target = cut(&line, ' ');
    struct http_head head;

    http_head_init(&head, method, target, line);
    while (rest.len > 0) {
        struct slice value = cut(&rest, '\n'), name = cut(&value, ':');

        http_head_add(&head, name, slice_trim(value, HTTP_BLANKS));
    }
    if (!http_head_check(&head))
        check_values(&head);
    check_target(target);
    return 0;
}
