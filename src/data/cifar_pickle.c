/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of a batch matters: members of its dictionary, and the array. One of NumPy's is made in three steps, each of
 * which only matches what NumPy writes: a name of code and its arguments are called (R), and a state is built in (b),
 * which is (version, shape, type, order, bytes).
 */
#include "data/cifar_machine.h"

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/tensorfile_private.h"

#include <string.h>

enum { CODE_NAME = 96, NAME_MOST = 128 };

static int is_text(struct mdm_cifar_machine *m, const struct mdm_cifar_value *v, const char *word)
{
    char bytes[32];
    const size_t n = strlen(word);

    return v->kind == MDM_CIFAR_TEXT && v->number == (int64_t)n && n <= sizeof bytes &&
           mdm_tensorfile_bytes_at(m->f, bytes, n, v->at) >= 0 && memcmp(bytes, word, n) == 0;
}

static int keep_labels(struct mdm_cifar_machine *m, const struct mdm_cifar_value *list)
{
    struct mdm_cifar_batch *b = m->batch;

    if (list->kind != MDM_CIFAR_LIST || b->label)
        return mdm_cifar_damaged(m, "has labels that are no list");
    b->label = mdm_need((size_t)list->at + 1, sizeof *b->label, "labels");
    if (!b->label)
        return MASKDM_ENOMEM;
    for (b->labels = 0; b->labels < (int64_t)list->at; b->labels++) {
        if (m->item[list->number + b->labels].kind != MDM_CIFAR_INT)
            return mdm_cifar_damaged(m, "has a label that is no number");
        b->label[b->labels] = m->item[list->number + b->labels].number;
    }
    return MASKDM_OK;
}

static int keep_names(struct mdm_cifar_machine *m, const struct mdm_cifar_value *list)
{
    struct mdm_cifar_batch *b = m->batch;

    if (list->kind != MDM_CIFAR_LIST || b->name)
        return mdm_cifar_damaged(m, "has names that are no list");
    b->name = mdm_need((size_t)list->at + 1, sizeof *b->name, "the names of labels");
    if (!b->name)
        return MASKDM_ENOMEM;
    for (uint64_t i = 0; i < list->at; i++) {
        const struct mdm_cifar_value *v = &m->item[list->number + (int64_t)i];
        char name[NAME_MOST];

        if (v->kind != MDM_CIFAR_TEXT || v->number < 1 || v->number > NAME_MOST)
            return mdm_cifar_damaged(m, "has a label's name that is none");
        MDM_TRY(mdm_tensorfile_bytes_at(m->f, name, (size_t)v->number, v->at));
        if (memchr(name, 0, (size_t)v->number) || memchr(name, '/', (size_t)v->number))
            return mdm_cifar_damaged(m, "has a label's name that is none");
        b->name[i] = mdm_strndup(name, (size_t)v->number);
        if (!b->name[i])
            return mdm_fail_memory((size_t)v->number + 1, "the name of a label");
        b->names++;
    }
    return MASKDM_OK;
}

static int keep(struct mdm_cifar_machine *m, const struct mdm_cifar_value *key, const struct mdm_cifar_value *v)
{
    if (is_text(m, key, "labels") || is_text(m, key, "fine_labels"))
        return keep_labels(m, v);
    if (is_text(m, key, "label_names") || is_text(m, key, "fine_label_names"))
        return keep_names(m, v);
    if (!is_text(m, key, "data"))
        return MASKDM_OK;
    if (v->kind != MDM_CIFAR_ARRAY)
        return mdm_cifar_damaged(m, "has data that are no array");
    m->batch->rows = v->shape[0];
    m->batch->columns = v->shape[1];
    m->batch->at = v->at;
    return MASKDM_OK;
}

