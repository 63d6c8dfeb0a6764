/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Opcodes of pickles. Nothing is put into the memo, since nothing comes twice that would be worth it.
 */
#include "tensorfile/pickle_write.h"

#include "base/endian.h"

#include <string.h>

static void add_code(struct mdm_text *t, char code)
{
    mdm_text_add_n(t, &code, 1);
}

static void add_number(struct mdm_text *t, int size, uint64_t x)
{
    char field[8];

    mdm_store_le(field, size, x);
    mdm_text_add_n(t, field, (size_t)size);
}

void mdm_pickle_begin(struct mdm_text *t)
{
    mdm_text_add(t, "\x80\x02"); /* PROTO */
}

void mdm_pickle_end(struct mdm_text *t)
{
    add_code(t, '.'); /* STOP */
}

void mdm_pickle_open_dict(struct mdm_text *t)
{
    mdm_text_add(t, "}("); /* EMPTY_DICT, MARK */
}

void mdm_pickle_close_dict(struct mdm_text *t)
{
    add_code(t, 'u'); /* SETITEMS */
}

void mdm_pickle_open_list(struct mdm_text *t)
{
    mdm_text_add(t, "]("); /* EMPTY_LIST, MARK */
}

void mdm_pickle_close_list(struct mdm_text *t)
{
    add_code(t, 'e'); /* APPENDS */
}

void mdm_pickle_text(struct mdm_text *t, const char *s)
{
    add_code(t, 'X'); /* BINUNICODE */
    add_number(t, 4, strlen(s));
    mdm_text_add(t, s);
}

void mdm_pickle_int(struct mdm_text *t, int64_t x)
{
    if (x >= INT32_MIN && x <= INT32_MAX) {
        add_code(t, 'J'); /* BININT */
        add_number(t, 4, (uint64_t)x);
    } else {
        mdm_text_add_n(t, "\x8a\x08", 2); /* LONG1 of 8 bytes */
        add_number(t, 8, (uint64_t)x);
    }
}

/* BINFLOAT, the one number whose first byte is the highest. */
void mdm_pickle_real(struct mdm_text *t, double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    add_code(t, 'G');
    for (int shift = 56; shift >= 0; shift -= 8)
        add_code(t, (char)(bits >> shift & 0xFF));
}

void mdm_pickle_pair(struct mdm_text *t, double a, double b)
{
    mdm_pickle_real(t, a);
    mdm_pickle_real(t, b);
    add_code(t, '\x86'); /* TUPLE2 */
}

void mdm_pickle_bool(struct mdm_text *t, int x)
{
    add_code(t, x ? '\x88' : '\x89'); /* NEWTRUE, NEWFALSE */
}

void mdm_pickle_none(struct mdm_text *t)
{
    add_code(t, 'N');
}

static void add_ints(struct mdm_text *t, const int64_t *x, int n)
{
    add_code(t, '('); /* MARK */
    for (int i = 0; i < n; i++)
        mdm_pickle_int(t, x[i]);
    add_code(t, 't'); /* TUPLE */
}

/* torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, requires_grad, hooks) */
void mdm_pickle_tensor(struct mdm_text *t, const char *type, const char *key, int64_t elements, const int64_t *shape,
                       int rank)
{
    enum { MOST = 8 };
    int64_t stride[MOST], next = 1;

    for (int i = rank; i-- > 0; next *= shape[i] ? shape[i] : 1)
        stride[i] = next;
    mdm_text_add(t, "ctorch._utils\n_rebuild_tensor_v2\n(("); /* GLOBAL, MARK, MARK */
    mdm_pickle_text(t, "storage");
    mdm_text_addf(t, "ctorch\n%sStorage\n", type);
    mdm_pickle_text(t, key);
    mdm_pickle_text(t, "cpu");
    mdm_pickle_int(t, elements);
    mdm_text_add(t, "tQ"); /* TUPLE, BINPERSID */
    mdm_pickle_int(t, 0);
    add_ints(t, shape, rank);
    add_ints(t, stride, rank);
    mdm_pickle_bool(t, 0);
    mdm_text_add(t, "ccollections\nOrderedDict\n)RtR"); /* of no hooks; TUPLE, REDUCE */
}
