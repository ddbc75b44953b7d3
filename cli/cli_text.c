/* Text from senders on a terminal; see cli_text.h. */
#include "cli_text.h"

#include "utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"
#define ELLIPSIS    "\xe2\x80\xa6"

bool cli_is_hidden(uint32_t c)
{
    /* DEL and C1; marks of direction, line separators, characters without a
     * shape; tags */
    static const uint32_t ranges[][2] = {
        {0x7f, 0x9f},     {0x61c, 0x61c},    {0x180e, 0x180e}, {0x200b, 0x200b},
        {0x200e, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f}, {0xfeff, 0xfeff},
        {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

void cli_clean(struct buf *out, struct slice text)
{
    const uint8_t *at = (const uint8_t *)text.ptr, *end;

    if (text.len == 0)
        return;
    for (end = at + text.len; at < end;) {
        uint32_t c = 0;
        size_t len = utf8_decode(at, end, &c);

        if (c == '\n' || c == '\r' || c == '\t')
            buf_byte(out, ' ');
        else if (len == 0 || c < 0x20 || cli_is_hidden(c))
            buf_add(out, SLICE(REPLACEMENT));
        else
            buf_add(out, (struct slice){(const char *)at, len});
        at += len ? len : 1;
    }
}

struct slice cli_fit(struct slice text, size_t columns)
{
    const uint8_t *start = (const uint8_t *)text.ptr, *at = start,
                  *end = at + text.len;

    while (at < end) {
        uint32_t c = ' ';
        size_t len = utf8_decode(at, end, &c);
        size_t width = (size_t)cli_width_of(c);

        if (width > columns)
            break;
        columns -= width;
        at += len ? len : 1;
    }
    return (struct slice){text.ptr, (size_t)(at - start)};
}

size_t cli_width(struct slice text)
{
    const uint8_t *at = (const uint8_t *)text.ptr, *end = at + text.len;
    size_t width = 0;

    while (at < end) {
        uint32_t c = ' ';
        size_t len = utf8_decode(at, end, &c);

        width += (size_t)cli_width_of(c);
        at += len ? len : 1;
    }
    return width;
}

void cli_cell(struct buf *out, struct slice text, size_t columns, bool right)
{
    size_t width = cli_width(text);
    bool cut = width > columns;

    if (cut) {
        text = cli_fit(text, columns > 0 ? columns - 1 : 0);
        width = cli_width(text) + (columns > 0);
    }
    for (size_t i = width; right && i < columns; i++)
        buf_byte(out, ' ');
    buf_add(out, text);
    if (cut && columns > 0)
        buf_add(out, SLICE(ELLIPSIS));
    for (size_t i = width; !right && i < columns; i++)
        buf_byte(out, ' ');
}
