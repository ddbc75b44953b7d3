/* Addresses of our pages; see page_link.h. */
#include "page_link.h"

#include <string.h>

#include "clock.h"

static void add(struct buf *out, const char *name, struct slice value)
{
    bool first = !memchr(out->ptr, '?', out->len);

    if (value.len == 0)
        return;
    buf_format(out, "%c%s=", first ? '?' : '&', name);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || memchr("-._~", c, 4);

        buf_format(out, plain ? "%c" : "%%%02X", c);
    }
}

static void add_time(struct buf *out, const char *name, uint64_t ns)
{
    char text[CLOCK_TEXT];

    if (ns)
        add(out, name, (struct slice){text, clock_format_rfc3339(text, ns)});
}

struct slice page_link_text(const struct query_request *request,
                            const struct page_link *link)
{
    const char *base = request->services->page_url;
    struct slice text;
    struct buf out;

    if (!base || !*base)
        return SLICE("");
    buf_init(&out, 16 * 1024);
    buf_format(&out, "%s/%s", base, link->page);
    add(&out, "ns", link->scope.namespace);
    add(&out, "project", link->scope.project);
    add(&out, "component", link->scope.component);
    add(&out, "env", link->scope.environment);
    add(&out, "id", link->id);
    add_time(&out, "from", link->start_ns);
    add_time(&out, "to", link->end_ns);
    text = out.status == OK ? arena_copy(request->arena, buf_slice(&out))
                            : SLICE("");
    buf_release(&out);
    return text;
}
