/* The screen of `callboard top`; see top_view.h. */
#include "top_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "component_text.h"
#include "human.h"
#include "log_line.h"
#include "top_table.h"

enum { HEAD_LINES = 3, FOOT_LINES = 1 };

/* What the columns are called in a sentence. */
static const char *const names[TOP_COLUMNS] = {"name",
                                               "requests",
                                               "errors",
                                               "p50",
                                               "p99",
                                               "CPU",
                                               "CPU of the limit",
                                               "memory",
                                               "memory of the limit",
                                               "restarts",
                                               ""};

void top_view_table(struct buf *out, const struct term_look *look,
                    struct top_state *state, const struct top_rows *rows)
{
    uint32_t count, *chosen = top_state_choose(state, rows, &count);

    top_table(out, look, state, rows, chosen, 0, count, false);
    free(chosen);
}

/* ---- the lines around ---- */

static void write_clock(struct term_line *line, uint64_t ns)
{
    char text[CLOCK_TEXT];

    (void)clock_format_rfc3339(text, ns);
    term_printf(line, "%.8sZ", text + 11);
}

static void write_counts(struct term_line *line, const struct top_rows *rows,
                         const uint32_t *chosen, uint32_t count)
{
    uint32_t bad = 0, warning = 0;

    for (uint32_t i = 0; i < count; i++) {
        bad += rows->at[chosen[i]].health == TOP_BAD;
        warning += rows->at[chosen[i]].health == TOP_WARNING;
    }
    term_printf(line, "%u component%s", count, count == 1 ? "" : "s");
    if (bad) {
        term_paint(line, TERM_RED);
        term_printf(line, "  ! %u bad", bad);
        term_paint(line, TERM_PLAIN);
    }
    if (warning) {
        term_paint(line, TERM_YELLOW);
        term_printf(line, "  ~ %u to watch", warning);
        term_paint(line, TERM_PLAIN);
    }
}

static void write_choice(struct term_line *line,
                         const struct top_choice *choice)
{
    if (choice->project[0]) {
        term_puts(line, "  project ");
        term_puts(line, choice->project);
    }
    if (choice->environment[0]) {
        term_puts(line, "  environment ");
        term_puts(line, choice->environment);
    }
    term_printf(line, "  by %s%s", names[choice->sort],
                choice->sort == TOP_NAME ? choice->reverse ? ", from Z" : ""
                : choice->reverse        ? ", least first"
                                         : ", most first");
}

/* Where, since when; or why nothing newer is shown. */
static void write_status(struct term_line *line, const struct top_state *state,
                         const struct top_facts *facts)
{
    char text[HUMAN_TEXT];
    double age = facts->now_ns > facts->answered_ns
                     ? (double)(facts->now_ns - facts->answered_ns) / 1e9
                     : 0;

    if (facts->error[0]) {
        term_paint(line, TERM_RED);
        term_puts(line, "NO ANSWER: ");
        if (facts->answered_ns) {
            term_puts(line, "shown is ");
            write_clock(line, facts->answered_ns);
            term_printf(line, ", %s old. ", human_seconds(text, floor(age)));
        }
        term_puts(line, facts->error);
    } else if (!facts->answered_ns) {
        term_puts(line, "asking ");
        term_puts(line, facts->server);
    } else {
        if (state->paused || top_state_is_scrolled(state)) {
            term_paint(line, TERM_YELLOW);
            term_puts(line, state->paused
                                ? "PAUSED (space goes on)  "
                                : "PAUSED as you scrolled (End goes on)  ");
            term_paint(line, TERM_PLAIN);
        }
        write_clock(line, facts->answered_ns);
        if (state->page == TOP_LIST)
            term_printf(line, "  figures of the last %s",
                        human_seconds(text, facts->window_s));
        term_printf(line, "  every %s  ",
                    human_seconds(text, facts->interval_s));
        term_puts(line, facts->server);
    }
    term_end(line);
}

static void write_foot(struct term_line *line, const struct top_state *state)
{
    if (state->typing || (state->page == TOP_LIST && state->choice.filter[0])) {
        term_paint(line, TERM_BOLD);
        term_puts(line, "filter: ");
        term_puts(line, state->choice.filter);
        term_paint(line, TERM_PLAIN);
        if (state->typing)
            term_draw(line, "█", "_", 1);
        term_puts(line, state->typing ? "  Enter: keep it  Escape: undo"
                                      : "  Escape: show all");
    } else if (state->page == TOP_LIST) {
        term_puts(line, "Enter open  l logs  / filter  < > sort  r reverse  "
                        "e environment  p project  ? help  q quit");
    } else if (state->page == TOP_COMPONENT) {
        term_puts(line, "Escape back  l logs  up, down scroll  space pause  "
                        "? help  q quit");
    } else {
        term_puts(line, "Escape back  Enter component  up, down scroll  End "
                        "newest  space pause  ? help  q quit");
    }
    term_end(line);
}

