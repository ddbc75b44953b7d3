/* What was chosen in `callboard top`; see top_state.h. */
#include "top_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "term_key.h"
#include "utf8.h"

/* ---- the list ---- */

static void select_row(struct top_state *state, const struct top_row *row)
{
    const char *const names[] = {row->namespace, row->project, row->component,
                                 row->environment};

    for (int i = 0; i < 4; i++)
        (void)snprintf(state->selected[i], sizeof(state->selected[i]), "%s",
                       names[i]);
}

static bool is_selected(const struct top_state *state,
                        const struct top_row *row)
{
    return strcmp(state->selected[2], row->component) == 0 &&
           strcmp(state->selected[1], row->project) == 0 &&
           strcmp(state->selected[0], row->namespace) == 0 &&
           strcmp(state->selected[3], row->environment) == 0;
}

/* The cursor is among the rows that fit. */
static void keep_in_view(struct top_state *state)
{
    if (state->cursor < state->first)
        state->first = state->cursor;
    if (state->room > 0 && state->cursor >= state->first + state->room)
        state->first = state->cursor - state->room + 1;
    if (state->first + state->room > state->shown)
        state->first =
            state->shown > state->room ? state->shown - state->room : 0;
}

uint32_t *top_state_choose(struct top_state *state, const struct top_rows *rows,
                           uint32_t *count)
{
    uint32_t *chosen = top_rows_choose(rows, &state->choice, count);
    uint32_t at = 0;

    while (at < *count && !is_selected(state, &rows->at[chosen[at]]))
        at++;
    if (at < *count && state->selected[2][0])
        state->cursor = at;
    if (state->cursor >= *count)
        state->cursor = *count ? *count - 1 : 0;
    state->shown = *count;
    keep_in_view(state);
    return chosen;
}

/* From the first row on the cursor belongs to the order, not to a component:
 * the top of the list stays in view while it changes. */
static void move_to(struct top_state *state, const struct top_rows *rows,
                    int64_t to)
{
    uint32_t count, *chosen = top_rows_choose(rows, &state->choice, &count);

    if (to >= (int64_t)count)
        to = (int64_t)count - 1;
    state->cursor = to > 0 ? (uint32_t)to : 0;
    state->selected[2][0] = '\0';
    if (state->cursor > 0)
        select_row(state, &rows->at[chosen[state->cursor]]);
    keep_in_view(state);
    free(chosen);
}

static bool select_cursor(struct top_state *state, const struct top_rows *rows)
{
    uint32_t count, *chosen = top_state_choose(state, rows, &count);

    if (count > 0)
        select_row(state, &rows->at[chosen[state->cursor]]);
    free(chosen);
    return count > 0;
}

/* ---- keys ---- */

static enum top_action type_filter(struct top_state *state, uint32_t key)
{
    char *text = state->choice.filter;
    size_t len = strlen(text);
    uint8_t bytes[4];

    if (key == KEY_ENTER || key == KEY_ESCAPE) {
        state->typing = false;
        if (key == KEY_ESCAPE)
            memcpy(text, state->filter_before, sizeof(state->filter_before));
    } else if (key == KEY_BACKSPACE) {
        while (len > 0 && ((unsigned char)text[--len] & 0xc0) == 0x80)
            ;
        text[len] = '\0';
    } else if (key >= ' ' && key <= UTF8_MAX) {
        size_t more = utf8_encode(key, bytes);

        if (len + more < sizeof(state->choice.filter)) {
            memcpy(text + len, bytes, more);
            text[len + more] = '\0';
        }
    }
    return TOP_DRAW;
}

static enum top_action sort_by(struct top_state *state, enum top_column column)
{
    if (state->choice.sort == column)
        state->choice.reverse = !state->choice.reverse;
    else
        state->choice.reverse = false;
    state->choice.sort = column;
    state->selected[2][0] = '\0';
    state->cursor = state->first = 0;
    return TOP_DRAW;
}

static enum top_action sort_beside(struct top_state *state, bool right)
{
    uint32_t count = TOP_TREND; /* it has no order */
    uint32_t to = (uint32_t)state->choice.sort + (right ? 1 : count - 1);

    return sort_by(state, (enum top_column)(to % count));
}

static void switch_name(char name[256], const char *next)
{
    (void)snprintf(name, 256, "%s", next);
}

