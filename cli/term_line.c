#define _XOPEN_SOURCE 700 /* wcwidth() */
#include "term_line.h"

#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "utf8.h"

enum { NO_BOUND = 1 << 20, MAX_MARKS = 3, REPLACEMENT = 0xfffd };

/* ---- the terminal ---- */

static bool is_utf8_locale(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *value = getenv(names[i]);

        if (value && value[0]) {
            const char *dot = strchr(value, '.');

            return dot && (strncasecmp(dot, ".UTF-8", 6) == 0 ||
                           strncasecmp(dot, ".UTF8", 5) == 0);
        }
    }
    return false;
}

static uint32_t number_of(const char *name)
{
    const char *text = getenv(name);
    unsigned long value = text ? strtoul(text, NULL, 10) : 0;

    return value > 0 && value < 10000 ? (uint32_t)value : 0;
}

struct term_look term_look_of(FILE *to)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    struct term_look look = {.ascii = !is_utf8_locale()};
    struct winsize size = {0};

    if (isatty(fileno(to))) {
        look.color =
            term && strcmp(term, "dumb") != 0 && !(no_color && no_color[0]);
        (void)ioctl(fileno(to), TIOCGWINSZ, &size);
        look.columns =
            number_of("COLUMNS") ? number_of("COLUMNS") : size.ws_col;
        look.rows = number_of("LINES") ? number_of("LINES") : size.ws_row;
        look.columns = look.columns ? look.columns : 80;
        look.rows = look.rows ? look.rows : 24;
    } else {
        look.columns = number_of("COLUMNS");
    }
    return look;
}

/* ---- characters ---- */

/* The characters of every locale, whatever the user's is. */
static int width_of(uint32_t c)
{
    static locale_t every;
    static bool tried;
    locale_t before;
    int width;

    if (c < 0x7f)
        return c < 0x20 ? -1 : 1;
    if (!tried)
        every = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    tried = true;
    if (!every)
        return 1;
    before = uselocale(every);
    width = wcwidth((wchar_t)c);
    uselocale(before);
    return width;
}

bool term_is_control(uint32_t c)
{
    /* C0; DEL and C1; marks of direction, line separators, characters without
     * a shape; tags */
    static const uint32_t ranges[][2] = {
        {0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},    {0x180e, 0x180e},
        {0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f},
        {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

struct text_cursor {
    const uint8_t *at, *end;
    int marks; /* combining characters in a row */
};

static struct text_cursor cursor_of(struct slice text)
{
    const uint8_t *at = (const uint8_t *)text.ptr;

    return (struct text_cursor){at, at ? at + text.len : at, 0};
}

/* The next character to show, and its width; false at the end. Those that take
 * no column are few in a row: a thousand marks on one letter are an attack. */
static bool next(struct text_cursor *cursor, uint32_t *c, uint32_t *width)
{
    while (cursor->at < cursor->end) {
        size_t len = utf8_decode(cursor->at, cursor->end, c);
        int wide;

        if (len == 0)
            *c = REPLACEMENT;
        else if (term_is_control(*c))
            *c = ' ';
        cursor->at += len ? len : 1;
        wide = width_of(*c);
        if (wide < 0) {
            *c = REPLACEMENT;
            wide = 1;
        }
        cursor->marks = wide == 0 ? cursor->marks + 1 : 0;
        *width = (uint32_t)wide;
        if (cursor->marks <= MAX_MARKS)
            return true;
    }
    return false;
}

uint32_t term_columns(struct slice text)
{
    struct text_cursor cursor = cursor_of(text);
    uint32_t sum = 0, c, width;

    while (sum < NO_BOUND && next(&cursor, &c, &width))
        sum += width;
    return sum;
}

/* ---- the line ---- */

struct term_line term_begin(struct buf *out, const struct term_look *look)
{
    return (struct term_line){.out = out, .look = look};
}

uint32_t term_left(const struct term_line *line)
{
    uint32_t columns = line->look->columns ? line->look->columns : NO_BOUND;

    return columns > line->column ? columns - line->column : 0;
}

static void add(struct term_line *line, uint32_t c, uint32_t width)
{
    uint8_t bytes[4];

    if (line->look->ascii && c >= 0x7f) {
        for (uint32_t i = 0; i < width; i++)
            buf_byte(line->out, '?');
    } else {
        size_t len = utf8_encode(c, bytes);

        buf_add(line->out, (struct slice){(char *)bytes, len});
    }
    line->column += width;
}

/* At most `most` columns. */
static void put_cut(struct term_line *line, struct slice text, uint32_t most)
{
    struct text_cursor cursor = cursor_of(text);
    uint32_t end, c, width;
    bool cut = term_columns(text) > most;

    if (most == 0)
        return;
    end = line->column + most - cut;
    while (next(&cursor, &c, &width) && line->column + width <= end)
        add(line, c, width);
    if (cut)
        term_draw(line, "…", "~", 1);
}

void term_put(struct term_line *line, struct slice text)
{
    put_cut(line, text, term_left(line));
}

void term_puts(struct term_line *line, const char *text)
{
    term_put(line, slice_of(text));
}

void term_printf(struct term_line *line, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    term_puts(line, text);
}

void term_cell(struct term_line *line, struct slice text, uint32_t width,
               enum term_align align)
{
    uint32_t left = term_left(line), taken = term_columns(text);
    uint32_t end = line->column + (width < left ? width : left);

    if (align == TERM_RIGHT && taken < width)
        term_to(line, line->column + width - taken);
    put_cut(line, text, end - line->column);
    term_to(line, end);
}

void term_draw(struct term_line *line, const char *utf8, const char *ascii,
               uint32_t times)
{
    uint32_t left = term_left(line);

    for (; times > 0 && left > 0; times--, left--) {
        buf_add(line->out, slice_of(line->look->ascii ? ascii : utf8));
        line->column++;
    }
}

void term_to(struct term_line *line, uint32_t column)
{
    uint32_t left = term_left(line);

    for (; line->column < column && left > 0; left--, line->column++)
        buf_byte(line->out, ' ');
}

void term_paint(struct term_line *line, enum term_color color)
{
    static const char *const codes[] = {
        "\033[0m",  "\033[1m",  "\033[2m",  "\033[7m",  "\033[31m",
        "\033[32m", "\033[33m", "\033[34m", "\033[35m", "\033[36m"};

    if (!line->look->color || (color == TERM_PLAIN && !line->painted))
        return;
    buf_add(line->out, slice_of(codes[color]));
    line->painted = color != TERM_PLAIN;
}

void term_end(struct term_line *line)
{
    term_paint(line, TERM_PLAIN);
    buf_byte(line->out, '\n');
    line->column = 0;
}
