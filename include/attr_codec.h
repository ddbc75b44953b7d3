/*
 * attr_codec - attributes as bytes, for what is not in a column.
 *
 *   attrs   varint count, varint dropped, count * attr
 *   attr    varint key_len, key, u8 type, value
 *   value   STRING, BYTES: varint len, bytes   BOOL: u8   INT: zigzag varint
 *           DOUBLE: u64, little endian         EMPTY: nothing
 *           ARRAY, MAP: varint count, count * attr (keys of an array empty)
 */
#ifndef STORE_ATTR_CODEC_H
#define STORE_ATTR_CODEC_H

#include "arena.h"
#include "buf.h"
#include "byte_reader.h"
#include "record.h"

void attrs_write(struct buf *out, const struct attrs *attrs);
void slice_write(struct buf *out, struct slice s); /* length in front */

/* Texts point into the bytes read, arrays into the arena. Sets in->bad if the
 * bytes are damaged or the arena gives no more. */
void attrs_read(struct byte_reader *in, struct arena *arena,
                struct attrs *attrs);

#endif
