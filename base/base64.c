#include "base64.h"

#include "ascii.h"

void base64_write(char *to, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t three = 0;

        for (size_t k = 0; k < 3; k++)
            three = three << 8 |
                    (i + k < bytes.len ? (uint8_t)bytes.ptr[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            *to++ =
                i + k > bytes.len ? '=' : digits[three >> (18 - 6 * k) & 63];
    }
}

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (is_digit(c))
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

size_t base64_read(char *bytes, struct slice text)
{
    size_t len = text.len, out = 0;
    uint32_t bits = 0;

    for (int pad = 0; pad < 2 && len > 0 && text.ptr[len - 1] == '='; pad++)
        len--;
    if (len % 4 == 1 || (len < text.len && text.len % 4 != 0))
        return SIZE_MAX;
    for (size_t i = 0; i < len; i++) {
        int digit = digit_of(text.ptr[i]);

        if (digit < 0)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 > 0)
            bytes[out++] = (char)(bits >> (6 - 2 * (i % 4)));
    }
    return out;
}
