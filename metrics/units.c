#include "units.h"

#include "ascii.h"

struct unit_row {
    struct slice text;
    enum quantity quantity;
    double factor;
};

#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

/* Case matters. */
/* clang-format off */
static const struct unit_row symbols[] = {
    {TEXT("s"),    QUANTITY_TIME, 1},
    {TEXT("ms"),   QUANTITY_TIME, 1e-3},
    {TEXT("us"),   QUANTITY_TIME, 1e-6},
    {TEXT("\xc2\xb5s"), QUANTITY_TIME, 1e-6}, /* micro sign */
    {TEXT("\xce\xbcs"), QUANTITY_TIME, 1e-6}, /* Greek mu */
    {TEXT("ns"),   QUANTITY_TIME, 1e-9},
    {TEXT("min"),  QUANTITY_TIME, 60},
    {TEXT("h"),    QUANTITY_TIME, 3600},
    {TEXT("d"),    QUANTITY_TIME, 86400},
    {TEXT("By"),   QUANTITY_BYTES, 1},
    {TEXT("B"),    QUANTITY_BYTES, 1},
    {TEXT("kBy"),  QUANTITY_BYTES, 1e3},
    {TEXT("kB"),   QUANTITY_BYTES, 1e3},
    {TEXT("KB"),   QUANTITY_BYTES, 1e3},
    {TEXT("MBy"),  QUANTITY_BYTES, 1e6},
    {TEXT("MB"),   QUANTITY_BYTES, 1e6},
    {TEXT("GBy"),  QUANTITY_BYTES, 1e9},
    {TEXT("GB"),   QUANTITY_BYTES, 1e9},
    {TEXT("TBy"),  QUANTITY_BYTES, 1e12},
    {TEXT("TB"),   QUANTITY_BYTES, 1e12},
    {TEXT("KiBy"), QUANTITY_BYTES, 1024},
    {TEXT("KiB"),  QUANTITY_BYTES, 1024},
    {TEXT("Ki"),   QUANTITY_BYTES, 1024},
    {TEXT("MiBy"), QUANTITY_BYTES, 1048576},
    {TEXT("MiB"),  QUANTITY_BYTES, 1048576},
    {TEXT("Mi"),   QUANTITY_BYTES, 1048576},
    {TEXT("GiBy"), QUANTITY_BYTES, 1073741824},
    {TEXT("GiB"),  QUANTITY_BYTES, 1073741824},
    {TEXT("Gi"),   QUANTITY_BYTES, 1073741824},
    {TEXT("TiBy"), QUANTITY_BYTES, 1099511627776},
    {TEXT("TiB"),  QUANTITY_BYTES, 1099511627776},
    {TEXT("bit"),  QUANTITY_BYTES, 0.125},
    {TEXT("{cpu}"),   QUANTITY_CORES, 1},
    {TEXT("{cpus}"),  QUANTITY_CORES, 1},
    {TEXT("{core}"),  QUANTITY_CORES, 1},
    {TEXT("{cores}"), QUANTITY_CORES, 1},
    {TEXT("m{cpu}"),  QUANTITY_CORES, 1e-3},
    {TEXT("n{cpu}"),  QUANTITY_CORES, 1e-9},
    {TEXT("1"),    QUANTITY_RATIO, 1},
    {TEXT("%"),    QUANTITY_RATIO, 0.01},
};

