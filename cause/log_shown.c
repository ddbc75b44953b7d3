/*
 * A line is read word by word. A word that is an address or a token goes whole;
 * of others the parts between marks that look like ids. What follows the name
 * of a secret ("password=", "Authorization:") goes, whatever it looks like.
 */
#include "log_shown.h"

#include "ascii.h"
#include "evidence.h"

enum {
    MAX_READ = 400,  /* bytes of a line */
    MAX_SHOWN = 160, /* of what is shown */
    MAX_OUT = 1024,
    LONG_NUMBER = 6, /* digits */
    CARD_DIGITS = 13,
    MIN_HEX_ID = 4, /* letters and digits */
    MIN_HEX = 16,   /* letters a to f only */
    MIN_ID = 8,
    MIN_TOKEN = 20,
};

struct masked_line {
    char out[MAX_OUT];
    size_t len;
    bool after_key, has_separator; /* a secret's name was read, and = or : */
    bool after_scheme;             /* "Bearer" was read, and blanks only */
};

static void put(struct masked_line *m, struct slice text)
{
    if (text.len > MAX_OUT - m->len)
        text.len = MAX_OUT - m->len;
    memcpy(m->out + m->len, text.ptr, text.len);
    m->len += text.len;
}

/* ---- what words are ---- */

static bool is_break(char c)
{
    return (unsigned char)c <= ' ' || strchr("\"'()[]{}<>,;|=`&", c) != NULL;
}

static bool contains(struct slice text, const char *word)
{
    struct slice w = slice_of(word);

    for (size_t i = 0; i + w.len <= text.len; i++) {
        size_t k = 0;

        while (k < w.len && to_lower(text.ptr[i + k]) == w.ptr[k])
            k++;
        if (k == w.len)
            return true;
    }
    return false;
}

static bool is_secret_name(struct slice word)
{
    static const char *const names[] = {
        "password",      "passwd",     "passphrase", "pwd",     "secret",
        "token",         "apikey",     "api_key",    "api-key", "access_key",
        "authorization", "access-key", "accesskey",  "cookie",  "credential",
        "private_key",   "session_id", "sessionid"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (contains(word, names[i]))
            return true;
    return false;
}

/* The word before a secret: "Bearer eyJ..." */
static bool is_scheme(struct slice word)
{
    static const char *const schemes[] = {"bearer", "basic", "digest"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
        if (word.len == strlen(schemes[i]) && contains(word, schemes[i]))
            return true;
    return false;
}

static size_t count_digits(struct slice text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += is_digit(text.ptr[i]);
    return n;
}

/* "basic auth" is none. */
static bool looks_like_token(struct slice word)
{
    return word.len >= MIN_ID &&
           (count_digits(word) > 0 || memchr(word.ptr, '.', word.len) ||
            word.len >= MIN_TOKEN);
}

static bool is_known_token(struct slice word)
{
    static const char *const starts[] = {
        "eyJ", "AKIA",   "ASIA",     "ghp_",     "gho_", "ghs_", "github_pat_",
        "xox", "glpat-", "sk_live_", "sk_test_", "sk-",  "AIza", "ya29."};

    for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
        if (word.len >= MIN_HEX && slice_starts(word, slice_of(starts[i])))
            return true;
    return false;
}

static size_t count_of(struct slice text, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == c;
    return n;
}

static bool is_hex_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool all_hex(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_hex_digit(text.ptr[i]))
            return false;
    return true;
}

/* Four numbers with dots, maybe a port or a prefix; or IPv6, or a MAC. */
static bool is_address(struct slice word)
{
    size_t dots = 0, colons = 0, digits = 0;

    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];

        if (!is_hex_digit(c) && c != '.' && c != ':' && c != '/' && c != '%')
            return false;
        dots += c == '.';
        colons += c == ':';
        digits += is_digit(c);
    }
    return digits > 0 && ((dots == 3 && colons <= 1 && digits >= 4) ||
                          (colons >= 3 && count_digits(word) >= 2 &&
                           !(dots == 0 && colons == 2)));
}

