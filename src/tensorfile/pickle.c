/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The machine: bytes, nodes, stack, memo and the loop over opcodes. Nothing recurses, everything has a limit.
 */
#include "tensorfile/pickle_private.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/sort.h"

#include <string.h>

enum { STOP = '.' };

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

/* ---- what must hold of the whole ---- */

static int by_key(const void *user, int64_t a, int64_t b)
{
    const struct mdm_pickle *p = user;
    const struct mdm_pickle_node *x = &p->node[a], *y = &p->node[b];

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->kind == MDM_PICKLE_INT)
        return (x->u.integer > y->u.integer) - (x->u.integer < y->u.integer);
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    return memcmp(x->u.text, y->u.text, x->count);
}

static int check_keys(const struct mdm_pickle *p, const struct mdm_pickle_node *dict, int64_t *key)
{
    int64_t n = 0;

    for (uint32_t c = dict->u.cells.first; c; c = p->cell[p->cell[c].next].next) {
        const struct mdm_pickle_node *x = &p->node[p->cell[c].value];

        if (x->kind == MDM_PICKLE_TEXT && x->count > MDM_PICKLE_KEY)
            return mdm_fail(MASKDM_EFORMAT, "a dictionary's key has %u bytes; at most %d are allowed",
                            (unsigned)x->count, MDM_PICKLE_KEY);
        key[n++] = p->cell[c].value;
    }
    mdm_sort(key, n, by_key, p);
    for (int64_t i = 1; i < n; i++)
        if (by_key(p, key[i - 1], key[i]) == 0) {
            const struct mdm_pickle_node *twice = &p->node[key[i]];

            if (twice->kind == MDM_PICKLE_INT)
                return mdm_fail(MASKDM_EFORMAT, "key %lld comes twice in a dictionary", (long long)twice->u.integer);
            return mdm_fail(MASKDM_EFORMAT, "key \"%.*s\" comes twice in a dictionary",
                            (int)(twice->count < 160 ? twice->count : 160), twice->u.text);
        }
    return MASKDM_OK;
}

static int check_dictionaries(const struct mdm_pickle *p)
{
    uint32_t most = 0;
    int64_t *key;
    int err = MASKDM_OK;

    for (size_t i = 1; i < p->nodes; i++)
        if (p->node[i].kind == MDM_PICKLE_DICT && p->node[i].count > most)
            most = p->node[i].count;
    if (!most)
        return MASKDM_OK;
    key = mdm_need(most / 2, sizeof *key, "the keys of a dictionary");
    if (!key)
        return MASKDM_ENOMEM;
    for (size_t i = 1; i < p->nodes && !err; i++)
        if (p->node[i].kind == MDM_PICKLE_DICT && p->node[i].count)
            err = check_keys(p, &p->node[i], key);
    mdm_free(key);
    return err;
}

static int run(struct mdm_pickle *p)
{
    for (int64_t count = 0;; count++) {
        const unsigned char *code = mdm_pickle_take(p, 1);
        mdm_pickle_code *step;

        if (!code)
            return mdm_fail(MASKDM_EFORMAT, "it ends without STOP");
        if (*code == STOP)
            break;
        step = mdm_pickle_code_find(*code);
        if (!step)
            return mdm_fail(MASKDM_EFORMAT, "opcode 0x%02x is none that torch.save writes", *code);
        if (count == MDM_PICKLE_OPCODES)
            return mdm_fail(MASKDM_EFORMAT, "more than %d opcodes", MDM_PICKLE_OPCODES);
        MDM_TRY(step(p, *code));
    }
    if (p->at != p->size)
        return mdm_fail(MASKDM_EFORMAT, "%zu bytes follow STOP", p->size - p->at);
    MDM_TRY(mdm_pickle_pop(p, &p->root));
    if (p->depth)
        return mdm_fail(MASKDM_EFORMAT, "%zu values are left on the stack", p->depth);
    return check_dictionaries(p);
}

int mdm_pickle_open(struct mdm_pickle *p, const void *bytes, size_t size)
{
    int err = MASKDM_OK;

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
    if (size < 2 || p->bytes[0] != 0x80)
        err = mdm_fail(MASKDM_EFORMAT, "it does not say its protocol");
    else if (p->bytes[1] != 2)
        err = mdm_fail(MASKDM_EFORMAT, "protocol %d, where torch.save writes 2", p->bytes[1]);
    p->at = size < 2 ? size : 2;
    if (!err)
        err = run(p);
    if (err) {
        err = mdm_fail_prefix(err, "byte %zu", p->at);
        mdm_pickle_close(p);
    }
    return err;
}

void mdm_pickle_close(struct mdm_pickle *p)
{
    mdm_free(p->node);
    mdm_free(p->cell);
    mdm_free(p->memo);
    mdm_free(p->stack);
    memset(p, 0, sizeof *p);
}
