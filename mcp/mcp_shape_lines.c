/* Like log entries become one; see mcp_shape_lines.h. */
#include "mcp_shape_lines.h"

#include <string.h>

#include "params.h"
#include "template.h"

static struct slice line_of(const json_t *item)
{
    static const char *const names[] = {"log", "line", "body", "message",
                                        "text"};
    struct slice line = {NULL, 0};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !line.ptr; i++)
        line = json_text_of(json_object_get(item, names[i]));
    return line;
}

bool shape_lines_join(struct shape_lines *lines, const json_t *item)
{
    struct template_split split;
    struct slice line = line_of(item);

    memset(lines->text, 0, sizeof(lines->text));
    if (!line.ptr)
        return false;
    template_split(line, &split);
    slice_copy(lines->text,
               slice_truncate((struct slice){split.text, split.len},
                              sizeof(lines->text) - 1));
    for (size_t i = 0; i < lines->count; i++)
        if (memcmp(lines->text, lines->texts[i], sizeof(lines->text)) == 0) {
            json_t *count = json_object_get(lines->items[i], "count");

            json_object_set_new(
                lines->items[i], "count",
                json_integer(count ? json_integer_value(count) + 1 : 2));
            return true;
        }
    return false;
}

void shape_lines_add(struct shape_lines *lines, json_t *copy)
{
    if (lines->count == SHAPE_LINES_KEPT)
        return;
    memcpy(lines->texts[lines->count], lines->text, sizeof(lines->text));
    lines->items[lines->count++] = copy;
}
