/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The names of code that a checkpoint may mention, all of them, and what "calling" one means: arguments of one form,
 * from which a plain value follows. No name is ever resolved, nothing ever runs.
 */
#include "tensorfile/pickle_private.h"

#include "base/error.h"

#include <string.h>

enum { MOST_ARGUMENTS = 6, SHOWN = 80 };

/* What is called and its arguments; pushes the result. */
typedef int call(struct mdm_pickle *p, const uint32_t *argument, int count);

static call call_ordered_dict, call_tensor, call_tensor_v2, call_parameter, call_size;

static const struct name {
    const char *module, *name;
    const char *dtype; /* of a class of storages, or NULL */
    call *call;        /* or NULL */
    int bare;          /* its objects are nothing but their attributes */
} names[] = {
    {"collections", "OrderedDict", NULL, call_ordered_dict, 0},
    {"torch._utils", "_rebuild_tensor", NULL, call_tensor, 0},
    {"torch._utils", "_rebuild_tensor_v2", NULL, call_tensor_v2, 0},
    {"torch._utils", "_rebuild_parameter", NULL, call_parameter, 0},
    {"torch", "Size", NULL, call_size, 0},
    {"torch", "FloatStorage", "F32", NULL, 0},
    {"torch", "DoubleStorage", "F64", NULL, 0},
    {"torch", "HalfStorage", "F16", NULL, 0},
    {"torch", "BFloat16Storage", "BF16", NULL, 0},
    {"torch", "LongStorage", "I64", NULL, 0},
    {"torch", "IntStorage", "I32", NULL, 0},
    {"torch", "ShortStorage", "I16", NULL, 0},
    {"torch", "CharStorage", "I8", NULL, 0},
    {"torch", "ByteStorage", "U8", NULL, 0},
    {"torch", "BoolStorage", "BOOL", NULL, 0},
    {"torch", "float32", NULL, NULL, 0},
    {"torch", "float64", NULL, NULL, 0},
    {"torch", "float16", NULL, NULL, 0},
    {"torch", "bfloat16", NULL, NULL, 0},
    {"torch", "int64", NULL, NULL, 0},
    {"torch", "int32", NULL, NULL, 0},
    {"torch", "int16", NULL, NULL, 0},
    {"torch", "int8", NULL, NULL, 0},
    {"torch", "uint8", NULL, NULL, 0},
    {"torch", "bool", NULL, NULL, 0},
    {.module = "argparse", .name = "Namespace", .bare = 1},
};

const char *mdm_pickle_dtype(const struct mdm_pickle_node *storage)
{
    return names[storage->detail].dtype;
}

static int is_kind(const struct mdm_pickle *p, uint32_t node, int kind)
{
    return p->node[node].kind == kind;
}

/* A line of ASCII up to a newline, which is passed over. */
static const char *take_line(struct mdm_pickle *p, size_t *length)
{
    const unsigned char *begin = p->bytes + p->at, *end = memchr(begin, '\n', p->size - p->at);

    if (!end) {
        mdm_fail(MASKDM_EFORMAT, "a name without an end");
        return NULL;
    }
    *length = (size_t)(end - begin);
    p->at += *length + 1;
    return (const char *)begin;
}

static int equal(const char *known, const char *s, size_t n)
{
    return strlen(known) == n && memcmp(known, s, n) == 0;
}

int mdm_pickle_global(struct mdm_pickle *p, unsigned code)
{
    size_t m = 0, n = 0;
    const char *module = take_line(p, &m), *name = module ? take_line(p, &n) : NULL;

    (void)code;
    if (!name)
        return MASKDM_EFORMAT;
    for (size_t i = 0; i < MDM_LENGTH(names); i++)
        if (equal(names[i].module, module, m) && equal(names[i].name, name, n))
            return mdm_pickle_push_new(
                p, (struct mdm_pickle_node){.kind = MDM_PICKLE_GLOBAL, .detail = (unsigned char)i});
    return mdm_fail(MASKDM_EFORMAT,
                    "it names \"%.*s.%.*s\", which is not among the few names that a file of tensors needs; save "
                    "the state_dict() alone",
                    (int)(m < SHOWN ? m : SHOWN), module, (int)(n < SHOWN ? n : SHOWN), name);
}

int mdm_pickle_reduce(struct mdm_pickle *p, unsigned code)
{
    uint32_t callee, tuple, argument[MOST_ARGUMENTS] = {0};
    const struct name *name;
    int count = 0;

    (void)code;
    MDM_TRY(mdm_pickle_pop(p, &tuple));
    MDM_TRY(mdm_pickle_pop(p, &callee));
    if (!is_kind(p, callee, MDM_PICKLE_GLOBAL) || !is_kind(p, tuple, MDM_PICKLE_TUPLE))
        return mdm_fail(MASKDM_EFORMAT, "%s is called with %s", mdm_pickle_kind_name[p->node[callee].kind],
                        mdm_pickle_kind_name[p->node[tuple].kind]);
    name = &names[p->node[callee].detail];
    for (uint32_t c = p->node[tuple].u.cells.first; c && count < MOST_ARGUMENTS; c = p->cell[c].next)
        argument[count++] = p->cell[c].value;
    if (!name->call || p->node[tuple].count > MOST_ARGUMENTS)
        return mdm_fail(MASKDM_EFORMAT, "%s.%s is called with %u arguments", name->module, name->name,
                        (unsigned)p->node[tuple].count);
    return name->call(p, argument, count);
}

static int call_ordered_dict(struct mdm_pickle *p, const uint32_t *argument, int count)
{
    (void)argument;
    if (count)
        return mdm_fail(MASKDM_EFORMAT, "an OrderedDict is made with %d arguments", count);
    return mdm_pickle_push_new(p, (struct mdm_pickle_node){.kind = MDM_PICKLE_DICT, .detail = MDM_PICKLE_ORDERED});
}

