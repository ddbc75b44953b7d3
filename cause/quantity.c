#include "quantity.h"

#include <math.h>
#include <stdio.h>

#include "ascii.h"
#include "evidence.h"
#include "metric_names.h"

enum {
    DIGITS = 3,
    MAX_DIGITS = 7,
    MANY = 1000, /* from here on a share says more than counts */
};

const char *const quantity_throttled[] = {"throttl", NULL};

/* ---- numbers ---- */

struct size_word {
    double from, factor;
    const char *word;
};

/* Values from `from` on are divided by factor and followed by the word. */
/* clang-format off */
static const struct size_word plain_sizes[] = {
    {1e12, 1e12, " trillion"}, {1e9, 1e9, " billion"}, {1e6, 1e6, " million"},
    {0, 1, ""}};
static const struct size_word byte_sizes[] = {
    {1e12, 1e12, " TB"}, {1e9, 1e9, " GB"}, {1e6, 1e6, " MB"},
    {1e3, 1e3, " kB"}, {0, 1, " B"}};
static const struct size_word time_sizes[] = {
    {7200, 3600, " h"}, {120, 60, " min"}, {1, 1, " s"}, {1e-3, 1e-3, " ms"},
    {1e-6, 1e-6, " \xc2\xb5s"}, {0, 1e-9, " ns"}};
static const struct size_word core_sizes[] = {{0, 1, " cores"}};
static const struct size_word ratio_sizes[] = {{0, 0.01, "%"}};
/* clang-format on */

static const struct size_word *const sizes[] = {
    [QUANTITY_OTHER] = plain_sizes, [QUANTITY_TIME] = time_sizes,
    [QUANTITY_BYTES] = byte_sizes,  [QUANTITY_CORES] = core_sizes,
    [QUANTITY_RATIO] = ratio_sizes,
};

/* Without zeros at the end of a fraction. */
static int print_number(char text[40], double value, int digits)
{
    double size = fabs(value);
    int whole = size >= 1 ? (int)log10(size) + 1 : 0;
    int leading = size > 0 && size < 1 ? (int)-log10(size) : 0;
    int fraction = digits - whole + leading;
    int len;

    if (size < 1e-12)
        return snprintf(text, 40, "0");
    if (fraction < 0)
        fraction = 0;
    len = snprintf(text, 40, "%.*f", fraction < 15 ? fraction : 15, value);
    while (fraction > 0 && text[len - 1] == '0')
        len--;
    if (fraction > 0 && text[len - 1] == '.')
        len--;
    return len;
}

struct slice number_text(struct arena *arena, double value, int digits)
{
    char text[40];
    int len = print_number(text, value, digits);

    return arena_copy(arena, (struct slice){text, (size_t)len});
}

struct slice percent_text(struct arena *arena, double share)
{
    static const struct value_scale ratio = {.factor = 1,
                                             .quantity = QUANTITY_RATIO};

    return quantity_text(arena, &ratio, share);
}

struct slice about_percent_text(struct arena *arena, double share)
{
    struct slice number = number_text(arena, 100 * share, share < 0.99 ? 2 : 3);

    return arena_format(arena, "%.*s%%", SLICE_ARGS(number));
}

/* ---- units ---- */

/* Words of names that are units of what they measure. */
static bool is_unit_word(struct slice word)
{
    static const char *const known[] = {
        "seconds",    "milliseconds", "microseconds", "nanoseconds",
        "ms",         "bytes",        "ratio",        "percent",
        "percentage", "cores",        "millicores"};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (slice_equal(word, slice_of(known[i])))
            return true;
    return false;
}

static bool is_mark(char c)
{
    return !is_letter(c) && !is_digit(c);
}

/* The next word of a name, from its end; empty: there is none. */
static struct slice last_word(struct slice *name)
{
    while (name->len > 0 && is_mark(name->ptr[name->len - 1]))
        name->len--;
    size_t start = name->len;
    while (start > 0 && !is_mark(name->ptr[start - 1]))
        start--;
    struct slice word = slice_from(*name, start);
    name->len = start;
    return word;
}

/* As Prometheus asks for it: http_request_duration_seconds. */
static enum quantity quantity_in_name(struct slice name, double *factor)
{
    struct slice word;

    *factor = 1;
    while ((word = last_word(&name)).len > 0)
        if (is_unit_word(word))
            return unit_quantity(word, factor);
    return QUANTITY_OTHER;
}

/* The unit 1 stands for shares and for numbers of things: a name says which. */
static const char *const share_names[] = {
    "utilization",  "utilisation", "ratio",   "fraction",
    "availability", "share",       "percent", "saturation",
    "success_rate", "error_rate",  "loss",    NULL};

