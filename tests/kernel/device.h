/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The same operation on a device, in float and in bfloat16: where MASKDM_TEST_DEVICE names one, and
 * MASKDM_TEST_MODULE the file of its module. Part of twin.h. Buffers stand between guards, outputs and scratch are
 * poisoned; a program of bfloat16 starts from rounded numbers, and so does the double build that it is held to.
 */
#ifndef MASKDM_TESTS_KERNEL_DEVICE_H
#define MASKDM_TESTS_KERNEL_DEVICE_H

#include "backend/registry.h"

#include <dlfcn.h>

/* On max |error| over max |value| of one result in bfloat16, whose own rounding is 2^-9 of a value. */
#define BOUND_BF16 1e-2

static const struct mdm_device_module *load_module(const char *path)
{
    const struct mdm_device_module *(*entry)(void);
    void *file = dlopen(path, RTLD_NOW | RTLD_LOCAL), *symbol = file ? dlsym(file, "mdm_device_module") : NULL;

    if (!symbol) {
        fprintf(stderr, "%s\n", dlerror());
        exit(EXIT_FAILURE);
    }
    memcpy(&entry, &symbol, sizeof entry);
    return entry();
}

/* The device asked for, opened once for each type that programs may compute in; NULL: none is asked for. */
static struct mdm_backend *device_of(enum mdm_device_compute compute)
{
    static const struct mdm_device_host host = {MDM_BACKEND_VERSION, sizeof host, mdm_need,
                                                mdm_need_aligned,    mdm_free,    mdm_fail};
    static struct mdm_backend *opened[MDM_COMPUTE_BFLOAT16 + 1];
    const char *name = getenv("MASKDM_TEST_DEVICE"), *path = getenv("MASKDM_TEST_MODULE"), *unit;
    struct mdm_device_settings s = {.workers = 1, .instruction_set = "", .compute = compute};
    struct mdm_backend *b = opened[compute];
    int status;

    if (b || !name || !*name)
        return b;
    unit = strchr(name, ':');
    s.unit = unit ? unit + 1 : "";
    if (path && *path)
        status = load_module(path)->open(&b, &host, &s);
    else
        status = mdm_registry_open(&b, name, &s);
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", name, maskdm_last_error());
        exit(EXIT_FAILURE);
    }
    printf("%s\n", b->v->describe(b));
    return opened[compute] = b;
}

static struct mdm_backend *device_asked(void)
{
    return device_of(MDM_COMPUTE_AUTO);
}

static const struct mdm_kernel *device_kernel(const struct problem *p, enum mdm_dtype type)
{
    static unsigned char told[2][MDM_OP_COUNT];
    const struct mdm_kernel *k = device_asked()->v->kernel(device_asked(), p->op, type);

    if (k && k->forward && (p->forward_only || k->backward))
        return k;
    if (!told[type == MDM_BF16][p->op]++)
        printf("skipped: the device has no kernel for operation %d in %s\n", (int)p->op,
               type == MDM_BF16 ? "bfloat16" : "float");
    return NULL;
}

/* A table without anything stands for the device. */
static int is_device(const struct mdm_cpu_table *t)
{
    return !t->gemm;
}

static const struct mdm_cpu_table *portable(void)
{
    static struct mdm_cpu_table t;

    mdm_cpu_table_c_f32(&t);
    return &t;
}

/* The float tables that operations run through: fill_tables(), or with a device the portable one and the device. */
static inline int list_tables(struct table t[MOST_TABLES])
{
    const int n = fill_tables(t);

    if (!device_asked())
        return n;
    memset(&t[1], 0, sizeof t[1]);
    t[1].name = "the device";
    return 2;
}

/* ---- types, as backend.h has them ---- */

static int is_weight(const struct problem *p, int i)
{
    static const unsigned weights[MDM_OP_COUNT] = {
        [MDM_OP_LINEAR] = 6,    [MDM_OP_LINEAR_SILU] = 6, [MDM_OP_LINEAR2] = 12,     [MDM_OP_LOWRANK] = 7,
        [MDM_OP_LAYERNORM] = 6, [MDM_OP_ADD_NORM] = 12,   [MDM_OP_RMS_MODULATE] = 2, [MDM_OP_QKV_BIAS] = 6,
        [MDM_OP_QK_ROTATE] = 6, [MDM_OP_EMBED] = 6,       [MDM_OP_TOKENS] = 2,       [MDM_OP_CONTEXT] = 4,
        [MDM_OP_FILL] = 1,      [MDM_OP_CONV] = 6,        [MDM_OP_GROUP_NORM] = 6,   [MDM_OP_GROUP_NORM_SILU] = 6,
        [MDM_OP_MLP] = 30,
    };

    return (int)(weights[p->op] >> i & 1);
}

static enum mdm_dtype in_type(const struct problem *p, int i, enum mdm_dtype type)
{
    return (p->op == MDM_OP_QK_ROTATE && i == 3) || p->op == MDM_OP_NARROW ? MDM_F32 : type;
}

