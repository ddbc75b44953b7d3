/*
 * block_note - the metadata of a committed offset: what the next owner of the
 * partition must know.
 *
 *   callboard block checkpoint=100 to=250 idle=1767225600000000000
 *
 * checkpoint is the offset of the last stored state, at most the committed one.
 * With `to`, a block of the messages from the committed offset to this one is
 * being stored: whoever takes over stores exactly that. With `idle`, that block
 * has no messages; what waits expires at this time.
 *
 * Threads: any.
 */
#ifndef BLOCK_NOTE_H
#define BLOCK_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

enum { BLOCK_NOTE_SIZE = 128, BLOCK_TOKEN_SIZE = 384 };

struct block_note {
    bool has_checkpoint, announced;
    uint64_t checkpoint, to;
    uint64_t idle_ns; /* 0: it has messages */
};

void block_note_write(const struct block_note *note,
                      char text[BLOCK_NOTE_SIZE]);

/* Empty, if the text is not of this form: written by a tool, or by an instance
 * that has a store of its own. */
struct block_note block_note_read(struct slice text, uint64_t committed);

/* The token of a block: topic/partition/from-to and the time of its first
 * message, which tells it from one of an earlier topic of this name; of an idle
 * block the time when it expires. */
void block_token_write(struct slice topic, uint32_t partition, uint64_t from,
                       uint64_t to, uint64_t time_ns, uint64_t idle_ns,
                       char text[BLOCK_TOKEN_SIZE]);

#endif
