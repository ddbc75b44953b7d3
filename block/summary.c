/*
 * A summary (numbers are varints unless a size is given):
 *
 *   checksum of the rest, 4 bytes, little endian
 *   version u8 (2), kind u8 (as of the block)
 *   number of resources; per resource, ids ascending: id less the one before,
 *     spans: records;  logs: levels u8 (a bit for each that occurs), records
 *     of each such level, lowest first
 *   filter of trace ids, of words, of words with a digit, of trigrams (bloom.c)
 *
 * A word is a sequence of letters, digits, '_' and non-ASCII bytes, folded
 * (case_fold.h); of long ones the first WORD_HASHED bytes are hashed. Words
 * with a digit have a filter of their own, because there may be tens of
 * thousands (ids): it is left out if it would be full. A trigram is three bytes
 * in a row, ASCII in lower case: a block that contains a phrase has all of its
 * trigrams, also those of its incomplete words. A text that is not ASCII adds
 * its folded trigrams too, by which words are searched.
 *
 * Version 1 folded nothing but ASCII, so it cannot exclude a word that is not
 * ASCII.
 */
#include "summary.h"

#include <string.h>

#include "case_fold.h"
#include "match.h"
#include "radix_sort.h"

enum {
    VERSION = 2,
    VERSION_ASCII = 1,
    WORD_HASHED = 64,
    WORD_SEED = 2,
    TRACE_LOG2 = 16,
    TRACE_PROBES = 3,
    WORD_LOG2 = 15,
    WORD_PROBES = 3,
    NUMBER_LOG2 = 15,
    NUMBER_PROBES = 1,
    TRIGRAM_LOG2 = 14,
    TRIGRAM_PROBES = 1,
};

/* ---- hashes ---- */

static uint64_t trace_hash(const uint8_t trace_id[16])
{
    return hash_bytes(trace_id, 16, 1);
}

static uint64_t word_hash(const uint8_t *word, size_t len)
{
    uint8_t folded[WORD_HASHED + 4];
    const uint8_t *end = word + len;
    size_t used = 0;

    while (word < end && used < WORD_HASHED)
        if (*word < 0x80)
            folded[used++] = match_fold[*word++];
        else
            used += fold_put(fold_next(&word, end), folded + used);
    return hash_bytes(folded, used < WORD_HASHED ? used : WORD_HASHED,
                      WORD_SEED);
}

static bool has_digit(const uint8_t *word, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (word[i] >= '0' && word[i] <= '9')
            return true;
    return false;
}

static inline uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static inline uint64_t trigram_hash(uint32_t trigram)
{
    return (trigram * UINT64_C(0x9e3779b97f4a7c15)) >> 40;
}

/* The trigrams of a folded text, one after the other. */
struct trigram_cursor {
    const uint8_t *at, *end;
    uint8_t bytes[4]; /* of the current character */
    size_t len, used;
    uint32_t trigram;
    size_t count; /* bytes in trigram so far */
};

static struct trigram_cursor trigrams_of(struct slice text)
{
    const uint8_t *p = (const uint8_t *)(text.len ? text.ptr : "");

    return (struct trigram_cursor){.at = p, .end = p + text.len};
}

static bool next_trigram(struct trigram_cursor *trigrams)
{
    do {
        if (trigrams->used == trigrams->len) {
            if (trigrams->at == trigrams->end)
                return false;
            trigrams->len = fold_put(fold_next(&trigrams->at, trigrams->end),
                                     trigrams->bytes);
            trigrams->used = 0;
        }
        trigrams->trigram =
            (trigrams->trigram << 8 | trigrams->bytes[trigrams->used++]) &
            0xffffff;
        trigrams->count++;
    } while (trigrams->count < 3);
    return true;
}

/* ---- writing ---- */

void summary_init(struct summary_writer *summary, struct scratch *scratch,
                  bool has_text)
{
    bloom_init(&summary->traces, scratch, TRACE_LOG2, TRACE_PROBES);
    summary->has_text = has_text;
    if (!has_text)
        return;
    bloom_init(&summary->words, scratch, WORD_LOG2, WORD_PROBES);
    bloom_init(&summary->numbers, scratch, NUMBER_LOG2, NUMBER_PROBES);
    bloom_init(&summary->trigrams, scratch, TRIGRAM_LOG2, TRIGRAM_PROBES);
}

void summary_add_trace(struct summary_writer *summary,
                       const uint8_t trace_id[16])
{
    bloom_add(&summary->traces, trace_hash(trace_id));
}

/* Adds the word that begins here (at least one byte) and returns its end. Most
 * words need no folding. */
