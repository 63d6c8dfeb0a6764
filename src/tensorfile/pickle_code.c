/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The opcodes of protocol 2 that make plain values: numbers, strings, tuples, lists, dictionaries, the memo.
 */
#include "tensorfile/pickle_private.h"

#include "base/endian.h"
#include "base/error.h"

#include <string.h>

static int push_int(struct mdm_pickle *p, int64_t x)
{
    return mdm_pickle_push_new(p, (struct mdm_pickle_node){.kind = MDM_PICKLE_INT, .u.integer = x});
}

/* An unsigned number of n bytes that follows the opcode. */
static int read_number(struct mdm_pickle *p, int n, uint64_t *x)
{
    const unsigned char *b = mdm_pickle_take(p, (uint64_t)n);

    if (!b)
        return MASKDM_EFORMAT;
    *x = mdm_load_le(b, n);
    return MASKDM_OK;
}

static int mark(struct mdm_pickle *p, unsigned code)
{
    (void)code;
    return mdm_pickle_push(p, 0);
}

static int constant(struct mdm_pickle *p, unsigned code)
{
    struct mdm_pickle_node n = {.kind = code == 'N' ? MDM_PICKLE_NONE : MDM_PICKLE_BOOL};

    n.u.integer = code == 0x88;
    return mdm_pickle_push_new(p, n);
}

static int empty(struct mdm_pickle *p, unsigned code)
{
    const unsigned char kind = code == '}' ? MDM_PICKLE_DICT : code == ']' ? MDM_PICKLE_LIST : MDM_PICKLE_TUPLE;

    return mdm_pickle_push_new(p, (struct mdm_pickle_node){.kind = kind});
}

static int integer(struct mdm_pickle *p, unsigned code)
{
    uint64_t x = 0;

    MDM_TRY(read_number(p, code == 'K' ? 1 : code == 'M' ? 2 : 4, &x));
    return push_int(p, code == 'J' ? (int64_t)(int32_t)(uint32_t)x : (int64_t)x);
}

/* Two's complement of as many bytes as the first says; seeds may have more than 64 bits, and nobody reads them. */
static int long_integer(struct mdm_pickle *p, unsigned code)
{
    const unsigned char *b;
    uint64_t n = 0, x;

    (void)code;
    MDM_TRY(read_number(p, 1, &n));
    b = mdm_pickle_take(p, n);
    if (!b)
        return MASKDM_EFORMAT;
    if (n > 8)
        return mdm_pickle_push_new(p, (struct mdm_pickle_node){.kind = MDM_PICKLE_OTHER});
    x = n ? mdm_load_le(b, (int)n) : 0;
    if (n && n < 8 && b[n - 1] & 0x80)
        x |= UINT64_MAX << (8 * n);
    return push_int(p, (int64_t)x);
}

static int real(struct mdm_pickle *p, unsigned code)
{
    struct mdm_pickle_node n = {.kind = MDM_PICKLE_FLOAT};
    const unsigned char *b = mdm_pickle_take(p, 8);
    uint64_t bits = 0;

    (void)code;
    if (!b)
        return MASKDM_EFORMAT;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | b[i];
    memcpy(&n.u.real, &bits, sizeof bits);
    return mdm_pickle_push_new(p, n);
}

static int text(struct mdm_pickle *p, unsigned code)
{
    struct mdm_pickle_node n = {.kind = MDM_PICKLE_TEXT};
    uint64_t length = 0;

    (void)code;
    MDM_TRY(read_number(p, 4, &length));
    n.u.text = (const char *)mdm_pickle_take(p, length);
    if (!n.u.text)
        return MASKDM_EFORMAT;
    n.count = (uint32_t)length;
    if (memchr(n.u.text, 0, n.count))
        return mdm_fail(MASKDM_EFORMAT, "a string has a NUL in it");
    for (size_t i = 0, step; i < n.count; i += step) {
        step = (size_t)mdm_utf8_length(n.u.text + i, n.count - i);
        if (!step)
            return mdm_fail(MASKDM_EFORMAT, "a string is not UTF-8");
    }
    return mdm_pickle_push_new(p, n);
}

/* The topmost `count` values of the stack, from `first` on, become one tuple in the place of stack[bottom]. */
static int make_tuple(struct mdm_pickle *p, size_t bottom, size_t first, size_t count)
{
    uint32_t tuple;

    MDM_TRY(mdm_pickle_push_new(p, (struct mdm_pickle_node){.kind = MDM_PICKLE_TUPLE}));
    tuple = p->stack[--p->depth];
    for (size_t i = 0; i < count; i++)
        MDM_TRY(mdm_pickle_append(p, tuple, p->stack[first + i]));
    p->depth = bottom;
    return mdm_pickle_push(p, tuple);
}

