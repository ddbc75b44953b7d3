/*
 * reread_file - a file that an option names and that is read again when it has
 * changed, such as those with tokens, grants and limits.
 *
 * Purpose:   while the file cannot be used, what was read before is; that is
 *            logged and audited at each change, and noted in /health.
 * Ownership: the caller's, until reread_file_release().
 * Threads:   reread_file() from one at a time; the note from any.
 * Errors:    false; the note and the log say why.
 */
#ifndef REREAD_FILE_H
#define REREAD_FILE_H

#include <pthread.h>

#include "buf.h"
#include "secret_file.h"

enum { REREAD_ERROR = 256 };

struct reread_file {
    const char *name; /* of the option: "limits" */
    bool secret;      /* others must not read it */
    size_t max;       /* bytes */
    /* False: error says why it cannot be used. */
    bool (*use)(void *arg, const char *path, struct slice text,
                char error[REREAD_ERROR]);
    void *arg;

    struct file_stamp stamp;
    pthread_mutex_t lock;
    char problem[2 * REREAD_ERROR]; /* "": none */
};

/* The members before the stamp are set, all else is zero. */
void reread_file_init(struct reread_file *file);
void reread_file_release(struct reread_file *file);

/* Reads the file if it differs from the last call. False: it cannot be used as
 * it is now. "" as path: nothing. */
bool reread_file(struct reread_file *file, const char *path);
/* Writes what is wrong with it now; false: nothing. */
bool reread_file_note(struct reread_file *file, struct buf *out);

#endif
