/* Addresses of our pages; see page_link.h. */
#include "page_link.h"

#include "url_write.h"

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
    url_add_param(&out, "ns", link->scope.namespace);
    url_add_param(&out, "project", link->scope.project);
    url_add_param(&out, "component", link->scope.component);
    url_add_param(&out, "env", link->scope.environment);
    url_add_param(&out, "id", link->id);
    if (link->start_ns)
        url_add_time(&out, "from", link->start_ns);
    if (link->end_ns)
        url_add_time(&out, "to", link->end_ns);
    text = out.status == OK ? arena_copy(request->arena, buf_slice(&out))
                            : SLICE("");
    buf_release(&out);
    return text;
}
