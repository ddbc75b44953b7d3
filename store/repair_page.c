/*
 * SQLite asks for pages through the methods of a file. Here they are copied,
 * with a read of our own in front, which has the first page ready. The file
 * itself stays as it is.
 *
 * In the header of that page two counters that must be equal are made to
 * differ: then SQLite takes the number of pages from the size of the file. The
 * list of free pages is empty, which only writing would need.
 */
#include <sqlite3.h>
#include <stdlib.h>

#include "mem.h"
#include "repair.h"

enum { CHANGE_COUNTER = 24, FREE_LIST = 32, VALID_FOR = 92 };

struct first_page {
    sqlite3_io_methods methods; /* first: a file points at it */
    const sqlite3_io_methods *real;
    sqlite3_int64 size;
    unsigned char *bytes;
};

static int read_page(sqlite3_file *file, void *out, int amount,
                     sqlite3_int64 offset)
{
    const struct first_page *page =
        (const struct first_page *)(const void *)file->pMethods;
    int code = page->real->xRead(file, out, amount, offset);

    if (offset + amount > page->size)
        return code;
    memcpy(out, page->bytes + offset, (size_t)amount);
    return SQLITE_OK;
}

static sqlite3_int64 page_size(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    sqlite3_int64 size = 0;

    if (sqlite3_prepare_v2(db, "PRAGMA page_size", -1, &stmt, NULL) ==
            SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        size = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return size;
}

struct first_page *first_page_replace(void *damaged, void *empty)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    unsigned char *bytes = sqlite3_serialize(empty, "main", &size, 0);

    sqlite3_file_control(damaged, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (!bytes || !file || !file->pMethods) {
        sqlite3_free(bytes);
        return NULL;
    }
    memset(bytes + CHANGE_COUNTER, 0, 4);
    memset(bytes + FREE_LIST, 0, 8);
    memset(bytes + VALID_FOR, 1, 4);

    struct first_page *page = mem_zero(1, sizeof(*page));
    page->methods = *file->pMethods;
    page->methods.xRead = read_page;
    page->real = file->pMethods;
    page->size = page_size(empty);
    page->bytes = bytes;
    file->pMethods = &page->methods;
    return page;
}

void first_page_free(struct first_page *page)
{
    if (!page)
        return;
    sqlite3_free(page->bytes);
    free(page);
}
