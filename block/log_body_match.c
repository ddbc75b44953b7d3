/*
 * Searching bodies without reconstructing lines. A search for the phrase or for
 * one word first gets a verdict per template:
 *
 *   ALL    it is in the constant text: every row of the template matches
 *   NONE   it cannot be in a line of this template
 *   HITS   it can only be inside one variable: the columns were searched, each
 *          distinct text once, and the ranks that match are known
 *   LINES  it may cross the edge of a hole: lines must be reconstructed
 *
 * The bytes that occur in a variable are known (digits for a number), so a
 * phrase of letters skips numbers. Words never cross an edge: the writer
 * (log_body_write.c) uses no such templates.
 */
#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "case_fold.h"
#include "log_body.h"
#include "match.h"

enum verdict { NONE, ALL, HITS, LINES };

struct body_search {
    struct body_reader *body;
    struct slice text; /* the phrase, or the word, folded */
    bool is_word;
    bool *used;        /* templates of rows that remain */
    uint8_t *verdicts; /* enum verdict, by template */
    uint8_t **hits;    /* by template, then by rank */
};

static bool in_set(const uint8_t *set, uint8_t c)
{
    return set[c / 8] >> (c & 7) & 1;
}

/* ---- inside one variable ---- */

/* True if a byte outside of ASCII is in the set. */
static bool set_is_wide(const uint8_t *set)
{
    for (int i = 0x80 / 8; i < 256 / 8; i++)
        if (set[i])
            return true;
    return false;
}

/* The same for a byte of a folded word: a letter may stand for its capital, k
 * and s for letters outside of ASCII, and those for one another. */
static bool folded_in_set(const uint8_t *set, uint8_t c)
{
    if (in_set(set, c) || (c >= 'a' && c <= 'z' && in_set(set, c ^ 0x20)))
        return true;
    return (c >= 0x80 || c == 'k' || c == 's') && set_is_wide(set);
}

/* True if all bytes of the text occur in the variable. */
static bool bytes_fit(const struct body_search *test,
                      const struct variable *variable)
{
    for (size_t i = 0; i < test->text.len; i++) {
        uint8_t c = (uint8_t)test->text.ptr[i];

        if (test->is_word ? !folded_in_set(variable->charset, c)
                          : !in_set(variable->charset, c))
            return false;
    }
    return true;
}

/* Marks the texts of the heap that contain the phrase. */
static void find_phrase(const struct texts *texts, struct slice phrase,
                        uint8_t *marks)
{
    uint32_t entry = 0;
    const char *at = texts->heap, *end;
    size_t size = texts->start ? texts->start[texts->heap_count]
                               : (size_t)texts->width * texts->heap_count;

    if (size == 0 || !at) /* these heaps are not in chunks */
        return;
    end = at + size;
    while ((at = memmem(at, (size_t)(end - at), phrase.ptr, phrase.len))) {
        struct slice text = texts_entry(texts, entry);

        while (text.ptr + text.len <= at) /* a hit is inside the heap */
            text = texts_entry(texts, ++entry);
        if (at + phrase.len <= text.ptr + text.len) {
            marks[entry] = 1;
            at = text.ptr + text.len;
        } else {
            at++;
        }
    }
}

static void find_in_texts(const struct body_search *test,
                          const struct variable *variable, uint32_t rows,
                          uint8_t *hits)
{
    const struct texts *texts = &variable->texts;
    uint8_t *marks = hits;

    if (texts->coded)
        marks = block_alloc(test->body->block, texts->heap_count, 1);
    if (!marks)
        return;
    if (test->is_word) {
        for (uint32_t i = 0; i < texts->heap_count; i++)
            if (match_word(texts_entry(texts, i), test->text))
                marks[i] = 1;
    } else {
        find_phrase(texts, test->text, marks);
    }
    if (!texts->coded || texts->heap_count == 0 ||
        !memchr(marks, 1, texts->heap_count))
        return;
    for (uint32_t i = 0; i < rows; i++) {
        uint64_t code = texts_code(texts, i);

        hits[i] |= code < texts->heap_count ? marks[code] : 0;
    }
}

/* True if the `len` decimal digits of v contain those of `wanted`, which has
 * `digits` digits; power: ten to that power. */
static bool digits_hold(uint64_t v, uint64_t wanted, uint64_t power,
                        uint32_t digits, uint32_t len)
{
    for (; len >= digits; len--, v /= 10)
        if (v % power == wanted)
            return true;
    return false;
}

