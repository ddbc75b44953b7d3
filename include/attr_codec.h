/*
 * attr_codec - attributes, values and scopes as bytes.
 *
 *   value   type u8 (enum value_type), then
 *             EMPTY          nothing
 *             STRING, BYTES  varint length, bytes
 *             BOOL           u8
 *             INT            zigzag varint
 *             DOUBLE         8 bytes, little endian
 *             ARRAY          varint count, values; in chunks: entries with
 *                            empty keys
 *             MAP            varint count, entries
 *   entry   varint length of the key, key, value
 *   attrs   varint dropped, varint count, entries; in chunks: count first
 *   scope   name, version, schema URL (varint length, bytes each), attrs
 *
 * Purpose:   stores what has no column of its own: nested values, scopes,
 *            attributes of series, state of the store.
 * Ownership: what is read points into the bytes, arrays are in the arena.
 * Threads:   any; there is no state.
 * Errors:    readers set in->bad if the bytes are damaged or the arena is full;
 *            what they return is empty then.
 */
#ifndef ATTR_CODEC_H
#define ATTR_CODEC_H

#include "arena.h"
#include "buf.h"
#include "byte_reader.h"
#include "record.h"

/* Blocks and chunks of series differ in two places of the format. */
enum attr_form { ATTR_FORM_BLOCK, ATTR_FORM_CHUNK };

void attr_value_write(struct buf *out, const struct attr *value,
                      enum attr_form form);
void attrs_write(struct buf *out, const struct attrs *attrs,
                 enum attr_form form);
void scope_write(struct buf *out, const struct scope *scope,
                 enum attr_form form);

/* Leaves the key of the value as it is. */
void attr_value_read(struct byte_reader *in, struct arena *arena,
                     enum attr_form form, struct attr *value);
void attrs_read(struct byte_reader *in, struct arena *arena,
                enum attr_form form, struct attrs *attrs);
void scope_read(struct byte_reader *in, struct arena *arena,
                enum attr_form form, struct scope *scope);

#endif