bool quantity_name_has(struct slice name, const char *const *words)
{
    for (; *words; words++) {
        struct slice word = slice_of(*words);

        for (size_t k = 0; k + word.len <= name.len; k++)
            if (slice_starts(slice_from(name, k), word))
                return true;
    }
    return false;
}

/* The unit of a number of things, whatever they are (Amazon CloudWatch). */
static bool says_no_thing(struct slice unit)
{
    return slice_equal(unit, SLICE("1")) || slice_equal(unit, SLICE("None")) ||
           slice_equal(unit, SLICE("Count")) ||
           slice_equal(unit, SLICE("count"));
}

/* {request} and requests are both "requests"; what is no word stays as it is.
 */
static struct slice thing_of(struct arena *arena, struct slice unit)
{
    unit = slice_trim(unit, "{} ");
    if (says_no_thing(unit))
        return SLICE("");
    if (unit.len < 3 || unit.len > 24 || !is_letter(unit.ptr[0]) ||
        memchr(unit.ptr, '/', unit.len))
        return unit;
    return arena_format(arena, "%.*s%s", SLICE_ARGS(unit),
                        slice_ends(unit, SLICE("s")) ? "" : "s");
}

/* By/s is By, per second. */
static struct slice without_per_second(struct slice unit, bool *is_rate)
{
    static const struct slice ends[] = {SLICE_INIT("/s"), SLICE_INIT("/sec"),
                                        SLICE_INIT("/second")};

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (slice_ends(unit, ends[i])) {
            *is_rate = true;
            unit.len -= ends[i].len;
        }
    return unit;
}

/* By the unit that was sent; without one, by the name. */
static void set_quantity(struct value_scale *s, const struct timeseries *t,
                         struct slice unit)
{
    const struct metric_name *known = metric_name_find(t->name);

    s->quantity = (uint8_t)unit_quantity(unit, &s->factor);
    if (s->quantity == QUANTITY_RATIO && s->factor >= 1 &&
        !quantity_name_has(t->name, share_names))
        s->quantity = QUANTITY_OTHER;
    if (unit.len == 0 && known) {
        s->quantity = known->quantity;
        s->factor = known->factor > 0 ? known->factor : 1;
    } else if (unit.len == 0) {
        s->quantity = (uint8_t)quantity_in_name(t->name, &s->factor);
    }
}

/* An error_rate without a unit is judged as a share, and may be failures per
 * second: then it is told as it was sent. */
static bool says_share(const struct timeseries *t)
{
    static const char *const words[] = {
        "failures in ", "ratio", "fraction", "share", "perc", "pct", NULL};

    return t->unit.len > 0 || t->class != CLASS_ERRORS ||
           quantity_name_has(t->name, words);
}

double quantity_seconds(const struct timeseries *t)
{
    struct value_scale s = {.factor = 1};

    set_quantity(&s, t, t->unit);
    return s.quantity == QUANTITY_TIME ? s.factor : 1;
}

struct value_scale quantity_scale(struct arena *arena,
                                  const struct timeseries *t)
{
    struct value_scale s = {.factor = 1, .is_rate = t->is_rate};
    struct slice unit = without_per_second(t->unit, &s.is_rate);

    if (t->is_share && says_share(t))
        return (struct value_scale){.factor = 1, .quantity = QUANTITY_RATIO};
    set_quantity(&s, t, unit);
    if (s.quantity == QUANTITY_OTHER)
        s.thing = thing_of(arena, unit);
    /* Seconds of CPU per second are cores; of anything else, a part of the
     * time. */
    if (s.is_rate && s.quantity == QUANTITY_TIME) {
        bool used = t->class == CLASS_CPU &&
                    !quantity_name_has(t->name, quantity_throttled);

        s.quantity = used ? QUANTITY_CORES : QUANTITY_RATIO;
    }
    s.is_rate = s.is_rate && s.quantity != QUANTITY_CORES &&
                s.quantity != QUANTITY_RATIO;
    return s;
}

/* ---- values ---- */

/* The sizes are chosen by the rounded number: 999.9996 kB are 1 MB. */
static const struct size_word *size_of(const struct value_scale *scale,
                                       double base)
{
    const struct size_word *size = sizes[scale->quantity];

    while (fabs(base) < size->from * (1 - 0.5e-3) && size->from > 0)
        size++;
    return size;
}

