/*
 * store_pieces - all that an embedded store holds, piece by piece.
 *
 * A piece is a block of spans or of log records, or the points of one hour. In
 * a store that was opened `cold` (store_options) pieces stay the same, however
 * often it is opened: whoever copies them can go on where it stopped.
 *
 * Purpose:   for an export into another engine.
 * Ownership: records are valid during their visit.
 * Threads:   those of the reader.
 * Errors:    ERR_UNSUPPORTED: not an embedded store. A damaged block is counted
 *            (STATS_STORE_CORRUPT), and has no records.
 */
#ifndef STORE_PIECES_H
#define STORE_PIECES_H

#include "store.h"

enum piece_kind { PIECE_SPANS, PIECE_LOGS, PIECE_POINTS };

struct store_piece {
    enum piece_kind kind;
    uint64_t id; /* of the block; the hour, since 1970 */
};

/* By kind, then by id. Inside of reader_begin() and reader_end(). */
MUST_CHECK enum status reader_list_pieces(struct reader *reader,
                                          struct arena *arena,
                                          struct store_piece **pieces,
                                          uint32_t *count);

/* An error of a visit ends it. */
struct piece_visitor {
    enum status (*spans)(void *arg, struct span *spans, uint32_t count);
    enum status (*logs)(void *arg, struct log_record *logs, uint32_t count);
    point_visit *point;
    void *arg;
};
/* resources: all that have points. */
MUST_CHECK enum status reader_visit_piece(struct reader *reader,
                                          const struct store_piece *piece,
                                          const struct bitmap *resources,
                                          const struct piece_visitor *visitor);

#endif
