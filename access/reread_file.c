/* Files that are read again; see reread_file.h. */
#include "reread_file.h"

#include <stdio.h>

#include "audit.h"
#include "log.h"

void reread_file_init(struct reread_file *file)
{
    pthread_mutex_init(&file->lock, NULL);
}

void reread_file_release(struct reread_file *file)
{
    pthread_mutex_destroy(&file->lock);
}

/* why: NULL if it is used now. */
static void tell(struct reread_file *file, const char *path, const char *why)
{
    char text[64];

    pthread_mutex_lock(&file->lock);
    file->problem[0] = '\0';
    if (why)
        (void)snprintf(file->problem, sizeof(file->problem),
                       "--%s %.200s cannot be used: %s; the %s read before are "
                       "used",
                       file->name, path, why, file->name);
    pthread_mutex_unlock(&file->lock);
    (void)snprintf(text, sizeof(text), "%s:reload", file->name);
    audit_file(text, path, why);
    (void)snprintf(text, sizeof(text), "the %s file cannot be used",
                   file->name);
    if (why)
        log_error("access", text, log_text("file", path),
                  log_text("reason", why));
}

bool reread_file(struct reread_file *file, const char *path)
{
    char error[REREAD_ERROR] = "";
    const char *why = error;
    struct secret text;
    enum status status;
    bool used;

    if (!path[0])
        return true;
    if (!file_stamp_changed(&file->stamp, path))
        return !file->problem[0];
    status = file->secret ? secret_file_read(path, file->max, &text, &why)
                          : public_file_read(path, file->max, &text, &why);
    used = status == OK && file->use(file->arg, path,
                                     (struct slice){text.ptr, text.len}, error);
    secret_release(&text);
    tell(file, path, used ? NULL : why);
    return used;
}

bool reread_file_note(struct reread_file *file, struct buf *out)
{
    bool noted;

    pthread_mutex_lock(&file->lock);
    noted = file->problem[0];
    if (noted)
        buf_format(out, "%s", file->problem);
    pthread_mutex_unlock(&file->lock);
    return noted;
}