/* Members into the dictionary below the mark, of which there is but one that counts; one without a mark. */
static int do_members(struct mdm_cifar_machine *m, unsigned char code)
{
    int64_t n = 2, first;

    if (code == 'u') {
        MDM_TRY(mdm_cifar_gather(m, &n));
        first = m->items - n;
    } else {
        if (m->depth < 2 || m->items > MDM_CIFAR_STACK - 2)
            return mdm_cifar_damaged(m, "lacks values");
        m->depth -= 2;
        first = m->items;
        memcpy(m->item + first, m->stack + m->depth, 2 * sizeof *m->item);
        m->items += 2;
    }
    if (!m->depth || m->stack[m->depth - 1].kind != MDM_CIFAR_DICT || n % 2)
        return mdm_cifar_damaged(m, "has members of no dictionary");
    for (int64_t i = 0; i < n; i += 2)
        MDM_TRY(keep(m, &m->item[first + i], &m->item[first + i + 1]));
    return MASKDM_OK;
}

/* "module\nname\n", or the two on the stack: NumPy's three functions that make an array, and no other. */
static int is_known(const char *module, const char *name)
{
    const int numpy = !strcmp(module, "numpy") || !strcmp(module, "numpy.core.multiarray") ||
                      !strcmp(module, "numpy._core.multiarray");

    return numpy && (!strcmp(name, "_reconstruct") || !strcmp(name, "ndarray") || !strcmp(name, "dtype"));
}

static int take_line(struct mdm_cifar_machine *m, char line[CODE_NAME])
{
    for (size_t n = 0; n < CODE_NAME; n++) {
        const unsigned char *b = mdm_cifar_take(m, 1);

        if (!b)
            return mdm_error_status();
        line[n] = *b == '\n' ? '\0' : (char)*b;
        if (*b == '\n')
            return MASKDM_OK;
    }
    return mdm_cifar_damaged(m, "names code that is not known");
}

static int do_code(struct mdm_cifar_machine *m, unsigned char code)
{
    char module[CODE_NAME], name[CODE_NAME];

    if (code == 'c') {
        MDM_TRY(take_line(m, module));
        MDM_TRY(take_line(m, name));
    } else {
        char *const to[] = {name, module};

        for (int i = 0; i < 2; i++) {
            const struct mdm_cifar_value *v = m->depth ? &m->stack[--m->depth] : NULL;

            if (!v || v->kind != MDM_CIFAR_TEXT || v->number >= CODE_NAME)
                return mdm_cifar_damaged(m, "names code that is not known");
            MDM_TRY(mdm_tensorfile_bytes_at(m->f, to[i], (size_t)v->number, v->at));
            to[i][v->number] = '\0';
        }
    }
    return is_known(module, name) ? mdm_cifar_push(m, (struct mdm_cifar_value){.kind = MDM_CIFAR_CODE})
                                  : mdm_cifar_damaged(m, "names code that is not known");
}

static int do_call(struct mdm_cifar_machine *m, unsigned char code)
{
    (void)code;
    if (m->depth < 2 || m->stack[m->depth - 1].kind != MDM_CIFAR_TUPLE ||
        m->stack[m->depth - 2].kind != MDM_CIFAR_CODE)
        return mdm_cifar_damaged(m, "calls what cannot be called");
    m->depth -= 2;
    return mdm_cifar_push(
        m, (struct mdm_cifar_value){.kind = MDM_CIFAR_CODE}); /* an array or a type whose state is to come */
}

/* (1, (10000, 3072), type, False, bytes); a type's state has other numbers, and nothing of it matters but that the
 * bytes are as many as the shape says. */
