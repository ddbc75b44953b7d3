#include "latency_mean.h"

#include <math.h>

#include "name_words.h"

static const struct {
    const char *words;
    double share; /* of the requests are faster */
} quantiles[LATENCY_QUANTILES] = {
    {" p50 50 median ", 0.5},    {" p75 75 ", 0.75}, {" p90 90 ", 0.9},
    {" p95 95 ", 0.95},          {" p98 98 ", 0.98}, {" p99 99 ", 0.99},
    {" p999 999 p99999 ", 0.999}};

struct flow *latency_part(struct latency_parts *parts, struct slice name)
{
    char word[NAME_WORD];
    struct flow *part = &parts->plain;

    while (name_next_word(&name, word)) {
        if (name_word_is_in(" average avg mean ", word))
            return &parts->mean;
        if (name_word_is_in(" max maximum min minimum ", word))
            part = &parts->extreme;
        for (int i = 0; i < LATENCY_QUANTILES; i++)
            if (name_word_is_in(quantiles[i].words, word))
                part = &parts->quantiles[i];
    }
    return part;
}

/* Each quantile stands for the requests that are nearer to it than to the
 * others. */
static struct flow mean_of_quantiles(const struct flow *of)
{
    struct flow mean = {0};
    double from = 0, largest = 0;

    for (int i = 0; i < LATENCY_QUANTILES; i++) {
        int next = i + 1;

        if (!of[i].known)
            continue;
        while (next < LATENCY_QUANTILES && !of[next].known)
            next++;
        double to = next < LATENCY_QUANTILES
                        ? (quantiles[i].share + quantiles[next].share) / 2
                        : 1;

        mean.known = true;
        mean.usual += (to - from) * of[i].usual;
        mean.rise += (to - from) * of[i].rise;
        mean.certainty = fmax(mean.certainty, of[i].certainty);
        if ((to - from) * of[i].rise > largest) {
            largest = (to - from) * of[i].rise;
            mean.onset_ns = of[i].onset_ns;
        }
        from = to;
    }
    return mean;
}

struct flow latency_mean(const struct latency_parts *parts)
{
    struct flow mean;

    if (parts->mean.known)
        return parts->mean;
    if (parts->plain.known)
        return parts->plain;
    mean = mean_of_quantiles(parts->quantiles);
    return mean.known ? mean : parts->extreme;
}
