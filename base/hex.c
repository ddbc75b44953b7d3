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
