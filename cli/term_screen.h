/*
 * term_screen - the whole terminal: alternate screen, keys one by one, frames.
 *
 * No ncurses: a frame is lines of text, of which those that changed are
 * written, all in one write. That needs five sequences which every terminal in
 * use has had since the VT100 or xterm (move, erase a line, alternate screen,
 * cursor, synchronized output), and no database of terminals that a container
 * would lack.
 *
 * The terminal is restored on every way out: term_screen_close(), exit(),
 * signals that end the program, and crashes. Ctrl-Z restores it, and what
 * follows `fg` draws again.
 */
#ifndef TERM_SCREEN_H
#define TERM_SCREEN_H

#include <stdbool.h>

#include "term_line.h"

/* False if standard input or output is no terminal. */
bool term_screen_open(void);
void term_screen_close(void);

enum term_event {
    TERM_TIME,   /* nothing happened for so long */
    TERM_KEY,    /* *key */
    TERM_RESIZE, /* also after Ctrl-Z and fg */
    TERM_OTHER,  /* the other descriptor can be read */
    TERM_END     /* a signal that ends programs, or the terminal is gone */
};

/* Waits for one event; other: a descriptor, or -1. */
enum term_event term_screen_wait(int other, int timeout_ms, uint32_t *key);

/* The signal of TERM_END; 0: the terminal is gone. */
int term_screen_signal(void);

/* Shows a frame of lines. */
void term_screen_show(struct slice frame, uint32_t rows);

#endif
