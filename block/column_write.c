/*
 * Columns, as bytes (all numbers varint unless a size is given):
 *
 *   ints    count; if it is not zero:
 *           mode u8, base, factor, planes u8, then the planes, lowest first
 *             mode 0   v[i] = base + factor * u[i]
 *             mode 1   v[i] = v[i-1] + factor * u[i]
 *             mode 2   v[i] = v[i-1] + factor * unzigzag(u[i]);
 *                      in both v[0] = base
 *           planes: bit k set: byte k of the u[i] is stored, else it is zero
 *           a plane: how u8, and
 *             how 0    count bytes
 *             how 1    length, that many bytes of one zstd frame
 *   blob    length; if it is not zero: how u8 and as a plane
 *   texts   how u8, ints (lengths of the heap's texts), then
 *             how 0    blob (the heap; row i is text i)
 *             how 1    blob (the heap), ints (a number per row)
 *             how 2    a blob for every TEXTS_CHUNK rows, read one by one
 *
 *   The numbers 7 7 9 in hex: 03 | 00 07 01 01 | 00 00 00 02
 *                             count mode base factor planes | how, bytes
 *
 * All sums are modulo 2^64. Byte planes rather than bit packing: zstd finds
 * repetitions and skew in them, a plane without either is raw, and any row can
 * be read without decoding those before it.
 */
#include <zstd.h>

#include "column.h"

enum {
    PLANE_MIN_ZSTD = 48, /* a frame's head does not pay below */
    SAMPLE = 1024,
    SAMPLE_FLAT = 5700, /* sum of squared counts; 5120 if all is random */
    DICT_TRIAL = 1024,  /* lookups before a dictionary may become `unique` */
    DICT_PIECE_MIN = 256,
    DICT_PIECE_MAX = 16 * 1024, /* bytes allocated for texts at once */
};

/* ---- bytes ---- */

/* True if a sample looks random: compression would only cost time. */
static bool looks_random(const uint8_t *bytes, size_t len)
{
    uint16_t counts[256] = {0};
    size_t step = len / SAMPLE;
    uint32_t sum = 0;

    if (step == 0)
        return false;
    if (!(step & 1) && step > 1)
        step--; /* an even step would see half of a period */
    for (size_t i = 0; i < SAMPLE; i++)
        counts[bytes[i * step]]++;
    for (size_t i = 0; i < 256; i++)
        sum += (uint32_t)counts[i] * counts[i];
    return sum < SAMPLE_FLAT;
}

/* Appends how, the length if compressed, and the bytes. */
static void put_packed(struct column_writer *column, const void *bytes,
                       size_t len)
{
    struct buf *out = column->out;

    if (len >= PLANE_MIN_ZSTD && !looks_random(bytes, len)) {
        size_t room = ZSTD_compressBound(len), stored;
        char *to = buf_room(out, room + 11);

        if (!to)
            return;
        stored = ZSTD_compressCCtx(column->zstd, to + 11, room, bytes, len, 1);
        if (!ZSTD_isError(stored) && stored + 2 < len - len / 32) {
            buf_byte(out, 1);
            buf_varint(out, stored);
            memmove(out->ptr + out->len, to + 11, stored);
            buf_grown(out, stored);
            return;
        }
    }
    buf_byte(out, 0);
    buf_add(out, (struct slice){bytes, len});
}

void column_put_blob(struct column_writer *column, struct slice bytes)
{
    buf_varint(column->out, bytes.len);
    if (bytes.len > 0)
        put_packed(column, bytes.ptr, bytes.len);
}

/* ---- numbers ---- */

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* The greatest common divisor of all values minus base; 1 if they are equal. */
static uint64_t common_factor(const uint64_t *values, uint32_t count,
                              uint64_t base)
{
    uint64_t factor = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t v = values[i] - base;

        if (factor ? v % factor != 0 : v != 0)
            factor = gcd(v, factor);
        if (factor == 1)
            break;
    }
    return factor ? factor : 1;
}

static unsigned bits(uint64_t v)
{
    return v ? 64 - (unsigned)__builtin_clzll(v) : 0;
}

