/*
 * Structure and texts; other values are in json_scalar.c.
 *
 * As in wire.c, a failure sets `at` to `end`: nothing is left to read and every
 * loop ends. Nothing is entered or left any more either, so the path remains
 * that of the error.
 */
#include "json.h"

#include "buf.h"
#include "utf8.h"

struct json json_over(struct slice text, struct arena *arena)
{
    struct json j = {.arena = arena};

    j.at = text.len > 0 ? text.ptr : "";
    j.end = j.at + text.len;
    return j;
}

void json_fail(struct json *j, enum status status, const char *why)
{
    if (j->status == OK) {
        j->status = status;
        j->why = why;
    }
    j->at = j->end;
}

/* Skips the character if it is next. */
static bool take(struct json *j, char c)
{
    if (json_peek(j) != c || j->at == j->end)
        return false;
    j->at++;
    return true;
}

static void need(struct json *j, char c, const char *why)
{
    if (!take(j, c))
        json_fail(j, ERR_MALFORMED, why);
}

static bool take_word(struct json *j, const char *word)
{
    size_t len = strlen(word);

    json_peek(j);
    if ((size_t)(j->end - j->at) < len || memcmp(j->at, word, len) != 0)
        return false;
    j->at += len;
    return true;
}

/* Skips to the first quote, backslash or control character; in the last 7 bytes
 * of the text it stops earlier. Eight bytes at a time: the top bit of a byte of
 * `found` is set if the byte of the text is one of these. Borrows set it only
 * in bytes after a real one, so the lowest is exact, and bytes from 0x80 on are
 * none of them. */
static const char *scan_plain(const char *at, const char *end)
{
    const uint64_t ones = UINT64_MAX / 255, tops = ones << 7;

    while (end - at >= 8) {
        uint64_t v = load_le(at, sizeof(v)), quote, slash, found;

        quote = v ^ ones * '"';
        slash = v ^ ones * '\\';
        found = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
                ((v - ones * 0x20) & ~v);
        if (found & tops)
            return at + __builtin_ctzll(found & tops) / 8;
        at += 8;
    }
    return at;
}

/* The slice between two quotes as it is written. */
static bool read_quoted(struct json *j, struct slice *raw, bool *escaped)
{
    const char *at;

    *escaped = false;
    if (!take(j, '"')) {
        json_fail(j, ERR_MALFORMED, "not a string");
        return false;
    }
    for (at = scan_plain(j->at, j->end); at < j->end && *at != '"'; at++)
        if (*at == '\\') {
            *escaped = true;
            if (++at == j->end)
                break;
        } else if ((unsigned char)*at < 0x20) {
            json_fail(j, ERR_MALFORMED, "control character in a string");
            return false;
        }
    if (at >= j->end) {
        json_fail(j, ERR_MALFORMED, "unterminated string");
        return false;
    }
    *raw = (struct slice){j->at, (size_t)(at - j->at)};
    j->at = at + 1;
    return true;
}

/* Four hex digits, or a number above 0xffff. */
static uint32_t hex4(const char *at, const char *end)
{
    uint32_t v = 0;

    if (end - at < 4)
        return UINT32_MAX;
    for (int i = 0; i < 4; i++) {
        char c = at[i];

        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return UINT32_MAX;
    }
    return v;
}

/* The character after \u, with its second surrogate if there is one. A single
 * surrogate is U+FFFD. UINT32_MAX: not hex. */
