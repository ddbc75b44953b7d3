/*
 * The body (little endian):
 *
 *   OFFSET SIZE MEANING
 *        0    8 size of the whole message
 *        8    2 length of the reason
 *       10      the reason, then the stored part of the message
 *
 * It may come from a damaged disk, so reading checks every length.
 */
#include "dead_letter.h"

#include "byte_reader.h"
#include "mem.h"

enum { HEAD_SIZE = 10 };

static struct slice reason_of(const struct dead_letter *letter)
{
    return slice_truncate(letter->reason, DEAD_LETTER_MAX_REASON);
}

static size_t stored_size(const struct dead_letter *letter)
{
    return letter->bytes.len < DEAD_LETTER_MAX_BYTES ? letter->bytes.len
                                                     : DEAD_LETTER_MAX_BYTES;
}

size_t dead_letter_size(const struct dead_letter *letter)
{
    return HEAD_SIZE + reason_of(letter).len + stored_size(letter);
}

struct batch *dead_letter_new(enum signal signal,
                              const struct dead_letter *letter,
                              struct budget *budget)
{
    struct slice reason = reason_of(letter);
    size_t len = dead_letter_size(letter);
    char *body = mem_alloc(len);
    struct batch *batch;

    store_le(body, letter->size, 8);
    store_le(body + 8, reason.len, 2);
    slice_copy(body + HEAD_SIZE, reason);
    slice_copy(body + HEAD_SIZE + reason.len,
               (struct slice){letter->bytes.ptr, stored_size(letter)});
    batch = batch_new(signal, body, len, budget);
    batch->encoding = BATCH_DEAD_LETTER;
    return batch;
}

struct dead_letter dead_letter_read(const struct batch *batch)
{
    struct byte_reader in =
        byte_reader_over((struct slice){batch->body, batch->body_len});
    struct dead_letter letter = {.size = byte_reader_fixed(&in, 8)};

    letter.reason = byte_reader_bytes(&in, byte_reader_fixed(&in, 2));
    letter.bytes = byte_reader_bytes(&in, byte_reader_left(&in));
    if (batch->encoding != BATCH_DEAD_LETTER || in.bad)
        return (struct dead_letter){.size = 0};
    return letter;
}
