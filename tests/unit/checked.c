/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checked arithmetic at its edges.
 */
#include "base/checked.h"

#include <check.h>
#include <stdlib.h>

START_TEST(results_that_fit)
{
    uint64_t u = 0;
    int64_t i = 0;
    size_t z = 0;

    ck_assert(!mdm_add_u64(&u, UINT64_MAX - 1, 1) && u == UINT64_MAX);
    ck_assert(!mdm_sub_u64(&u, 5, 5) && u == 0);
    ck_assert(!mdm_mul_u64(&u, UINT64_MAX / 3, 3) && u == UINT64_MAX);
    ck_assert(!mdm_add_size(&z, 1, 2) && z == 3);
    ck_assert(!mdm_mul_size(&z, SIZE_MAX, 1) && z == SIZE_MAX);
    ck_assert(!mdm_mul_i64(&i, INT64_MIN, 1) && i == INT64_MIN);
    ck_assert(!mdm_add_i64(&i, INT64_MAX, INT64_MIN) && i == -1);
    ck_assert(!mdm_to_size(&z, 7) && z == 7);
    ck_assert(!mdm_to_i64(&i, INT64_MAX) && i == INT64_MAX);
    ck_assert(!mdm_align_size(&z, 0, 64) && z == 0);
    ck_assert(!mdm_align_size(&z, 1, 64) && z == 64);
    ck_assert(!mdm_align_size(&z, 128, 64) && z == 128);
}
END_TEST

START_TEST(results_that_do_not)
{
    uint64_t u = 42;
    int64_t i = 42;
    size_t z = 42;

    ck_assert(mdm_add_u64(&u, UINT64_MAX, 1) == -1);
    ck_assert(mdm_sub_u64(&u, 4, 5) == -1);
    ck_assert(mdm_mul_u64(&u, (uint64_t)1 << 33, (uint64_t)1 << 31) == -1);
    ck_assert(mdm_add_size(&z, SIZE_MAX, 1) == -1);
    ck_assert(mdm_mul_size(&z, SIZE_MAX / 2 + 1, 2) == -1);
    ck_assert(mdm_mul_i64(&i, INT64_MIN, -1) == -1);
    ck_assert(mdm_add_i64(&i, INT64_MIN, -1) == -1);
    ck_assert(mdm_to_i64(&i, (uint64_t)INT64_MAX + 1) == -1);
    ck_assert(mdm_align_size(&z, SIZE_MAX - 3, 64) == -1);
    ck_assert_msg(u == 42 && i == 42 && z == 42, "a failed call changed its result");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("checked");
    TCase *t = tcase_create("checked");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, results_that_fit);
    tcase_add_test(t, results_that_do_not);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
