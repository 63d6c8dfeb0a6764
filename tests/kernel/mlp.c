/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mlp, which devices alone have, against sums in double: both activations, written and added, without biases, without
 * the values that backward reads; and widths that have kernels of their own.
 */
#include "twin.h"

enum { X, W1, B1, W2, B2, INS, Y = 0, PRE, ACT, OUTS };

/* R, I, H, O */
static const int64_t sizes[][4] = {{1, 8, 16, 8}, {7, 5, 9, 3}, {130, 64, 128, 64}, {300, 64, 256, 128}};

static struct problem mlp(const int64_t *s, int tanh)
{
    struct problem p = {.op = MDM_OP_MLP, .ins = INS, .outs = OUTS, .aux = 1u << PRE | 1u << ACT, .attr = {tanh}};

    p.in[X] = mdm_shape2(s[0], s[1]);
    p.in[W1] = mdm_shape2(s[2], s[1]);
    p.in[B1] = mdm_shape1(s[2]);
    p.in[W2] = mdm_shape2(s[3], s[2]);
    p.in[B2] = mdm_shape1(s[3]);
    p.out[Y] = mdm_shape2(s[0], s[3]);
    p.out[PRE] = p.out[ACT] = mdm_shape2(s[0], s[2]);
    return p;
}

static double gelu(double *slope, double x, int is_tanh)
{
    const double c = sqrt(2 / acos(-1)), z = c * (x + 0.044715 * x * x * x), t = tanh(z);

    if (is_tanh) {
        *slope = (1 + t) / 2 + x / 2 * (1 - t * t) * c * (1 + 3 * 0.044715 * x * x);
        return x / 2 * (1 + t);
    }
    *slope = (1 + erf(x * sqrt(0.5))) / 2 + x * exp(-x * x / 2) / sqrt(2 * acos(-1));
    return x / 2 * (1 + erf(x * sqrt(0.5)));
}

/* y[m,n] += op(a) op(b), row-major; a is [m,k] or turned, b is [k,n] or turned. */
static void add_product(double *y, const double *a, int turn_a, const double *b, int turn_b, const int64_t mnk[3])
{
    for (int64_t i = 0; i < mnk[0]; i++)
        for (int64_t j = 0; j < mnk[1]; j++)
            for (int64_t l = 0; l < mnk[2]; l++)
                y[i * mnk[1] + j] +=
                    a[turn_a ? l * mnk[0] + i : i * mnk[2] + l] * b[turn_b ? j * mnk[2] + l : l * mnk[1] + j];
}

static void add_rows(double *y, const double *b, int64_t rows, int64_t width)
{
    for (int64_t i = 0; b && i < rows * width; i++)
        y[i] += b[i % width];
}

static void add_columns(double *sum, const double *x, int64_t rows, int64_t width)
{
    for (int64_t i = 0; i < rows * width; i++)
        sum[i % width] += x[i];
}

/* What a device should say. */
static struct results expected(const struct problem *p, const struct start *s, const int64_t *z)
{
    const int64_t r = z[0], in = z[1], h = z[2], o = z[3];
    const size_t wide = (size_t)(r * h);
    struct results want = {0};
    double *value[OUTS], *d[INS] = {0}, *middle = draw_many(wide, 0), *slope = draw_many(wide, 0);

    for (int i = 0; i < OUTS; i++)
        value[i] = draw_many(numel(&p->out[i]), 0);
    add_rows(value[PRE], p->in[B1].n ? s->in[B1] : NULL, r, h);
    add_product(value[PRE], s->in[X], 0, s->in[W1], 1, (int64_t[]){r, h, in});
    for (int64_t i = 0; i < r * h; i++)
        value[ACT][i] = gelu(&slope[i], value[PRE][i], p->attr[0] != 0);
    add_rows(value[Y], p->in[B2].n ? s->in[B2] : NULL, r, o);
    add_product(value[Y], value[ACT], 0, s->in[W2], 1, (int64_t[]){r, o, h});
    for (int i = 0; i < OUTS; i++)
        if (p->drop >> i & 1)
            free(value[i]);
        else
            add_result(&want, value[i], numel(&p->out[i]));
    for (int i = 0; i < INS && !p->forward_only; i++)
        if (p->in[i].n) {
            d[i] = draw_many(numel(&p->in[i]), 0);
            for (size_t k = 0; p->add && k < numel(&p->in[i]); k++)
                d[i][k] = s->din[i][k];
            add_result(&want, d[i], numel(&p->in[i]));
        }
    if (!p->forward_only) {
        add_product(middle, s->dout[Y], 0, s->in[W2], 0, (int64_t[]){r, h, o});
        for (int64_t i = 0; i < r * h; i++)
            middle[i] *= slope[i];
        add_product(d[X], middle, 0, s->in[W1], 0, (int64_t[]){r, in, h});
        add_product(d[W1], middle, 1, s->in[X], 0, (int64_t[]){h, in, r});
        add_product(d[W2], s->dout[Y], 1, value[ACT], 0, (int64_t[]){o, h, r});
        if (d[B1])
            add_columns(d[B1], middle, r, h);
        if (d[B2])
            add_columns(d[B2], s->dout[Y], r, o);
    }
    free(middle);
    free(slope);
    return want;
}

static void check_mlp(const struct problem *p, const int64_t *size)
{
    static const enum mdm_dtype types[] = {MDM_F32, MDM_BF16};

    for (int i = 0; device_asked() && i < 2; i++) {
        const struct mdm_kernel *k = device_kernel(p, types[i]);
        struct start drawn = draw_start(p), s = round_start(p, &drawn, types[i]);

        if (k) {
            struct results got = run_on_device(k, p, &s, types[i]), again = run_on_device(k, p, &s, types[i]);
            struct results want = expected(p, &s, size);

            expect_near("mlp", &got, &want, types[i] == MDM_BF16 ? BOUND_BF16 : 1e-5);
            expect_same("mlp", &again, &got);
            drop_results(&got);
            drop_results(&again);
            drop_results(&want);
        }
        drop_start(&drawn);
        drop_start(&s);
    }
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++)
        for (int tanh = 0; tanh < 2; tanh++) {
            struct problem p = mlp(sizes[k], tanh);

            p.add = k % 2 == 1;
            check_mlp(&p, sizes[k]);
        }
}
END_TEST

START_TEST(biases_may_be_absent)
{
    struct problem p = mlp(sizes[2], 0);

    p.in[B1].n = p.in[B2].n = 0;
    check_mlp(&p, sizes[2]);
}
END_TEST

START_TEST(nothing_is_kept_where_nothing_comes_back)
{
    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        struct problem p = mlp(sizes[k], 0);

        p.forward_only = 1;
        p.drop = p.aux;
        check_mlp(&p, sizes[k]);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, biases_may_be_absent);
    tcase_add_test(c, nothing_is_kept_where_nothing_comes_back);
}

int main(void)
{
    return run_suite("mlp", add_tests);
}
