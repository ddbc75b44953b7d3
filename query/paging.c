/*
 * The digits behind the ninth: how many groups of three follow (one digit),
 * then a number in these groups. So longer numbers stand behind shorter ones,
 * as text and as fractions. Digits that are not of this form are a time between
 * two nanoseconds.
 *
 * A cursor is hexadecimal:
 *
 *     version u8   1
 *     kind u8      enum list_kind
 *     order u8     1: oldest first
 *     time u64     big endian, as are the others
 *     key          16 bytes
 *     check u32    low half of hash_bytes() over all before it
 */
#include "paging.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "hash.h"
#include "hex.h"

enum { VERSION = 1, TIME_AT = 3, KEY_AT = 11, CHECK_AT = 27, CURSOR = 31 };
enum { GROUP = 3, GROUPS_MAX = 7 };

/* How much later than its trace the first span in scope may start. */
#define TRACE_SPREAD_NS (5 * NS_PER_MIN)

/* ---- times ---- */

uint64_t paging_number(const uint8_t key[PLACE_NUMBER])
{
    uint64_t number = 0;

    for (int i = 0; i < PLACE_NUMBER; i++)
        number = number << 8 | key[i];
    return number;
}

static unsigned groups_of(uint64_t number)
{
    unsigned groups = 1;

    while (number >= 1000) {
        number /= 1000;
        groups++;
    }
    return groups;
}

void paging_time(struct query_request *request, const char *key,
                 uint64_t time_ns, bool exact, uint64_t number)
{
    char text[CLOCK_TEXT + 40];
    unsigned groups = groups_of(number);
    size_t len;

    if (!exact) {
        jsonw_member_time(&request->json, key, time_ns);
        return;
    }
    len = clock_format_rfc3339(text, time_ns - time_ns % NS_PER_S);
    snprintf(text + len - 1, sizeof(text) - len + 1, ".%09u%u%0*" PRIu64 "Z",
             (unsigned)(time_ns % NS_PER_S), groups, (int)(GROUP * groups),
             number);
    jsonw_key(&request->json, key);
    jsonw_cstr(&request->json, text);
}

