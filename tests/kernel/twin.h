/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One operation run through every table: the double build, the portable float build, and what production uses. All
 * start from the same numbers; results are held to the double build within a bound, to themselves bit for bit on
 * other numbers of threads, and the double gradient to a difference quotient. Outputs and scratch are poisoned
 * before, and stand between guards.
 */
#ifndef MASKDM_TESTS_KERNEL_TWIN_H
#define MASKDM_TESTS_KERNEL_TWIN_H

#include "quiet.h"
#include "sets.h"

#include "backend/cpu/blas.h"
#include "backend/cpu/cpu.h"
#include "base/alloc.h"
#include "base/error.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 64, POISON = 0xff }; /* bytes; 0xff.. is a NaN in both types */

struct problem {
    enum mdm_op_id op;
    int ins, outs;
    struct mdm_shape in[MDM_MAX_IN], out[MDM_MAX_OUT]; /* n = 0: absent */
    const void *fixed[MDM_MAX_IN];                     /* indices, labels, times: given as they are */
    unsigned drop;                                     /* outputs that are NULL */
    unsigned no_dout;                                  /* gradients that are zero by being NULL */
    unsigned aux;                                      /* outputs without a gradient */
    unsigned still;                                    /* the same for inputs */
    unsigned remade_out, remake_in, remake_out;        /* as in struct mdm_op */
    int forward_only, add;                             /* add: onto what is there */
    enum mdm_dtype stored;                             /* of a weight that is fixed */
    int64_t attr[MDM_MAX_ATTR], row_group;
    double constant[MDM_MAX_CONSTANT];
    double amplitude; /* of random inputs; 0: 1 */
    double bound;     /* on max |error| over max |value| in float; 0: 2e-6 */
    double rounded;   /* the same in bfloat16; 0: BOUND_BF16 */
};

struct results {
    int count;
    size_t numel[MDM_MAX_IN + MDM_MAX_OUT];
    double *value[MDM_MAX_IN + MDM_MAX_OUT];
};

static uint64_t twin_state = 88172645463325252u;

static double draw(void)
{
    twin_state = twin_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(float)((double)(twin_state >> 40) / (1 << 23) - 1);
}

