/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose turn it is among sources with weights.
 */
#include "data/shares.h"

#include "base/alloc.h"

#include <check.h>

enum { PARTS = 3, IMAGES = 5 + 2 + 40 };

static const int64_t images_of[PARTS] = {5, 2, 40};
static int64_t weight[PARTS] = {3, 1, 6};
static struct mdm_scan_file file[IMAGES];
static const struct mdm_scan scan = {.file = file, .count = IMAGES, .parts = PARTS, .weight = weight};
static const struct mdm_data_class kind;
static const maskdm_data set = {.kind = &kind, .count = IMAGES, .files = &scan};

static void fill(void)
{
    int64_t i = 0;

    for (int64_t k = 0; k < PARTS; k++)
        for (int64_t n = 0; n < images_of[k]; n++)
            file[i++].place = (uint64_t)k << MDM_SCAN_PLACE | (uint64_t)n;
}

/* In every round as often as the weight says; of a source, all images before one comes again. */
START_TEST(proportions_and_epochs)
{
    const int64_t first[PARTS] = {0, 5, 7};
    int64_t drawn[PARTS] = {0}, seen[IMAGES] = {0};
    struct mdm_shares *s;
    int64_t other = 0;

    fill();
    ck_assert_int_eq(mdm_shares_create(&s, &set), MASKDM_OK);
    for (uint64_t p = 0; p < 10 * 40; p++) {
        const int64_t i = mdm_shares_draw(s, 7, p), part = i < 5 ? 0 : i < 7 ? 1 : 2;

        ck_assert(i >= 0 && i < IMAGES);
        ck_assert_int_eq(i, mdm_shares_draw(s, 7, p)); /* nothing is remembered */
        other += i != mdm_shares_draw(s, 8, p);
        drawn[part]++;
        seen[i]++;
        for (int64_t n = first[part]; n < first[part] + images_of[part]; n++)
            ck_assert_int_le(seen[i] - seen[n], 1);
        if (p % 10 == 9)
            for (int64_t k = 0; k < PARTS; k++)
                ck_assert_int_eq(drawn[k], (int64_t)(p / 10 + 1) * weight[k]);
    }
    ck_assert_int_gt(other, 200);
    mdm_free(s);
}
END_TEST

START_TEST(a_source_without_images_is_refused)
{
    maskdm_data few = set;
    struct mdm_shares *s;

    fill();
    few.count = 6;
    ck_assert_int_eq(mdm_shares_create(&s, &few), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "source 3 of the data, of weight 6, has no image to train on");
    ck_assert_ptr_null(s);
    few.files = NULL; /* of the host */
    ck_assert_int_eq(mdm_shares_create(&s, &few), MASKDM_OK);
    ck_assert_ptr_null(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("shares");
    TCase *t = tcase_create("shares");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_test(t, proportions_and_epochs);
    tcase_add_test(t, a_source_without_images_is_refused);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