static int do_build(struct mdm_cifar_machine *m, unsigned char code)
{
    const struct mdm_cifar_value *state, *item;
    struct mdm_cifar_value array = {.kind = MDM_CIFAR_ARRAY};
    int64_t bytes;

    (void)code;
    if (m->depth < 2 || m->stack[m->depth - 1].kind != MDM_CIFAR_TUPLE ||
        m->stack[m->depth - 2].kind != MDM_CIFAR_CODE)
        return mdm_cifar_damaged(m, "builds what cannot be built");
    state = &m->stack[--m->depth];
    item = &m->item[state->number];
    if (state->at != 5 || item[1].kind != MDM_CIFAR_TUPLE || item[4].kind != MDM_CIFAR_TEXT)
        return MASKDM_OK;
    if (item[1].at != 2 || item[3].kind != MDM_CIFAR_NONE)
        return mdm_cifar_damaged(m, "has an array of another form");
    for (int d = 0; d < 2; d++) {
        const struct mdm_cifar_value *side = &m->item[item[1].number + d];

        if (side->kind != MDM_CIFAR_INT || side->number < 0 || side->number > INT32_MAX)
            return mdm_cifar_damaged(m, "has an array of another form");
        array.shape[d] = side->number;
    }
    bytes = array.shape[0] * array.shape[1];
    if (bytes != item[4].number)
        return mdm_fail(MASKDM_EFORMAT, "an array of %lld x %lld bytes has %lld", (long long)array.shape[0],
                        (long long)array.shape[1], (long long)item[4].number);
    array.at = item[4].at;
    m->stack[m->depth - 1] = array;
    return MASKDM_OK;
}

static const struct {
    const char *codes;
    int (*run)(struct mdm_cifar_machine *m, unsigned char code);
} opcodes[] = {
    {"\x80", mdm_cifar_protocol},
    {"\x95", mdm_cifar_frame},
    {"(N\x88\x89", mdm_cifar_constant},
    {"}])", mdm_cifar_empty},
    {"KMJ", mdm_cifar_integer},
    {"UTXCB\x8c\x8d\x8e", mdm_cifar_text},
    {"qr\x94", mdm_cifar_put},
    {"hj", mdm_cifar_get},
    {"t\x85\x86\x87", mdm_cifar_tuple},
    {"us", do_members},
    {"ea", mdm_cifar_append},
    {"c\x93", do_code},
    {"R", do_call},
    {"b", do_build},
};

static int run(struct mdm_cifar_machine *m)
{
    for (;;) {
        const unsigned char *b = mdm_cifar_take(m, 1);
        size_t i = 0;

        if (!b)
            return mdm_error_status();
        if (*b == '.')
            return MASKDM_OK;
        while (i < MDM_LENGTH(opcodes) && !(*b && strchr(opcodes[i].codes, *b)))
            i++;
        if (i == MDM_LENGTH(opcodes)) {
            m->at--;
            return mdm_cifar_damaged(m, "has a code that CIFAR's do not have");
        }
        MDM_TRY(opcodes[i].run(m, *b));
    }
}

int mdm_cifar_batch_read(struct mdm_cifar_batch *b, struct mdm_tensorfile *f)
{
    struct mdm_cifar_machine *m = mdm_need(1, sizeof *m, "reading a pickle");
    int r = MASKDM_ENOMEM;

    memset(b, 0, sizeof *b);
    if (!m)
        return MASKDM_ENOMEM;
    m->f = f;
    m->batch = b;
    m->stack = mdm_need(MDM_CIFAR_STACK, sizeof *m->stack, "reading a pickle");
    m->item = mdm_need(MDM_CIFAR_STACK, sizeof *m->item, "reading a pickle");
    m->memo = mdm_need(MDM_CIFAR_STACK, sizeof *m->memo, "reading a pickle");
    if (m->stack && m->item && m->memo)
        r = run(m);
    mdm_free(m->stack);
    mdm_free(m->item);
    mdm_free(m->memo);
    mdm_free(m);
    if (r < 0)
        mdm_cifar_batch_free(b);
    return r;
}

void mdm_cifar_batch_free(struct mdm_cifar_batch *b)
{
    for (int64_t i = 0; i < b->names; i++)
        mdm_free(b->name[i]);
    mdm_free(b->name);
    mdm_free(b->label);
    memset(b, 0, sizeof *b);
}