static uint32_t unescape_u(const char **at, const char *end)
{
    uint32_t c = hex4(*at, end), low;

    if (c > 0xffff)
        return UINT32_MAX;
    *at += 4;
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return 0xfffd;
    low = hex4(*at + 2, end);
    if (low < 0xdc00 || low > 0xdfff)
        return 0xfffd;
    *at += 6;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* The result is never longer than the input. */
static struct slice unescape(struct json *j, struct slice raw)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    const char *at = raw.ptr, *end = raw.ptr + raw.len, *found;
    char *text = arena_alloc(j->arena, raw.len), *to = text;

    if (!text) {
        json_fail(j, j->arena->status, status_text(j->arena->status));
        return (struct slice){NULL, 0};
    }
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        at++; /* a quoted text never ends in a single backslash */
        if (*at == 'u') {
            uint32_t c;

            at++;
            c = unescape_u(&at, end);
            if (c != UINT32_MAX) {
                to += utf8_encode(c, (uint8_t *)to);
                continue;
            }
        }
        found = memchr(from, *at, sizeof(from) - 1);
        if (!found) {
            json_fail(j, ERR_MALFORMED, "unknown escape in a string");
            return (struct slice){NULL, 0};
        }
        *to++ = into[found - from];
        at++;
    }
    return (struct slice){text, (size_t)(to - text)};
}

struct slice json_text(struct json *j)
{
    struct slice raw;
    bool escaped;

    if (!read_quoted(j, &raw, &escaped))
        return (struct slice){NULL, 0};
    return escaped ? unescape(j, raw) : raw;
}

/* Skips the opening bracket; false at null, and, an error, at anything else. */
static bool enter(struct json *j, char bracket, const char *why)
{
    if (take(j, bracket)) {
        j->first = true;
        return true;
    }
    if (take_word(j, "null"))
        j->absent = true;
    else
        json_fail(j, ERR_MALFORMED, why);
    return false;
}

void json_enter_object(struct json *j)
{
    if (!enter(j, '{', "not an object"))
        return;
    if (j->depth < JSON_MAX_PATH) {
        j->path[j->depth].name = NULL;
        j->path[j->depth].next_row = 0;
    }
    j->depth++;
}

void json_enter_array(struct json *j)
{
    if (!enter(j, '[', "not an array"))
        return;
    if (j->depth > 0 && j->depth <= JSON_MAX_PATH)
        j->path[j->depth - 1].index = JSON_NO_INDEX;
}

bool json_element(struct json *j)
{
    if (j->absent || j->status != OK || take(j, ']')) {
        j->first = j->absent = false;
        return false;
    }
    if (!j->first)
        need(j, ',', "',' or ']' expected");
    j->first = false;
    if (j->depth > 0 && j->depth <= JSON_MAX_PATH)
        j->path[j->depth - 1].index++;
    if (json_peek(j) == '\0')
        json_fail(j, ERR_MALFORMED, "unexpected end");
    return j->status == OK;
}

/* Is lower_snake_case key the lowerCamelCase name? */
static bool is_snake(struct slice key, const char *name)
{
    size_t i = 0;

    for (; *name != '\0'; name++, i++) {
        bool upper = *name >= 'A' && *name <= 'Z';

        if (upper && (i >= key.len || key.ptr[i++] != '_'))
            return false;
        if (i >= key.len || key.ptr[i] != (upper ? *name | 0x20 : *name))
            return false;
    }
    return i == key.len;
}

/* The name that row i of a table begins with; NULL: the row is a gap. */
static const char *name_at(const void *table, size_t row, uint32_t i)
{
    return *(const char *const *)((const char *)table + row * i);
}

/* Looked for from row `next` on: members mostly come in the order of their
 * rows. */
static int find_member(const void *table, size_t row, uint32_t count,
                       uint32_t next, struct slice key)
{
    const char *name;

    if (key.len == 0)
        return -1;
    for (uint32_t n = count, i = next; n-- > 0; i++) {
        if (i >= count)
            i = 0;
        name = name_at(table, row, i);
        if (name && name[0] == key.ptr[0] && slice_equal(slice_of(name), key))
            return (int)i;
    }
    if (memchr(key.ptr, '_', key.len))
        for (uint32_t i = 0; i < count; i++) {
            name = name_at(table, row, i);
            if (name && is_snake(key, name))
                return (int)i;
        }
    return -1;
}

