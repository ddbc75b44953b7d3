/*
 * Windows and cursors. A cursor is hexadecimal:
 *
 *     version u8   1
 *     kind u8      enum list_kind
 *     order u8     1: oldest first
 *     time u64     big endian, as are the others
 *     key          16 bytes
 *     check u32    low half of hash_bytes() over all before it
 */
#include "paging.h"

#include "clock.h"
#include "hash.h"
#include "hex.h"

enum { VERSION = 1, TIME_AT = 3, KEY_AT = 11, CHECK_AT = 27 };

/* How much later than its trace the first span in scope may start. */
#define TRACE_SPREAD_NS (5 * NS_PER_MIN)

/* ---- kinds of records ---- */

/* Where a record of each kind has its time and its key. */
#define PAGING_KIND(record, time, key, key_len)               \
    {                                                         \
        sizeof(struct record), offsetof(struct record, time), \
            offsetof(struct record, key), key_len             \
    }
static const struct {
    uint16_t size, time_offset, key_offset;
    uint8_t key_len; /* in a position */
} kinds[] = {
    [LIST_LOGS] = PAGING_KIND(log_record, time_ns, arrival, POSITION_NUMBER),
    [LIST_EVENTS] = PAGING_KIND(log_record, time_ns, arrival, POSITION_NUMBER),
    [LIST_TRACES] =
        PAGING_KIND(trace_summary, start_ns, trace_id, POSITION_KEY),
    [LIST_SPANS] = PAGING_KIND(span, start_ns, span_id, POSITION_NUMBER),
};

static const char *record_at(const struct list_page *page, uint32_t i)
{
    return (const char *)page->records +
           i * (size_t)kinds[page->window->kind].size;
}

static uint64_t number_at(const char *at)
{
    uint64_t number;

    memcpy(&number, at, sizeof(number));
    return number;
}

static uint64_t time_at(const struct list_page *page, uint32_t i)
{
    return number_at(record_at(page, i) +
                     kinds[page->window->kind].time_offset);
}

