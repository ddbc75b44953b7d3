/*
 * secret_file - files that the configuration names: keys, tokens, passwords,
 * and certificates.
 *
 * A file with a secret must belong to its readers alone: one that group or
 * others can write, or others can read, is refused. A name without a slash is
 * first searched in $CREDENTIALS_DIRECTORY (LoadCredential= of systemd).
 *
 * Purpose:   one way to read them, and to notice that they have changed.
 * Ownership: the bytes are the caller's until secret_release(), which clears
 *            them.
 * Threads:   any.
 * Errors:    ERR_NOT_FOUND, ERR_FORBIDDEN (its mode), ERR_TOO_BIG, ERR_INVALID
 *            (not a file), ERR_IO; *why is static text for the operator.
 */
#ifndef SECRET_FILE_H
#define SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct secret {
    char *ptr; /* a NUL follows */
    size_t len;
};

MUST_CHECK enum status secret_file_read(const char *path, size_t max,
                                        struct secret *secret,
                                        const char **why);
/* The same for a file that anybody may read, such as a certificate. */
MUST_CHECK enum status public_file_read(const char *path, size_t max,
                                        struct secret *text, const char **why);
/* Clears and frees. Fine after an error, and twice. */
void secret_release(struct secret *secret);

/* What stat() says of a file, so that its content is read only after a change.
 * Zeroed: never looked at. */
struct file_stamp {
    uint64_t device, inode, size;
    int64_t modified_s, changed_s;
    uint32_t modified_ns, changed_ns;
    bool exists, seen;
};

/* Whether the file differs from the last call; true for the first one. A file
 * that does not exist equals one that still does not. */
bool file_stamp_changed(struct file_stamp *stamp, const char *path);

#endif
