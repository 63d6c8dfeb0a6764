/* SPDX-License-Identifier: BSD-2-Clause
 *
 * patchify, timestep, embed, tokens and trim: against their double build, and against numbers worked out by hand.
 */
#include "twin.h"

START_TEST(patches)
{
    /* B, H, W, C, p, K */
    static const int64_t sizes[][6] = {
        {1, 1, 1, 1, 1, 1}, {2, 4, 6, 3, 2, 3}, {3, 6, 3, 2, 3, 2}, {5, 8, 8, 4, 4, 4}};
    static const int32_t index[] = {5, 0, 3, 2, 1, 4};
    static const int32_t pair[] = {1, 0, 0, 1, 1, 0};
    static const int32_t whole[] = {0, 1, 2, 3, 3, 2, 1, 0, 1, 0, 3, 2, 2, 3, 0, 1, 0, 2, 1, 3};
    static const int32_t single[] = {0};
    static const int32_t *const indices[] = {single, index, pair, whole};

    for (size_t k = 0; k < MDM_LENGTH(sizes); k++) {
        const int64_t *s = sizes[k];
        struct problem p = {.op = MDM_OP_PATCHIFY, .ins = 2, .outs = 1, .attr = {s[4]}};
        p.in[0] = mdm_shape4(s[0], s[1], s[2], s[3]);
        p.in[1] = mdm_shape2(s[0], s[5]);
        p.fixed[1] = indices[k];
        p.out[0] = mdm_shape3(s[0], s[5], s[3] * s[4] * s[4]);
        check_both_ways(&p);
    }
}
END_TEST

/* An image 2 x 4 with two channels; patch 1 is its right half, in (channel, row, column) order. */
START_TEST(a_patch_has_its_channels_apart)
{
    static const int32_t index[] = {1};
    static const double want[] = {4, 6, 12, 14, 5, 7, 13, 15};
    struct problem p = {.op = MDM_OP_PATCHIFY, .ins = 2, .outs = 1, .attr = {2}, .forward_only = 1};
    struct table t[MOST_TABLES];
    struct start s;
    struct results r;

    list_tables(t);
    p.in[0] = mdm_shape4(1, 2, 4, 2);
    p.in[1] = mdm_shape2(1, 1);
    p.fixed[1] = index;
    p.out[0] = mdm_shape3(1, 1, 8);
    s = draw_start(&p);
    for (int i = 0; i < 16; i++)
        s.in[0][i] = i;
    r = run_once(&p, &s, &t[0].rows, MDM_F32, 1);
    for (int i = 0; i < 8; i++)
        ck_assert_double_eq(r.value[0][i], want[i]);
    drop_results(&r);
    drop_start(&s);
}
END_TEST

/* Some channels from one on, by some of the indices, which count the patches from another number on. */
START_TEST(patches_of_one_kind)
{
    static const int32_t index[] = {3, 11, 10, 15, 0, 13, 12, 14};
    struct problem p = {.op = MDM_OP_PATCHIFY, .ins = 2, .outs = 1, .attr = {2, 1, 1, 10}};

    p.in[0] = mdm_shape4(2, 4, 6, 5);
    p.in[1] = mdm_shape2(2, 4);
    p.fixed[1] = index;
    p.out[0] = mdm_shape3(2, 2, 3 * 4);
    check_both_ways(&p);
}
END_TEST

START_TEST(times)
{
    static const double t[] = {0, 1, 999.5};
    struct mdm_cpu_table exact = {0};

    mdm_cpu_table_c_f64(&exact);
    for (int64_t d = 2, rounded = 1; d <= 9; d += !rounded, rounded = !rounded) {
        struct problem p = {.op = MDM_OP_TIMESTEP, .ins = 1, .outs = 1, .attr = {!rounded}};
        struct start s;
        struct results r;
        p.in[0] = mdm_shape1(3);
        p.fixed[0] = t;
        p.out[0] = mdm_shape2(3, d);
        check_problem(&p);
        s = draw_start(&p);
        r = run_once(&p, &s, &exact, MDM_F64, 1);
        for (int n = 0; n < 3; n++)
            for (int64_t i = 0; i < d; i++) {
                double f = pow(10000, -(double)(i % (d / 2)) / (double)(d / 2)) * t[n];
                double want = i < d / 2 ? cos(f) : i < d / 2 * 2 ? sin(f) : 0;
                ck_assert_double_eq_tol(r.value[0][n * d + i], want, 1e-15 + (rounded ? 2e-7 : 1e-15) * f);
            }
        drop_results(&r);
        drop_start(&s);
    }
}
END_TEST

