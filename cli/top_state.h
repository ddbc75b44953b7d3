/*
 * top_state - what the person at `callboard top` has chosen, and what a key
 * changes. No terminal, no server: the caller has both.
 */
#ifndef TOP_STATE_H
#define TOP_STATE_H

#include "top_rows.h"

enum top_page { TOP_LIST, TOP_COMPONENT, TOP_LOGS };

/* What the caller must do after a key. */
enum top_action {
    TOP_NOTHING,
    TOP_DRAW,
    TOP_ASK, /* the page shows something else now: ask for it */
    TOP_QUIT
};

struct top_state {
    enum top_page page;
    struct top_choice choice;
    bool typing; /* the filter */
    char filter_before[128];
    bool paused, help;
    uint32_t cursor, first; /* of the list: the row under it, the top one */
    uint32_t scroll;        /* of the other pages, in lines */
    bool at_end;            /* its last line is shown: logs follow */
    char selected[4][256];  /* namespace, project, component, environment */
    /* Of the frame that was drawn last. */
    uint32_t shown, room; /* rows chosen; rows that fit */
};

/* Keeps the cursor on the selected component; *count rows, from malloc. */
uint32_t *top_state_choose(struct top_state *state, const struct top_rows *rows,
                           uint32_t *count);

/* Log lines that are being read stay where they are. */
bool top_state_is_scrolled(const struct top_state *state);

enum top_action top_state_key(struct top_state *state,
                              const struct top_rows *rows, uint32_t key);

#endif
