#include "units.h"

#include "ascii.h"

struct unit_row {
    struct slice text;
    enum quantity quantity;
    double factor;
};

/* Case matters. */
/* clang-format off */
static const struct unit_row symbols[] = {
    {SLICE_INIT("s"),    QUANTITY_TIME, 1},
    {SLICE_INIT("ms"),   QUANTITY_TIME, 1e-3},
    {SLICE_INIT("us"),   QUANTITY_TIME, 1e-6},
    {SLICE_INIT("\xc2\xb5s"), QUANTITY_TIME, 1e-6}, /* micro sign */
    {SLICE_INIT("\xce\xbcs"), QUANTITY_TIME, 1e-6}, /* Greek mu */
    {SLICE_INIT("ns"),   QUANTITY_TIME, 1e-9},
    {SLICE_INIT("min"),  QUANTITY_TIME, 60},
    {SLICE_INIT("h"),    QUANTITY_TIME, 3600},
    {SLICE_INIT("d"),    QUANTITY_TIME, 86400},
    {SLICE_INIT("By"),   QUANTITY_BYTES, 1},
    {SLICE_INIT("B"),    QUANTITY_BYTES, 1},
    {SLICE_INIT("kBy"),  QUANTITY_BYTES, 1e3},
    {SLICE_INIT("kB"),   QUANTITY_BYTES, 1e3},
    {SLICE_INIT("KB"),   QUANTITY_BYTES, 1e3},
    {SLICE_INIT("MBy"),  QUANTITY_BYTES, 1e6},
    {SLICE_INIT("MB"),   QUANTITY_BYTES, 1e6},
    {SLICE_INIT("GBy"),  QUANTITY_BYTES, 1e9},
    {SLICE_INIT("GB"),   QUANTITY_BYTES, 1e9},
    {SLICE_INIT("TBy"),  QUANTITY_BYTES, 1e12},
    {SLICE_INIT("TB"),   QUANTITY_BYTES, 1e12},
    {SLICE_INIT("KiBy"), QUANTITY_BYTES, 1024},
    {SLICE_INIT("KiB"),  QUANTITY_BYTES, 1024},
    {SLICE_INIT("Ki"),   QUANTITY_BYTES, 1024},
    {SLICE_INIT("MiBy"), QUANTITY_BYTES, 1048576},
    {SLICE_INIT("MiB"),  QUANTITY_BYTES, 1048576},
    {SLICE_INIT("Mi"),   QUANTITY_BYTES, 1048576},
    {SLICE_INIT("GiBy"), QUANTITY_BYTES, 1073741824},
    {SLICE_INIT("GiB"),  QUANTITY_BYTES, 1073741824},
    {SLICE_INIT("Gi"),   QUANTITY_BYTES, 1073741824},
    {SLICE_INIT("TiBy"), QUANTITY_BYTES, 1099511627776},
    {SLICE_INIT("TiB"),  QUANTITY_BYTES, 1099511627776},
    {SLICE_INIT("bit"),  QUANTITY_BYTES, 0.125},
    {SLICE_INIT("{cpu}"),   QUANTITY_CORES, 1},
    {SLICE_INIT("{cpus}"),  QUANTITY_CORES, 1},
    {SLICE_INIT("{core}"),  QUANTITY_CORES, 1},
    {SLICE_INIT("{cores}"), QUANTITY_CORES, 1},
    {SLICE_INIT("m{cpu}"),  QUANTITY_CORES, 1e-3},
    {SLICE_INIT("n{cpu}"),  QUANTITY_CORES, 1e-9},
    {SLICE_INIT("1"),    QUANTITY_RATIO, 1},
    {SLICE_INIT("%"),    QUANTITY_RATIO, 0.01},
};

/* In lower case. */
static const struct unit_row words[] = {
    {SLICE_INIT("second"),       QUANTITY_TIME, 1},
    {SLICE_INIT("sec"),          QUANTITY_TIME, 1},
    {SLICE_INIT("millisecond"),  QUANTITY_TIME, 1e-3},
    {SLICE_INIT("millis"),       QUANTITY_TIME, 1e-3},
    {SLICE_INIT("milli"),        QUANTITY_TIME, 1e-3},
    {SLICE_INIT("msec"),         QUANTITY_TIME, 1e-3},
    {SLICE_INIT("microsecond"),  QUANTITY_TIME, 1e-6},
    {SLICE_INIT("micros"),       QUANTITY_TIME, 1e-6},
    {SLICE_INIT("micro"),        QUANTITY_TIME, 1e-6},
    {SLICE_INIT("usec"),         QUANTITY_TIME, 1e-6},
    {SLICE_INIT("nanosecond"),   QUANTITY_TIME, 1e-9},
    {SLICE_INIT("nanos"),        QUANTITY_TIME, 1e-9},
    {SLICE_INIT("nano"),         QUANTITY_TIME, 1e-9},
    {SLICE_INIT("nsec"),         QUANTITY_TIME, 1e-9},
    {SLICE_INIT("minute"),       QUANTITY_TIME, 60},
    {SLICE_INIT("hour"),         QUANTITY_TIME, 3600},
    {SLICE_INIT("day"),          QUANTITY_TIME, 86400},
    {SLICE_INIT("byte"),         QUANTITY_BYTES, 1},
    {SLICE_INIT("octet"),        QUANTITY_BYTES, 1},
    {SLICE_INIT("kilobyte"),     QUANTITY_BYTES, 1e3},
    {SLICE_INIT("megabyte"),     QUANTITY_BYTES, 1e6},
    {SLICE_INIT("gigabyte"),     QUANTITY_BYTES, 1e9},
    {SLICE_INIT("terabyte"),     QUANTITY_BYTES, 1e12},
    {SLICE_INIT("kibibyte"),     QUANTITY_BYTES, 1024},
    {SLICE_INIT("mebibyte"),     QUANTITY_BYTES, 1048576},
    {SLICE_INIT("gibibyte"),     QUANTITY_BYTES, 1073741824},
    {SLICE_INIT("tebibyte"),     QUANTITY_BYTES, 1099511627776},
    {SLICE_INIT("bit"),          QUANTITY_BYTES, 0.125},
    {SLICE_INIT("cpu"),          QUANTITY_CORES, 1},
    {SLICE_INIT("core"),         QUANTITY_CORES, 1},
    {SLICE_INIT("vcpu"),         QUANTITY_CORES, 1},
    {SLICE_INIT("millicpu"),     QUANTITY_CORES, 1e-3},
    {SLICE_INIT("millicore"),    QUANTITY_CORES, 1e-3},
    {SLICE_INIT("nanocpu"),      QUANTITY_CORES, 1e-9},
    {SLICE_INIT("nanocore"),     QUANTITY_CORES, 1e-9},
    {SLICE_INIT("ratio"),        QUANTITY_RATIO, 1},
    {SLICE_INIT("fraction"),     QUANTITY_RATIO, 1},
    {SLICE_INIT("percent"),      QUANTITY_RATIO, 0.01},
    {SLICE_INIT("percentage"),   QUANTITY_RATIO, 0.01},
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