/* As diffusers has it: frequencies 1e4^(-i/(D/2 - s)), the sines first. */
START_TEST(times_spaced_otherwise)
{
    static const double t[] = {0, 1, 640, 999.5};
    struct mdm_cpu_table exact = {0};

    mdm_cpu_table_c_f64(&exact);
    for (int shift = 0; shift <= 1; shift++) {
        struct problem p = {
            .op = MDM_OP_TIMESTEP, .ins = 1, .outs = 1, .attr = {1, 1}, .constant = {(double)shift}};
        struct start s;
        struct results r;

        p.in[0] = mdm_shape1(4);
        p.fixed[0] = t;
        p.out[0] = mdm_shape2(4, 6);
        check_problem(&p);
        s = draw_start(&p);
        r = run_once(&p, &s, &exact, MDM_F64, 1);
        for (int n = 0; n < 4; n++)
            for (int i = 0; i < 3; i++) {
                const double f = pow(10000, -(double)i / (double)(3 - shift)) * t[n];

                ck_assert_double_eq_tol(r.value[0][n * 6 + i], sin(f), 1e-15 + 1e-15 * f);
                ck_assert_double_eq_tol(r.value[0][n * 6 + 3 + i], cos(f), 1e-15 + 1e-15 * f);
            }
        drop_results(&r);
        drop_start(&s);
    }
}
END_TEST

START_TEST(labels)
{
    static const int32_t label[] = {2, -1, 0, 2, -1, 2, 1};
    static const int32_t wrong[] = {2, -1, 0, 3, -1, 2, 1};
    struct problem p = {.op = MDM_OP_EMBED, .ins = 3, .outs = 1};
    struct mdm_cpu cpu = {.workers = 1};
    struct start s;
    struct results r;
    struct mdm_call c;

    p.in[0] = mdm_shape1(7);
    p.fixed[0] = label;
    p.in[1] = mdm_shape2(3, 11);
    p.in[2] = mdm_shape2(1, 11);
    p.out[0] = mdm_shape2(7, 11);
    check_both_ways(&p);
    p.ins = 2; /* the table's last row is the null one */
    check_both_ways(&p);
    p.attr[0] = 1; /* zeros are */
    check_both_ways(&p);
    mdm_cpu_table_c_f32(&cpu.f32);
    s = draw_start(&p);
    r = run_once(&p, &s, &cpu.f32, MDM_F32, 1);
    for (int i = 0; i < 11; i++) {
        ck_assert_double_eq(r.value[0][11 + i], 0);
        ck_assert_double_eq(r.value[0][44 + i], 0);
        ck_assert_double_eq(r.value[0][i], (double)(float)s.in[1][22 + i]);
    }
    drop_results(&r);
    drop_start(&s);
    c = (struct mdm_call){.in = {wrong}, .in_shape = {&p.in[0], &p.in[1], &p.in[2]}, .out_shape = {&p.out[0]}};
    ck_assert_int_eq(cpu.f32.kernel[MDM_OP_EMBED].forward(&cpu.base, &c), MASKDM_EINVAL);
}
END_TEST

START_TEST(tokens_with_and_without_a_class)
{
    static const int32_t index[] = {4, 0, 2, 1, 3, 0};

    for (int class = 0; class <= 1; class ++) {
        struct problem p = {.op = MDM_OP_TOKENS, .ins = 4 + class, .outs = 1};
        int64_t extras = 1 + class, d = class ? 67 : 8;
        p.in[0] = mdm_shape3(2, 3, d);
        p.in[1] = mdm_shape3(1, extras + 5, d);
        p.in[2] = mdm_shape2(2, 3);
        p.fixed[2] = index;
        p.in[3] = mdm_shape2(2, d);
        if (class)
            p.in[4] = mdm_shape2(2, d);
        p.out[0] = mdm_shape3(2, extras + 3, d);
        check_both_ways(&p);
    }
}
END_TEST

/* No extra token, and several at once. */
START_TEST(tokens_of_any_number)
{
    static const int32_t index[] = {4, 0, 2, 1, 3, 0};
    static const int64_t extra[][3] = {{0, 0, 0}, {2, 0, 0}, {1, 3, 2}};

    for (size_t k = 0; k < MDM_LENGTH(extra); k++) {
        struct problem p = {.op = MDM_OP_TOKENS, .ins = 3, .outs = 1};
        int64_t extras = extra[k][0] + extra[k][1] + extra[k][2], d = 13;

        p.in[0] = mdm_shape3(2, 3, d);
        p.in[1] = mdm_shape3(1, extras + 5, d);
        p.in[2] = mdm_shape2(2, 3);
        p.fixed[2] = index;
        for (int i = 0; i < 3 && extra[k][i]; i++)
            p.in[p.ins++] = mdm_shape3(2, extra[k][i], d);
        p.out[0] = mdm_shape3(2, extras + 3, d);
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(trimmed)
{
    for (int64_t e = 0; e <= 2; e++) {
        struct problem p = {.op = MDM_OP_TRIM, .ins = 1, .outs = 1, .attr = {e}};
        p.in[0] = mdm_shape3(3, 5, 9);
        p.out[0] = mdm_shape3(3, 5 - e, 9);
        check_both_ways(&p);
        p.out[0] = mdm_shape3(3, 2, 9); /* some of them alone */
        check_both_ways(&p);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, patches);
    tcase_add_test(c, a_patch_has_its_channels_apart);
    tcase_add_test(c, patches_of_one_kind);
    tcase_add_test(c, times);
    tcase_add_test(c, times_spaced_otherwise);
    tcase_add_test(c, labels);
    tcase_add_test(c, tokens_with_and_without_a_class);
    tcase_add_test(c, tokens_of_any_number);
    tcase_add_test(c, trimmed);
}

int main(void)
{
    return run_suite("tokens", add_tests);
}