static bool is_e_mail(struct slice word)
{
    const char *at = memchr(word.ptr, '@', word.len);

    return at && at > word.ptr && at + 1 < word.ptr + word.len &&
           memchr(at, '.', (size_t)(word.ptr + word.len - at)) != NULL &&
           memchr(word.ptr, '/', word.len) == NULL;
}

/* 30s, 250ms, 12MB */
static bool is_measure(struct slice part)
{
    static const char *const units[] = {
        "s",  "ms", "us", "ns", "m",  "h",   "d",   "b",   "kb", "mb", "gb",
        "tb", "k",  "ki", "mi", "gi", "kib", "mib", "gib", "xx", "x"};
    size_t n = 0;

    while (n < part.len && is_digit(part.ptr[n]))
        n++;
    struct slice unit = slice_from(part, n);
    for (size_t i = 0; n > 0 && i < sizeof(units) / sizeof(*units); i++)
        if (unit.len == strlen(units[i]) && contains(unit, units[i]))
            return true;
    return false;
}

/* NULL: it stays. */
static const char *mask_of_part(struct slice part)
{
    size_t digits = count_digits(part);

    if (digits == part.len)
        return digits >= LONG_NUMBER ? "<number>" : NULL;
    if (digits == 0)
        return part.len >= MIN_HEX && all_hex(part) ? "<id>" : NULL;
    if (is_measure(part))
        return NULL;
    if ((part.len >= MIN_HEX_ID && all_hex(part)) ||
        (part.len >= MIN_ID && digits >= 3) || part.len >= MIN_TOKEN)
        return "<id>";
    return NULL;
}

static bool is_uuid(struct slice part)
{
    return part.len >= 32 && count_of(part, '-') == 4 && count_digits(part) > 0;
}

/* ---- words ---- */

static void put_part(struct masked_line *m, struct slice part)
{
    const char *mask = mask_of_part(part);

    put(m, mask ? slice_of(mask) : part);
}

static size_t part_end(struct slice word, size_t from, const char *marks)
{
    while (from < word.len && !strchr(marks, word.ptr[from]))
        from++;
    return from;
}

/* Parts between marks, and of these those between dashes unless it is a UUID.
 */
static void put_parts(struct masked_line *m, struct slice word,
                      const char *marks)
{
    for (size_t i = 0; i < word.len;) {
        size_t end = part_end(word, i, marks);
        struct slice part = {word.ptr + i, end - i};

        if (is_uuid(part))
            put(m, SLICE("<id>"));
        else if (strchr(marks, '-'))
            put_part(m, part);
        else
            put_parts(m, part, "-_~%");
        if (end < word.len)
            put(m, (struct slice){word.ptr + end, 1});
        i = end + 1;
    }
}

/* scheme://user:password@host: what is between stays secret. */
static bool put_url(struct masked_line *m, struct slice word)
{
    size_t at = 0, scheme = 0;

    while (scheme + 3 <= word.len && memcmp(word.ptr + scheme, "://", 3) != 0)
        scheme++;
    if (scheme + 3 > word.len)
        return false;
    scheme += 3;
    size_t end = part_end(word, scheme, "/?#");
    for (size_t i = scheme; i < end; i++)
        if (word.ptr[i] == '@')
            at = i;
    put(m, (struct slice){word.ptr, scheme});
    if (at > 0) {
        put(m, SLICE("<secret>"));
        scheme = at;
    }
    put_parts(m, slice_from(word, scheme), "/:#?&.@+");
    return true;
}

/* Its own value after a colon, as in password:abc; 0: it has none. */
static size_t secret_in_word(struct slice word)
{
    const char *colon = memchr(word.ptr, ':', word.len);
    size_t len = colon ? (size_t)(colon - word.ptr) : 0;

    return colon && len + 1 < word.len && colon[1] != '/' &&
                   is_secret_name((struct slice){word.ptr, len})
               ? len + 1
               : 0;
}

/* NULL: it is judged part by part. */
static const char *mask_of_word(struct slice word)
{
    if (is_known_token(word))
        return "<secret>";
    if (is_e_mail(word))
        return "<e-mail>";
    return is_address(word) ? "<address>" : NULL;
}