/* False if the digits are not of our form. */
static bool read_number(struct slice digits, uint64_t *number)
{
    uint64_t v = 0;

    if (digits.len < 1 + GROUP || digits.ptr[0] < '1' ||
        digits.ptr[0] > '0' + GROUPS_MAX ||
        digits.len != 1 + GROUP * (size_t)(digits.ptr[0] - '0'))
        return false;
    for (size_t i = 1; i < digits.len; i++) {
        uint64_t digit = (uint64_t)(digits.ptr[i] - '0');

        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *number = v;
    return true;
}

/* A bound of the window: the time that is compared with whole nanoseconds, and
 * the place, if the text names one. True if it does. */
static bool read_bound(struct slice text, bool is_end, uint64_t *ns,
                       struct list_place *place)
{
    struct slice further;
    uint64_t number, time_ns;
    size_t zeros = 0;

    if (!clock_parse_digits(text, &time_ns, &further))
        return false; /* params_range() has refused it */
    while (zeros < further.len && further.ptr[zeros] == '0')
        zeros++;
    if (zeros == further.len)
        return false;
    bool named = read_number(further, &number);
    if ((is_end || !named) && time_ns < UINT64_MAX)
        *ns = time_ns + 1;
    if (!named)
        return false;
    *place = (struct list_place){.time_ns = time_ns, .key_len = PLACE_NUMBER};
    list_number(place->key, number);
    return true;
}

bool paging_exact(const struct list_window *window, bool ascending,
                  const uint64_t *times, uint32_t i, uint32_t shown,
                  uint32_t known)
{
    const struct list_place *bound =
        ascending ? window->range.after : window->range.before;

    return (i > 0 && times[i - 1] == times[i]) ||
           (i + 1 < known && times[i + 1] == times[i]) ||
           (ascending && i + 1 == shown) ||
           (i == 0 && bound && bound->time_ns == times[i]);
}

/* ---- cursors ---- */

static void put_number(uint8_t *to, uint64_t v, int bytes)
{
    for (int i = bytes; i-- > 0; v >>= 8)
        to[i] = (uint8_t)v;
}

static uint32_t check_of(const uint8_t *cursor)
{
    return (uint32_t)hash_bytes(cursor, CHECK_AT, 0);
}

void paging_cursor(struct query_request *request, enum list_kind kind,
                   bool ascending, const struct list_place *last)
{
    uint8_t cursor[CURSOR] = {VERSION, (uint8_t)kind, ascending};

    put_number(cursor + TIME_AT, last->time_ns, 8);
    memcpy(cursor + KEY_AT, last->key, last->key_len);
    put_number(cursor + CHECK_AT, check_of(cursor), 4);
    jsonw_member_hex(&request->json, "nextCursor", cursor, sizeof(cursor));
}

static size_t key_length(enum list_kind kind)
{
    return kind == LIST_TRACES ? PLACE_KEY : PLACE_NUMBER;
}

static enum status read_cursor(struct query_request *request,
                               enum list_kind kind, bool ascending,
                               struct list_place *place, bool *given)
{
    uint8_t cursor[CURSOR], check[4];
    struct slice text;
    enum status s = params_text(request, "cursor", &text);

    if (s == OK && text.len == 0 && kind == LIST_EVENTS)
        s = params_text(request, "searchAfter",
                        &text); /* OpenChoreo's adapter */
    *given = text.len > 0;
    if (s != OK || !*given)
        return s;
    bool good = hex_bytes(text, cursor, sizeof(cursor));
    if (good)
        put_number(check, check_of(cursor), 4);
    if (!good || memcmp(check, cursor + CHECK_AT, 4) != 0 ||
        cursor[0] != VERSION || cursor[1] != kind)
        return query_fail(request, ERR_INVALID, NULL,
                          "cursor must be the nextCursor of an answer from "
                          "this path; leave it out for the first page");
    if (cursor[2] != ascending)
        return query_fail(request, ERR_INVALID, NULL,
                          "cursor belongs to sortOrder %s; ask with that, or "
                          "leave it out for the first page",
                          cursor[2] ? "asc" : "desc");
    *place = (struct list_place){.time_ns = paging_number(cursor + TIME_AT),
                                 .key_len = (uint8_t)key_length(kind)};
    memcpy(place->key, cursor + KEY_AT, place->key_len);
    return OK;
}

/* ---- both ---- */

/* The later of two places is in `at`; is_set: it is one already. */
static void narrow(struct list_place *at, bool is_set, bool ascending,
                   const struct list_place *cursor)
{
    int order = is_set ? list_compare(cursor->time_ns, cursor->key, at) : 0;

    if (!is_set || (ascending ? order >= 0 : order <= 0))
        *at = *cursor;
}

enum status paging_window(struct query_request *request, enum list_kind kind,
                          bool ascending, struct list_window *window)
{
    struct list_place cursor;
    struct slice start, end;
    bool after, before, given;
    enum status s;

    *window = (struct list_window){0};
    s = params_range(request, &window->start_ns, &window->end_ns);
    if (s == OK)
        s = params_text(request, "startTime", &start);
    if (s == OK)
        s = params_text(request, "endTime", &end);
    if (s == OK)
        s = read_cursor(request, kind, ascending, &cursor, &given);
    if (s != OK)
        return s;
    after = read_bound(start, false, &window->start_ns, &window->after);
    before = read_bound(end, true, &window->end_ns, &window->before);
    /* The list is cut at the starts of traces, not at their spans in scope. */
    if (before && kind == LIST_TRACES &&
        window->end_ns < UINT64_MAX - TRACE_SPREAD_NS)
        window->end_ns += TRACE_SPREAD_NS;
    if (given && ascending)
        narrow(&window->after, after, true, &cursor);
    else if (given)
        narrow(&window->before, before, false, &cursor);
    window->range.after = after || (given && ascending) ? &window->after : NULL;
    window->range.before =
        before || (given && !ascending) ? &window->before : NULL;
    return OK;
}

void paging_end(struct query_request *request, uint64_t total, bool stopped)
{
    bool capped = total > PAGING_TOTAL;

    if (stopped || capped)
        jsonw_member_bool(&request->json, "totalIsLowerBound", true);
    jsonw_member_uint(&request->json, "total", capped ? PAGING_TOTAL : total);
    jsonw_member_int(&request->json, "tookMs", query_took_ms(request));
    jsonw_close(&request->json, '}');
}
