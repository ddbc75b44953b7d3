/*
 * name_words - the words of a name as people and systems write them: cpu_usage,
 * http.server.duration, CPUUtilization, HTTPCode_ELB_5XX_Count, cards-lb.
 *
 * Purpose:   One way to split a name.
 * Ownership: Nothing is allocated.
 * Threads:   Any; there is no state.
 * Errors:    None.
 */
#ifndef NAME_WORDS_H
#define NAME_WORDS_H

#include <stdbool.h>

#include "slice.h"

enum { NAME_WORD = 17 };

/* The next word, in lower case and cut to what fits; false: there is none. */
bool name_next_word(struct slice *rest, char word[NAME_WORD]);

/* words: with a blank on both sides of each. */
bool name_word_is_in(const char *words, const char *word);

#endif
