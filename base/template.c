/*
 * Two steps. First the line is classified, 64 bytes at a time, into masks with
 * one bit for each byte: separators and digits. Then, for each digit, the word
 * around it is a variable, and the constant text before it is copied to the
 * template at once. So the cost depends on the number of variables, not of
 * bytes. A line beyond a bound is one variable.
 */
#include "template.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

enum { STEP = 64, STEPS = TEMPLATE_MAX_LINE / STEP };

struct masks {
    uint64_t cut[STEPS], digit[STEPS]; /* bit i % 64 of element i / 64 */
    bool hole;                         /* the line contains TEMPLATE_HOLE */
};

#ifdef __SSE2__

/* All bits set in each byte of v that equals byte; or that is in first ...
 * first + count. */
static inline __m128i is(__m128i v, char byte)
{
    return _mm_cmpeq_epi8(v, _mm_set1_epi8(byte));
}

static inline __m128i in(__m128i v, char first, char count)
{
    __m128i offset = _mm_sub_epi8(v, _mm_set1_epi8(first));

    return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8(count)), offset);
}

static inline __m128i either(__m128i a, __m128i b)
{
    return _mm_or_si128(a, b);
}

static inline uint64_t bits(__m128i v)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(v);
}

/* The classes of the table above as ranges, in ASCII order. */
static void classify(const char *p, struct masks *masks, size_t step)
{
    uint64_t cut = 0, digit = 0, hole = 0;

    for (int i = 0; i < STEP; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i a = either(in(v, '\t', '\r' - '\t'), is(v, ' '));
        __m128i b = either(is(v, '"'), in(v, '\'', ')' - '\''));
        __m128i c = either(is(v, ','), is(v, '/'));
        __m128i d = either(in(v, ':', '>' - ':'), is(v, '['));
        __m128i e = either(is(v, ']'), in(v, '{', '}' - '{'));

        cut |= bits(either(either(either(a, b), either(c, d)), e)) << i;
        digit |= bits(in(v, '0', 9)) << i;
        hole |= bits(is(v, TEMPLATE_HOLE));
    }
    masks->cut[step] = cut;
    masks->digit[step] = digit;
    masks->hole |= hole != 0;
}

#else

static void classify(const char *p, struct masks *masks, size_t step)
{
    uint64_t cut = 0, digit = 0;

    for (int i = 0; i < STEP; i++) {
        unsigned char class = classes[(unsigned char)p[i]];

        cut |= (uint64_t)(class >> 1 & 1) << i;
        digit |= (uint64_t)(class & 1) << i;
        masks->hole |= (class & HOLE) != 0;
    }
    masks->cut[step] = cut;
    masks->digit[step] = digit;
}

#endif

static void read_line(struct slice line, struct masks *masks)
{
    char rest[STEP] = {0}; /* zeros belong to no class */
    size_t step = 0;

    masks->hole = false;
    for (; line.len >= STEP; line = slice_from(line, STEP))
        classify(line.ptr, masks, step++);
    if (line.len > 0) {
        memcpy(rest, line.ptr, line.len);
        classify(rest, masks, step);
    }
}

/* The first bit set from `from` on; len if there is none. */
static size_t next_bit(const uint64_t *mask, size_t from, size_t len)
{
    size_t step = from / STEP;
    uint64_t word;

    if (from >= len)
        return len;
    word = mask[step] & UINT64_MAX << from % STEP;
    while (word == 0) {
        if (++step * STEP >= len)
            return len;
        word = mask[step];
    }
    return step * STEP + (size_t)__builtin_ctzll(word);
}

/* One after the last bit set in from ... at - 1; from if there is none. */
static size_t after_last_bit(const uint64_t *mask, size_t from, size_t at)
{
    size_t step = at / STEP;
    uint64_t word = mask[step] & ~(UINT64_MAX << at % STEP);

    while (word == 0) {
        if (step * STEP <= from)
            return from;
        word = mask[--step];
    }
    at = step * STEP + STEP - (size_t)__builtin_clzll(word);
    return at > from ? at : from;
}

static void all_variable(struct slice line, struct template_split *split)
{
    split->text[0] = TEMPLATE_HOLE;
    split->len = 1;
    split->vars[0] = line;
    split->var_count = 1;
}

/* Copies bytes done ... start - 1 of the line. Most are few, and a constant 16
 * bytes are copied faster than a variable number; the excess is overwritten
 * later. The template is never longer than the line, so they fit. */
static void copy(char *to, struct slice line, size_t done, size_t start)
{
    enum { SHORT = 16 };

    if (start - done <= SHORT && done + SHORT <= line.len)
        memcpy(to, line.ptr + done, SHORT);
    else if (start > done)
        memcpy(to, line.ptr + done, start - done);
}

void template_split(struct slice line, struct template_split *split)
{
    struct masks masks;
    size_t done = 0; /* of the line */
    uint32_t len = 0, count = 0;

    if (line.len > TEMPLATE_MAX_LINE) {
        all_variable(line, split);
        return;
    }
    read_line(line, &masks);
    if (masks.hole) {
        all_variable(line, split);
        return;
    }
    for (;;) {
        size_t digit = next_bit(masks.digit, done, line.len);
        size_t start = line.len, end;

        if (digit < line.len)
            start = after_last_bit(masks.cut, done, digit);
        copy(split->text + len, line, done, start);
        len += (uint32_t)(start - done);
        if (digit == line.len)
            break;
        if (count == TEMPLATE_MAX_VARS) {
            all_variable(line, split);
            return;
        }
        end = next_bit(masks.cut, digit, line.len);
        split->vars[count++] = (struct slice){line.ptr + start, end - start};
        split->text[len++] = TEMPLATE_HOLE;
        done = end;
    }
    split->len = len;
    split->var_count = count;
}

static bool is_hex_letter(char c)
{
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool template_mask_hex(struct template_split *split)
{
    enum { HEX_WORD = 4 };
    uint32_t to = 0, at = 0, word = 0; /* where the word began, in the result */
    bool hex = true, masked = false;

    for (; at <= split->len; at++) {
        char c = at < split->len ? split->text[at] : ' ';

        if (classes[(unsigned char)c] & CUT) {
            if (hex && to - word >= HEX_WORD) {
                masked = true;
                split->text[word] = TEMPLATE_HOLE;
                to = word + 1;
            }
            hex = true;
            word = to + 1;
        } else if (!is_hex_letter(c)) {
            hex = false;
        }
        if (at < split->len)
            split->text[to++] = c;
    }
    split->len = to;
    return masked;
}

/* The length of the holes at the start of text, with at most one separator
 * between two. */
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
