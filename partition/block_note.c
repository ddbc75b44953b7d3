#include "block_note.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char prefix[] = "callboard block";

void block_note_write(const struct block_note *note, char text[BLOCK_NOTE_SIZE])
{
    int len = snprintf(text, BLOCK_NOTE_SIZE, "%s", prefix);

    if (note->has_checkpoint)
        len += snprintf(text + len, BLOCK_NOTE_SIZE - (size_t)len,
                        " checkpoint=%" PRIu64, note->checkpoint);
    if (note->announced)
        len += snprintf(text + len, BLOCK_NOTE_SIZE - (size_t)len,
                        " to=%" PRIu64, note->to);
    if (note->idle_ns)
        (void)snprintf(text + len, BLOCK_NOTE_SIZE - (size_t)len,
                       " idle=%" PRIu64, note->idle_ns);
}

static bool read_number(const char *text, const char *name, uint64_t *value)
{
    const char *at = strstr(text, name);

    if (!at)
        return false;
    *value = strtoull(at + strlen(name), NULL, 10);
    return true;
}

struct block_note block_note_read(struct slice text, uint64_t committed)
{
    char copy[BLOCK_NOTE_SIZE];
    struct block_note note = {0};

    if (text.len >= sizeof(copy) || !slice_starts(text, slice_of(prefix)))
        return note;
    slice_copy(copy, text);
    copy[text.len] = '\0';
    note.has_checkpoint = read_number(copy, " checkpoint=", &note.checkpoint) &&
                          note.checkpoint <= committed;
    note.announced = read_number(copy, " to=", &note.to);
    if (note.announced)
        (void)read_number(copy, " idle=", &note.idle_ns);
    /* A block has messages, or is idle. */
    if (note.announced &&
        (note.to < committed || (note.to == committed) != (note.idle_ns > 0)))
        note.announced = false;
    return note;
}

void block_token_write(struct slice topic, uint32_t partition, uint64_t from,
                       uint64_t to, uint64_t time_ns, uint64_t idle_ns,
                       char text[BLOCK_TOKEN_SIZE])
{
    (void)snprintf(text, BLOCK_TOKEN_SIZE,
                   "%.*s/%" PRIu32 "/%" PRIu64 "-%" PRIu64 "%s%" PRIu64,
                   (int)topic.len, topic.ptr, partition, from, to,
                   idle_ns ? "/idle-" : "/", idle_ns ? idle_ns : time_ns);
}
