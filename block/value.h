/*
 * value - attribute values of any type as tagged bytes, for what does not fit
 * a column of its own: nested values, scopes, bodies that are not text.
 */
#ifndef VALUE_H
#define VALUE_H

#include "buf.h"
#include "column.h"
#include "record.h"

void value_put(struct buf *out, const struct attr *value);
void value_put_attrs(struct buf *out, const struct attrs *attrs);
void value_put_scope(struct buf *out, const struct scope *scope);

/* Read what was put; views into the bytes, arrays in the cursor's arena.
 * value_get leaves the key as it is. */
void value_get(struct column_in *in, struct attr *value);
void value_get_attrs(struct column_in *in, struct attrs *attrs);
void value_get_scope(struct column_in *in, struct scope *scope);

/* The text that a query compares or searches: of a text itself, else as JSON
 * writes it; nothing for an empty value. */
void value_show(struct buf *out, const struct attr *value);

#endif