static const uint8_t *add_word(struct summary_writer *summary,
                               const uint8_t *word, const uint8_t *end)
{
    const uint8_t *p = word;
    uint8_t folded, changed = 0;
    bool digit = false;
    size_t len;
    uint64_t hash;

    for (; p < end && (folded = match_fold[*p]) != 0; p++) {
        changed |= (folded ^ *p) | (*p & 0x80);
        digit |= (uint8_t)(*p - '0') < 10;
    }
    len = (size_t)(p - word);
    hash = changed ? word_hash(word, len)
                   : hash_bytes(word, len < WORD_HASHED ? len : WORD_HASHED,
                                WORD_SEED);
    bloom_add(digit ? &summary->numbers : &summary->words, hash);
    return p;
}

void summary_add_words(struct summary_writer *summary, struct slice text)
{
    const uint8_t *p = (const uint8_t *)(text.len ? text.ptr : "");
    const uint8_t *end = p + text.len;

    while (p < end)
        if (match_fold[*p])
            p = add_word(summary, p, end);
        else
            p++;
}

void summary_add_trigrams(struct summary_writer *summary, struct slice text)
{
    const uint8_t *p = (const uint8_t *)text.ptr;
    struct trigram_cursor folded;
    uint32_t trigram;
    uint8_t any = 0;

    if (text.len < 3)
        return;
    for (size_t i = 0; i < text.len; i++) /* vectorized */
        any |= p[i];
    trigram = (uint32_t)lower(p[0]) << 8 | lower(p[1]);
    for (size_t i = 2; i < text.len; i++) {
        trigram = (trigram << 8 | lower(p[i])) & 0xffffff;
        bloom_add(&summary->trigrams, trigram_hash(trigram));
    }
    if (any < 0x80)
        return;
    folded = trigrams_of(text);
    while (next_trigram(&folded))
        bloom_add(&summary->trigrams, trigram_hash(folded.trigram));
}

static void put_resources(struct buf *out, enum block_type kind,
                          const uint32_t *ids, const uint32_t *counts,
                          struct sort_row *order, uint32_t id_count)
{
    uint64_t last = 0;

    buf_varint(out, id_count);
    for (uint32_t i = 0; i < id_count; i++) {
        const uint32_t *by_level = counts + (size_t)order[i].row * LEVEL_COUNT;
        unsigned levels = 0;

        buf_varint(out, ids[order[i].row] - last);
        last = ids[order[i].row];
        if (kind == BLOCK_SPANS) {
            buf_varint(out, by_level[0]);
            continue;
        }
        for (unsigned level = 0; level < LEVEL_COUNT; level++)
            levels |= (by_level[level] ? 1U : 0U) << level;
        buf_byte(out, (char)levels);
        for (unsigned level = 0; level < LEVEL_COUNT; level++)
            if (by_level[level])
                buf_varint(out, by_level[level]);
    }
}

void summary_put(struct summary_writer *summary, enum block_type kind,
                 const uint32_t *ids, const uint32_t *counts, uint32_t id_count,
                 struct scratch *scratch, struct buf *out)
{
    struct sort_row *order = scratch_alloc(scratch, id_count * sizeof(*order));
    struct sort_row *spare = scratch_alloc(scratch, id_count * sizeof(*spare));
    size_t begin = out->len;
    uint32_t sum;

    for (uint32_t i = 0; i < id_count; i++)
        order[i] = (struct sort_row){ids[i], i};
    buf_fixed(out, 0, 4);
    buf_byte(out, VERSION);
    buf_byte(out, (char)kind);
    put_resources(out, kind, ids, counts, sort_rows(order, spare, id_count),
                  id_count);
    bloom_write(&summary->traces, 200, out);
    if (summary->has_text) {
        bloom_write(&summary->words, 300, out);
        bloom_write(&summary->numbers, 100, out);
        bloom_write(&summary->trigrams, 200, out);
    } else {
        buf_add(out, SLICE("\0\0\0"));
    }
    if (out->status != OK)
        return;
    sum = (uint32_t)hash_bytes(out->ptr + begin + 4, out->len - begin - 4, 0);
    store_le(out->ptr + begin, sum, 4);
}

/* ---- reading ---- */

/* Sets the cursor behind the head; false if the summary is damaged. */
static bool open(struct slice summary, struct byte_reader *in, uint8_t *kind)
{
    uint8_t version;
    uint64_t sum;

    *in = byte_reader_over(summary);
    sum = byte_reader_fixed(in, 4);
    version = byte_reader_u8(in);
    *kind = byte_reader_u8(in);
    return !in->bad && version >= VERSION_ASCII && version <= VERSION &&
           (*kind == BLOCK_SPANS || *kind == BLOCK_LOGS) &&
           sum == (uint32_t)hash_bytes(summary.ptr + 4, summary.len - 4, 0);
}

/* Adds up the counts of the wanted resources, and collects all resources in
 * met; counts and met may be NULL. */
static void read_counts(struct byte_reader *in, uint8_t kind,
                        const struct bitmap *resources, uint64_t *counts,
                        struct bitmap *met)
{
    uint64_t left = byte_reader_varint(in), id = 0;

