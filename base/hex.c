/* Validates first, so a rejected input leaves the output untouched. */
#include "hex.h"

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_bytes(struct slice text, uint8_t *bytes, size_t len)
{
    if (text.len % 2 != 0 || text.len / 2 != len)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (hex_digit(text.ptr[i]) < 0)
            return false;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(hex_digit(text.ptr[2 * i]) << 4 |
                             hex_digit(text.ptr[2 * i + 1]));
    return true;
}

bool hex_trace_id(struct slice text, uint8_t id[16])
{
    char digits[32];

    if (text.len == 0 || text.len > sizeof(digits))
        return false;
    memset(digits, '0', sizeof(digits));
    slice_copy(digits + sizeof(digits) - text.len, text);
    return hex_bytes((struct slice){digits, sizeof(digits)}, id, 16);
}

void hex_write(char *to, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
}

struct slice hex_text(struct arena *arena, const uint8_t *bytes, size_t len)
{
    char *text = arena_alloc(arena, 2 * len);

    if (!text)
        return (struct slice){NULL, 0};
    hex_write(text, bytes, len);
    return (struct slice){text, 2 * len};
}
