#include "failure_share.h"

#include <math.h>

#include "name_words.h"
#include "units.h"

static bool has_word(struct slice name, const char *words)
{
    char word[NAME_WORD];

    while (name_next_word(&name, word))
        if (name_word_is_in(words, word))
            return true;
    return false;
}

static double largest(const struct timeseries *t)
{
    double most = 0;

    for (uint32_t i = 0; i < t->count; i++)
        most = fmax(most, t->at[i].value);
    return most;
}

/* A number of something, and not a share. */
static bool is_number(const struct timeseries *t, enum quantity quantity)
{
    return t->is_rate || (t->unit.len > 0 && quantity != QUANTITY_RATIO) ||
           has_word(t->name, " count number total ");
}

/* The unit 1 stands for numbers, too, and a rate without a unit may be one of
 * failures per second. */
static double whole_of_failures(const struct timeseries *t, bool is_percent,
                                double most)
{
    if (is_percent)
        return most > 100 ? 0 : 100;
    return most <= 1 && has_word(t->name, " ratio fraction share rate ") ? 1
                                                                         : 0;
}

/* What 100 % is, of the values of a series; 0: they are no share. */
static double whole_of(const struct timeseries *t, double most)
{
    double factor;
    enum quantity quantity = unit_quantity(t->unit, &factor);
    bool is_percent =
        (quantity == QUANTITY_RATIO && factor < 1) ||
        (t->unit.len == 0 && has_word(t->name, " percent percentage pct "));

    if (t->is_share || is_number(t, quantity))
        return 0;
    if (t->class == CLASS_SUCCESS && t->less_is_worse)
        return most > 100 ? 0 : most > 1 || is_percent ? 100 : 1;
    return t->class == CLASS_ERRORS ? whole_of_failures(t, is_percent, most)
                                    : 0;
}

/* Of two availabilities above 99 % one may be ten times as bad, so a share of
 * success becomes the share missing to 100 %. */
void failure_share_take(struct timeseries *t)
{
    double whole = whole_of(t, largest(t));
    bool is_success = t->class == CLASS_SUCCESS;

    if (!(whole > 0))
        return;
    for (uint32_t i = 0; i < t->count; i++) {
        double share = t->at[i].value / whole;

        t->at[i].value = is_success ? 1 - share : share;
    }
    t->complement = is_success ? whole : 0;
    t->less_is_worse = false;
    t->is_share = true;
}
