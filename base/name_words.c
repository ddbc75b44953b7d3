#include "name_words.h"

#include "ascii.h"

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_mark(char c)
{
    return !is_letter(c) && !is_digit(c);
}

/* Does a word begin at i, which is no mark and has no mark before it? At a
 * capital after a small letter or a digit (cpuUsage, p99Latency; not 5XX), and
 * at the last of some capitals if a small letter follows (CPUUsage). */
static bool begins_word(struct slice s, size_t i)
{
    char before = s.ptr[i - 1];

    if (!is_upper(s.ptr[i]))
        return false;
    if (is_upper(before))
        return i + 1 < s.len && is_letter(s.ptr[i + 1]) &&
               !is_upper(s.ptr[i + 1]);
    return !(is_digit(before) && i + 1 < s.len && s.ptr[i] == 'X' &&
             s.ptr[i + 1] == 'X');
}

bool name_next_word(struct slice *rest, char word[NAME_WORD])
{
    size_t start = 0, end, len = 0;

    while (start < rest->len && is_mark(rest->ptr[start]))
        start++;
    for (end = start; end < rest->len && !is_mark(rest->ptr[end]); end++) {
        if (end > start && begins_word(*rest, end))
            break;
        if (len < NAME_WORD - 1)
            word[len++] = to_lower(rest->ptr[end]);
    }
    word[len] = '\0';
    *rest = slice_from(*rest, end);
    return len > 0;
}

bool name_word_is_in(const char *words, const char *word)
{
    char padded[NAME_WORD + 2];
    size_t len = strnlen(word, NAME_WORD - 1);

    padded[0] = ' ';
    memcpy(padded + 1, word, len);
    memcpy(padded + 1 + len, " ", 2);
    return strstr(words, padded) != NULL;
}