static struct list_position position_at(const struct list_page *page,
                                        uint32_t i)
{
    const char *key = record_at(page, i) + kinds[page->window->kind].key_offset;
    struct list_position position = {.time_ns = time_at(page, i),
                                     .key_len =
                                         kinds[page->window->kind].key_len};

    if (page->window->kind == LIST_LOGS || page->window->kind == LIST_EVENTS)
        list_number(position.key, number_at(key)); /* of arrival */
    else
        memcpy(position.key, key, position.key_len);
    return position;
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

static void write_cursor(uint8_t cursor[PAGING_CURSOR],
                         const struct list_page *page,
                         const struct list_position *last)
{
    cursor[0] = VERSION;
    cursor[1] = (uint8_t)page->window->kind;
    cursor[2] = page->window->ascending;
    put_number(cursor + TIME_AT, last->time_ns, 8);
    memcpy(cursor + KEY_AT, last->key, last->key_len);
    put_number(cursor + CHECK_AT, check_of(cursor), 4);
}

/* False: there is none, or it is invalid. */
static bool read_cursor(struct query_request *request,
                        const struct list_window *window,
                        struct list_position *place)
{
    enum list_kind kind = window->kind;
    uint8_t cursor[PAGING_CURSOR] = {0}, check[4];
    struct slice text;

    params_text(request, "cursor", &text);
    if (text.len == 0 && kind == LIST_EVENTS) /* as OpenChoreo's adapter */
        params_text(request, "searchAfter", &text);
    if (text.len == 0)
        return false;
    bool valid = hex_bytes(text, cursor, sizeof(cursor));
    put_number(check, check_of(cursor), 4);
    if (!valid || memcmp(check, cursor + CHECK_AT, 4) != 0 ||
        cursor[0] != VERSION || cursor[1] != kind)
        query_invalid(request,
                      "cursor must be the nextCursor of an answer from this "
                      "path; leave it out for the first page");
    else if (cursor[2] != window->ascending)
        query_invalid(request,
                      "cursor belongs to sortOrder %s; use that, or leave the "
                      "cursor out for the first page",
                      cursor[2] ? "asc" : "desc");
    *place =
        (struct list_position){.time_ns = list_time_number(cursor + TIME_AT),
                               .key_len = kinds[kind].key_len};
    memcpy(place->key, cursor + KEY_AT, place->key_len);
    return request->failed == OK;
}

/* ---- windows ---- */

/* The window starts after the cursor's place, or ends before it; a bound that
 * is narrower stays. */
static void narrow(struct list_window *window,
                   const struct list_position *cursor)
{
    bool ascending = window->ascending;
    struct list_position *at = ascending ? &window->after : &window->before;
    const struct list_position **bound =
        ascending ? &window->range.after : &window->range.before;
    int order = *bound ? list_compare(cursor->time_ns, cursor->key, at) : 0;

    if (ascending ? order >= 0 : order <= 0)
        *at = *cursor;
    *bound = at;
}

enum status paging_window(struct query_request *request, enum list_kind kind,
                          uint32_t min_limit, uint32_t max_limit,
                          struct list_window *window)
{
    struct list_position cursor;
    struct slice start, end;

    *window =
        (struct list_window){.kind = kind, .counting = {.most = PAGING_TOTAL}};
    params_page(request, min_limit, max_limit, &window->limit,
                &window->ascending);
    params_range(request, &window->start_ns, &window->end_ns);
    params_text(request, "startTime", &start);
    params_text(request, "endTime", &end);
    if (request->failed != OK)
        return request->failed;
    if (list_time_bound(start, false, &window->start_ns, &window->after))
        window->range.after = &window->after;
    if (list_time_bound(end, true, &window->end_ns, &window->before)) {
        window->range.before = &window->before;
        /* The list is cut at the starts of traces, not at their spans in
         * scope. */
        if (kind == LIST_TRACES &&
            window->end_ns < UINT64_MAX - TRACE_SPREAD_NS)
            window->end_ns += TRACE_SPREAD_NS;
    }
    if (read_cursor(request, window, &cursor))
        narrow(window, &cursor);
    return request->failed;
}

/* ---- answers ---- */

static uint32_t shown(const struct list_page *page)
{
    return page->known < page->window->limit ? page->known
                                             : page->window->limit;
}

/* Whether the time of record i must name it. */
static bool is_exact(const struct list_page *page, uint32_t i, uint64_t ns)
{
    const struct list_range *range = &page->window->range;
    const struct list_position *bound =
        page->window->ascending ? range->after : range->before;
    bool last = i + 1 == shown(page);
    bool spans =
        page->window->kind == LIST_TRACES || page->window->kind == LIST_SPANS;

    return (i > 0 && time_at(page, i - 1) == ns) ||
           (i + 1 < page->known && time_at(page, i + 1) == ns) ||
           (i == 0 && bound && bound->time_ns == ns) ||
           (last && page->window->ascending) ||
           (last && spans && page->known > page->window->limit);
}

struct list_time paging_time(const struct list_page *page, uint32_t i)
{
    struct list_time time = {.ns = time_at(page, i)};

    time.exact = is_exact(page, i, time.ns);
    if (time.exact)
        time.number = list_time_number(position_at(page, i).key);
    return time;
}

struct list_reply paging_list(const struct query_request *request,
                              const struct list_page *page, reply_item *item,
                              void *arg, uint64_t total)
{
    bool many = total > PAGING_TOTAL;
    struct list_reply reply = {
        .records = {shown(page), NULL, item, arg},
        .end = {.is_lower_bound = many || page->window->counting.stopped,
                .total = many ? PAGING_TOTAL : total,
                .took_ms = query_took_ms(request)}};

    if (page->known > page->window->limit) {
        struct list_position last = position_at(page, page->window->limit - 1);

        write_cursor(reply.end.next_cursor, page, &last);
    }
    return reply;
}

void paging_reply(struct query_request *request,
                  const struct reply_table *table, const struct list_page *page,
                  reply_item *item, void *arg, uint64_t total)
{
    struct list_reply reply = paging_list(request, page, item, arg, total);

    reply_write(&request->json, table, &reply);
}

const struct reply_table list_end_table = REPLY_TABLE(
    struct list_end, REPLY_OPTIONAL(struct list_end, "nextCursor", next_cursor),
    REPLY_OPTIONAL(struct list_end, "totalIsLowerBound", is_lower_bound),
    REPLY(struct list_end, "total", total),
    REPLY(struct list_end, "tookMs", took_ms));
