/*
 * The bucket of a duration comes from the bits of a double: the exponent gives
 * the octave; the sixteenth of it that the mantissa lies in is found in a
 * table, by a guess from the first four bits and a step or two up.
 *
 * counts is a window [first, first + room) of the buckets. A duration outside
 * moves the window, enlarges it, or lowers the scale until it fits.
 */
#include "duration_histogram.h"

#include <string.h>

#include "exphist.h"

/* Mantissas of 2^(i/16), i = 1 to 16, as 52-bit fractions. */
static const uint64_t limits[16] = {
    0x0b5586cf9890f, 0x172b83c7d517b, 0x2387a6e756238, 0x306fe0a31b715,
    0x3dea64c123422, 0x4bfdad5362a27, 0x5ab07dd485429, 0x6a09e667f3bcd,
    0x7a11473eb0187, 0x8ace5422aa0db, 0x9c49182a3f090, 0xae89f995ad3ad,
    0xc199bdd85529c, 0xd5818dcfba487, 0xea4afa2a490da, UINT64_C(1) << 52};

/* Sixteenths that certainly lie below a mantissa with these first four bits. */
static const uint8_t guesses[16] = {0, 1,  2,  3,  5,  6,  7,  8,
                                    9, 10, 11, 12, 12, 13, 14, 15};

int32_t duration_bucket(uint64_t duration_ns)
{
    double seconds = (double)duration_ns * 1e-9;
    uint64_t bits, mantissa;
    int32_t octave, part;

    memcpy(&bits, &seconds, sizeof(bits));
    mantissa = bits & ((UINT64_C(1) << 52) - 1);
    octave = (int32_t)(bits >> 52) - 1023;
    if (mantissa == 0) /* upper bounds belong to the bucket below */
        return octave * 16 - 1;
    part = guesses[mantissa >> 48];
    while (mantissa > limits[part])
        part++;
    return octave * 16 + part;
}

uint32_t duration_used(const struct duration_histogram *histogram,
                       uint32_t *begin)
{
    uint32_t from = 0, to = histogram->counts ? histogram->room : 0;

    while (from < to && histogram->counts[from] == 0)
        from++;
    while (to > from && histogram->counts[to - 1] == 0)
        to--;
    *begin = from;
    return to - from;
}

/* Moves the counts to a window that begins at first and has this room. */
static void move(struct duration_histogram *histogram, int32_t first,
                 uint32_t room, struct slab *slab)
{
    uint32_t begin, used = duration_used(histogram, &begin);
    int32_t at = used ? histogram->first + (int32_t)begin - first : 0;
    uint32_t *counts = histogram->counts;

    if (room != histogram->room)
        counts = slab_alloc(slab, room * sizeof(*counts));
    if (used > 0)
        memmove(counts + at, histogram->counts + begin, used * sizeof(*counts));
    memset(counts, 0, (size_t)at * sizeof(*counts));
    memset(counts + at + used, 0,
           (room - used - (uint32_t)at) * sizeof(*counts));
    if (counts != histogram->counts && histogram->counts)
        slab_free(slab, histogram->counts, histogram->room * sizeof(*counts));
    histogram->counts = counts;
    histogram->first = first;
    histogram->room = (uint16_t)room;
}

/* Makes room for this bucket of the current scale. */
static void grow(struct duration_histogram *histogram, int32_t bucket,
                 struct slab *slab)
{
    uint32_t begin, used = duration_used(histogram, &begin), room = 8, need;
    struct exphist_range range = exphist_range_union(
        exphist_range((int64_t)histogram->first + begin, used),
        exphist_range(bucket, 1));
    int32_t shift = exphist_shift_to_fit(range, DURATION_MAX_BUCKETS);

    if (shift > 0) {
        histogram->first =
            (int32_t)exphist_lower_u32(
                histogram->counts,
                exphist_range(histogram->first, histogram->room), shift)
                .first;
        histogram->scale = (int8_t)(histogram->scale - shift);
        range = exphist_range_lower(range, shift);
    }
    need = (uint32_t)exphist_range_count(range);
    while (room < need)
        room = room < 128 ? room * 2 : DURATION_MAX_BUCKETS;
    if (room < histogram->room)
        room = histogram->room;
    move(histogram, (int32_t)range.first - (int32_t)(room - need) / 2, room,
         slab);
}

static uint32_t add_saturated(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

void duration_add(struct duration_histogram *histogram, uint64_t duration_ns,
                  uint32_t weight, struct slab *slab)
{
    int32_t bucket = duration_bucket(duration_ns);
    uint32_t at;

    if (!histogram->counts)
        histogram->scale = DURATION_SCALE;
    at = (uint32_t)((bucket >> (DURATION_SCALE - histogram->scale)) -
                    histogram->first);
    if (at >= histogram->room || !histogram->counts) {
        grow(histogram, bucket >> (DURATION_SCALE - histogram->scale), slab);
        at = (uint32_t)((bucket >> (DURATION_SCALE - histogram->scale)) -
                        histogram->first);
    }
    histogram->counts[at] = add_saturated(histogram->counts[at], weight);
}
