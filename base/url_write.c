/* Writes addresses with a query string; see url_write.h. */
#include "url_write.h"

#include <string.h>

#include "clock.h"

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || memchr("-._~", c, 4);
}

void url_add_escaped(struct buf *url, struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if (is_unreserved(value.ptr[i]))
            buf_byte(url, value.ptr[i]);
        else
            buf_format(url, "%%%02X", (unsigned char)value.ptr[i]);
}

void url_add_param(struct buf *url, const char *name, struct slice value)
{
    bool first = !url->len || !memchr(url->ptr, '?', url->len);

    if (value.len == 0)
        return;
    buf_format(url, "%c%s=", first ? '?' : '&', name);
    url_add_escaped(url, value);
}

void url_add_time(struct buf *url, const char *name, uint64_t ns)
{
    char text[CLOCK_TEXT];

    url_add_param(url, name,
                  (struct slice){text, clock_format_rfc3339(text, ns)});
}