static enum top_action move(struct top_state *state,
                            const struct top_rows *rows, uint32_t key)
{
    int64_t step = key == KEY_PAGE_UP || key == KEY_PAGE_DOWN ? state->room : 1;
    bool back = key == KEY_UP || key == KEY_PAGE_UP || key == 'k';
    int64_t from = state->page == TOP_LIST ? state->cursor : state->scroll;
    int64_t to = key == KEY_HOME  ? 0
                 : key == KEY_END ? INT32_MAX
                 : back           ? from - step
                                  : from + step;

    if (state->page == TOP_LIST)
        move_to(state, rows, to);
    else
        state->scroll = to > 0 ? (uint32_t)to : 0; /* the view has the end */
    state->at_end = state->page == TOP_LOGS && key == KEY_END;
    return state->at_end ? TOP_ASK : TOP_DRAW;
}

static enum top_action open_page(struct top_state *state,
                                 const struct top_rows *rows,
                                 enum top_page page)
{
    if (state->page == TOP_LIST && !select_cursor(state, rows))
        return TOP_NOTHING;
    state->page = page;
    state->scroll = 0;
    state->at_end = page == TOP_LOGS;
    state->paused = false;
    return TOP_ASK;
}

static enum top_action list_key(struct top_state *state,
                                const struct top_rows *rows, uint32_t key)
{
    static const struct {
        uint32_t key;
        enum top_column column;
    } sorts[] = {{'N', TOP_NAME},    {'R', TOP_RATE}, {'E', TOP_ERRORS},
                 {'L', TOP_P99},     {'C', TOP_CPU},  {'M', TOP_MEMORY},
                 {'T', TOP_RESTARTS}};

    for (size_t i = 0; i < sizeof(sorts) / sizeof(*sorts); i++)
        if (sorts[i].key == key)
            return sort_by(state, sorts[i].column);
    switch (key) {
    case KEY_LEFT:
    case '<':
        return sort_beside(state, false);
    case KEY_RIGHT:
    case '>':
        return sort_beside(state, true);
    case 'r':
        return sort_by(state, state->choice.sort);
    case '/':
        state->typing = true;
        memcpy(state->filter_before, state->choice.filter,
               sizeof(state->filter_before));
        return TOP_DRAW;
    case 'e':
        switch_name(
            state->choice.environment,
            top_rows_next(rows, TOP_ENVIRONMENT, state->choice.environment));
        return TOP_DRAW;
    case 'p':
        switch_name(state->choice.project,
                    top_rows_next(rows, TOP_PROJECT, state->choice.project));
        return TOP_DRAW;
    case KEY_ENTER:
        return open_page(state, rows, TOP_COMPONENT);
    case KEY_ESCAPE:
        state->choice.filter[0] = '\0';
        return TOP_DRAW;
    default:
        return TOP_NOTHING;
    }
}

bool top_state_is_scrolled(const struct top_state *state)
{
    return state->page == TOP_LOGS && !state->at_end;
}

enum top_action top_state_key(struct top_state *state,
                              const struct top_rows *rows, uint32_t key)
{
    if (state->help) { /* any key closes it */
        state->help = false;
        return TOP_DRAW;
    }
    if (state->typing)
        return type_filter(state, key);
    switch (key) {
    case KEY_NONE:
        return TOP_NOTHING;
    case 'q':
        return TOP_QUIT;
    case '?':
    case 'h':
        state->help = true;
        return TOP_DRAW;
    case ' ':
        state->paused = !state->paused;
        return state->paused ? TOP_DRAW : TOP_ASK;
    case 'l':
        return open_page(state, rows, TOP_LOGS);
    case KEY_UP:
    case 'k':
    case KEY_DOWN:
    case 'j':
    case KEY_PAGE_UP:
    case KEY_PAGE_DOWN:
    case KEY_HOME:
    case KEY_END:
        return move(state, rows, key);
    default:
        break;
    }
    if (state->page == TOP_LIST)
        return list_key(state, rows, key);
    if (key == KEY_ENTER && state->page == TOP_LOGS)
        return open_page(state, rows, TOP_COMPONENT);
    if (key != KEY_ESCAPE && key != KEY_BACKSPACE && key != KEY_LEFT)
        return TOP_NOTHING;
    state->page = TOP_LIST;
    state->scroll = 0;
    return TOP_ASK;
}