static int tuple_to_mark(struct mdm_pickle *p, unsigned code)
{
    size_t first, count;

    (void)code;
    MDM_TRY(mdm_pickle_find_mark(p, &first, &count));
    return make_tuple(p, first - 1, first, count);
}

static int short_tuple(struct mdm_pickle *p, unsigned code)
{
    const size_t count = code - 0x84;

    for (size_t i = 0; i < count; i++)
        if (i >= p->depth || !p->stack[p->depth - 1 - i])
            return mdm_fail(MASKDM_EFORMAT, "a tuple of %zu values is wanted, but the stack has %zu", count, i);
    return make_tuple(p, p->depth - count, p->depth - count, count);
}

/* The value below stack[at], which takes what lies above it. */
static int find_container(struct mdm_pickle *p, size_t at, int kind, uint32_t *container)
{
    const uint32_t node = at ? p->stack[at - 1] : 0;

    if (p->node[node].kind != kind)
        return mdm_fail(MASKDM_EFORMAT, "items for %s are put into %s", mdm_pickle_kind_name[kind],
                        at ? mdm_pickle_kind_name[p->node[node].kind] : "nothing");
    *container = node;
    return MASKDM_OK;
}

/* stack[first .. first + count) go into the container below stack[bottom], and leave the stack with what is between.
 */
static int put_items(struct mdm_pickle *p, int kind, size_t bottom, size_t first, size_t count)
{
    uint32_t container = 0;

    MDM_TRY(find_container(p, bottom, kind, &container));
    if (kind == MDM_PICKLE_DICT && count % 2)
        return mdm_fail(MASKDM_EFORMAT, "a dictionary's last key has no value");
    for (size_t i = 0; i < count; i++) {
        const int key = p->node[p->stack[first + i]].kind;

        if (kind == MDM_PICKLE_DICT && i % 2 == 0 && key != MDM_PICKLE_TEXT && key != MDM_PICKLE_INT)
            return mdm_fail(MASKDM_EFORMAT, "a dictionary's key is %s, neither a string nor a whole number",
                            mdm_pickle_kind_name[key]);
        MDM_TRY(mdm_pickle_append(p, container, p->stack[first + i]));
    }
    p->depth = bottom;
    return MASKDM_OK;
}

static int append_one(struct mdm_pickle *p, unsigned code)
{
    const int kind = code == 's' ? MDM_PICKLE_DICT : MDM_PICKLE_LIST;
    const size_t count = code == 's' ? 2 : 1;

    for (size_t i = 0; i < count; i++)
        if (i >= p->depth || !p->stack[p->depth - 1 - i])
            return mdm_fail(MASKDM_EFORMAT, "an item is wanted, but the stack has none");
    return put_items(p, kind, p->depth - count, p->depth - count, count);
}

static int append_to_mark(struct mdm_pickle *p, unsigned code)
{
    size_t first, count;

    MDM_TRY(mdm_pickle_find_mark(p, &first, &count));
    return put_items(p, code == 'u' ? MDM_PICKLE_DICT : MDM_PICKLE_LIST, first - 1, first, count);
}

static int remember(struct mdm_pickle *p, unsigned code)
{
    uint64_t index = 0;

    MDM_TRY(read_number(p, code == 'q' ? 1 : 4, &index));
    return mdm_pickle_put(p, index);
}

static int recall(struct mdm_pickle *p, unsigned code)
{
    uint64_t index = 0;

    MDM_TRY(read_number(p, code == 'h' ? 1 : 4, &index));
    return mdm_pickle_get(p, index);
}

static const struct {
    unsigned char code;
    mdm_pickle_code *run;
} codes[] = {
    {'q', remember},
    {'h', recall},
    {'K', integer},
    {'(', mark},
    {'X', text},
    {'t', tuple_to_mark},
    {'R', mdm_pickle_reduce},
    {')', empty},
    {0x85, short_tuple},
    {0x89, constant},
    {'Q', mdm_pickle_persid},
    {'r', remember},
    {'j', recall},
    {'}', empty},
    {'s', append_one},
    {'M', integer},
    {0x86, short_tuple},
    {'u', append_to_mark},
    {0x87, short_tuple},
    {'c', mdm_pickle_global},
    {'G', real},
    {'b', mdm_pickle_build},
    {0x81, mdm_pickle_object},
    {']', empty},
    {'N', constant},
    {'e', append_to_mark},
    {'a', append_one},
    {'J', integer},
    {0x88, constant},
    {0x8a, long_integer},
};

mdm_pickle_code *mdm_pickle_code_find(unsigned code)
{
    for (size_t i = 0; i < MDM_LENGTH(codes); i++)
        if (codes[i].code == code)
            return codes[i].run;
    return NULL;
}