static struct slice value_text(struct arena *arena,
                               const struct value_scale *scale, double value,
                               int digits)
{
    double base = value * scale->factor;
    const struct size_word *size =
        fabs(base) < 1e-12 ? sizes[scale->quantity] : size_of(scale, base);
    struct slice number, thing = scale->thing;
    const char *word = size->word;

    if (fabs(base) < 1e-12) /* "0" needs no unit, but for percent */
        return scale->quantity == QUANTITY_RATIO ? SLICE("0%") : SLICE("0");
    number = number_text(arena, base / size->factor, digits);
    if (scale->quantity == QUANTITY_CORES && slice_equal(number, SLICE("1")))
        word = " core";
    return arena_format(arena, "%.*s%s%s%.*s%s", SLICE_ARGS(number), word,
                        thing.len ? " " : "", SLICE_ARGS(thing),
                        !scale->is_rate                     ? ""
                        : scale->quantity == QUANTITY_BYTES ? "/s"
                                                            : " per second");
}

struct slice quantity_text(struct arena *arena, const struct value_scale *scale,
                           double value)
{
    return value_text(arena, scale, value, DIGITS);
}

/* The bytes of a unit that both end with: it is said once. */
static size_t same_end(struct slice a, struct slice b)
{
    const char *x = memchr(a.ptr, ' ', a.len), *y = memchr(b.ptr, ' ', b.len);

    if (!x || !y)
        return 0;
    struct slice p = slice_from(a, (size_t)(x - a.ptr));
    struct slice q = slice_from(b, (size_t)(y - b.ptr));
    return slice_equal(p, q) ? p.len : 0;
}

struct slice quantity_change(struct arena *arena,
                             const struct value_scale *scale, double before,
                             double after)
{
    struct slice a, b;
    int digits = DIGITS;

    do {
        a = value_text(arena, scale, before, digits);
        b = value_text(arena, scale, after, digits);
    } while (slice_equal(a, b) && digits++ < MAX_DIGITS);
    if (scale->quantity != QUANTITY_OTHER || /* not "388 to 860 million" */
        fmax(fabs(before), fabs(after)) < plain_sizes[2].from)
        a.len -= same_end(a, b);
    return arena_format(arena, "%s from %.*s to %.*s",
                        after > before ? "rose" : "fell", SLICE_ARGS(a),
                        SLICE_ARGS(b));
}

const char *quantity_unit(struct arena *arena, const struct value_scale *scale,
                          double before, double after, double *factor)
{
    double least = fmin(fabs(before), fabs(after));
    double most = fmax(fabs(before), fabs(after)) * scale->factor;
    const struct size_word *size;

    /* The smaller one is not rounded to nothing, and the larger one short. */
    least *= scale->factor;
    size = size_of(scale, least > most / 1000 ? least : most);
    if (scale->quantity == QUANTITY_OTHER)
        size = &plain_sizes[3];
    *factor = scale->factor / size->factor;
    struct slice unit = arena_format(
        arena, "%s%s%.*s%s%c", slice_trim(slice_of(size->word), " ").ptr,
        size->word[0] && scale->thing.len ? " " : "", SLICE_ARGS(scale->thing),
        scale->is_rate ? "/s" : "", '\0');
    return unit.ptr ? unit.ptr : "";
}

/* ---- shares ---- */

static bool is_whole(double value)
{
    return fabs(value - round(value)) < 1e-6;
}

/* Something is not rounded to nothing, nor almost all to all. */
static double rounded_part(double k, double n)
{
    if (k > 0 && k < 1)
        return 1;
    return k <= n - 0.5 && round(k) >= round(n) ? round(n) - 1 : round(k);
}

static double whole_number(double n)
{
    return n > 0 ? fmax(1, round(n)) : 0;
}

struct slice share_before_text(struct arena *arena, double k, double n)
{
    if (n >= MANY)
        return percent_text(arena, k / n);
    if (!(n > 0))
        return SLICE("none");
    return arena_format(arena, "%.0f of %.0f", rounded_part(k, n),
                        whole_number(n));
}

struct slice share_text(struct arena *arena, double k, double n,
                        const char *things)
{
    struct slice percent;

    if (n < MANY)
        return arena_format(arena, "%s%.0f of %.0f %.*s",
                            is_whole(k) && is_whole(n) ? "" : "about ",
                            rounded_part(k, n), whole_number(n),
                            (int)strlen(things) - (whole_number(n) == 1),
                            things);
    percent = percent_text(arena, k / n);
    return arena_format(arena, "%s%.*s of %.0f %s", is_whole(n) ? "" : "about ",
                        SLICE_ARGS(percent), n, things);
}

struct slice milliseconds_text(struct arena *arena, double ms)
{
    static const struct value_scale scale = {.factor = 1e-3,
                                             .quantity = QUANTITY_TIME};

    return ms < 0.0005 ? SLICE("0 ms") : quantity_text(arena, &scale, ms);
}

double rounded_up_ns(double ns)
{
    double unit = ns > 0 ? pow(10, floor(log10(ns)) - 2) : 1;

    return ceil(ns / unit) * unit;
}
