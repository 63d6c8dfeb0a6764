/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The opcodes of protocol 2 that make plain values: numbers, strings, tuples, lists, dictionaries, the memo.
 */
#include "io/pickle_private.h"

#include "util/endian.h"
#include "util/error.h"
#include "util/json.h"

#include <string.h>

static int push_int(struct maskdm_pickle *p, int64_t x)
{
    return maskdm_pickle_push_new(p, (struct maskdm_pickle_node){.kind = MASKDM_PICKLE_INT, .u.integer = x});
}

/* An unsigned number of n bytes that follows the opcode. */
static int read_number(struct maskdm_pickle *p, int n, uint64_t *x)
{
    const unsigned char *b = maskdm_pickle_take(p, (uint64_t)n);

    if (!b)
        return MASKDM_EFORMAT;
    *x = maskdm_load_le(b, n);
    return MASKDM_OK;
}

static int mark(struct maskdm_pickle *p, unsigned code)
{
    (void)code;
    return maskdm_pickle_push(p, 0);
}

static int constant(struct maskdm_pickle *p, unsigned code)
{
    struct maskdm_pickle_node n = {.kind = code == 'N' ? MASKDM_PICKLE_NONE : MASKDM_PICKLE_BOOL};

    n.u.integer = code == 0x88;
    return maskdm_pickle_push_new(p, n);
}

static int empty(struct maskdm_pickle *p, unsigned code)
{
    const unsigned char kind = code == '}'   ? MASKDM_PICKLE_DICT
                               : code == ']' ? MASKDM_PICKLE_LIST
                                             : MASKDM_PICKLE_TUPLE;

    return maskdm_pickle_push_new(p, (struct maskdm_pickle_node){.kind = kind});
}

static int integer(struct maskdm_pickle *p, unsigned code)
{
    uint64_t x = 0;

    MASKDM_TRY(read_number(p, code == 'K' ? 1 : code == 'M' ? 2 : 4, &x));
    return push_int(p, code == 'J' ? (int64_t)(int32_t)(uint32_t)x : (int64_t)x);
}

/* Two's complement of as many bytes as the first says; seeds may have more than 64 bits, and nobody reads them. */
static int long_integer(struct maskdm_pickle *p, unsigned code)
{
    const unsigned char *b;
    uint64_t n = 0, x;

    (void)code;
    MASKDM_TRY(read_number(p, 1, &n));
    b = maskdm_pickle_take(p, n);
    if (!b)
        return MASKDM_EFORMAT;
    if (n > 8)
        return maskdm_pickle_push_new(p, (struct maskdm_pickle_node){.kind = MASKDM_PICKLE_OTHER});
    x = n ? maskdm_load_le(b, (int)n) : 0;
    if (n && n < 8 && b[n - 1] & 0x80)
        x |= UINT64_MAX << (8 * n);
    return push_int(p, (int64_t)x);
}

static int real(struct maskdm_pickle *p, unsigned code)
{
    struct maskdm_pickle_node n = {.kind = MASKDM_PICKLE_FLOAT};
    const unsigned char *b = maskdm_pickle_take(p, 8);
    uint64_t bits = 0;

    (void)code;
    if (!b)
        return MASKDM_EFORMAT;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | b[i];
    memcpy(&n.u.real, &bits, sizeof bits);
    return maskdm_pickle_push_new(p, n);
}

static int text(struct maskdm_pickle *p, unsigned code)
{
    struct maskdm_pickle_node n = {.kind = MASKDM_PICKLE_TEXT};
    uint64_t length = 0;

    (void)code;
    MASKDM_TRY(read_number(p, 4, &length));
    n.u.text = (const char *)maskdm_pickle_take(p, length);
    if (!n.u.text)
        return MASKDM_EFORMAT;
    n.count = (uint32_t)length;
    if (memchr(n.u.text, 0, n.count))
        return maskdm_fail(MASKDM_EFORMAT, "a string has a NUL in it");
    for (size_t i = 0, step; i < n.count; i += step) {
        step = (size_t)maskdm_utf8_length(n.u.text + i, n.count - i);
        if (!step)
            return maskdm_fail(MASKDM_EFORMAT, "a string is not UTF-8");
    }
    return maskdm_pickle_push_new(p, n);
}

/* The topmost `count` values of the stack, from `first` on, become one tuple in the place of stack[bottom]. */
static int make_tuple(struct maskdm_pickle *p, size_t bottom, size_t first, size_t count)
{
    uint32_t tuple;

    MASKDM_TRY(maskdm_pickle_push_new(p, (struct maskdm_pickle_node){.kind = MASKDM_PICKLE_TUPLE}));
    tuple = p->stack[--p->depth];
    for (size_t i = 0; i < count; i++)
        MASKDM_TRY(maskdm_pickle_append(p, tuple, p->stack[first + i]));
    p->depth = bottom;
    return maskdm_pickle_push(p, tuple);
}

