/* Addresses of our pages; see page_link.h. */
#include "page_link.h"

#include "url_write.h"

/* "https://host/ui"; nothing where no address is configured. */
static void add_base(const struct query_options *services, struct buf *out)
{
    struct slice url = slice_of(services->page_url ? services->page_url : "");
    bool own = url.len == 0;

    if (own)
        url = slice_of(services->base_url ? services->base_url : "");
    if (url.len == 0 || (own && !query_has_page(services)))
        return;
    while (url.ptr[url.len - 1] == '/')
        url.len--;
    buf_add(out, url);
    buf_add(out, own ? SLICE("/ui") : SLICE(""));
}

struct slice page_link_text(const struct query_request *request,
                            const struct page_link *link)
{
    struct slice text;
    struct buf out;

    buf_init(&out, 16 * 1024);
    add_base(request->services, &out);
    if (out.len == 0)
        return SLICE("");
    buf_format(&out, "/%s", link->page);
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
