/*
 * One pass over the line with a table of 256 classes. A word's bytes are
 * copied to the template while its end is looked for, or-ing the classes seen;
 * if a digit was among them, the copy is taken back and a hole put in its
 * place. A line that breaks a bound is started over as one variable.
 */
#include "template.h"

#include <string.h>

enum { WORD = 0, DIGIT = 1, CUT = 2, HOLE = 4 };

static const unsigned char classes[256] = {
    ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT,
    ['3'] = DIGIT, ['4'] = DIGIT, ['5'] = DIGIT,
    ['6'] = DIGIT, ['7'] = DIGIT, ['8'] = DIGIT,
    ['9'] = DIGIT, [' '] = CUT,   ['\t'] = CUT,
    ['\n'] = CUT,  ['\r'] = CUT,  ['\v'] = CUT,
    ['\f'] = CUT,  ['='] = CUT,   [':'] = CUT,
    [','] = CUT,   [';'] = CUT,   ['"'] = CUT,
    ['\''] = CUT,  ['('] = CUT,   [')'] = CUT,
    ['['] = CUT,   [']'] = CUT,   ['{'] = CUT,
    ['}'] = CUT,   ['<'] = CUT,   ['>'] = CUT,
    ['|'] = CUT,   ['/'] = CUT,   [TEMPLATE_HOLE] = CUT | HOLE,
};

static void all_variable(struct slice line, struct template_split *split)
{
    split->text[0] = TEMPLATE_HOLE;
    split->len = 1;
    split->vars[0] = line;
    split->var_count = 1;
}

void template_split(struct slice line, struct template_split *split)
{
    const char *p = line.ptr, *end = line.ptr + line.len;
    char *to = split->text;
    uint32_t count = 0;

    if (line.len > TEMPLATE_MAX_LINE) {
        all_variable(line, split);
        return;
    }
    while (p < end) {
        const char *word = p;
        char *copy = to;
        unsigned class = WORD, seen = WORD;

        do {
            class = classes[(unsigned char)*p];
            seen |= class;
            *to++ = *p++;
        } while (p < end && !(class & CUT));

        if (seen & HOLE || (seen & DIGIT && count == TEMPLATE_MAX_VARS)) {
            all_variable(line, split);
            return;
        }
        if (seen & DIGIT) { /* the last byte may be the separator */
            const char *stop = class & CUT ? p - 1 : p;

            split->vars[count++] = (struct slice){word, (size_t)(stop - word)};
            *copy++ = TEMPLATE_HOLE;
            if (class & CUT)
                *copy++ = p[-1];
            to = copy;
        }
    }
    split->len = (uint32_t)(to - split->text);
    split->var_count = count;
}

void template_join(struct buf *out, struct slice text, const struct slice *vars,
                   uint32_t var_count)
{
    uint32_t used = 0;

    while (text.len > 0) {
        const char *hole = memchr(text.ptr, TEMPLATE_HOLE, text.len);
        size_t len = hole ? (size_t)(hole - text.ptr) : text.len;

        buf_add(out, (struct slice){text.ptr, len});
        if (!hole)
            return;
        if (used < var_count)
            buf_add(out, vars[used++]);
        text = slice_from(text, len + 1);
    }
}

/* How much of text is a hole, and further holes with at most one separator
 * between each two. */
static size_t run_of_holes(struct slice text)
{
    size_t i = 1;

    for (;;) {
        bool separator =
            i < text.len && classes[(unsigned char)text.ptr[i]] == CUT;

        if (i + separator >= text.len ||
            text.ptr[i + separator] != TEMPLATE_HOLE)
            return i;
        i += separator + 1u;
    }
}

void template_show(struct buf *out, struct slice text)
{
    while (text.len > 0) {
        const char *hole = memchr(text.ptr, TEMPLATE_HOLE, text.len);
        size_t len = hole ? (size_t)(hole - text.ptr) : text.len;

        buf_add(out, (struct slice){text.ptr, len});
        if (!hole)
            return;
        buf_add(out, SLICE("<*>"));
        text = slice_from(text, len);
        text = slice_from(text, run_of_holes(text));
    }
}
