/* Digits after the ninth; see list_time.h. */
#include "list_time.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"

enum { GROUP = 3, GROUPS_MAX = 7 };

uint64_t list_time_number(const uint8_t key[POSITION_NUMBER])
{
    uint64_t number = 0;

    for (int i = 0; i < POSITION_NUMBER; i++)
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

void list_time_write(struct jsonw *w, const struct list_time *time)
{
    char text[CLOCK_TEXT + 40];
    unsigned groups;
    size_t len;

    if (!time->exact) {
        jsonw_time(w, time->ns);
        return;
    }
    groups = groups_of(time->number);
    len = clock_format_rfc3339(text, time->ns - time->ns % NS_PER_S);
    snprintf(text + len - 1, sizeof(text) - len + 1, ".%09u%u%0*" PRIu64 "Z",
             (unsigned)(time->ns % NS_PER_S), groups, (int)(GROUP * groups),
             time->number);
    jsonw_cstr(w, text);
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

bool list_time_bound(struct slice text, bool is_end, uint64_t *ns,
                     struct list_position *place)
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
    *place =
        (struct list_position){.time_ns = time_ns, .key_len = POSITION_NUMBER};
    list_number(place->key, number);
    return true;
}