/* True if differences are clearly smaller in a sample of neighbours. */
static bool delta_pays(const uint64_t *values, uint32_t count, uint64_t min)
{
    uint32_t step = count / 256 + 1;
    unsigned plain = 0, delta = 0, pairs = 0;

    for (uint32_t i = 1; i < count; i += step, pairs++) {
        plain += bits(values[i] - min);
        delta += bits(zigzag((int64_t)(values[i] - values[i - 1])));
    }
    return delta + 2 * pairs < plain;
}

/* Replaces the values by their differences; true if one was negative. */
static bool take_differences(uint64_t *values, uint32_t count, uint64_t factor)
{
    uint64_t last = values[0];
    bool falls = false;

    for (uint32_t i = 1; i < count; i++)
        falls |= (int64_t)(values[i] - values[i - 1]) < 0;
    values[0] = 0;
    for (uint32_t i = 1; i < count; i++) {
        int64_t delta = (int64_t)(values[i] - last);

        last = values[i];
        if (factor != 1)
            delta /= (int64_t)factor;
        values[i] = falls ? zigzag(delta) : (uint64_t)delta;
    }
    return falls;
}

static void put_planes(struct column_writer *column, const uint64_t *values,
                       uint32_t count)
{
    struct scratch_mark mark = scratch_mark(column->scratch);
    uint64_t any = 0;
    uint8_t *plane = scratch_alloc(column->scratch, count);
    unsigned planes = 0;

    for (uint32_t i = 0; i < count; i++)
        any |= values[i];
    for (unsigned k = 0; k < 8; k++)
        planes |= (any >> 8 * k & 0xff ? 1U : 0U) << k;
    buf_byte(column->out, (char)planes);
    for (unsigned k = 0; k < 8; k++) {
        if (!(planes >> k & 1))
            continue;
        for (uint32_t i = 0; i < count; i++)
            plane[i] = (uint8_t)(values[i] >> 8 * k);
        put_packed(column, plane, count);
    }
    scratch_rewind(column->scratch, mark);
}

void column_put_ints(struct column_writer *column, uint64_t *values,
                     uint32_t count, enum ints_hint hint)
{
    struct buf *out = column->out;
    uint64_t min = UINT64_MAX, max = 0, factor = 1, base;
    char mode = 0;

    buf_varint(out, count);
    if (count == 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
    }
    base = min;
    if (hint == INTS_AUTO && max - min > 0xffff) {
        /* Differences of 63 bits and more cannot be divided as signed. */
        if (max - min <= INT64_MAX)
            factor = common_factor(values, count, min);
        if (delta_pays(values, count, min)) {
            base = values[0];
            mode = take_differences(values, count, factor) ? 2 : 1;
        }
    }
    if (mode == 0)
        for (uint32_t i = 0; i < count; i++)
            values[i] -= min;
    if (mode == 0 && factor != 1)
        for (uint32_t i = 0; i < count; i++)
            values[i] /= factor;
    buf_byte(out, mode);
    buf_varint(out, base);
    buf_varint(out, factor);
    put_planes(column, values, count);
}

void column_put_same(struct column_writer *column, uint64_t value,
                     uint32_t count)
{
    struct buf *out = column->out;

    buf_varint(out, count);
    if (count == 0)
        return;
    buf_byte(out, 0);
    buf_varint(out, value);
    buf_varint(out, 1); /* factor */
    buf_byte(out, 0);   /* planes */
}

/* ---- texts ---- */

/* Appends texts back to back, as blobs of at most `piece` texts each. */
static void put_heap(struct column_writer *column, const struct slice *texts,
                     const uint64_t *codes, uint32_t count, uint32_t piece)
{
    char *heap = NULL;
    size_t room = 0;

    for (uint32_t begin = 0; begin < count || begin == 0; begin += piece) {
        uint32_t end = count - begin < piece ? count : begin + piece;
        size_t size = 0;
        char *to;

        for (uint32_t i = begin; i < end; i++)
            size += texts[codes ? codes[i] : i].len;
        if (size > room || !heap) {
            room = 2 * size;
            heap = scratch_alloc(column->scratch, room);
        }
        to = heap;
        for (uint32_t i = begin; i < end; i++) {
            struct slice text = texts[codes ? codes[i] : i];

            slice_copy(to, text);
            to += text.len;
        }
        column_put_blob(column, (struct slice){heap, size});
    }
}