/* The text is digits only, as bytes_fit() has checked. */
static void find_in_numbers(const struct body_search *test,
                            const struct variable *variable, uint32_t rows,
                            uint8_t *hits)
{
    uint64_t wanted = 0, power = 1;
    uint32_t digits = (uint32_t)test->text.len;

    if (test->text.len > 18) { /* does not fit into a number */
        char line[24];

        for (uint32_t i = 0; i < rows; i++) {
            size_t len = variable_len(variable, i);

            variable_write(variable, i, line, len);
            hits[i] |= test->text.len <= len &&
                       (!test->is_word || test->text.len == len) &&
                       memmem(line, len, test->text.ptr, test->text.len);
        }
        return;
    }
    for (uint32_t i = 0; i < digits; i++, power *= 10)
        wanted = wanted * 10 + (uint64_t)(test->text.ptr[i] - '0');
    for (uint32_t i = 0; i < rows; i++) {
        uint64_t v = ints_at(&variable->numbers, i);
        uint32_t len;

        if (v < wanted) /* a number that contains it is not less */
            continue;
        if (test->is_word && v != wanted)
            continue;
        len = (uint32_t)variable_len(variable, i);
        hits[i] |= test->is_word ? len == digits
                                 : digits_hold(v, wanted, power, digits, len);
    }
}

static void find_in_hex(const struct body_search *test,
                        const struct variable *variable, uint32_t rows,
                        uint8_t *hits)
{
    char text[256];
    struct slice value = {text, variable->width};

    if (test->text.len > variable->width ||
        (test->is_word && test->text.len != variable->width))
        return;
    for (uint32_t i = 0; i < rows; i++) {
        variable_write(variable, i, text, value.len);
        hits[i] |= test->is_word ? match_word(value, test->text)
                                 : memmem(text, value.len, test->text.ptr,
                                          test->text.len) != NULL;
    }
}

/* Searches one variable of template t; the verdict becomes HITS. */
static void find_in_variable(struct body_search *test, uint64_t t,
                             uint32_t hole)
{
    const struct body_template *template = &test->body->templates[t];
    struct variable *variable =
        body_variable(test->body, template->first + hole);

    if (!test->hits[t])
        test->hits[t] = block_alloc(test->body->block, template->rows, 1);
    if (!test->hits[t])
        return;
    test->verdicts[t] = HITS;
    if (variable->kind == VARIABLE_TEXT)
        find_in_texts(test, variable, template->rows, test->hits[t]);
    else if (variable->kind == VARIABLE_HEX)
        find_in_hex(test, variable, template->rows, test->hits[t]);
    else
        find_in_numbers(test, variable, template->rows, test->hits[t]);
}

static void find_in_variables(struct body_search *test, uint64_t t)
{
    const struct body_template *template = &test->body->templates[t];

    for (uint32_t k = 0; k < template->holes; k++)
        if (bytes_fit(test,
                      body_variable_head(test->body, template->first + k)))
            find_in_variable(test, t, k);
}

/* ---- across edges ---- */

/*
 * Whether the phrase may cross the edge of a hole: the template is simulated as
 * a nondeterministic automaton, byte by byte of the phrase. `at` are the places
 * where the next byte may be after some constant text, `alone` the holes that
 * may contain all of the phrase so far.
 */
struct phrase_walk {
    struct slice text;
    const uint8_t *set[TEMPLATE_MAX_LINE]; /* of the hole there */
    uint32_t seen[TEMPLATE_MAX_LINE + 1]; /* the step that put it into `next` */
    uint32_t at[TEMPLATE_MAX_LINE + 1], next[TEMPLATE_MAX_LINE + 1];
    uint32_t alone[TEMPLATE_MAX_LINE];
    uint32_t at_count, next_count, alone_count, step;
};

static bool is_hole(const struct phrase_walk *walk, size_t q)
{
    return walk->text.ptr[q] == TEMPLATE_HOLE;
}

static void walk_to(struct phrase_walk *walk, size_t q)
{
    if (walk->seen[q] == walk->step)
        return;
    walk->seen[q] = walk->step;
    walk->next[walk->next_count++] = (uint32_t)q;
}

/* Follows byte c from place q; a hole may end before it. */
static void walk_from(struct phrase_walk *walk, size_t q, uint8_t c)
{
    for (; q < walk->text.len && is_hole(walk, q); q++)
        if (in_set(walk->set[q], c))
            walk_to(walk, q);
    if (q < walk->text.len && (uint8_t)walk->text.ptr[q] == c)
        walk_to(walk, q + 1);
}

static void walk_start(struct body_reader *body,
                       const struct body_template *template,
                       struct phrase_walk *walk, uint8_t c)
{
    uint32_t hole = template->first;

    walk->text = template->text;
    walk->at_count = walk->next_count = walk->alone_count = 0;
    walk->step++;
    for (size_t q = 0; q < walk->text.len; q++) {
        if (!is_hole(walk, q)) {
            if ((uint8_t)walk->text.ptr[q] == c)
                walk_to(walk, q + 1);
            continue;
        }
        walk->set[q] = body_variable_head(body, hole++)->charset;
        if (in_set(walk->set[q], c))
            walk->alone[walk->alone_count++] = (uint32_t)q;
    }
}

static void walk_step(struct phrase_walk *walk, uint8_t c)
{
    uint32_t alone = 0;

    memcpy(walk->at, walk->next, walk->next_count * sizeof(*walk->at));
    walk->at_count = walk->next_count;
    walk->next_count = 0;
    walk->step++;
    for (uint32_t i = 0; i < walk->at_count; i++)
        walk_from(walk, walk->at[i], c);
    for (uint32_t i = 0; i < walk->alone_count; i++) {
        uint32_t q = walk->alone[i];

        walk_from(walk, q + 1, c);
        if (in_set(walk->set[q], c))
            walk->alone[alone++] = q;
    }
    walk->alone_count = alone;
}

