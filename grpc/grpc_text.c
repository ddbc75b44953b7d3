#include "grpc_text.h"

#include <strings.h>

#include "clock.h"

static bool equal_fold(struct slice a, struct slice b)
{
    return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

enum grpc_type grpc_type_of(struct slice type)
{
    static const struct slice base = SLICE_INIT("application/grpc");

    type = slice_trim(slice_split(&type, ';'), " \t");
    if (type.len < base.len ||
        !equal_fold((struct slice){type.ptr, base.len}, base))
        return GRPC_TYPE_OTHER;
    type = slice_from(type, base.len);
    if (type.len == 0 || equal_fold(type, SLICE("+proto")))
        return GRPC_TYPE_PROTO;
    return type.ptr[0] == '+' ? GRPC_TYPE_CODEC : GRPC_TYPE_OTHER;
}

bool grpc_parse_timeout(struct slice text, uint64_t *ns)
{
    static const struct {
        char name;
        uint64_t ns;
    } units[] = {{'H', NS_PER_HOUR}, {'M', NS_PER_MIN}, {'S', NS_PER_S},
                 {'m', NS_PER_MS},   {'u', NS_PER_US},  {'n', 1}};
    uint64_t value = 0;

    if (text.len < 2 || text.len > 9)
        return false;
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (text.ptr[text.len - 1] != units[i].name)
            continue;
        *ns =
            value > UINT64_MAX / units[i].ns ? UINT64_MAX : value * units[i].ns;
        return true;
    }
    return false;
}

/* Bytes of the UTF-8 character that begins with this byte; 1 if none does. */
static size_t character_length(unsigned char first)
{
    return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
}

static size_t encoded_length(struct slice text)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++)
        len += text.ptr[i] >= ' ' && text.ptr[i] <= '~' && text.ptr[i] != '%'
                   ? 1
                   : 3;
    return len;
}

size_t grpc_percent_encode(char *out, size_t room, struct slice text)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = 0;

    while (text.len > 0) {
        size_t bytes = character_length((unsigned char)text.ptr[0]);
        struct slice one = {text.ptr, bytes < text.len ? bytes : text.len};

        if (len + encoded_length(one) > room)
            break;
        for (size_t i = 0; i < one.len; i++) {
            unsigned char c = (unsigned char)one.ptr[i];

            if (c >= ' ' && c <= '~' && c != '%') {
                out[len++] = (char)c;
                continue;
            }
            out[len++] = '%';
            out[len++] = hex[c >> 4];
            out[len++] = hex[c & 15];
        }
        text = slice_from(text, one.len);
    }
    return len;
}

size_t grpc_base64(char *out, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = 0;

    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t v = 0;

        for (size_t k = 0; k < 3; k++)
            v = v << 8 | (k < n ? (unsigned char)bytes.ptr[i + k] : 0u);
        for (size_t k = 0; k <= n; k++)
            out[len++] = digits[v >> (18 - 6 * k) & 63];
    }
    return len;
}
