/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What weights are multiplied with where a model becomes one of other images, against numbers of PyTorch 2
 * (interpolate, align_corners=False, antialias where it shrinks; numpy.linalg.pinv), and whose place classes take.
 */
#include "model/axis.h"
#include "model/bicubic.h"
#include "model/classes.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void expect(const double *found, const double *wanted, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        ck_assert_msg(fabs(found[i] - wanted[i]) < 1e-8, "element %d is %.9g, not %.9g", (int)i, found[i], wanted[i]);
}

START_TEST(growing)
{
    static const double five[] = {1.096, -0.096, 0,    0.612, 0.46, -0.072, 0,    1,
                                  0,     -0.072, 0.46, 0.612, 0,    -0.096, 1.096};
    static const double eight[] = {
        1.10546875,  -0.10546875, 0,           0,           0.7734375,   0.26171875,  -0.03515625, 0,
        0.2265625,   0.87890625,  -0.10546875, 0,           -0.10546875, 0.87890625,  0.26171875,  -0.03515625,
        -0.03515625, 0.26171875,  0.87890625,  -0.10546875, 0,           -0.10546875, 0.87890625,  0.2265625,
        0,           -0.03515625, 0.26171875,  0.7734375,   0,           0,           -0.10546875, 1.10546875};
    double w[32];

    mdm_bicubic(w, 5, 3);
    expect(w, five, 15);
    mdm_bicubic(w, 8, 4);
    expect(w, eight, 32);
}
END_TEST

START_TEST(shrinking)
{
    static const double three[] = {0.584615385, 0.446153846, 0,           -0.0307692308, 0, -0.0372093023,
                                   0.246511628, 0.581395349, 0.246511628, -0.0372093023, 0, -0.0307692308,
                                   0,           0.446153846, 0.584615385};
    static const double of_eight[] = {0.323768673,
                                      0.400088744,
                                      0.261351871,
                                      0.0622688951,
                                      -0.0249963023,
                                      -0.0217423458,
                                      -0.000739535572,
                                      0,
                                      -0.0270960229,
                                      0.0141974203,
                                      0.174623791,
                                      0.338274812,
                                      0.338274812,
                                      0.174623791,
                                      0.0141974203,
                                      -0.0270960229,
                                      0,
                                      -0.000739535572,
                                      -0.0217423458,
                                      -0.0249963023,
                                      0.0622688951,
                                      0.261351871,
                                      0.400088744,
                                      0.323768673};
    double w[24];

    mdm_bicubic(w, 3, 5);
    expect(w, three, 15);
    mdm_bicubic(w, 3, 8);
    expect(w, of_eight, 24);
}
END_TEST

START_TEST(pseudo_inverses)
{
    static const double tall[] = {0.759368836, -0.0927021696, 0.333333333, 0.333333333, -0.0927021696, 0.759368836};
    static const double wide[] = {1.1280895,    0.757663831,   -0.20858996, -0.0801740066, 0.10106247,
                                  -0.294885353, 0.41502383,    1.33031447,  0.41502383,    -0.294885353,
                                  0.10106247,   -0.0801740066, -0.20858996, 0.757663831,   1.1280895};
    static const double one[] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    double w[15];

    ck_assert_int_eq(mdm_bicubic_dual(w, 3, 2), 0);
    expect(w, tall, 6);
    ck_assert_int_eq(mdm_bicubic_dual(w, 3, 5), 0);
    expect(w, wide, 15);
    ck_assert_int_eq(mdm_bicubic_dual(w, 3, 1), 0);
    expect(w, one, 3);
}
END_TEST

/* Of every size that a patch may have: products with what grew are those before. */
START_TEST(products_stay_where_patches_grow)
{
    for (int64_t p = 1; p <= 64; p = p * 3 / 2 + 1) {
        const int64_t q = 2 * p + 1;
        double *grow = malloc((size_t)(p * q) * sizeof *grow), *dual = malloc((size_t)(p * q) * sizeof *dual);

        mdm_bicubic(grow, q, p);
        ck_assert_int_eq(mdm_bicubic_dual(dual, q, p), 0);
        for (int64_t i = 0; i < p; i++)
            for (int64_t k = 0; k < p; k++) {
                double sum = 0;

                for (int64_t j = 0; j < q; j++)
                    sum += dual[j * p + i] * grow[j * p + k];
                ck_assert_double_eq_tol(sum, i == k, 1e-9);
            }
        free(grow);
        free(dual);
    }
}
END_TEST

static void expect_channels(const struct mdm_axis *a, int64_t taken, int64_t made, const double *wanted)
{
    ck_assert_int_eq(a->taken, taken);
    ck_assert_int_eq(a->made, made);
    ck_assert_ptr_nonnull(a->w);
    expect(a->w, wanted, taken * made);
}

