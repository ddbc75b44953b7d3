/*
 * cli_screen - what standard output is: a terminal, how wide, with colours; and
 * how a signal leaves it.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>

#include "term_line.h"

/* Of what is no terminal nothing is cut or replaced: look.columns is 0. */
struct cli_screen {
    bool tty;
    struct term_look look;
};

/* when: the value of --color, or NULL. */
void cli_screen_init(struct cli_screen *screen, const char *when);

/* SIGINT, SIGTERM and SIGHUP end the program by that signal (a shell shows 130
 * for Ctrl-C) after colours are off and the cursor is shown. */
void cli_signals_init(void);
/* Besides, call this first: restores what a verb changed on the terminal. Only
 * functions that are safe in a signal handler; NULL: none. */
void cli_signals_restore(void (*restore)(void));

#endif