    for (; left > 0 && !in->bad; left--) {
        bool wanted;
        unsigned levels = 1;

        id += byte_reader_varint(in);
        if (met && id <= UINT32_MAX)
            bitmap_add(met, (uint32_t)id);
        if (kind == BLOCK_LOGS) {
            levels = byte_reader_u8(in);
        }
        wanted = counts && id <= UINT32_MAX &&
                 (!resources || bitmap_has(resources, (uint32_t)id));
        for (unsigned level = 0; level < 8; level++) {
            uint64_t count = levels >> level & 1 ? byte_reader_varint(in) : 0;

            if (wanted && level < LEVEL_COUNT)
                counts[level] += count;
        }
    }
}

bool summary_resources(struct slice summary, struct bitmap *resources)
{
    struct byte_reader in;
    uint8_t kind;

    if (!open(summary, &in, &kind))
        return false;
    read_counts(&in, kind, NULL, NULL, resources);
    return !in.bad;
}

bool summary_counts(struct slice summary, const struct bitmap *resources,
                    uint64_t counts[LEVEL_COUNT])
{
    struct byte_reader in;
    uint8_t kind;

    memset(counts, 0, LEVEL_COUNT * sizeof(*counts));
    if (!open(summary, &in, &kind))
        return false;
    read_counts(&in, kind, resources, counts, NULL);
    return !in.bad;
}

enum summary_filter { TRACES, WORDS, NUMBERS, TRIGRAMS };

/* The filter; empty (always true) if the summary is damaged. */
static struct slice filter_of(struct slice summary, enum summary_filter which)
{
    struct slice filter = {NULL, 0};
    struct byte_reader in;
    uint8_t kind;

    if (!open(summary, &in, &kind))
        return filter;
    read_counts(&in, kind, NULL, NULL, NULL);
    for (unsigned i = 0; i <= (unsigned)which; i++)
        filter = bloom_read(&in);
    if (in.bad)
        return (struct slice){NULL, 0};
    return filter;
}

struct slice summary_trace_filter(struct slice summary)
{
    return filter_of(summary, TRACES);
}

bool trace_filter_may_have(struct slice filter, const uint8_t trace_id[16])
{
    return bloom_may_contain(filter, TRACE_PROBES, trace_hash(trace_id));
}

bool summary_may_have_trace(struct slice summary, const uint8_t trace_id[16])
{
    return trace_filter_may_have(summary_trace_filter(summary), trace_id);
}

/* Version 1 did not fold words that are not ASCII. */
static bool can_exclude(struct slice summary, struct slice word)
{
    return summary.len < 6 || summary.ptr[4] != VERSION_ASCII ||
           !fold_is_wide(word);
}

static bool has_word(struct slice summary, const uint8_t *word, size_t len)
{
    if (!can_exclude(summary, (struct slice){(const char *)word, len}))
        return true;
    if (has_digit(word, len))
        return bloom_may_contain(filter_of(summary, NUMBERS), NUMBER_PROBES,
                                 word_hash(word, len));
    return bloom_may_contain(filter_of(summary, WORDS), WORD_PROBES,
                             word_hash(word, len));
}

static bool has_trigrams(struct slice trigrams, struct slice text)
{
    const uint8_t *p = (const uint8_t *)text.ptr;

    for (size_t i = 2; i < text.len; i++) {
        uint32_t trigram = (uint32_t)lower(p[i - 2]) << 16 |
                           (uint32_t)lower(p[i - 1]) << 8 | lower(p[i]);

        if (!bloom_may_contain(trigrams, TRIGRAM_PROBES, trigram_hash(trigram)))
            return false;
    }
    return true;
}

static bool has_folded_trigrams(struct slice trigrams, struct slice word)
{
    struct trigram_cursor folded = trigrams_of(word);

    while (next_trigram(&folded))
        if (!bloom_may_contain(trigrams, TRIGRAM_PROBES,
                               trigram_hash(folded.trigram)))
            return false;
    return true;
}

bool summary_may_have_phrase(struct slice summary, struct slice phrase)
{
    const uint8_t *p = (const uint8_t *)(phrase.len ? phrase.ptr : "");
    const uint8_t *end = p + phrase.len;
    const uint8_t *word = NULL; /* where a whole one begins */

    if (!has_trigrams(filter_of(summary, TRIGRAMS), phrase))
        return false;
    for (; p < end; p++) {
        if (match_fold[*p])
            continue;
        if (word && p > word && !has_word(summary, word, (size_t)(p - word)))
            return false;
        word = p + 1;
    }
    return true;
}

bool summary_may_have_word(struct slice summary, struct slice word)
{
    const uint8_t *p = (const uint8_t *)word.ptr;

    for (size_t i = 0; i < word.len; i++)
        if (!match_fold[p[i]])
            return false;
    return word.len > 0 && has_word(summary, p, word.len) &&
           (!can_exclude(summary, word) ||
            has_folded_trigrams(filter_of(summary, TRIGRAMS), word));
}
