/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Offsets in the arena: the largest span first, each at the lowest place that is free for as long as it lives. On
 * our programs that is within a few per cent of the most bytes that are alive at once, which nothing can beat.
 */
#include "graph/plan.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* Larger first; then by time and by position, so that the order does not depend on the sort. */
static int compare(const void *a, const void *b)
{
    const struct mdm_span *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* Offset for s among the placed spans, which are listed by rising offset. */
static size_t lowest_gap(const struct mdm_span *const *placed, int count, const struct mdm_span *s)
{
    size_t at = 0;

    for (int i = 0; i < count; i++) {
        const struct mdm_span *p = placed[i];

        if (p->to < s->from || s->to < p->from)
            continue;
        if (*p->at >= at + s->bytes)
            break;
        if (*p->at + p->bytes > at)
            at = *p->at + p->bytes;
    }
    return at;
}

int mdm_place(size_t *total, struct mdm_span *span, int count)
{
    const struct mdm_span **placed = mdm_need((size_t)count, sizeof *placed, "a plan");

    if (!placed)
        return MASKDM_ENOMEM;
    for (int i = 0; i < count; i++)
        span[i].order = i;
    qsort(span, (size_t)count, sizeof *span, compare);
    *total = 0;
    for (int i = 0; i < count; i++) {
        size_t at = lowest_gap(placed, i, &span[i]);
        int slot = i;

        while (slot > 0 && *placed[slot - 1]->at > at) {
            placed[slot] = placed[slot - 1];
            slot--;
        }
        placed[slot] = &span[i];
        *span[i].at = at;
        if (at + span[i].bytes > *total)
            *total = at + span[i].bytes;
    }
    mdm_free(placed);
    return MASKDM_OK;
}
