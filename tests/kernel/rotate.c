/* SPDX-License-Identifier: BSD-2-Clause
 *
 * angles and qk_rotate against their double build and their formulas, and that scores depend on how far two places
 * are apart and on nothing else of them.
 */
#include "twin.h"

/* B, N, e, h, D/h */
static const int64_t sizes[][5] = {{1, 1, 0, 1, 4}, {2, 5, 2, 3, 8},   {3, 30, 0, 2, 12}, {1, 130, 1, 1, 20},
                                   {1, 3, 0, 2, 6}, {2, 300, 1, 1, 4}, {2, 3, 3, 2, 64}};

static struct problem rotate(const int64_t *s)
{
    struct problem p = {.op = MDM_OP_QK_ROTATE, .ins = 4, .outs = 2, .bound = 1e-5, .constant = {1e-6}};

    p.in[0] = p.out[0] = mdm_shape3(s[0], s[1], 3 * s[3] * s[4]);
    p.in[1] = p.in[2] = mdm_shape1(s[4]);
    p.in[3] = mdm_shape3(s[0], s[1] - s[2], s[4]);
    p.out[1] = mdm_shape3(s[0], s[1], 2 * s[3]);
    p.attr[0] = s[3];
    p.still = 1u << 3;
    p.aux = 1u << 1;
    p.remade_out = 1u << 0;
    p.remake_in = 15;
    return p;
}

START_TEST(all_shapes)
{
    for (size_t k = 0; k + 1 < MDM_LENGTH(sizes); k++) {
        struct problem p = rotate(sizes[k]);
        check_both_ways(&p);
    }
}
END_TEST

/* Without a norm of either, and turned all the same. */
START_TEST(norms_may_be_absent)
{
    for (size_t k = 0; k + 1 < MDM_LENGTH(sizes); k++) {
        struct problem p = rotate(sizes[k]);

        p.in[1].n = p.in[2].n = 0;
        check_both_ways(&p);
        p.in[1] = mdm_shape1(sizes[k][4]);
        check_both_ways(&p);
    }
}
END_TEST

START_TEST(statistics_may_be_absent)
{
    struct problem p = rotate(sizes[1]);

    p.forward_only = 1;
    p.drop = p.aux;
    check_problem(&p);
}
END_TEST

static struct problem angles(const int32_t *index, const int32_t *keep, int64_t places, int64_t kept)
{
    struct problem p = {.op = MDM_OP_ANGLES, .ins = 2, .outs = 1, .attr = {2, 3}, .forward_only = 1};

    p.in[0] = mdm_shape2(2, places);
    p.fixed[0] = index;
    if (keep)
        p.in[1] = mdm_shape2(2, kept);
    p.fixed[1] = keep;
    p.out[0] = mdm_shape3(2, kept, 8);
    return p;
}

/* Places of a grid of 2 x 3, all that are told, or some of them. */
START_TEST(angles_are_those_of_row_and_column)
{
    static const int32_t index[] = {0, 2, 4, 1, 3, 5}, keep[] = {0, 2, 1, 2}, places[] = {0, 4, 3, 5};
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    for (int i = 0; i < tables; i++)
        for (int some = 0; some <= 1; some++) {
            struct problem p = angles(index, some ? keep : NULL, 3, some ? 2 : 3);
            struct start s = draw_start(&p);
            struct results r = run_once(&p, &s, &t[i].rows, MDM_F32, 2);

            check_problem(&p);
            for (int k = 0; k < (some ? 4 : 6); k++)
                for (int n = 0; n < 4; n++) {
                    int place = some ? places[k] : index[k];
                    double angle = (n < 2 ? place / 3 : place % 3) * (n % 2 ? 0.01 : 1);

                    ck_assert_double_eq_tol(r.value[0][8 * k + n], cos(angle), 1e-7);
                    ck_assert_double_eq_tol(r.value[0][8 * k + 4 + n], sin(angle), 1e-7);
                }
            drop_results(&r);
            drop_start(&s);
        }
}
END_TEST

/* What one token's q of 64 and another's k have in common, where both are turned by places of a grid of 9 x 9. */
static double score(const struct mdm_cpu_table *rows, const int32_t place[2], double *row)
{
    struct problem a = {.op = MDM_OP_ANGLES, .ins = 2, .outs = 1, .attr = {9, 9}, .forward_only = 1};
    struct problem p = rotate((const int64_t[]){1, 2, 0, 1, 64});
    struct start s, sa;
    struct results r, ra;
    double sum = 0;

    a.in[0] = mdm_shape2(1, 2);
    a.fixed[0] = place;
    a.out[0] = mdm_shape3(1, 2, 64);
    p.forward_only = 1;
    sa = draw_start(&a);
    ra = run_once(&a, &sa, rows, MDM_F32, 1);
    s = draw_start(&p);
    memcpy(s.in[3], ra.value[0], 128 * sizeof(double));
    for (int i = 0; i < 192; i++)
        s.in[0][i] = s.in[0][192 + i] = row[i];
    for (int i = 0; i < 64; i++)
        s.in[1][i] = s.in[2][i] = 1;
    r = run_once(&p, &s, rows, MDM_F32, 1);
    for (int i = 0; i < 64; i++)
        sum += r.value[0][i] * r.value[0][192 + 64 + i];
    drop_results(&r);
    drop_results(&ra);
    drop_start(&s);
    drop_start(&sa);
    return sum;
}

START_TEST(scores_know_only_how_far_apart)
{
    double row[192];
    struct table t[MOST_TABLES];
    int tables = list_tables(t);

    for (int i = 0; i < 192; i++)
        row[i] = draw();
    for (int i = 0; i < tables; i++) {
        const double here = score(&t[i].rows, (const int32_t[]){0, 2 * 9 + 1}, row);

        ck_assert_double_eq_tol(score(&t[i].rows, (const int32_t[]){4 * 9 + 3, 6 * 9 + 4}, row), here, 1e-4);
        ck_assert_double_gt(fabs(score(&t[i].rows, (const int32_t[]){0, 1 * 9 + 2}, row) - here), 1e-3);
    }
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, all_shapes);
    tcase_add_test(c, norms_may_be_absent);
    tcase_add_test(c, statistics_may_be_absent);
    tcase_add_test(c, angles_are_those_of_row_and_column);
    tcase_add_test(c, scores_know_only_how_far_apart);
}

int main(void)
{
    return run_suite("rotate", add_tests);
}