static double *draw_many(size_t n, double amplitude)
{
    double *p = malloc((n + 1) * sizeof *p);

    ck_assert_ptr_nonnull(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (double)(float)(draw() * amplitude);
    return p;
}

static size_t numel(const struct mdm_shape *s)
{
    return (size_t)mdm_shape_numel(s);
}

/* A guarded block of n elements: `from` rounded to the type, or poison. */
static void *place(enum mdm_dtype type, const double *from, size_t n)
{
    size_t size = mdm_dtype_size(type);
    unsigned char *p = malloc(n * size + 2 * GUARD);

    ck_assert_ptr_nonnull(p);
    memset(p, POISON, n * size + 2 * GUARD);
    for (size_t i = 0; from && i < n; i++)
        if (type == MDM_F64)
            memcpy(p + GUARD + 8 * i, &from[i], 8);
        else
            memcpy(p + GUARD + 4 * i, &(float){(float)from[i]}, 4);
    return p + GUARD;
}

/* Back to double; the guards must stand. NULL out: only look. */
static double *take(enum mdm_dtype type, void *at, size_t n)
{
    size_t size = mdm_dtype_size(type);
    unsigned char *p = (unsigned char *)at - GUARD;
    double *out = malloc((n + 1) * sizeof *out);

    ck_assert_ptr_nonnull(out);
    for (size_t i = 0; i < GUARD; i++)
        ck_assert_msg(p[i] == POISON && p[GUARD + n * size + i] == POISON, "a guard byte was written");
    for (size_t i = 0; i < n; i++)
        if (type == MDM_F64)
            memcpy(&out[i], p + GUARD + 8 * i, 8);
        else
            out[i] = (double)((float *)at)[i];
    free(p);
    return out;
}

static void drop_results(struct results *r)
{
    for (int i = 0; i < r->count; i++)
        free(r->value[i]);
    r->count = 0;
}

/* What one run starts from. */
struct start {
    double *in[MDM_MAX_IN], *din[MDM_MAX_IN], *dout[MDM_MAX_OUT];
};

static struct start draw_start(const struct problem *p)
{
    struct start s = {{0}, {0}, {0}};

    for (int i = 0; i < p->ins; i++) {
        s.in[i] = draw_many(numel(&p->in[i]), p->amplitude > 0 ? p->amplitude : 1);
        s.din[i] = draw_many(numel(&p->in[i]), 1);
    }
    for (int i = 0; i < p->outs; i++)
        s.dout[i] = draw_many(numel(&p->out[i]), 1);
    return s;
}

static void drop_start(struct start *s)
{
    for (int i = 0; i < MDM_MAX_IN; i++) {
        free(s->in[i]);
        free(s->din[i]);
    }
    for (int i = 0; i < MDM_MAX_OUT; i++)
        free(s->dout[i]);
}

/* The call with what remaking may read, and nothing else: what it writes is still to be placed. */
static struct mdm_call remake_call(const struct problem *p, const struct mdm_call *c)
{
    struct mdm_call again = *c;

    again.scratch = NULL;
    for (int i = 0; i < MDM_MAX_IN; i++) {
        again.din[i] = NULL;
        if (!(p->remake_in >> i & 1))
            again.in[i] = NULL;
    }
    for (int i = 0; i < MDM_MAX_OUT; i++) {
        again.dout[i] = NULL;
        if (p->remade_out >> i & 1 || !(p->remake_out >> i & 1))
            again.out[i] = NULL;
    }
    return again;
}

#include "device.h"

static struct mdm_call make_call(const struct problem *p, const struct start *s, enum mdm_dtype type)
{
    struct mdm_call c = {.op = p->op, .dtype = type, .row_group = p->row_group, .stored = p->stored};

    memcpy(c.attr, p->attr, sizeof c.attr);
    memcpy(c.constant, p->constant, sizeof c.constant);
    for (int i = 0; i < p->ins; i++) {
        if (p->in[i].n == 0)
            continue;
        c.in_shape[i] = &p->in[i];
        c.in[i] = p->fixed[i] ? p->fixed[i] : place(type, s->in[i], numel(&p->in[i]));
        c.add[i] = (unsigned char)p->add;
        if (!p->fixed[i] && !p->forward_only && !(p->still >> i & 1))
            c.din[i] = place(type, p->add ? s->din[i] : NULL, numel(&p->in[i]));
    }
    for (int i = 0; i < p->outs; i++) {
        c.out_shape[i] = &p->out[i];
        if (!(p->drop >> i & 1))
            c.out[i] = place(type, NULL, numel(&p->out[i]));
        if (!((p->no_dout | p->aux) >> i & 1))
            c.dout[i] = place(type, s->dout[i], numel(&p->out[i]));
    }
    return c;
}

/* After forward: results made anew, from what the op says and nothing else, have the bits that they had. */
static void check_remake(struct mdm_backend *b, const struct mdm_kernel *k, const struct problem *p,
                         const struct mdm_call *c, enum mdm_dtype type)
{
    struct mdm_call again = remake_call(p, c);

    for (int i = 0; i < p->outs; i++)
        if (p->remade_out >> i & 1)
            again.out[i] = place(type, NULL, numel(&p->out[i]));
    ck_assert_int_eq(k->remake(b, &again), MASKDM_OK);
    for (int i = 0; i < p->outs; i++)
        if (p->remade_out >> i & 1) {
            ck_assert_mem_eq(again.out[i], c->out[i], numel(&p->out[i]) * mdm_dtype_size(type));
            free(take(type, again.out[i], numel(&p->out[i])));
        }
}

static struct results run_once(const struct problem *p, const struct start *s, const struct mdm_cpu_table *t,
                               enum mdm_dtype type, int workers)
{
    struct mdm_cpu cpu = {.workers = workers};
    const struct mdm_kernel *k = &t->kernel[p->op];
    struct mdm_call c;
    struct results r = {0};
    size_t scratch;

    if (is_device(t)) {
        k = device_kernel(p, type);
        return k ? run_on_device(k, p, s, type) : run_once(p, s, portable(), type, workers);
    }
    c = make_call(p, s, type);
    *(type == MDM_F32 ? &cpu.f32 : &cpu.f64) = *t;
    cpu.guard = 1;
    ck_assert_int_eq(mdm_pool_create(&cpu.pool, workers, NULL, NULL), MASKDM_OK);
    if (t->gemm_workspace) {
        cpu.workspace = mdm_malloc_aligned(t->gemm_workspace(workers));
        ck_assert_ptr_nonnull(cpu.workspace);
    }
    scratch = k->scratch ? k->scratch(&cpu.base, &c, !p->forward_only) : 0;
    c.scratch = place(MDM_F32, NULL, (scratch + 3) / 4);
    begin_quiet();
    ck_assert_int_eq(k->forward(&cpu.base, &c), MASKDM_OK);
    if (p->remade_out)
        check_remake(&cpu.base, k, p, &c, type);
    if (!p->forward_only)
        ck_assert_int_eq(k->backward(&cpu.base, &c), MASKDM_OK);
    expect_quiet("the kernel");
    free(take(MDM_F32, c.scratch, (scratch + 3) / 4));
    for (int i = 0; i < p->outs; i++) {
        if (c.out[i]) {
            r.numel[r.count] = numel(&p->out[i]);
            r.value[r.count++] = take(type, c.out[i], numel(&p->out[i]));
        }
        if (c.dout[i])
            free((unsigned char *)(uintptr_t)c.dout[i] - GUARD);
    }
    for (int i = 0; i < p->ins; i++) {
        if (c.din[i]) {
            r.numel[r.count] = numel(&p->in[i]);
            r.value[r.count++] = take(type, c.din[i], numel(&p->in[i]));
        }
        if (c.in[i] && !p->fixed[i])
            free((unsigned char *)(uintptr_t)c.in[i] - GUARD);
    }
    mdm_pool_release(&cpu.pool);
    mdm_free(cpu.workspace);
    return r;
}

static void expect_near(const char *what, const struct results *got, const struct results *want, double bound)
{
    ck_assert_int_eq(got->count, want->count);
    for (int k = 0; k < want->count; k++) {
        double most = 0, error = 0;
        for (size_t i = 0; i < want->numel[k]; i++) {
            most = fmax(most, fabs(want->value[k][i]));
            error = fmax(error, isfinite(got->value[k][i]) ? fabs(got->value[k][i] - want->value[k][i]) : INFINITY);
        }
        ck_assert_msg(error <= bound * most + 1e-30, "%s, result %d: error %g of %g", what, k, error, most);
    }
}

static void expect_same(const char *what, const struct results *got, const struct results *want)
{
    for (int k = 0; k < want->count; k++)
        ck_assert_msg(memcmp(got->value[k], want->value[k], want->numel[k] * sizeof(double)) == 0,
                      "%s, result %d: other bits in another run", what, k);
}

/* d/dh of sum(dout out(in + h v)) at 0, against sum(din v), along one random v. */
static void expect_gradient(const struct problem *problem, const struct mdm_cpu_table *t)
{
    struct problem p = *problem;
    struct start s, moved, v;
    struct results r, side[2];
    double slope = 0, sum = 0, size = 0, h = 1e-6;
    int k;

    p.add = 0;
    s = draw_start(&p);
    v = draw_start(&p);
    moved = draw_start(&p);
    r = run_once(&p, &s, t, MDM_F64, 1);
    for (int n = 0; n < 2; n++) {
        for (int i = 0; i < p.ins; i++)
            for (size_t j = 0; j < numel(&p.in[i]); j++)
                moved.in[i][j] = s.in[i][j] + (p.still >> i & 1 ? 0 : n ? -h : h) * v.in[i][j];
        side[n] = run_once(&p, &moved, t, MDM_F64, 1);
    }
    k = 0;
    for (int i = 0; i < p.outs; i++) {
        if (p.drop >> i & 1)
            continue;
        for (size_t j = 0; !((p.aux | p.no_dout) >> i & 1) && j < r.numel[k]; j++)
            slope += s.dout[i][j] * (side[0].value[k][j] - side[1].value[k][j]) / (2 * h);
        k++;
    }
    for (int i = 0; i < p.ins; i++) {
        if (p.in[i].n == 0 || p.fixed[i] || p.still >> i & 1)
            continue;
        for (size_t j = 0; j < r.numel[k]; j++) {
            sum += r.value[k][j] * v.in[i][j];
            size += fabs(r.value[k][j] * v.in[i][j]);
        }
        k++;
    }
    ck_assert_msg(fabs(slope - sum) <= 1e-6 * (size + 1e-3), "gradient along a line: %.12g, by difference %.12g", sum,
                  slope);
    drop_results(&r);
    drop_results(&side[0]);
    drop_results(&side[1]);
    drop_start(&s);
    drop_start(&v);
    drop_start(&moved);
}

/* On the device in both types, twice each. */
static void check_on_device(const struct problem *p)
{
    static const enum mdm_dtype types[] = {MDM_F32, MDM_BF16};
    struct mdm_cpu_table exact = {0};
    struct start drawn = draw_start(p);

    mdm_cpu_table_c_f64(&exact);
    for (size_t i = 0; i < MDM_LENGTH(types); i++) {
        const struct mdm_kernel *k = device_kernel(p, types[i]);
        const double bound = p->bound > 0 ? p->bound : 2e-6;
        struct start s = round_start(p, &drawn, types[i]);
        struct results want, once, twice;

        if (k) {
            want = run_once(p, &s, &exact, MDM_F64, 1);
            once = run_on_device(k, p, &s, types[i]);
            twice = run_on_device(k, p, &s, types[i]);
            if (types[i] == MDM_F32)
                expect_near("on the device, float", &once, &want, bound);
            else
                expect_near("on the device, bfloat16", &once, &want,
                            fmax(bound, p->rounded > 0 ? p->rounded : BOUND_BF16));
            expect_same("on the device, again", &twice, &once);
            drop_results(&want);
            drop_results(&once);
            drop_results(&twice);
        }
        drop_start(&s);
    }
    drop_start(&drawn);
}

static inline void check_problem(const struct problem *p)
{
    struct mdm_cpu_table exact = {0};
    struct start s = draw_start(p);
    struct table t[MOST_TABLES];
    struct results want;
    int tables;

    if (device_asked()) {
        drop_start(&s);
        check_on_device(p);
        return;
    }
    tables = fill_tables(t);
    mdm_cpu_table_c_f64(&exact);
    want = run_once(p, &s, &exact, MDM_F64, 1);
    for (int i = 0; i < tables; i++) {
        struct results one = run_once(p, &s, &t[i].rows, MDM_F32, 1);
        expect_near(t[i].name, &one, &want, p->bound > 0 ? p->bound : 2e-6);
        for (int workers = 2; workers <= 3; workers++) {
            struct results more = run_once(p, &s, &t[i].rows, MDM_F32, workers);
            expect_same(t[i].name, &more, &one);
            drop_results(&more);
        }
        drop_results(&one);
    }
    if (!p->forward_only)
        expect_gradient(p, &exact);
    drop_results(&want);
    drop_start(&s);
}

/* Adding gives what was there plus what writing gives. */
static inline void expect_added(const struct problem *problem)
{
    struct problem p = *problem;
    struct mdm_cpu_table exact = {0};
    struct start s = draw_start(&p);
    struct results written, added;
    int k;

    if (device_asked()) { /* it is of the double build */
        drop_start(&s);
        return;
    }
    mdm_cpu_table_c_f64(&exact);
    p.add = 0;
    written = run_once(&p, &s, &exact, MDM_F64, 1);
    p.add = 1;
    added = run_once(&p, &s, &exact, MDM_F64, 1);
    k = written.count - 1;
    for (int i = p.ins - 1; i >= 0; i--) {
        if (p.in[i].n == 0 || p.fixed[i] || p.still >> i & 1)
            continue;
        for (size_t j = 0; j < written.numel[k]; j++)
            written.value[k][j] += s.din[i][j];
        k--;
    }
    expect_near("added", &added, &written, 1e-13);
    drop_results(&written);
    drop_results(&added);
    drop_start(&s);
}

/* With and without adding, then without each gradient of a result in turn. */
static inline void check_both_ways(const struct problem *problem)
{
    struct problem p = *problem;

    for (p.add = 0; p.add <= 1; p.add++)
        check_problem(&p);
    expect_added(&p);
    for (int i = 0; i < p.outs; i++)
        for (p.add = 0; p.add <= 1 && !(p.aux >> i & 1); p.add++) {
            p.no_dout = 1u << i;
            check_problem(&p);
            if (p.add)
                expect_added(&p);
        }
}

static int run_suite(const char *name, void (*add_tests)(TCase *))
{
    Suite *s = suite_create(name);
    TCase *c = tcase_create(name);
    SRunner *r = srunner_create(s);
    int failed;

    if (mdm_blas_open())
        return EXIT_FAILURE;
    if (!device_asked())
        tell_tables();
    tcase_set_timeout(c, 60);
    add_tests(c);
    suite_add_tcase(s, c);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