static enum mdm_dtype din_type(const struct problem *p, int i, enum mdm_dtype type)
{
    return is_weight(p, i) ? MDM_F32 : in_type(p, i, type);
}

static enum mdm_dtype out_type(const struct problem *p, int i, enum mdm_dtype type)
{
    const int is_aux = p->aux >> i & 1 && p->op != MDM_OP_MLP;

    return is_aux || p->op == MDM_OP_ANGLES || p->op == MDM_OP_WIDEN ? MDM_F32 : type;
}

static enum mdm_dtype dout_type(const struct problem *p, int i, enum mdm_dtype type)
{
    return p->op == MDM_OP_LOWRANK ? MDM_F32 : out_type(p, i, type);
}

static uint16_t to_bf16(double x)
{
    float f = (float)x;
    uint32_t u;

    memcpy(&u, &f, sizeof u);
    return (uint16_t)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

static double from_bf16(uint16_t x)
{
    const uint32_t u = (uint32_t)x << 16;
    float f;

    memcpy(&f, &u, sizeof f);
    return (double)f;
}

static double *round_many(const double *from, size_t n, enum mdm_dtype type)
{
    double *to = malloc((n + 1) * sizeof *to);

    ck_assert_ptr_nonnull(to);
    for (size_t i = 0; i < n; i++)
        to[i] = type == MDM_BF16 ? from_bf16(to_bf16(from[i])) : from[i];
    return to;
}

static struct start round_start(const struct problem *p, const struct start *from, enum mdm_dtype type)
{
    struct start s = {{0}, {0}, {0}};

    for (int i = 0; i < p->ins; i++) {
        s.in[i] = round_many(from->in[i], numel(&p->in[i]), in_type(p, i, type));
        s.din[i] = round_many(from->din[i], numel(&p->in[i]), din_type(p, i, type));
    }
    for (int i = 0; i < p->outs; i++)
        s.dout[i] = round_many(from->dout[i], numel(&p->out[i]), dout_type(p, i, type));
    return s;
}

/* ---- memory of the device ---- */

/* The guarded bytes, or n elements of numbers in the type, or poison. */
static void *lay(enum mdm_dtype type, const double *from, const void *raw, size_t n)
{
    struct mdm_backend *b = device_asked();
    const size_t size = mdm_dtype_size(type);
    unsigned char *here = malloc(n * size + 2 * GUARD);
    void *there;

    ck_assert_ptr_nonnull(here);
    memset(here, POISON, n * size + 2 * GUARD);
    if (raw)
        memcpy(here + GUARD, raw, n * size);
    for (size_t i = 0; from && i < n; i++)
        if (type == MDM_BF16)
            memcpy(here + GUARD + 2 * i, &(uint16_t){to_bf16(from[i])}, 2);
        else
            memcpy(here + GUARD + 4 * i, &(float){(float)from[i]}, 4);
    ck_assert_msg(b->v->alloc(b, &there, n * size + 2 * GUARD, "a test") == MASKDM_OK, "%s", maskdm_last_error());
    ck_assert_msg(b->v->upload(b, there, here, n * size + 2 * GUARD) == MASKDM_OK, "%s", maskdm_last_error());
    free(here);
    return (unsigned char *)there + GUARD;
}

/* Back as double, and the memory given back; the guards must stand. */
static double *lift(enum mdm_dtype type, const void *at, size_t n)
{
    struct mdm_backend *b = device_asked();
    const size_t size = mdm_dtype_size(type);
    unsigned char *here = malloc(n * size + 2 * GUARD), *there = (unsigned char *)(uintptr_t)at - GUARD;
    double *out = malloc((n + 1) * sizeof *out);
    uint16_t narrow;
    float wide;

    ck_assert(here && out);
    ck_assert_msg(b->v->download(b, here, there, n * size + 2 * GUARD) == MASKDM_OK, "%s", maskdm_last_error());
    b->v->release(b, there);
    for (size_t i = 0; i < GUARD; i++)
        ck_assert_msg(here[i] == POISON && here[GUARD + n * size + i] == POISON, "a guard byte was written");
    for (size_t i = 0; i < n; i++)
        if (type == MDM_BF16) {
            memcpy(&narrow, here + GUARD + 2 * i, 2);
            out[i] = from_bf16(narrow);
        } else if (type == MDM_F32) {
            memcpy(&wide, here + GUARD + 4 * i, 4);
            out[i] = (double)wide;
        }
    free(here);
    return out;
}

/* ---- a run ---- */

static struct mdm_call lay_call(const struct problem *p, const struct start *s, enum mdm_dtype type)
{
    struct mdm_call c = {.op = p->op, .dtype = type, .row_group = p->row_group};

    memcpy(c.attr, p->attr, sizeof c.attr);
    memcpy(c.constant, p->constant, sizeof c.constant);
    for (int i = 0; i < p->ins; i++) {
        const enum mdm_dtype index = p->op == MDM_OP_TIMESTEP ? MDM_F64 : MDM_I32;

        if (p->in[i].n == 0)
            continue;
        c.in_shape[i] = &p->in[i];
        if (p->fixed[i])
            c.in[i] = lay(index, NULL, p->fixed[i], numel(&p->in[i]));
        else
            c.in[i] = lay(in_type(p, i, type), s->in[i], NULL, numel(&p->in[i]));
        c.add[i] = (unsigned char)p->add;
        if (!p->fixed[i] && !p->forward_only && !(p->still >> i & 1))
            c.din[i] = lay(din_type(p, i, type), p->add ? s->din[i] : NULL, NULL, numel(&p->in[i]));
    }
    for (int i = 0; i < p->outs; i++) {
        c.out_shape[i] = &p->out[i];
        if (!(p->drop >> i & 1))
            c.out[i] = lay(out_type(p, i, type), NULL, NULL, numel(&p->out[i]));
        if (!((p->no_dout | p->aux) >> i & 1))
            c.dout[i] = lay(dout_type(p, i, type), s->dout[i], NULL, numel(&p->out[i]));
    }
    return c;
}

static void expect_remade(const struct mdm_kernel *k, const struct problem *p, const struct mdm_call *c,
                          enum mdm_dtype type)
{
    struct mdm_backend *b = device_asked();
    struct mdm_call again = remake_call(p, c);

    for (int i = 0; i < p->outs; i++)
        if (p->remade_out >> i & 1)
            again.out[i] = lay(out_type(p, i, type), NULL, NULL, numel(&p->out[i]));
    ck_assert(k->remake != NULL);
    ck_assert_msg(k->remake(b, &again) == MASKDM_OK, "%s", maskdm_last_error());
    for (int i = 0; i < p->outs; i++)
        if (p->remade_out >> i & 1) {
            const size_t bytes = numel(&p->out[i]) * mdm_dtype_size(out_type(p, i, type));
            unsigned char *was = malloc(bytes), *is = malloc(bytes);

            ck_assert_int_eq(b->v->download(b, was, c->out[i], bytes), MASKDM_OK);
            ck_assert_int_eq(b->v->download(b, is, again.out[i], bytes), MASKDM_OK);
            ck_assert_msg(memcmp(was, is, bytes) == 0, "result %d is not made anew to the same bits", i);
            free(was);
            free(is);
            free(lift(out_type(p, i, type), again.out[i], numel(&p->out[i])));
        }
}

static void add_result(struct results *r, double *value, size_t n)
{
    r->numel[r->count] = n;
    r->value[r->count++] = value;
}

static struct results lift_call(const struct problem *p, const struct mdm_call *c, enum mdm_dtype type)
{
    struct results r = {0};

    for (int i = 0; i < p->outs; i++) {
        if (c->out[i])
            add_result(&r, lift(out_type(p, i, type), c->out[i], numel(&p->out[i])), numel(&p->out[i]));
        if (c->dout[i])
            free(lift(dout_type(p, i, type), c->dout[i], numel(&p->out[i])));
    }
    for (int i = 0; i < p->ins; i++) {
        if (c->din[i])
            add_result(&r, lift(din_type(p, i, type), c->din[i], numel(&p->in[i])), numel(&p->in[i]));
        if (c->in[i])
            free(lift(p->fixed[i] ? p->op == MDM_OP_TIMESTEP ? MDM_F64 : MDM_I32 : in_type(p, i, type), c->in[i],
                      numel(&p->in[i])));
    }
    return r;
}

static struct results run_on_device(const struct mdm_kernel *k, const struct problem *p, const struct start *s,
                                    enum mdm_dtype type)
{
    struct mdm_backend *b = device_asked();
    struct mdm_call c = {.op = p->op, .dtype = type, .row_group = p->row_group}, shapes;
    struct results r;
    size_t scratch;

    c = lay_call(p, s, type);
    shapes = c;
    memset(shapes.in, 0, sizeof shapes.in);
    memset(shapes.out, 0, sizeof shapes.out);
    memset(shapes.din, 0, sizeof shapes.din);
    memset(shapes.dout, 0, sizeof shapes.dout);
    scratch = k->scratch ? k->scratch(b, &shapes, !p->forward_only) : 0;
    c.scratch = lay(MDM_F32, NULL, NULL, (scratch + 3) / 4);
    ck_assert_msg(k->forward(b, &c) == MASKDM_OK, "%s", maskdm_last_error());
    if (p->remade_out)
        expect_remade(k, p, &c, type);
    if (!p->forward_only)
        ck_assert_msg(k->backward(b, &c) == MASKDM_OK, "%s", maskdm_last_error());
    free(lift(MDM_F32, c.scratch, (scratch + 3) / 4));
    r = lift_call(p, &c, type);
    return r;
}

#endif
