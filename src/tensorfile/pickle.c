/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The machine: the loop over opcodes, and what must hold of all that they built. Nothing recurses, everything has a
 * limit.
 */
#include "tensorfile/pickle_private.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/sort.h"

#include <string.h>

enum { STOP = '.' };

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

    MDM_TRY(mdm_pickle_start(p, bytes, size));
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
