/*
 * ch_attributes - typed attributes as ClickHouse's maps of strings, and back.
 *
 * OTLP's values have types, the maps of the Collector's exporter hold strings.
 * The text of a value is the exporter's (pcommon.Value.AsString): a string as
 * it is, numbers and booleans as in JSON, bytes in base64, arrays and maps as
 * JSON, nothing for an empty value. The column AttributeTypes beside a map says
 * what its texts were, so that every record is read back as it came:
 *
 *   types   [dropped ';'] value ...   dropped: decimal, attributes that were
 *                                     dropped by the sender or by our bounds
 *   value   's'                       string
 *           'i' 'd' 'b' 'e'           int, double, bool, empty
 *           'y'                       bytes
 *           'a' count ';' value ...   array; count is decimal
 *           'm' count ';' value ...   map, in the order of the JSON
 *           'r'                       inside JSON: a string that is not UTF-8,
 *                                     in base64
 *           'k' value                 inside JSON: an entry of a map whose key
 *                                     is not UTF-8, but in base64
 *
 * What is missing at the end is 's', so the types of strings are empty, and
 * rows of a Collector are read as strings. The exporter sorts the keys of
 * nested maps, and writes nothing for an array that holds NaN or an infinity;
 * here the order stays, and they are the texts "NaN", "+Inf", "-Inf".
 *
 * Purpose:   both directions of this form.
 * Ownership: what is read points into the bytes or is in the arena.
 * Threads:   any; there is no state.
 * Errors:    writing: the status of the buf. Reading: in->bad if the bytes are
 *            no map or the arena is full; a text that does not fit its type
 *            stays a string.
 */
#ifndef CH_ATTRIBUTES_H
#define CH_ATTRIBUTES_H

#include "arena.h"
#include "buf.h"
#include "byte_reader.h"
#include "record.h"

/* Before NaN, +Inf and -Inf, as Go's encoder of JSON says it. */
#define CH_NOT_FINITE "json: unsupported value: "

/* The text of a value: of a string itself, else in `scratch`, until the next
 * call. Empty if that is full. */
struct slice ch_value_text(const struct attr *value, struct buf *scratch);

/* Appends the types of one value, or of all attributes and what was dropped.
 * Nothing is appended for strings alone. */
void ch_value_types(struct buf *out, const struct attr *value);
void ch_attributes_types(struct buf *out, const struct attrs *attrs);

/* Reads a Map(String, String) of RowBinary. */
void ch_attributes_read(struct byte_reader *in, struct slice types,
                        struct arena *arena, struct attrs *attrs);

/* Reads one value, whose key stays as it is. False if the arena is full. */
bool ch_value_read(struct slice text, struct slice types, struct arena *arena,
                   struct attr *value);

#endif
