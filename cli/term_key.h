/*
 * term_key - the bytes of a keyboard as keys.
 */
#ifndef TERM_KEY_H
#define TERM_KEY_H

#include <stddef.h>
#include <stdint.h>

/* Other keys are characters, as code points. */
enum term_key {
    KEY_NONE = 0, /* a sequence that no key of ours has */
    KEY_TAB = 9,
    KEY_ENTER = 13,
    KEY_ESCAPE = 27,
    KEY_BACKSPACE = 127,
    KEY_UP = 0x110000, /* above all code points */
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_HOME,
    KEY_END
};

/* The first key of these bytes, and how many bytes it takes: 0 if more must
 * come. last: no more will come, so an Escape alone is the key. */
size_t term_key_read(const uint8_t *bytes, size_t len, int last, uint32_t *key);

#endif