/* 1 grey, 2 grey and alpha, 3 colours, 4 colours and alpha. */
START_TEST(channels)
{
    const double third = 1.0 / 3, r = 19595 / 65536.0, g = 38470 / 65536.0, b = 7471 / 65536.0;
    struct mdm_axis a;

    ck_assert_int_eq(mdm_axis_channels_in(&a, 3, 3, 0, 0), 0);
    ck_assert_ptr_null(a.w);
    ck_assert_int_eq(mdm_axis_channels_in(&a, 1, 3, 0, 0), 0);
    expect_channels(&a, 1, 3, (double[]){third, third, third});
    mdm_axis_free(&a);
    ck_assert_int_eq(mdm_axis_channels_in(&a, 3, 1, 1, 1), 0); /* with a channel of ours behind */
    expect_channels(&a, 4, 2, (double[]){1, 1, 1, 0, 0, 0, 0, 1});
    mdm_axis_free(&a);
    ck_assert_int_eq(mdm_axis_channels_in(&a, 2, 4, 0, 0), 0);
    expect_channels(&a, 2, 4, (double[]){third, 0, third, 0, third, 0, 0, 1});
    mdm_axis_free(&a);
    ck_assert_int_eq(mdm_axis_channels_out(&a, 3, 1, 3, 1), 0);
    expect_channels(&a, 3, 1, (double[]){r, g, b});
    mdm_axis_free(&a);
    ck_assert_int_eq(mdm_axis_channels_out(&a, 1, 2, 2, 4), 0); /* with as many variances */
    expect_channels(&a, 2, 4, (double[]){1, 0, 0, 0, 0, 1, 0, 0});
    mdm_axis_free(&a);
}
END_TEST

static struct mdm_labels labels(const char *const *name, int64_t count, int64_t classes)
{
    struct mdm_labels l = {0};

    ck_assert_int_eq(mdm_labels_set(&l, name, count, classes), 0);
    return l;
}

START_TEST(classes)
{
    static const struct {
        const char *before[4], *data[4], *now[5]; /* NULL: no more */
        int taken, made;
        int64_t from[5];
    } set[] = {
        {{"a", "b", "c"}, {"a", "b", "c"}, {"a", "b", "c"}, 3, 3, {0, 1, 2}},
        {{"a", "b", "c"}, {"c", "a"}, {"c", "a", "b"}, 3, 3, {2, 0, 1}},
        {{"a", "b", "c"}, {"a", "x", "c"}, {"a", "x", "c"}, 3, 3, {0, 1, 2}}, /* x has b's number */
        {{"a", "b"}, {"x", "a", "y"}, {"x", "a", "y"}, 2, 3, {-1, 0, -1}},    /* a is claimed */
        {{"a", "b"}, {"x"}, {"x", "b"}, 2, 4, {0, 1, -1, -1}},
        {{NULL}, {"x", "y"}, {"x", "y"}, 2, 3, {0, 1, -1}}, /* numbers alone */
        {{"a", "b", "c"}, {NULL}, {"a", "b"}, 3, 2, {0, 1}},
        {{"a", "b"}, {"x", "y", "z"}, {"x", "y"}, 2, 2, {0, 1}}, /* one label too many */
        {{NULL}, {"x"}, {"x"}, 0, 2, {-1, -1}},
    };
    const int n = _i;
    struct mdm_labels before, first, now = {0};
    int64_t from[5], count[2] = {0, 0}, made = 0;

    while (count[0] < 4 && set[n].before[count[0]])
        count[0]++;
    while (count[1] < 4 && set[n].data[count[1]])
        count[1]++;
    while (made < 5 && set[n].now[made])
        made++;
    before = labels(set[n].before, count[0], 9);
    first = labels(set[n].data, count[1], 9);
    ck_assert_int_eq(mdm_classes_names(&now, &first, set[n].made, &before), 0);
    ck_assert_int_eq(now.count, made);
    for (int64_t i = 0; i < made; i++)
        ck_assert_str_eq(now.name[i], set[n].now[i]);
    ck_assert_int_eq(mdm_classes_map(from, &now, set[n].made, &before, set[n].taken), 0);
    for (int64_t i = 0; i < set[n].made; i++)
        ck_assert_msg(from[i] == set[n].from[i], "case %d, class %d: %d", n, (int)i, (int)from[i]);
    mdm_labels_free(&before);
    mdm_labels_free(&first);
    mdm_labels_free(&now);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transfer");
    TCase *tests = tcase_create("transfer");
    SRunner *runner;
    int failed;

    tcase_add_test(tests, growing);
    tcase_add_test(tests, shrinking);
    tcase_add_test(tests, pseudo_inverses);
    tcase_add_test(tests, products_stay_where_patches_grow);
    tcase_add_test(tests, channels);
    tcase_add_loop_test(tests, classes, 0, 9);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