/* After what comes before it: the name of a secret and = or :, a scheme. */
static bool is_secret(const struct masked_line *m, struct slice word)
{
    return (m->after_key && m->has_separator) ||
           (m->after_scheme && looks_like_token(word));
}

static void put_body(struct masked_line *m, struct slice body)
{
    bool secret = is_secret(m, body), scheme = is_scheme(body);
    bool keep_key = m->after_key && m->has_separator && scheme;
    const char *mask = secret ? "<secret>" : mask_of_word(body);
    size_t inside = secret_in_word(body);

    m->after_scheme = scheme;
    m->after_key = m->has_separator = keep_key;
    if (scheme) {
        put(m, body);
    } else if (mask) {
        put(m, slice_of(mask));
    } else if (inside > 0) {
        put(m, (struct slice){body.ptr, inside});
        put(m, SLICE("<secret>"));
    } else {
        m->after_key = is_secret_name(body);
        if (!put_url(m, body))
            put_parts(m, body, "/:#?&.@+$*!");
    }
}

static void put_word(struct masked_line *m, struct slice word)
{
    struct slice body = word;

    while (body.len > 0 && strchr(":.!?,", body.ptr[body.len - 1]))
        body.len--;
    bool separates = body.len < word.len && word.ptr[word.len - 1] == ':';
    if (body.len > 0)
        put_body(m, body);
    m->has_separator = m->has_separator || separates;
    put(m, slice_from(word, body.len));
}

/* Digits in groups, as on cards: how long; 0: fewer digits than a card has. */
static size_t card_length(struct slice text)
{
    size_t digits = 0, end = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (is_digit(text.ptr[i])) {
            digits++;
            end = i + 1;
        } else if ((text.ptr[i] != ' ' && text.ptr[i] != '-') || end < i) {
            break;
        }
    }
    return digits >= CARD_DIGITS &&
                   (end == text.len || is_break(text.ptr[end]) ||
                    text.ptr[end] == '.')
               ? end
               : 0;
}

struct slice text_cut(struct arena *arena, struct slice text, size_t most)
{
    static const char dots[] = "\xe2\x80\xa6";
    size_t end = most - (sizeof(dots) - 1), word;

    if (text.len <= most)
        return text;
    while (end > 0 && ((unsigned char)text.ptr[end] & 0xc0) == 0x80)
        end--;
    word = end;
    while (word > 0 && (unsigned char)text.ptr[word] > ' ')
        word--;
    if (word > most / 2) /* else it has no words */
        end = word;
    while (end > 0 && (unsigned char)text.ptr[end - 1] <= ' ')
        end--;
    return arena_format(arena, "%.*s%s", (int)end, text.ptr, dots);
}

struct slice log_shown(struct arena *arena, struct slice line)
{
    struct masked_line m;
    bool cut = line.len > MAX_READ;

    m.len = 0;
    m.after_key = m.has_separator = m.after_scheme = false;
    if (cut) { /* a part of a word cannot be judged */
        line = slice_truncate(line, MAX_READ);
        for (size_t n = line.len; n > MAX_READ / 2; n--)
            if (is_break(line.ptr[n - 1])) {
                line.len = n;
                break;
            }
    }
    for (size_t i = 0; i < line.len;) {
        struct slice rest = slice_from(line, i);
        bool starts = i == 0 || is_break(line.ptr[i - 1]);
        size_t n = starts ? card_length(rest) : 0;

        if (n > 0) {
            put(&m, SLICE("<number>"));
        } else if (is_break(rest.ptr[0])) {
            n = 1;
            m.has_separator = m.has_separator || rest.ptr[0] == '=';
            m.after_scheme = m.after_scheme && rest.ptr[0] == ' ';
            put(&m, (unsigned char)rest.ptr[0] < ' '
                        ? SLICE(" ")
                        : (struct slice){rest.ptr, 1});
        } else {
            while (n < rest.len && !is_break(rest.ptr[n]))
                n++;
            put_word(&m, (struct slice){rest.ptr, n});
        }
        i += n;
    }
    return arena_copy(arena,
                      text_cut(arena, (struct slice){m.out, m.len}, MAX_SHOWN));
}