int json_field(struct json *j, const char *const *names)
{
    uint32_t count = 0;

    while (names[count])
        count++;
    return json_row(j, names, sizeof(*names), count);
}

int json_row(struct json *j, const void *table, size_t row, uint32_t count)
{
    while (j->status == OK && !j->absent) {
        uint32_t next = 0;
        struct slice key;
        int field;

        if (take(j, '}')) {
            j->first = false;
            j->depth--;
            return -1;
        }
        if (j->depth <= JSON_MAX_PATH) {
            j->path[j->depth - 1].name = NULL;
            j->path[j->depth - 1].index = JSON_NO_INDEX;
            next = j->path[j->depth - 1].next_row;
        }
        if (!j->first)
            need(j, ',', "',' or '}' expected");
        j->first = false;
        key = json_text(j);
        need(j, ':', "':' expected");
        if (j->status != OK)
            return -1;
        field = find_member(table, row, count, next, key);
        if (field >= 0 && j->depth <= JSON_MAX_PATH) {
            j->path[j->depth - 1].name = name_at(table, row, (uint32_t)field);
            j->path[j->depth - 1].next_row = (uint32_t)field + 1;
        }
        if (field < 0)
            json_skip(j);
        else if (json_peek(j) != 'n' || !take_word(j, "null"))
            return field;
    }
    j->absent = false;
    return -1;
}

/* A value that holds no others. */
static void skip_scalar(struct json *j)
{
    char c = json_peek(j);
    struct slice raw;
    bool escaped;

    if (c == '"')
        read_quoted(j, &raw, &escaped);
    else if (c == '-' || (c >= '0' && c <= '9'))
        json_number(j);
    else if (!take_word(j, "true") && !take_word(j, "false") &&
             !take_word(j, "null"))
        json_fail(j, ERR_MALFORMED, "not a JSON value");
}

static void skip_key(struct json *j)
{
    struct slice raw;
    bool escaped;

    read_quoted(j, &raw, &escaped);
    need(j, ':', "':' expected");
}

void json_skip(struct json *j)
{
    char close[JSON_MAX_DEPTH];
    unsigned depth = 0;

    do {
        char c = json_peek(j);

        if (c == '{' || c == '[') {
            j->at++;
            if (depth == JSON_MAX_DEPTH) {
                json_fail(j, ERR_MALFORMED, "nested too deep");
                return;
            }
            close[depth++] = c == '{' ? '}' : ']';
            if (json_peek(j) != close[depth - 1]) {
                if (c == '{')
                    skip_key(j);
                continue;
            }
        } else {
            skip_scalar(j);
        }
        while (depth > 0 && take(j, close[depth - 1]))
            depth--;
        if (depth > 0) {
            need(j, ',', "',' or an end expected");
            if (close[depth - 1] == '}')
                skip_key(j);
        }
    } while (depth > 0 && j->status == OK);
}

void json_end(struct json *j)
{
    json_peek(j);
    if (j->at != j->end)
        json_fail(j, ERR_MALFORMED, "unexpected text after the end");
}

struct slice json_describe(const struct json *j)
{
    struct buf buf;
    struct slice text;

    buf_init(&buf, 1024);
    for (uint32_t i = 0; i < j->depth && i < JSON_MAX_PATH; i++) {
        if (!j->path[i].name)
            break;
        buf_format(&buf, "%s%s", i > 0 ? "." : "", j->path[i].name);
        if (j->path[i].index != JSON_NO_INDEX)
            buf_format(&buf, "[%u]", j->path[i].index);
    }
    if (buf.len > 0)
        buf_add(&buf, SLICE(": "));
    buf_add(&buf, slice_of(j->why));
    text = arena_copy(j->arena, buf_slice(&buf));
    buf_release(&buf);
    return text.len > 0 ? text : slice_of(j->why);
}
