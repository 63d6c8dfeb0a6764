/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shapes and the parameter layout.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "tensor/tensor.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(shapes)
{
    struct mdm_shape s = {0}, a = mdm_shape4(2, 3, 4, 5), b = mdm_shape3(2, 3, 4), v = mdm_shape1(7);
    struct mdm_shape huge = mdm_shape2(INT64_MAX / 2, 3);

    ck_assert_int_eq(mdm_shape_numel(&s), 1);
    ck_assert_int_eq(mdm_shape_last(&s), 1);
    ck_assert_int_eq(mdm_shape_rows(&s), 1);
    ck_assert_int_eq(mdm_shape_numel(&a), 120);
    ck_assert_int_eq(mdm_shape_last(&a), 5);
    ck_assert_int_eq(mdm_shape_rows(&a), 24);
    ck_assert_int_eq(mdm_shape_rows(&v), 1);
    ck_assert(!mdm_shape_equal(&a, &b) && mdm_shape_equal(&b, &b));
    a.n = 3;
    ck_assert(mdm_shape_equal(&a, &b));
    a.d[1] = 9;
    ck_assert(!mdm_shape_equal(&a, &b));
    ck_assert_int_eq(mdm_shape_numel(&huge), INT64_MAX);
    ck_assert_uint_eq(mdm_dtype_size(MDM_F32), 4);
    ck_assert_uint_eq(mdm_dtype_size(MDM_F64), 8);
    ck_assert_uint_eq(mdm_dtype_size(MDM_I32), 4);
}
END_TEST

START_TEST(parameters_are_laid_out)
{
    struct mdm_params p = {0};
    struct mdm_shape a = mdm_shape2(3, 7), b = mdm_shape1(16), huge = mdm_shape2(INT64_MAX / 2, 3);
    char name[20];

    ck_assert_int_eq(mdm_params_declare(&p, "a", &a, MDM_INIT_NORMAL, 0.02), 0);
    ck_assert_int_eq(mdm_params_declare(&p, "b", &b, MDM_INIT_ONE, 0), 1);
    ck_assert_int_eq(mdm_params_declare(&p, "a", &a, MDM_INIT_NORMAL, 0.02), 0);
    ck_assert_int_eq(mdm_params_declare(&p, "a", &b, MDM_INIT_NORMAL, 0.02), MASKDM_ESHAPE);
    ck_assert_str_eq(mdm_error_text(), "parameter a has shape [3,7], not [16]");
    ck_assert_int_eq(mdm_params_declare(&p, "huge", &huge, MDM_INIT_ZERO, 0), MASKDM_ESHAPE);
    ck_assert_uint_eq(p.list[0].at, 0);
    ck_assert_uint_eq(p.list[1].at, 32);
    ck_assert_uint_eq(p.length, 48);
    ck_assert_int_eq(p.numel, 37);
    for (int i = 2; i < 200; i++) {
        snprintf(name, sizeof name, "p%d", i);
        ck_assert_int_eq(mdm_params_declare(&p, name, &b, MDM_INIT_ZERO, 0), i);
    }
    ck_assert_int_eq(mdm_params_find(&p, "p150"), 150);
    ck_assert_int_eq(mdm_params_find(&p, "none"), -1);
    mdm_params_free(&p);
    ck_assert_ptr_null(p.list);
}
END_TEST

static int refuse_at(void *user, size_t bytes)
{
    (void)bytes;
    return (*(int *)user)-- == 0;
}

START_TEST(gaps_are_what_no_parameter_has)
{
    static const int64_t sizes[] = {3, 16, 5};
    struct mdm_params p = {0};
    float block[256] = {0};

    for (int i = 0; i < 3; i++) {
        struct mdm_shape s = mdm_shape1(sizes[i]);
        char name[2] = {(char)('a' + i), '\0'};
        ck_assert_int_eq(mdm_params_declare(&p, name, &s, MDM_INIT_ONE, 0), i);
    }
    ck_assert_uint_le(p.length, MDM_LENGTH(block));
    for (int i = 0; i < 3; i++) {
        size_t at, gap = mdm_params_gap(&p, i, &at);

        for (int64_t k = 0; k < sizes[i]; k++)
            block[p.list[i].at + (size_t)k]++;
        for (size_t k = 0; k < gap; k++)
            block[at + k]++;
    }
    for (size_t i = 0; i < p.length; i++)
        ck_assert_float_eq(block[i], 1);
    mdm_params_free(&p);
}
END_TEST

/* Runs of what is trained leave out what is frozen, and nothing else. */
START_TEST(frozen_parameters_stand_between_runs)
{
    static const char frozen[][5] = {{0, 0, 0, 0, 0}, {1, 0, 0, 1, 0}, {0, 1, 1, 0, 1}, {1, 1, 1, 1, 1}};
    const struct mdm_shape shape = {1, {17}};

    for (size_t k = 0; k < MDM_LENGTH(frozen); k++) {
        struct mdm_params p = {0};
        char seen[5 * 32] = {0};
        size_t at = 0, from, end = 0;

        for (int i = 0; i < 5; i++) {
            char name[2] = {(char)('a' + i), 0};
            ck_assert_int_eq(mdm_params_declare(&p, name, &shape, MDM_INIT_ZERO, 0), i);
            p.list[i].frozen = frozen[k][i];
        }
        while (mdm_params_trained(&p, &at, &from)) {
            ck_assert(from >= end && at > from && at <= p.length);
            memset(seen + from, 1, at - from);
            end = at;
        }
        for (size_t j = 0; j < p.length; j++)
            ck_assert_int_eq(seen[j], !frozen[k][j / 32]);
        mdm_params_free(&p);
    }
}
END_TEST

