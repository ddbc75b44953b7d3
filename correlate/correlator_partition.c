/*
 * The correlator of one Kafka partition: its state as bytes, and what happens
 * between batches, which partition/ decides.
 *
 * The state: version; newest_ns; number of recent requests, then each, oldest
 * first: its hash (16 bytes), its lsn - that of the one before; then the edges
 * with the recent spans (edges_state.c). So a correlator that continues from
 * the state makes the same as the one that saved it, but for names beyond a
 * limit: which become {other} depends on the names that were seen before.
 */
#include "correlator_int.h"

enum { STATE_VERSION = 1, REQUESTS_SAVED = 16384 };

void correlator_flush(struct correlator *correlator)
{
    struct derived_table *derived = correlator->tagger.derived;

    derived_lock(derived);
    if (derived->count > 0)
        correlator_flush_locked(correlator);
    derived_unlock(derived);
}

void correlator_expire(struct correlator *correlator, uint64_t now_ns)
{
    struct derived_table *derived = correlator->tagger.derived;

    derived_lock(derived);
    correlator->newest_ns = now_ns;
    tagger_expire(&correlator->tagger, now_ns);
    derived_unlock(derived);
}

uint64_t correlator_last_waits_since(const struct correlator *correlator)
{
    const struct edges *edges = correlator->tagger.edges;
    static const enum unpaired_table tables[] = {WAITING, HELD};
    uint64_t last = 0;

    for (int i = 0; i < 2; i++) {
        const struct unpaired_spans *spans = &edges->unpaired[tables[i]];

        for (uint32_t at = spans->oldest; at != UNPAIRED_NONE;
             at = spans->at[at].newer)
            if (spans->at[at].arrived_ns > last)
                last = spans->at[at].arrived_ns;
    }
    return last;
}

void correlator_save(struct correlator *correlator, struct buf *out)
{
    buf_varint(out, STATE_VERSION);
    buf_varint(out, correlator->newest_ns);
    recent_requests_save(&correlator->requests, REQUESTS_SAVED, out);
    edges_pack(correlator->tagger.edges, out);
}

enum status correlator_restore(struct correlator *correlator,
                               struct slice state)
{
    struct byte_reader in = byte_reader_over(state);

    if (byte_reader_varint(&in) != STATE_VERSION)
        return ERR_UNSUPPORTED;
    correlator->newest_ns = byte_reader_varint(&in);
    recent_requests_load(&correlator->requests, &in);
    components_refresh(correlator->tagger.components);
    derived_lock(correlator->tagger.derived);
    edges_unpack(correlator->tagger.edges, &in, false);
    derived_unlock(correlator->tagger.derived);
    return in.bad ? ERR_MALFORMED : OK;
}
