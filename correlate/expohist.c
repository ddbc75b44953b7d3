/*
 * The bucket of a duration comes from the bits of a double: the exponent gives
 * the octave, and which sixteenth of it the mantissa lies in is found in a
 * table, by a guess from its first four bits and a step or two up.
 *
 * counts is a window [first, first + room) of the buckets. A duration outside
 * moves the window, makes it larger, or, past EXPOHIST_MAX, halves the
 * resolution until it fits.
 */
#include "expohist.h"

#include <string.h>

/* Mantissas of 2^(i/16), i = 1 to 16, as 52-bit fractions. */
static const uint64_t limits[16] = {
    0x0b5586cf9890f, 0x172b83c7d517b, 0x2387a6e756238, 0x306fe0a31b715,
    0x3dea64c123422, 0x4bfdad5362a27, 0x5ab07dd485429, 0x6a09e667f3bcd,
    0x7a11473eb0187, 0x8ace5422aa0db, 0x9c49182a3f090, 0xae89f995ad3ad,
    0xc199bdd85529c, 0xd5818dcfba487, 0xea4afa2a490da, UINT64_C(1) << 52};

/* Sixteenths that lie below a mantissa with these first four bits for sure. */
static const uint8_t guesses[16] = {0, 1,  2,  3,  5,  6,  7,  8,
                                    9, 10, 11, 12, 12, 13, 14, 15};

int32_t expohist_bucket(uint64_t duration_ns)
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

uint32_t expohist_used(const struct expohist *histogram, uint32_t *begin)
{
    uint32_t from = 0, to = histogram->counts ? histogram->room : 0;

    while (from < to && histogram->counts[from] == 0)
        from++;
    while (to > from && histogram->counts[to - 1] == 0)
        to--;
    *begin = from;
    return to - from;
}

/* Stays at the largest. */
static uint32_t sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* One step coarser, in place. */
static void halve(struct expohist *histogram)
{
    uint32_t *counts = histogram->counts;
    int32_t first = histogram->first >> 1;

    for (uint32_t i = 0; i < histogram->room; i++) {
        int32_t bucket = (histogram->first + (int32_t)i) >> 1;
        uint32_t count = counts[i];

        counts[i] = 0;
        counts[bucket - first] = sum(counts[bucket - first], count);
    }
    histogram->first = first;
    histogram->scale--;
}

/* Moves the counts so that the window begins at first and has this room. */
static void move(struct expohist *histogram, int32_t first, uint32_t room,
                 struct slab *slab)
{
    uint32_t begin, used = expohist_used(histogram, &begin);
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

/* Makes the window hold this bucket of EXPOHIST_SCALE. */
static void grow(struct expohist *histogram, int32_t bucket, struct slab *slab)
{
    for (;; halve(histogram)) {
        uint32_t begin, used = expohist_used(histogram, &begin);
        int32_t at = bucket >> (EXPOHIST_SCALE - histogram->scale);
        int32_t low = used ? histogram->first + (int32_t)begin : at;
        int32_t high = used ? low + (int32_t)used - 1 : at;
        uint32_t room = 8, need;

        low = at < low ? at : low;
        high = at > high ? at : high;
        need = (uint32_t)(high - low + 1);
        if (need > EXPOHIST_MAX)
            continue;
        while (room < need)
            room = room < 128 ? room * 2 : EXPOHIST_MAX;
        if (room < histogram->room)
            room = histogram->room;
        move(histogram, low - (int32_t)(room - need) / 2, room, slab);
        return;
    }
}

void expohist_add(struct expohist *histogram, uint64_t duration_ns,
                  uint32_t weight, struct slab *slab)
{
    int32_t bucket = expohist_bucket(duration_ns);
    uint32_t at;

    if (!histogram->counts)
        histogram->scale = EXPOHIST_SCALE;
    at = (uint32_t)((bucket >> (EXPOHIST_SCALE - histogram->scale)) -
                    histogram->first);
    if (at >= histogram->room || !histogram->counts) {
        grow(histogram, bucket, slab);
        at = (uint32_t)((bucket >> (EXPOHIST_SCALE - histogram->scale)) -
                        histogram->first);
    }
    histogram->counts[at] = sum(histogram->counts[at], weight);
}