static void put_lens(struct column_writer *column, const struct slice *texts,
                     const uint64_t *codes, uint32_t count)
{
    uint64_t *lens = scratch_alloc(column->scratch, count * sizeof(*lens));

    for (uint32_t i = 0; i < count; i++)
        lens[i] = texts[codes ? codes[i] : i].len;
    column_put_ints(column, lens, count, INTS_PLAIN);
}

void column_put_texts(struct column_writer *column, const struct slice *texts,
                      uint32_t count)
{
    struct scratch_mark mark = scratch_mark(column->scratch);

    buf_byte(column->out, 0);
    put_lens(column, texts, NULL, count);
    put_heap(column, texts, NULL, count, UINT32_MAX);
    scratch_rewind(column->scratch, mark);
}

void column_put_dict(struct column_writer *column, const struct dict *dict,
                     uint64_t *codes, uint32_t count, bool chunks)
{
    struct scratch_mark mark = scratch_mark(column->scratch);

    if (dict->count >
        count - count / 4) { /* also counts entries that no row uses */
        chunks = chunks && count > TEXTS_CHUNK;
        buf_byte(column->out, chunks ? 2 : 0);
        put_lens(column, dict->texts, codes, count);
        put_heap(column, dict->texts, codes, count,
                 chunks ? TEXTS_CHUNK : UINT32_MAX);
    } else {
        buf_byte(column->out, 1);
        put_lens(column, dict->texts, NULL, dict->count);
        put_heap(column, dict->texts, NULL, dict->count, UINT32_MAX);
        if (codes)
            column_put_ints(column, codes, count, INTS_PLAIN);
        else
            column_put_same(column, 0, count);
    }
    scratch_rewind(column->scratch, mark);
}

/* ---- dictionaries in memory ---- */

void dict_init(struct dict *dict, struct scratch *scratch)
{
    *dict = (struct dict){.scratch = scratch, .piece = DICT_PIECE_MIN};
}

/* Only for texts in memory, so short ones may use a faster hash. */
static inline uint32_t text_hash(struct slice text)
{
    uint64_t h, last;

    if (text.len >= 8 && text.len <= 16) {
        memcpy(&h, text.ptr, 8);
        memcpy(&last, text.ptr + text.len - 8, 8);
        h = hash_mix(h ^ text.len, last);
    } else {
        h = hash_bytes(text.ptr, text.len, 0);
    }
    return (uint32_t)(h ^ h >> 32);
}

static struct slice own_copy(struct scratch *scratch, struct slice text)
{
    char *copy = scratch_alloc(scratch, text.len);

    slice_copy(copy, text);
    return (struct slice){copy, text.len};
}

/* Copies next to the previous copy: texts used together are close in memory. */
static struct slice dict_copy(struct dict *dict, struct slice text)
{
    char *copy = dict->at;

    if (text.len > dict->left) {
        if (text.len > dict->piece / 4)
            return own_copy(dict->scratch, text);
        copy = scratch_alloc(dict->scratch, dict->piece);
        dict->left = dict->piece;
        if (dict->piece < DICT_PIECE_MAX)
            dict->piece *= 2;
    }
    slice_copy(copy, text);
    dict->at = copy + text.len;
    dict->left -= (uint32_t)text.len;
    return (struct slice){copy, text.len};
}

uint32_t dict_find_or_add(struct dict *dict, struct slice text)
{
    uint32_t hash = dict->unique ? 0 : text_hash(text);

    if (!dict->unique) {
        dict->lookups++;
        map_each(&dict->index, hash, code)
            if (slice_equal(dict->texts[code], text))
                return dict->last = code;
        scratch_map_add(dict->scratch, &dict->index, hash, dict->count);
        if (dict->lookups >= DICT_TRIAL &&
            dict->count > dict->lookups - dict->lookups / 8)
            dict->unique = true;
    }
    scratch_append(dict->scratch, &dict->texts, dict->count, &dict->room, 1);
    dict->texts[dict->count] = dict_copy(dict, text);
    return dict->last = dict->count++;
}
