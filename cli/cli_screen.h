/*
 * cli_screen - what standard output is: a terminal, how wide, with colours; and
 * how a signal leaves it.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

struct cli_screen {
    bool tty;
    bool color;
    size_t columns; /* 0: not a terminal, nothing is cut */
};

enum cli_tone {
    TONE_PLAIN,
    TONE_HEAD,
    TONE_FAINT,
    TONE_GOOD,
    TONE_WARN,
    TONE_BAD,
    CLI_TONES
};

/* when: the value of --color, or NULL. NO_COLOR, TERM=dumb and COLUMNS count as
 * they do elsewhere. */
void cli_screen_init(struct cli_screen *screen, const char *when);

/* Begins a tone, TONE_PLAIN ends it; nothing without colours. */
void cli_tone(const struct cli_screen *screen, struct buf *out,
              enum cli_tone tone);

/* SIGINT, SIGTERM and SIGHUP end the program by that signal (a shell shows 130
 * for Ctrl-C) after colours are off and the cursor is shown. */
void cli_signals_init(void);
/* Besides, call this first: restores what a verb changed on the terminal. Only
 * functions that are safe in a signal handler; NULL: none. */
void cli_signals_restore(void (*restore)(void));

#endif
