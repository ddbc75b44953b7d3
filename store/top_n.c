/* The root of the heap is the last of the items kept. */
#include "top_n.h"

#include "array.h"

static void swap(struct top_n *top, uint32_t a, uint32_t b)
{
    const void *item = top->at[a];

    top->at[a] = top->at[b];
    top->at[b] = item;
}

static void sift_down(struct top_n *top, uint32_t at)
{
    for (;;) {
        uint32_t child = 2 * at + 1, last = at;

        for (int i = 0; i < 2; i++, child++)
            if (child < top->count &&
                top->compare(top->at[child], top->at[last]) > 0)
                last = child;
        if (last == at)
            return;
        swap(top, at, last);
        at = last;
    }
}

static void sift_up(struct top_n *top, uint32_t at)
{
    for (; at > 0 && top->compare(top->at[at], top->at[(at - 1) / 2]) > 0;
         at = (at - 1) / 2)
        swap(top, at, (at - 1) / 2);
}

bool top_n_offer(struct top_n *top, const void *item, const void **out)
{
    *out = NULL;
    if (top->count < top->limit) {
        if (!arena_append(top->arena, &top->at, top->count, &top->room))
            return false;
        top->at[top->count++] = item;
        sift_up(top, top->count - 1);
        return true;
    }
    if (top->limit == 0 || top->compare(item, top->at[0]) >= 0)
        return false;
    *out = top->at[0];
    top->at[0] = item;
    sift_down(top, 0);
    return true;
}

const void *top_n_last(const struct top_n *top)
{
    return top->count > 0 && top->count == top->limit ? top->at[0] : NULL;
}

void top_n_sort(struct top_n *top)
{
    uint32_t count = top->count;

    while (top->count > 1) {
        swap(top, 0, --top->count);
        sift_down(top, 0);
    }
    top->count = count;
}