/* In lower case. */
static const struct unit_row words[] = {
    {TEXT("second"),       QUANTITY_TIME, 1},
    {TEXT("sec"),          QUANTITY_TIME, 1},
    {TEXT("millisecond"),  QUANTITY_TIME, 1e-3},
    {TEXT("millis"),       QUANTITY_TIME, 1e-3},
    {TEXT("milli"),        QUANTITY_TIME, 1e-3},
    {TEXT("msec"),         QUANTITY_TIME, 1e-3},
    {TEXT("microsecond"),  QUANTITY_TIME, 1e-6},
    {TEXT("micros"),       QUANTITY_TIME, 1e-6},
    {TEXT("micro"),        QUANTITY_TIME, 1e-6},
    {TEXT("usec"),         QUANTITY_TIME, 1e-6},
    {TEXT("nanosecond"),   QUANTITY_TIME, 1e-9},
    {TEXT("nanos"),        QUANTITY_TIME, 1e-9},
    {TEXT("nano"),         QUANTITY_TIME, 1e-9},
    {TEXT("nsec"),         QUANTITY_TIME, 1e-9},
    {TEXT("minute"),       QUANTITY_TIME, 60},
    {TEXT("hour"),         QUANTITY_TIME, 3600},
    {TEXT("day"),          QUANTITY_TIME, 86400},
    {TEXT("byte"),         QUANTITY_BYTES, 1},
    {TEXT("octet"),        QUANTITY_BYTES, 1},
    {TEXT("kilobyte"),     QUANTITY_BYTES, 1e3},
    {TEXT("megabyte"),     QUANTITY_BYTES, 1e6},
    {TEXT("gigabyte"),     QUANTITY_BYTES, 1e9},
    {TEXT("terabyte"),     QUANTITY_BYTES, 1e12},
    {TEXT("kibibyte"),     QUANTITY_BYTES, 1024},
    {TEXT("mebibyte"),     QUANTITY_BYTES, 1048576},
    {TEXT("gibibyte"),     QUANTITY_BYTES, 1073741824},
    {TEXT("tebibyte"),     QUANTITY_BYTES, 1099511627776},
    {TEXT("bit"),          QUANTITY_BYTES, 0.125},
    {TEXT("cpu"),          QUANTITY_CORES, 1},
    {TEXT("core"),         QUANTITY_CORES, 1},
    {TEXT("vcpu"),         QUANTITY_CORES, 1},
    {TEXT("millicpu"),     QUANTITY_CORES, 1e-3},
    {TEXT("millicore"),    QUANTITY_CORES, 1e-3},
    {TEXT("nanocpu"),      QUANTITY_CORES, 1e-9},
    {TEXT("nanocore"),     QUANTITY_CORES, 1e-9},
    {TEXT("ratio"),        QUANTITY_RATIO, 1},
    {TEXT("fraction"),     QUANTITY_RATIO, 1},
    {TEXT("percent"),      QUANTITY_RATIO, 0.01},
    {TEXT("percentage"),   QUANTITY_RATIO, 0.01},
};
/* clang-format on */

static const struct unit_row *find_symbol(struct slice unit)
{
    for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++)
        if (slice_equal(symbols[i].text, unit))
            return &symbols[i];
    return NULL;
}

/* With or without the s of the plural. */
static const struct unit_row *find_word(struct slice unit)
{
    char word[16];

    if (unit.len >= sizeof(word))
        return NULL;
    for (size_t i = 0; i < unit.len; i++)
        word[i] = to_lower(unit.ptr[i]);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        struct slice text = words[i].text;
        bool plural = unit.len == text.len + 1 && word[text.len] == 's';

        if ((plural || unit.len == text.len) &&
            memcmp(word, text.ptr, text.len) == 0)
            return &words[i];
    }
    return NULL;
}

/* By{sent} is By; {cpu} is a unit itself. */
static struct slice without_annotation(struct slice unit)
{
    const char *brace = unit.len > 1 && unit.ptr[unit.len - 1] == '}'
                            ? memchr(unit.ptr, '{', unit.len)
                            : NULL;

    if (brace && brace > unit.ptr)
        unit.len = (size_t)(brace - unit.ptr);
    return unit;
}

enum quantity unit_quantity(struct slice unit, double *factor)
{
    const struct unit_row *found;

    unit = slice_trim(unit, " ");
    found = find_symbol(unit);
    if (!found) {
        unit = without_annotation(unit);
        found = find_symbol(unit);
    }
    if (!found)
        found = find_word(unit);
    *factor = found ? found->factor : 1;
    return found ? found->quantity : QUANTITY_OTHER;
}

double unit_factor(struct slice unit, enum quantity quantity, double otherwise)
{
    double factor;
    enum quantity q = unit_quantity(unit, &factor);

    /* Cores are sent as a ratio of one core, too. */
    if (q == quantity || (q == QUANTITY_RATIO && quantity == QUANTITY_CORES))
        return factor;
    return otherwise;
}
