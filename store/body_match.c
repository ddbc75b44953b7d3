/*
 * Searching bodies: what can be is answered from the templates.
 */
#include "body.h"
#include "match.h"

void body_in_match(struct body_in *body, const struct log_query *query,
                   uint64_t *rows)
{
    for (uint32_t row = 0; row < body->block->count; row++)
        if (rows[row / 64] >> (row & 63) & 1 &&
            !match_text(body_line(body, row), query))
            rows[row / 64] &= ~(UINT64_C(1) << (row & 63));
}
