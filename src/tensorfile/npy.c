/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The head of an array of NumPy's: a dictionary in Python's notation, of which this reads the one form that NumPy
 * writes: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, blanks and a newline behind it.
 */
#include "tensorfile/npz.h"

#include "base/checked.h"
#include "base/endian.h"
#include "base/error.h"

#include <string.h>

static const struct {
    const char *numpy, *dtype;
} types[] = {{"<f8", "F64"}, {"<f4", "F32"}, {"<f2", "F16"}, {"|b1", "BOOL"}, {"|u1", "U8"},  {"|i1", "I8"},
             {"<i8", "I64"}, {"<i4", "I32"}, {"<i2", "I16"}, {"<u8", "U64"},  {"<u4", "U32"}, {"<u2", "U16"}};

struct cursor {
    const char *at, *end;
};

static void skip(struct cursor *c)
{
    while (c->at < c->end && *c->at == ' ')
        c->at++;
}

/* Past `word` and the blanks before it, if it stands there. */
static int take(struct cursor *c, const char *word)
{
    const size_t n = strlen(word);

    skip(c);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n))
        return 0;
    c->at += n;
    return 1;
}

static int malformed(const struct cursor *c)
{
    const int n = c->end - c->at < 40 ? (int)(c->end - c->at) : 40;

    return mdm_fail(MASKDM_EFORMAT, "the head of an array is not as NumPy writes it at \"%.*s\"", n, c->at);
}

static int take_type(struct cursor *c, struct mdm_tensorfile_tensor *t)
{
    const char *from;

    if (!take(c, "'"))
        return mdm_fail(MASKDM_EFORMAT, "an array of records, which is not read");
    from = c->at;
    while (c->at < c->end && *c->at != '\'')
        c->at++;
    for (size_t i = 0; i < MDM_LENGTH(types); i++)
        if ((size_t)(c->at - from) == strlen(types[i].numpy) && !memcmp(from, types[i].numpy, (size_t)(c->at - from)))
            t->dtype = types[i].dtype;
    if (!t->dtype)
        return mdm_fail(MASKDM_EFORMAT,
                        "an array of type '%.*s', which is not read: numbers of 8 to 64 bits in little "
                        "endian are",
                        c->at - from < 20 ? (int)(c->at - from) : 20, from);
    return take(c, "'") ? MASKDM_OK : malformed(c);
}

static int take_side(struct cursor *c, int64_t *side)
{
    const char *from = c->at;

    *side = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (mdm_mul_i64(side, *side, 10) || mdm_add_i64(side, *side, *c->at - '0'))
            return -1;
    return c->at == from || (*from == '0' && c->at - from > 1) ? -1 : 0;
}

/* (), (3,) or (3, 4) */
static int take_shape(struct cursor *c, struct mdm_tensorfile_tensor *t)
{
    int comma = 1;

    if (!take(c, "("))
        return malformed(c);
    t->rank = 0;
    while (!take(c, ")")) {
        if (t->rank == MDM_TENSORFILE_RANK)
            return mdm_fail(MASKDM_EFORMAT, "an array of more than %d dimensions", MDM_TENSORFILE_RANK);
        if (!comma || take_side(c, &t->shape[t->rank]))
            return malformed(c);
        t->rank++;
        comma = take(c, ",");
    }
    return t->rank == 1 && !comma ? malformed(c) : MASKDM_OK;
}

enum { DESCR = 1, ORDER = 2, SHAPE = 4, ALL = 7 };

static int take_member(struct cursor *c, struct mdm_tensorfile_tensor *t, int *fortran, unsigned *seen)
{
    unsigned key;
    int status = MASKDM_OK;

    if (take(c, "'descr':")) {
        key = DESCR;
        status = take_type(c, t);
    } else if (take(c, "'fortran_order':")) {
        key = ORDER;
        *fortran = take(c, "True");
        if (!*fortran && !take(c, "False"))
            status = malformed(c);
    } else if (take(c, "'shape':")) {
        key = SHAPE;
        status = take_shape(c, t);
    } else {
        return malformed(c);
    }
    MDM_TRY(status);
    if (*seen & key)
        return malformed(c);
    *seen |= key;
    return MASKDM_OK;
}

static int take_dictionary(struct cursor *c, struct mdm_tensorfile_tensor *t, int *fortran)
{
    unsigned seen = 0;

    if (!take(c, "{"))
        return malformed(c);
    while (!take(c, "}")) {
        MDM_TRY(take_member(c, t, fortran, &seen));
        if (!take(c, ",") && !(c->at < c->end && *c->at == '}'))
            return malformed(c);
    }
    skip(c);
    if (seen != ALL || c->at + 1 != c->end || *c->at != '\n')
        return malformed(c);
    return MASKDM_OK;
}

/* The first index runs fastest. */
static void scatter(struct mdm_tensorfile_tensor *t)
{
    int64_t step = 1;

    t->scattered = t->rank > 1 && t->elements > 0;
    for (int d = 0; d < t->rank; d++) {
        t->stride[d] = step;
        step *= t->shape[d];
    }
}

/* Where the dictionary stands: magic, version, its length in 2 or 4 bytes. */
static int find_dictionary(struct cursor *c, const unsigned char *head, size_t n)
{
    size_t before, length;

    if (n < 12 || memcmp(head, "\x93NUMPY", 6))
        return mdm_fail(MASKDM_EFORMAT, "no array of NumPy's: it does not begin as one");
    if (head[6] < 1 || head[6] > 3 || head[7])
        return mdm_fail(MASKDM_EVERSION, "an array in version %d.%d of NumPy's format; 1.0 to 3.0 are read", head[6],
                        head[7]);
    before = head[6] == 1 ? 10 : 12;
    length = (size_t)mdm_load_le(head + 8, head[6] == 1 ? 2 : 4);
    if (length > n - before)
        return mdm_fail(MASKDM_EFORMAT,
                        "the head of an array has %zu bytes, of which %zu are there; at most %d are read", length,
                        n - before, MDM_NPY_HEAD);
    c->at = (const char *)head + before;
    c->end = c->at + length;
    return MASKDM_OK;
}

int mdm_npy_head(struct mdm_tensorfile_tensor *t, const unsigned char *head, size_t n, uint64_t size, uint64_t at)
{
    struct cursor c = {0};
    uint64_t bytes, before;
    int fortran = 0;

    MDM_TRY(find_dictionary(&c, head, n));
    before = (uint64_t)(c.end - (const char *)head);
    MDM_TRY(take_dictionary(&c, t, &fortran));
    if (mdm_tensorfile_measure(t, mdm_tensorfile_dtype_find(t->dtype), &bytes) || bytes != size - before)
        return mdm_fail(MASKDM_EFORMAT, "an array of %s that should take %llu bytes has %llu", t->dtype,
                        (unsigned long long)bytes, (unsigned long long)(size - before));
    t->begin = at + before;
    t->end = t->begin + bytes;
    if (fortran)
        scatter(t);
    return MASKDM_OK;
}
