/*
 * fault_crash - what a kill or a power cut leaves of what fault_disk.h has
 * written down.
 */
#ifndef FAULT_CRASH_H
#define FAULT_CRASH_H

#include "fault_disk.h"

/* A file as it is left. */
struct image {
    char *bytes;
    size_t len, room;
    bool there;
};

static inline void image_size(struct image *image, size_t len)
{
    if (len > image->room) {
        image->room = 2 * len;
        image->bytes = mem_resize(image->bytes, image->room, 1);
    }
    if (len > image->len)
        memset(image->bytes + image->len, 0, len - image->len);
    image->len = len;
    image->there = true;
}

/* Makes a part of a write; of a lost one, some sectors. */
static inline void image_write(struct image *image, const struct disk_op *op,
                               size_t len, bool lossy)
{
    enum { SECTOR = 512 };
    size_t at = (size_t)op->at;

    if (at + len > image->len)
        image_size(image, at + len);
    image->there = true;
    for (size_t i = 0; i < len; i += SECTOR)
        if (!lossy || test_random(2))
            memcpy(image->bytes + at + i, op->bytes + i,
                   len - i < SECTOR ? len - i : SECTOR);
}

static inline void image_apply(struct image *image, const struct disk_op *op,
                               bool torn, bool lossy)
{
    switch (op->kind) {
    case OP_WRITE:
        image_write(image, op, torn ? op->len / 2 : op->len, lossy);
        break;
    case OP_SIZE:
        image_size(image, (size_t)op->at);
        break;
    case OP_DELETE:
        /* Of these none is synced, and a file may be back. */
        image->there =
            lossy && test_random(2) && strstr(disk.names[op->name], ".log");
        break;
    default:
        break;
    }
}

static inline void image_save(const struct image *image, const char *dir,
                              int name)
{
    char path[128];

    if (!image->there)
        return;
    snprintf(path, sizeof(path), "%s/%s", dir, disk.names[name]);
    FILE *file = fopen(path, "w");
    CHECK(file &&
          (image->len == 0 || fwrite(image->bytes, image->len, 1, file) == 1));
    if (file)
        fclose(file);
}

/* Is what this operation did to its file on the disk after n of them? */
static inline bool is_synced(unsigned i, unsigned n)
{
    for (unsigned later = i + 1; later < n; later++)
        if (disk.ops[later].name == disk.ops[i].name &&
            disk.ops[later].kind == OP_SYNC)
            return true;
    return false;
}

/* Writes what is left after n operations, the last of them half done. */
static inline void leave(const char *dir, unsigned n, bool power)
{
    static struct image images[MAX_NAMES];

    for (int name = 0; name < disk.name_count; name++)
        images[name].len = 0, images[name].there = false;
    for (unsigned i = 0; i < n; i++) {
        const struct disk_op *op = &disk.ops[i];

        if (op->kind != OP_TOLD && op->kind != OP_SYNC)
            image_apply(&images[op->name], op, i + 1 == n,
                        power && !is_synced(i, n));
    }
    for (int name = 0; name < disk.name_count; name++)
        image_save(&images[name], dir, name);
}

/* Writes down what lies in the folder already, as done and synced. */
static inline void disk_note_folder(const char *dir)
{
    DIR *list = opendir(dir);
    struct dirent *file;
    static char bytes[8 << 20];

    while (list && (file = readdir(list)) != NULL) {
        char path[512];
        FILE *in;

        snprintf(path, sizeof(path), "%s/%s", dir, file->d_name);
        if (file->d_name[0] == '.' || !(in = fopen(path, "r")))
            continue;
        size_t len = fread(bytes, 1, sizeof(bytes), in);
        CHECK(len < sizeof(bytes));
        fclose(in);
        disk_note(OP_WRITE, disk_name(path), 0, bytes, len);
        disk_note(OP_SYNC, disk_name(path), 0, NULL, 0);
    }
    if (list)
        closedir(list);
}

#endif