/* The walk must be zeroed before its first use; steps keep counting. */
static bool may_cross(struct body_reader *body,
                      const struct body_template *template, struct slice phrase,
                      struct phrase_walk *walk)
{
    if (template->text.len > TEMPLATE_MAX_LINE)
        return true;
    walk_start(body, template, walk, (uint8_t)phrase.ptr[0]);
    for (size_t i = 1; i < phrase.len; i++) {
        if (walk->next_count == 0 && walk->alone_count == 0)
            return false;
        walk_step(walk, (uint8_t)phrase.ptr[i]);
    }
    return walk->next_count > 0;
}

/* ---- verdicts ---- */

static void judge_word(struct body_search *test, uint64_t t)
{
    if (match_word(test->body->templates[t].text, test->text))
        test->verdicts[t] = ALL;
    else
        find_in_variables(test, t);
}

static void judge_phrase(struct body_search *test, uint64_t t,
                         struct phrase_walk *walk)
{
    const struct body_template *template = &test->body->templates[t];
    struct slice phrase = test->text;

    /* A phrase that contains the byte of a hole is not in constant text. */
    if (template->text.len >= phrase.len &&
        !memchr(phrase.ptr, TEMPLATE_HOLE, phrase.len) &&
        memmem(template->text.ptr, template->text.len, phrase.ptr, phrase.len))
        test->verdicts[t] = ALL;
    else if (template->holes > 0 &&
             may_cross(test->body, template, phrase, walk))
        test->verdicts[t] = LINES;
    else
        find_in_variables(test, t);
}

static bool row_passes(const struct body_search *test, uint32_t row)
{
    struct body_reader *body = test->body;
    uint64_t t = ints_at(body->row_template, row);
    struct slice line;

    switch (test->verdicts[t]) {
    case NONE:
        return false;
    case ALL:
        return true;
    case HITS:
        return test->hits[t][body->rank[row]];
    default:
        line = body_line(body, row);
        if (test->is_word)
            return match_word(line, test->text);
        return line.len >= test->text.len &&
               memmem(line.ptr, line.len, test->text.ptr, test->text.len);
    }
}

static void keep_rows(const struct body_search *test, uint64_t *rows)
{
    for (uint32_t i = 0; i < rows_words(test->body->block); i++)
        for (uint64_t left = rows[i]; left; left &= left - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(left);

            if (!row_passes(test, 64 * i + bit))
                rows[i] &= ~(UINT64_C(1) << bit);
        }
}

/* Marks the templates of the rows. */
static void mark_used(struct body_search *test, const uint64_t *rows)
{
    struct body_reader *body = test->body;

    memset(test->used, 0, body->template_count + 1);
    for (uint32_t i = 0; i < rows_words(body->block); i++)
        for (uint64_t left = rows[i]; left; left &= left - 1)
            test->used[ints_at(body->row_template,
                               64 * i + (uint32_t)__builtin_ctzll(left))] =
                true;
}

static void run_test(struct body_reader *body, struct slice text, bool is_word,
                     uint64_t *rows)
{
    struct block *block = body->block;
    uint32_t count = body->template_count + 1;
    struct body_search test = {.body = body, .text = text, .is_word = is_word};
    struct phrase_walk *walk =
        is_word ? NULL : block_alloc(block, 1, sizeof(*walk));

    test.used = block_alloc(block, count, sizeof(*test.used));
    test.verdicts = block_alloc(block, count, sizeof(*test.verdicts));
    test.hits = block_alloc(block, count, sizeof(*test.hits));
    if (block->status != OK)
        return;
    mark_used(&test, rows);
    test.verdicts[0] = LINES; /* bodies that are not text */
    for (uint32_t t = 1; t < count; t++) {
        if (!test.used[t])
            continue;
        if (is_word)
            judge_word(&test, t);
        else
            judge_phrase(&test, t, walk);
    }
    if (block->status == OK)
        keep_rows(&test, rows);
}

/* False if no text can contain the word: it is empty or not one word. */
static bool is_word(struct slice word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!match_fold[(uint8_t)word.ptr[i]])
            return false;
    return word.len > 0;
}

/* Empty if the arena is full: then the block has failed. */
static struct slice folded(struct body_reader *body, struct slice word)
{
    char *text = block_alloc(body->block, FOLD_ROOM(word.len), 1);

    return (struct slice){text, text ? fold_text(word, text) : 0};
}

void body_reader_match(struct body_reader *body, const struct log_query *query,
                       uint64_t *rows)
{
    for (uint32_t i = 0; i < query->word_count; i++) {
        if (!is_word(query->words[i])) {
            memset(rows, 0, rows_words(body->block) * sizeof(*rows));
            return;
        }
        run_test(body, folded(body, query->words[i]), true, rows);
    }
    if (query->phrase.len > 0)
        run_test(body, query->phrase, false, rows);
}
