/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What opcodes work on: bytes, nodes, stack and memo.
 */
#include "tensorfile/pickle_private.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

const char *const mdm_pickle_kind_name[MDM_PICKLE_KINDS] = {"a mark",
                                                            "None",
                                                            "a value of another kind",
                                                            "a truth value",
                                                            "a whole number",
                                                            "a number",
                                                            "a string",
                                                            "a tuple",
                                                            "a list",
                                                            "a dictionary",
                                                            "the name of some code",
                                                            "a storage",
                                                            "a tensor"};

const unsigned char *mdm_pickle_take(struct mdm_pickle *p, uint64_t n)
{
    const unsigned char *bytes = p->bytes + p->at;

    if (n > p->size - p->at) {
        mdm_fail(MASKDM_EFORMAT, "%llu bytes are wanted, %llu are left", (unsigned long long)n,
                 (unsigned long long)(p->size - p->at));
        return NULL;
    }
    p->at += (size_t)n;
    return bytes;
}

/* The array with room for one more than `count` elements, or NULL. */
static void *make_room(void *array, size_t count, size_t *room, size_t size)
{
    size_t more = count < 64 ? 64 : 2 * count;
    void *p;

    if (count < *room)
        return array;
    p = mdm_realloc(array, more * size);
    if (!p)
        mdm_fail_memory(more * size, "reading a pickle");
    else
        *room = more;
    return p;
}

int mdm_pickle_push(struct mdm_pickle *p, uint32_t node)
{
    uint32_t *stack;

    if (p->depth == MDM_PICKLE_STACK)
        return mdm_fail(MASKDM_EFORMAT, "more than %d values on the stack", MDM_PICKLE_STACK);
    stack = make_room(p->stack, p->depth, &p->stack_room, sizeof *stack);
    if (!stack)
        return MASKDM_ENOMEM;
    p->stack = stack;
    stack[p->depth++] = node;
    return MASKDM_OK;
}

int mdm_pickle_push_new(struct mdm_pickle *p, struct mdm_pickle_node node)
{
    struct mdm_pickle_node *all = make_room(p->node, p->nodes, &p->node_room, sizeof *all);

    if (!all)
        return MASKDM_ENOMEM;
    p->node = all;
    all[p->nodes++] = node;
    return mdm_pickle_push(p, (uint32_t)(p->nodes - 1));
}

int mdm_pickle_pop(struct mdm_pickle *p, uint32_t *node)
{
    if (!p->depth || !p->stack[p->depth - 1])
        return mdm_fail(MASKDM_EFORMAT, "a value is wanted, but the stack has none");
    *node = p->stack[--p->depth];
    return MASKDM_OK;
}

int mdm_pickle_find_mark(struct mdm_pickle *p, size_t *first, size_t *count)
{
    size_t k = p->depth;

    while (k && p->stack[k - 1])
        k--;
    if (!k)
        return mdm_fail(MASKDM_EFORMAT, "a mark is wanted, but the stack has none");
    *first = k;
    *count = p->depth - k;
    return MASKDM_OK;
}

int mdm_pickle_append(struct mdm_pickle *p, uint32_t container, uint32_t value)
{
    struct mdm_pickle_cell *all = make_room(p->cell, p->cells, &p->cell_room, sizeof *all);
    struct mdm_pickle_node *n = &p->node[container];
    uint32_t cell;

    if (!all)
        return MASKDM_ENOMEM;
    p->cell = all;
    cell = (uint32_t)p->cells++;
    all[cell] = (struct mdm_pickle_cell){value, 0};
    if (n->count++)
        all[n->u.cells.last].next = cell;
    else
        n->u.cells.first = cell;
    n->u.cells.last = cell;
    return MASKDM_OK;
}

/* Picklers count their memo up, so a rising list with binary search serves, whatever the numbers are. */
int mdm_pickle_put(struct mdm_pickle *p, uint64_t index)
{
    struct mdm_pickle_memo *all;

    if (!p->depth || !p->stack[p->depth - 1])
        return mdm_fail(MASKDM_EFORMAT, "nothing to remember");
    if (p->memos && index <= p->memo[p->memos - 1].index)
        return mdm_fail(MASKDM_EFORMAT, "memo %llu comes after memo %u", (unsigned long long)index,
                        (unsigned)p->memo[p->memos - 1].index);
    if (p->memos == MDM_PICKLE_MEMO)
        return mdm_fail(MASKDM_EFORMAT, "more than %d memos", MDM_PICKLE_MEMO);
    all = make_room(p->memo, p->memos, &p->memo_room, sizeof *all);
    if (!all)
        return MASKDM_ENOMEM;
    p->memo = all;
    all[p->memos++] = (struct mdm_pickle_memo){(uint32_t)index, p->stack[p->depth - 1]};
    return MASKDM_OK;
}

int mdm_pickle_get(struct mdm_pickle *p, uint64_t index)
{
    size_t low = 0, high = p->memos;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (p->memo[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == p->memos || p->memo[low].index != index)
        return mdm_fail(MASKDM_EFORMAT, "memo %llu was never set", (unsigned long long)index);
    return mdm_pickle_push(p, p->memo[low].node);
}

int mdm_pickle_start(struct mdm_pickle *p, const void *bytes, size_t size)
{
    memset(p, 0, sizeof *p);
    p->bytes = bytes;
    p->size = size;
    p->node = make_room(NULL, 0, &p->node_room, sizeof *p->node);
    p->cell = make_room(NULL, 0, &p->cell_room, sizeof *p->cell);
    if (!p->node || !p->cell) {
        mdm_pickle_close(p);
        return MASKDM_ENOMEM;
    }
    memset(p->node, 0, sizeof *p->node);
    memset(p->cell, 0, sizeof *p->cell);
    p->nodes = p->cells = 1;
    return MASKDM_OK;
}

void mdm_pickle_close(struct mdm_pickle *p)
{
    mdm_free(p->node);
    mdm_free(p->cell);
    mdm_free(p->memo);
    mdm_free(p->stack);
    memset(p, 0, sizeof *p);
}