static const char help[] =
    "Keys of the list\n"
    "  up, down, k, j, PgUp, PgDn, Home, End   move\n"
    "  Enter    open the component: endpoints, callers, callees, errors\n"
    "  l        the newest log lines of the component\n"
    "  < >      sort by the column to the left, to the right; also arrows\n"
    "  N R E L  sort by name, requests, errors, p99 (again: reverse)\n"
    "  C M T    sort by CPU, memory, restarts\n"
    "  r        reverse the order\n"
    "  /        filter by part of a name; Escape shows all again\n"
    "  e, p     next environment, next project\n"
    "  space    pause, go on\n"
    "  q        quit;  Escape: back to the list\n"
    "\n"
    "Columns\n"
    "  !  bad: 5 % errors or more, or p99 tripled\n"
    "  ~  to watch: 1 % errors or more, or p99 doubled\n"
    "  .  had requests before and has none now\n"
    "  RATE/S requests per second, ERR% failed ones, P50 P99 latency\n"
    "  CPU in thousandths of a core (m), MEMORY, %LIM of the limit\n"
    "  RST restarts of containers in the time shown\n";

/* ---- the pages ---- */

/* So many lines of a text, from a line on; *scroll ends at the last screen.
 * Whether that is shown. */
static bool write_part(struct buf *out, struct slice text, uint32_t *scroll,
                       uint32_t room)
{
    uint32_t lines = 0, at = 0;

    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    if (lines < room)
        *scroll = 0;
    else if (*scroll > lines - room)
        *scroll = lines - room;
    for (; text.len > 0 && at < *scroll + room; at++) {
        struct slice line = slice_split(&text, '\n');

        if (at >= *scroll) {
            buf_add(out, line);
            buf_byte(out, '\n');
        }
    }
    return text.len == 0;
}

static void write_help(struct buf *out, const struct term_look *look)
{
    struct slice rest = SLICE(help);
    struct term_line line = term_begin(out, look);

    for (uint32_t i = 0; rest.len > 0 && i + 1 < look->rows; i++) {
        term_put(&line, slice_split(&rest, '\n'));
        term_end(&line);
    }
}

static void write_list(struct buf *out, const struct term_look *look,
                       struct top_state *state, const struct top_rows *rows,
                       const struct top_facts *facts)
{
    uint32_t count, end, *chosen;
    struct term_line line = term_begin(out, look);

    state->room = look->rows > HEAD_LINES + FOOT_LINES
                      ? look->rows - HEAD_LINES - FOOT_LINES
                      : 1;
    chosen = top_state_choose(state, rows, &count);
    end =
        state->first + state->room < count ? state->first + state->room : count;
    term_paint(&line, TERM_BOLD);
    term_puts(&line, "callboard top  ");
    term_paint(&line, TERM_PLAIN);
    write_counts(&line, rows, chosen, count);
    write_choice(&line, &state->choice);
    term_end(&line);
    write_status(&line, state, facts);
    top_table(out, look, state, rows, chosen, state->first, end, true);
    if (count == 0 && facts->answered_ns) {
        term_puts(&line, rows->count
                             ? "  No component fits the filter."
                             : "  No components: nothing was sent yet, or "
                               "nothing that this credential may see.");
        term_end(&line);
    }
    free(chosen);
}

static void write_logs(struct buf *out, const struct term_look *look,
                       const struct top_state *state,
                       const struct top_facts *facts)
{
    struct term_line line = term_begin(out, look);

    (void)state;
    for (uint32_t i = 0; i < facts->log_count; i++)
        log_line(out, look, facts->logs[i], 0);
    if (facts->log_count == 0) {
        term_puts(&line, "No log lines yet.");
        term_end(&line);
    }
}

static void write_page(struct buf *out, const struct term_look *look,
                       struct top_state *state, const struct top_facts *facts)
{
    struct term_line line = term_begin(out, look);
    struct buf text;

    state->room = look->rows > 3 ? look->rows - 3 : 1;
    term_paint(&line, TERM_BOLD);
    term_puts(&line, state->page == TOP_LOGS ? "callboard top  logs of "
                                             : "callboard top  component ");
    term_puts(&line, state->selected[1]);
    term_puts(&line, "/");
    term_puts(&line, state->selected[2]);
    term_paint(&line, TERM_PLAIN);
    term_puts(&line, "  ");
    term_puts(&line, state->selected[3]);
    term_end(&line);
    write_status(&line, state, facts);
    buf_init(&text, 16 << 20);
    if (state->page == TOP_LOGS)
        write_logs(&text, look, state, facts);
    else if (facts->component)
        component_text(&text, look, facts->component);
    if (state->page == TOP_LOGS && state->at_end)
        state->scroll = UINT32_MAX;
    state->at_end =
        write_part(out, buf_slice(&text), &state->scroll, state->room);
    buf_release(&text);
}

void top_view(struct buf *out, const struct term_look *look,
              struct top_state *state, const struct top_rows *rows,
              const struct top_facts *facts)
{
    struct term_line line = term_begin(out, look);
    uint32_t lines = 0;

    if (state->help) {
        write_help(out, look);
    } else if (state->page == TOP_LIST) {
        write_list(out, look, state, rows, facts);
    } else {
        write_page(out, look, state, facts);
    }
    for (size_t i = 0; i < out->len; i++)
        lines += out->ptr[i] == '\n';
    for (; lines + 1 < look->rows; lines++)
        buf_byte(out, '\n');
    if (state->help) {
        term_puts(&line, "any key: back");
        term_end(&line);
    } else {
        write_foot(&line, state);
    }
}
