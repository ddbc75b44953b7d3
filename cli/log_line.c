/* A log record as text; see log_line.h. */
#include "log_line.h"

#include <string.h>

#include "cli_int.h"

#define INDENT "    "

enum term_color log_level_color(const char *level)
{
    if (strcmp(level, "ERROR") == 0 || strcmp(level, "FATAL") == 0)
        return TERM_RED;
    if (strcmp(level, "WARN") == 0)
        return TERM_YELLOW;
    return strcmp(level, "DEBUG") == 0 || strcmp(level, "TRACE") == 0
               ? TERM_DIM
               : TERM_PLAIN;
}

/* To the millisecond, always the same width: columns stay in line. */
static void write_time(struct term_line *line, const char *time)
{
    const char *point = strchr(time, '.');
    char text[] = "YYYY-mm-ddTHH:MM:SS.000Z";

    if (strlen(time) < 20) {
        term_puts(line, time);
        return;
    }
    memcpy(text, time, 19);
    for (int i = 0;
         i < 3 && point && point[1 + i] >= '0' && point[1 + i] <= '9'; i++)
        text[20 + i] = point[1 + i];
    term_puts(line, text);
}

static void write_names(struct term_line *line, const json_t *log,
                        unsigned flags)
{
    const json_t *metadata = json_object_get(log, "metadata");

    if (flags & LOG_LINE_COMPONENT) {
        term_paint(line, TERM_CYAN);
        term_puts(line, cli_text(metadata, "componentName"));
        term_paint(line, TERM_PLAIN);
        term_puts(line, " ");
    }
    if ((flags & LOG_LINE_POD) && cli_text(metadata, "podName")[0]) {
        term_puts(line, cli_text(metadata, "podName"));
        term_puts(line, "/");
        term_puts(line, cli_text(metadata, "containerName"));
        term_puts(line, " ");
    }
}

void log_line(struct buf *out, const struct term_look *look, const json_t *log,
              unsigned flags)
{
    const char *level = cli_text(log, "level");
    struct slice rest = slice_of(cli_text(log, "log"));
    struct term_line line = term_begin(out, look);

    write_time(&line, cli_text(log, "timestamp"));
    term_puts(&line, " ");
    term_paint(&line, log_level_color(level));
    term_cell(&line, slice_of(level[0] ? level : "-"), 5, TERM_LEFT);
    term_paint(&line, TERM_PLAIN);
    term_puts(&line, " ");
    write_names(&line, log, flags);
    while (rest.len > 0 && rest.ptr[rest.len - 1] == '\n')
        rest.len--;
    term_put(&line, slice_split(&rest, '\n'));
    term_end(&line);
    while (rest.len > 0) {
        term_puts(&line, INDENT);
        term_put(&line, slice_split(&rest, '\n'));
        term_end(&line);
    }
}
