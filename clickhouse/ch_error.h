/*
 * ch_error - why ClickHouse did not do what it was asked, for the program and
 * for its operator.
 *
 * A status says what becomes of the request; `retry` whether the same may
 * succeed later without a change of the request: who inserts repeats it then,
 * and pauses before it. Even what an operator has to mend (a full disk, a user
 * without a grant, a missing table) is retried: nothing that was taken is
 * dropped. What no repetition mends is a defect of ours (a syntax error, a
 * value that does not fit its column) or a request that is too large.
 */
#ifndef CH_ERROR_H
#define CH_ERROR_H

#include <stdbool.h>

#include "slice.h"
#include "status.h"

enum { CH_ERROR_TEXT = 512 };

struct ch_error {
    enum status status;       /* OK: none */
    int code;                 /* of ClickHouse's exception; 0: none */
    int http;                 /* the status of the answer; 0: no answer */
    bool retry;               /* the same may succeed later */
    const char *reason;       /* static: what helps, for anybody's eyes */
    char text[CH_ERROR_TEXT]; /* one line for the operator, with ClickHouse's
                                 words, which may quote what was asked */
};

/* The error of an answer: `body` is ClickHouse's text, code 0: it is searched
 * for in there. */
void ch_error_of_answer(struct ch_error *error, int http, int code,
                        struct slice body);
/* An error that is not ClickHouse's. `reason` is static, `detail` a format;
 * both are the text. */
void ch_error_set(struct ch_error *error, enum status status, bool retry,
                  const char *reason, const char *detail, ...)
    __attribute__((format(printf, 5, 6)));
/* No error. */
void ch_error_clear(struct ch_error *error);

/* The code in "Code: 241. DB::Exception: ..."; 0: there is none. */
int ch_error_code(struct slice text);

#endif
