/*
 *   bytes   [0] not used, then for each name: length (1 byte), text
 *   slots   open-addressed hash; a slot holds the offset of the length byte,
 *           which is the name's number
 *
 * Both grow by doubling; at least a quarter of the slots stays free.
 */
#include "name_table.h"

#include <stdlib.h>

#include "hash.h"
#include "mem.h"

enum { FIRST_ROOM = 1024, FIRST_SLOTS = 64 };

void name_table_init(struct name_table *names, uint32_t cap)
{
    *names = (struct name_table){.len = 1, .cap = cap};
}

void name_table_release(struct name_table *names)
{
    free(names->bytes);
    free(names->slots);
    *names = (struct name_table){0};
}

struct slice name_table_text(const struct name_table *names, uint32_t name)
{
    if (name == 0)
        return (struct slice){NULL, 0};
    return (struct slice){names->bytes + name + 1,
                          (unsigned char)names->bytes[name]};
}

/* At a whole UTF-8 character, so that answers stay valid text. */
static struct slice cut(struct slice text)
{
    if (text.len <= NAME_MAX_BYTES)
        return text;
    text.len = NAME_MAX_BYTES;
    while (text.len > NAME_MAX_BYTES - 4 &&
           ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80)
        text.len--;
    return text;
}

/* The slot that holds text, or the free one where it would go. */
static uint32_t *find_slot(const struct name_table *names, struct slice text)
{
    uint32_t i = (uint32_t)hash_bytes(text.ptr, text.len, 0) & names->mask;

    while (names->slots[i] &&
           !slice_equal(name_table_text(names, names->slots[i]), text))
        i = (i + 1) & names->mask;
    return &names->slots[i];
}

static void grow_slots(struct name_table *names)
{
    uint32_t *old = names->slots;
    uint32_t old_count = old ? names->mask + 1 : 0;
    uint32_t count = old ? 2 * old_count : FIRST_SLOTS;

    names->slots = mem_zero(count, sizeof(*names->slots));
    names->mask = count - 1;
    for (uint32_t i = 0; i < old_count; i++)
        if (old[i])
            *find_slot(names, name_table_text(names, old[i])) = old[i];
    free(old);
}

static uint32_t add(struct name_table *names, struct slice text, uint32_t cap)
{
    text = cut(text);
    if (text.len == 0)
        return 0;
    if (!names->slots || names->count >= (names->mask + 1) / 4 * 3)
        grow_slots(names);

    uint32_t *slot = find_slot(names, text);

    if (*slot)
        return *slot;

    uint32_t need = (uint32_t)text.len + 1;

    if (names->len > cap || need > cap - names->len)
        return NAME_TABLE_FULL;
    if (!names->bytes || need > names->room - names->len) {
        names->room = names->room ? 2 * names->room : FIRST_ROOM;
        names->bytes = mem_resize(names->bytes, names->room, 1);
    }

    uint32_t name = names->len;

    names->bytes[name] = (char)text.len;
    slice_copy(names->bytes + name + 1, text);
    names->len += need;
    names->count++;
    *slot = name;
    return name;
}

uint32_t name_table_add(struct name_table *names, struct slice text)
{
    return add(names, text, names->cap);
}

uint32_t name_table_add_optional(struct name_table *names, struct slice text)
{
    uint32_t name = add(names, text, names->cap / 4 * 3);

    return name == NAME_TABLE_FULL ? 0 : name;
}

uint32_t name_table_find(const struct name_table *names, struct slice text)
{
    text = cut(text);
    return names->slots && text.len ? *find_slot(names, text) : 0;
}
