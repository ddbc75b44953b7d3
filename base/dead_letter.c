/*
 * The body (little endian):
 *
 *   OFFSET SIZE MEANING
 *        0    8 size of the whole message
 *        8    2 length of the reason
 *       10      the reason, then the bytes that are kept
 *
 * It may come from a disk, so reading it trusts nothing.
 */
#include "dead_letter.h"

#include "mem.h"

enum { HEAD = 10 };

static struct dead_letter cut(const struct dead_letter *dead_letter)
{
    struct dead_letter kept = *dead_letter;

    if (kept.reason.len > DEAD_LETTER_MAX_REASON)
        kept.reason.len = DEAD_LETTER_MAX_REASON;
    if (kept.bytes.len > DEAD_LETTER_MAX_BYTES)
        kept.bytes.len = DEAD_LETTER_MAX_BYTES;
    return kept;
}

size_t dead_letter_size(const struct dead_letter *dead_letter)
{
    struct dead_letter kept = cut(dead_letter);

    return HEAD + kept.reason.len + kept.bytes.len;
}

struct batch *dead_letter_new(enum signal signal,
                              const struct dead_letter *dead_letter,
                              struct budget *budget)
{
    struct dead_letter kept = cut(dead_letter);
    size_t len = dead_letter_size(dead_letter);
    char *body = mem_alloc(len);

    for (int i = 0; i < 8; i++)
        body[i] = (char)(kept.size >> (8 * i) & 0xff);
    body[8] = (char)(kept.reason.len & 0xff);
    body[9] = (char)(kept.reason.len >> 8);
    slice_copy(body + HEAD, kept.reason);
    slice_copy(body + HEAD + kept.reason.len, kept.bytes);

    struct batch *batch = batch_new(signal, body, len, budget);
    batch->encoding = BATCH_DEAD_LETTER;
    return batch;
}

struct dead_letter dead_letter_read(const struct batch *batch)
{
    const unsigned char *body = (const unsigned char *)batch->body;
    struct dead_letter dead_letter = {{NULL, 0}, {NULL, 0}, 0};
    size_t reason;

    if (batch->encoding != BATCH_DEAD_LETTER || batch->body_len < HEAD)
        return dead_letter;
    reason = body[8] | (size_t)body[9] << 8;
    if (reason > batch->body_len - HEAD)
        return dead_letter;
    for (int i = 0; i < 8; i++)
        dead_letter.size |= (uint64_t)body[i] << (8 * i);
    dead_letter.reason = (struct slice){batch->body + HEAD, reason};
    dead_letter.bytes = (struct slice){batch->body + HEAD + reason,
                                       batch->body_len - HEAD - reason};
    return dead_letter;
}
