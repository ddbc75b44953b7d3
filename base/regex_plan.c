/*
 * Most patterns of dashboards are names between bars, or a name with .* at an
 * end: they are compared, not matched.
 */
#include "regex_syntax.h"

#include "ascii.h"

static bool is_meta(char c)
{
    return c == '\0' || strchr("\\.+*?()|[]{}^$", c);
}

/* Whether the last byte is there as such, not as part of an escape. */
static bool ends_with(struct slice s, char c)
{
    size_t slashes = 0;

    if (s.len == 0 || s.ptr[s.len - 1] != c)
        return false;
    while (slashes + 1 < s.len && s.ptr[s.len - 2 - slashes] == '\\')
        slashes++;
    return slashes % 2 == 0;
}

/* Without ^, $ and parentheses around all of it. */
static struct slice strip(struct slice s, uint32_t *groups)
{
    for (;;) {
        if (slice_starts(s, SLICE("^"))) {
            s = slice_from(s, 1);
        } else if (ends_with(s, '$')) {
            s.len--;
        } else if (slice_starts(s, SLICE("(?:")) && ends_with(s, ')')) {
            s = slice_from(s, 3);
            s.len--;
        } else if (slice_starts(s, SLICE("(")) &&
                   !slice_starts(s, SLICE("(?")) && ends_with(s, ')')) {
            s = slice_from(s, 1);
            s.len--;
            ++*groups;
        } else {
            return s;
        }
    }
}

/* The next text, unescaped, up to a bar or the end. */
static bool take_text(struct slice *rest, char **bytes, struct slice *text)
{
    size_t i = 0;

    text->ptr = *bytes;
    for (; i < rest->len && rest->ptr[i] != '|'; i++) {
        char c = rest->ptr[i];

        if (c == '\\') {
            if (++i == rest->len)
                return false;
            c = rest->ptr[i];
            if (is_letter(c) || is_digit(c) || (unsigned char)c >= 0x80)
                return false;
        } else if (is_meta(c)) {
            return false;
        }
        *(*bytes)++ = c;
    }
    text->len = (size_t)(*bytes - text->ptr);
    *rest = slice_from(*rest, i);
    return true;
}

static bool take_texts(struct regex_plan *plan, struct slice rest, char *bytes,
                       uint32_t max)
{
    for (;;) {
        if (plan->text_count == max ||
            !take_text(&rest, &bytes, &plan->texts[plan->text_count]))
            return false;
        plan->text_count++;
        if (rest.len == 0)
            return true;
        rest = slice_from(rest, 1);
    }
}

static bool any_at(struct slice s, struct slice wild, bool at_end)
{
    return at_end ? slice_ends(s, wild) : slice_starts(s, wild);
}

/* Takes .* or .+ from an end. */
static bool take_any(struct slice *s, bool at_end, uint8_t *least)
{
    if (any_at(*s, SLICE(".*"), at_end))
        *least = 0;
    else if (any_at(*s, SLICE(".+"), at_end))
        *least = 1;
    else
        return false;
    s->ptr += at_end ? 0 : 2;
    s->len -= 2;
    return !at_end || !ends_with(*s, '\\'); /* a dot that is escaped */
}

static bool affixed(struct regex_plan *plan, struct slice s, char *bytes)
{
    bool text;

    plan->text_count = 1;
    plan->before = take_any(&s, false, &plan->least_before);
    plan->after = take_any(&s, true, &plan->least_after);
    if (!plan->before && !plan->after)
        return false;
    text = take_text(&s, &bytes, &plan->texts[0]);
    return text && s.len == 0;
}

void regex_plan(struct regex_plan *plan, struct slice pattern, char *bytes,
                struct slice *texts, uint32_t max)
{
    struct slice s;

    *plan = (struct regex_plan){.texts = texts};
    s = strip(pattern, &plan->groups);
    if (take_texts(plan, s, bytes, max))
        plan->plain = REGEX_TEXTS;
    else if (affixed(plan, s, bytes))
        plan->plain = REGEX_AFFIXED;
}