static int tuple_to_mark(struct maskdm_pickle *p, unsigned code)
{
    size_t first, count;

    (void)code;
    MASKDM_TRY(maskdm_pickle_find_mark(p, &first, &count));
    return make_tuple(p, first - 1, first, count);
}

static int short_tuple(struct maskdm_pickle *p, unsigned code)
{
    const size_t count = code - 0x84;

    for (size_t i = 0; i < count; i++)
        if (i >= p->depth || !p->stack[p->depth - 1 - i])
            return maskdm_fail(MASKDM_EFORMAT, "a tuple of %zu values is wanted, but the stack has %zu", count, i);
    return make_tuple(p, p->depth - count, p->depth - count, count);
}

/* The value below stack[at], which takes what lies above it. */
static int find_container(struct maskdm_pickle *p, size_t at, int kind, uint32_t *container)
{
    const uint32_t node = at ? p->stack[at - 1] : 0;

    if (p->node[node].kind != kind)
        return maskdm_fail(MASKDM_EFORMAT, "items for %s are put into %s", maskdm_pickle_kind_name[kind],
                           at ? maskdm_pickle_kind_name[p->node[node].kind] : "nothing");
    *container = node;
    return MASKDM_OK;
}

/* stack[first .. first + count) go into the container below stack[bottom], and leave the stack with what is between.
 */
static int put_items(struct maskdm_pickle *p, int kind, size_t bottom, size_t first, size_t count)
{
    uint32_t container;

    MASKDM_TRY(find_container(p, bottom, kind, &container));
    if (kind == MASKDM_PICKLE_DICT && count % 2)
        return maskdm_fail(MASKDM_EFORMAT, "a dictionary's last key has no value");
    for (size_t i = 0; i < count; i++) {
        const int key = p->node[p->stack[first + i]].kind;

        if (kind == MASKDM_PICKLE_DICT && i % 2 == 0 && key != MASKDM_PICKLE_TEXT && key != MASKDM_PICKLE_INT)
            return maskdm_fail(MASKDM_EFORMAT, "a dictionary's key is %s, neither a string nor a whole number",
                               maskdm_pickle_kind_name[key]);
        MASKDM_TRY(maskdm_pickle_append(p, container, p->stack[first + i]));
    }
    p->depth = bottom;
    return MASKDM_OK;
}

static int append_one(struct maskdm_pickle *p, unsigned code)
{
    const int kind = code == 's' ? MASKDM_PICKLE_DICT : MASKDM_PICKLE_LIST;
    const size_t count = code == 's' ? 2 : 1;

    for (size_t i = 0; i < count; i++)
        if (i >= p->depth || !p->stack[p->depth - 1 - i])
            return maskdm_fail(MASKDM_EFORMAT, "an item is wanted, but the stack has none");
    return put_items(p, kind, p->depth - count, p->depth - count, count);
}

static int append_to_mark(struct maskdm_pickle *p, unsigned code)
{
    size_t first, count;

    MASKDM_TRY(maskdm_pickle_find_mark(p, &first, &count));
    return put_items(p, code == 'u' ? MASKDM_PICKLE_DICT : MASKDM_PICKLE_LIST, first - 1, first, count);
}

static int remember(struct maskdm_pickle *p, unsigned code)
{
    uint64_t index = 0;

    MASKDM_TRY(read_number(p, code == 'q' ? 1 : 4, &index));
    return maskdm_pickle_put(p, index);
}

static int recall(struct maskdm_pickle *p, unsigned code)
{
    uint64_t index = 0;

    MASKDM_TRY(read_number(p, code == 'h' ? 1 : 4, &index));
    return maskdm_pickle_get(p, index);
}

static const struct {
    unsigned char code;
    maskdm_pickle_code *run;
} codes[] = {
    {'q', remember},
    {'h', recall},
    {'K', integer},
    {'(', mark},
    {'X', text},
    {'t', tuple_to_mark},
    {'R', maskdm_pickle_reduce},
    {')', empty},
    {0x85, short_tuple},
    {0x89, constant},
    {'Q', maskdm_pickle_persid},
    {'r', remember},
    {'j', recall},
    {'}', empty},
    {'s', append_one},
    {'M', integer},
    {0x86, short_tuple},
    {'u', append_to_mark},
    {0x87, short_tuple},
    {'c', maskdm_pickle_global},
    {'G', real},
    {'b', maskdm_pickle_build},
    {']', empty},
    {'N', constant},
    {'e', append_to_mark},
    {'a', append_one},
    {'J', integer},
    {0x88, constant},
    {0x8a, long_integer},
};

maskdm_pickle_code *maskdm_pickle_code_find(unsigned code)
{
    for (size_t i = 0; i < MASKDM_LENGTH(codes); i++)
        if (codes[i].code == code)
            return codes[i].run;
    return NULL;
}