static int call_tensor(struct mdm_pickle *p, const uint32_t *argument, int count)
{
    struct mdm_pickle_node n = {.kind = MDM_PICKLE_TENSOR};

    if (count < 4 || !is_kind(p, argument[0], MDM_PICKLE_STORAGE) || !is_kind(p, argument[1], MDM_PICKLE_INT) ||
        !is_kind(p, argument[2], MDM_PICKLE_TUPLE) || !is_kind(p, argument[3], MDM_PICKLE_TUPLE))
        return mdm_fail(MASKDM_EFORMAT, "a tensor is made of something else than storage, offset, size and stride");
    n.u.tensor.storage = argument[0];
    n.u.tensor.offset = argument[1];
    n.u.tensor.size = argument[2];
    n.u.tensor.stride = argument[3];
    return mdm_pickle_push_new(p, n);
}

/* Behind the four: whether it wants gradients, and its hooks, both without meaning here. */
static int call_tensor_v2(struct mdm_pickle *p, const uint32_t *argument, int count)
{
    if (count != 6)
        return mdm_fail(MASKDM_EFORMAT, "a tensor is made of %d arguments, not of 6", count);
    return call_tensor(p, argument, count);
}

static int call_parameter(struct mdm_pickle *p, const uint32_t *argument, int count)
{
    if (count != 3 || !is_kind(p, argument[0], MDM_PICKLE_TENSOR))
        return mdm_fail(MASKDM_EFORMAT, "a parameter is made of something else than a tensor");
    return mdm_pickle_push(p, argument[0]);
}

static int call_size(struct mdm_pickle *p, const uint32_t *argument, int count)
{
    if (count != 1 || !is_kind(p, argument[0], MDM_PICKLE_TUPLE))
        return mdm_fail(MASKDM_EFORMAT, "a torch.Size is made of something else than a tuple");
    return mdm_pickle_push(p, argument[0]);
}

/* An object of a class that is allowed, which becomes the dictionary of its attributes. */
int mdm_pickle_object(struct mdm_pickle *p, unsigned code)
{
    uint32_t class, tuple;

    (void)code;
    MDM_TRY(mdm_pickle_pop(p, &tuple));
    MDM_TRY(mdm_pickle_pop(p, &class));
    if (!is_kind(p, class, MDM_PICKLE_GLOBAL) || !is_kind(p, tuple, MDM_PICKLE_TUPLE) || p->node[tuple].count ||
        !names[p->node[class].detail].bare)
        return mdm_fail(MASKDM_EFORMAT, "an object is made of %s with %s", mdm_pickle_kind_name[p->node[class].kind],
                        mdm_pickle_kind_name[p->node[tuple].kind]);
    return mdm_pickle_push_new(p, (struct mdm_pickle_node){.kind = MDM_PICKLE_DICT, .detail = MDM_PICKLE_BARE});
}

/* State of an OrderedDict: a state_dict()'s versions of its modules, which are left out. That of a bare object is all
 * that there is of it: the items move, so that no pickle makes many of one. Nothing else may have any. */
int mdm_pickle_build(struct mdm_pickle *p, unsigned code)
{
    uint32_t object, state;
    struct mdm_pickle_node *to, *from;

    (void)code;
    MDM_TRY(mdm_pickle_pop(p, &state));
    MDM_TRY(mdm_pickle_pop(p, &object));
    to = &p->node[object];
    from = &p->node[state];
    if (to->kind != MDM_PICKLE_DICT || to->detail == MDM_PICKLE_PLAIN || from->kind != MDM_PICKLE_DICT ||
        object == state)
        return mdm_fail(MASKDM_EFORMAT, "%s is given %s for its state", mdm_pickle_kind_name[to->kind],
                        mdm_pickle_kind_name[from->kind]);
    if (to->detail == MDM_PICKLE_BARE) {
        if (to->count)
            return mdm_fail(MASKDM_EFORMAT, "an object has attributes before it is given any");
        *to = (struct mdm_pickle_node){.kind = MDM_PICKLE_DICT, .count = from->count, .u.cells = from->u.cells};
        *from = (struct mdm_pickle_node){.kind = MDM_PICKLE_DICT};
    }
    return mdm_pickle_push(p, object);
}

/* torch.save's reference to a storage. */
int mdm_pickle_persid(struct mdm_pickle *p, unsigned code)
{
    struct mdm_pickle_node n = {.kind = MDM_PICKLE_STORAGE};
    const struct mdm_pickle_node *part[5] = {0};
    uint32_t tuple;
    int count = 0;

    (void)code;
    MDM_TRY(mdm_pickle_pop(p, &tuple));
    if (is_kind(p, tuple, MDM_PICKLE_TUPLE) && p->node[tuple].count == 5)
        for (uint32_t c = p->node[tuple].u.cells.first; c; c = p->cell[c].next)
            part[count++] = &p->node[p->cell[c].value];
    if (count != 5 || part[0]->kind != MDM_PICKLE_TEXT || !equal("storage", part[0]->u.text, part[0]->count) ||
        part[1]->kind != MDM_PICKLE_GLOBAL || !names[part[1]->detail].dtype || part[2]->kind != MDM_PICKLE_TEXT ||
        part[3]->kind != MDM_PICKLE_TEXT || part[4]->kind != MDM_PICKLE_INT)
        return mdm_fail(MASKDM_EFORMAT, "a storage is not named by its kind, key, place and number of elements");
    n.detail = part[1]->detail;
    n.u.arguments = tuple;
    return mdm_pickle_push_new(p, n);
}