/* Against a table worked out by hand: place 5 of a grid of 3 columns is column 2 of row 1. */
START_TEST(grid_rows_tell_column_and_row)
{
    const struct mdm_shape shape = {3, {1, 6, 8}};
    const double f = 1 / sqrt(10000);
    const double want[8] = {sin(2), sin(2 * f), cos(2), cos(2 * f), sin(1), sin(f), cos(1), cos(f)};
    struct mdm_params p = {0};
    float x[48];

    ck_assert_int_eq(mdm_params_declare(&p, "grid", &shape, MDM_INIT_GRID, 3), 0);
    ck_assert_uint_eq(p.length, 48);
    mdm_params_init(&p, x, 1);
    for (int i = 0; i < 8; i++)
        ck_assert_float_eq_tol(x[5 * 8 + i], (float)want[i], 1e-7f);
    mdm_params_free(&p);
}
END_TEST

START_TEST(out_of_memory_changes_nothing)
{
    struct mdm_params p = {0};
    struct mdm_shape a = mdm_shape1(5);
    int left;
    struct mdm_alloc_hook hook = {refuse_at, &left};

    for (int i = 0; i < 2; i++) {
        left = i;
        mdm_alloc_hook_set(&hook);
        ck_assert_int_eq(mdm_params_declare(&p, "a", &a, MDM_INIT_ZERO, 0), MASKDM_ENOMEM);
        mdm_alloc_hook_set(NULL);
        ck_assert(p.count == 0 && p.length == 0 && p.numel == 0);
        mdm_params_free(&p);
    }
}
END_TEST

START_TEST(values_are_drawn)
{
    enum { N = 10007 };
    struct mdm_params p = {0}, q = {0};
    struct mdm_shape n = mdm_shape1(N);
    float *x, *y;
    double square = 0, most = 0, sum = 0;

    ck_assert_int_eq(mdm_params_declare(&p, "normal", &n, MDM_INIT_NORMAL, 0.02), 0);
    ck_assert_int_eq(mdm_params_declare(&p, "uniform", &n, MDM_INIT_UNIFORM, 0.5), 1);
    ck_assert_int_eq(mdm_params_declare(&p, "one", &n, MDM_INIT_ONE, 0), 2);
    ck_assert_int_eq(mdm_params_declare(&p, "zero", &n, MDM_INIT_ZERO, 0), 3);
    ck_assert_int_eq(mdm_params_declare(&q, "normal", &n, MDM_INIT_NORMAL, 0.02), 0);
    ck_assert_int_eq(mdm_params_declare(&q, "another", &n, MDM_INIT_NORMAL, 0.02), 1);
    x = malloc(p.length * sizeof *x);
    y = malloc(q.length * sizeof *y);
    memset(x, 0x55, p.length * sizeof *x);
    mdm_params_init(&p, x, 1);
    mdm_params_init(&q, y, 1);
    ck_assert_mem_eq(x, y, N * sizeof *x);
    ck_assert_mem_ne(y, y + q.list[1].at, N * sizeof *y); /* each parameter has numbers of its own */
    for (int i = 0; i < N; i++) {
        const float *u = x + p.list[1].at;

        square += (double)x[i] * x[i] / N;
        most = fmax(most, fabsf(u[i]));
        sum += (double)u[i] / N;
        ck_assert(x[p.list[2].at + (size_t)i] == 1.0f && x[p.list[3].at + (size_t)i] == 0.0f);
    }
    ck_assert_double_lt(fabs(sqrt(square) - 0.02), 0.02 * 5 / sqrt(2.0 * N));
    ck_assert(most > 0.499 && most <= 0.5);
    ck_assert_double_lt(fabs(sum), 5 * 0.5 / sqrt(3.0 * N));
    for (size_t i = N; i < p.list[1].at; i++)
        ck_assert(x[i] == 0.0f);
    mdm_params_init(&q, y, 2);
    ck_assert_mem_ne(x, y, N * sizeof *x);
    free(x);
    free(y);
    mdm_params_free(&p);
    mdm_params_free(&q);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tensor");
    TCase *t = tcase_create("tensor");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, shapes);
    tcase_add_test(t, parameters_are_laid_out);
    tcase_add_test(t, gaps_are_what_no_parameter_has);
    tcase_add_test(t, frozen_parameters_stand_between_runs);
    tcase_add_test(t, grid_rows_tell_column_and_row);
    tcase_add_test(t, out_of_memory_changes_nothing);
    tcase_add_test(t, values_are_drawn);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
