/* SPDX-License-Identifier: BSD-2-Clause
 *
 * XXH64 against published values, and in pieces of every size.
 */
#include "base/digest.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *digest_of(const char *text)
{
    static char out[17];
    struct mdm_digest d;

    mdm_digest_start(&d);
    mdm_digest_add(&d, text, strlen(text));
    mdm_digest_text(&d, out);
    return out;
}

START_TEST(published_values)
{
    ck_assert_str_eq(digest_of(""), "ef46db3751d8e999");
    ck_assert_str_eq(digest_of("a"), "d24ec4f1a98c6e5b");
    ck_assert_str_eq(digest_of("abc"), "44bc2cf5ad770999");
    ck_assert_str_eq(digest_of("xxhash"), "32dd38952c4bc720");
    ck_assert_str_eq(digest_of("Nobody inspects the spammish repetition"), "fbcea83c8a378bf1");
}
END_TEST

START_TEST(pieces_do_not_matter)
{
    unsigned char data[200];
    struct mdm_digest whole, parts;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 37 + 11);
    for (size_t n = 0; n <= sizeof data; n++)
        for (size_t step = 1; step <= 40; step++) {
            mdm_digest_start(&whole);
            mdm_digest_add(&whole, data, n);
            mdm_digest_start(&parts);
            for (size_t at = 0; at < n; at += step)
                mdm_digest_add(&parts, data + at, n - at < step ? n - at : step);
            ck_assert(mdm_digest_value(&whole) == mdm_digest_value(&parts));
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("digest");
    TCase *tests = tcase_create("digest");
    SRunner *runner;
    int failed;

    tcase_add_test(tests, published_values);
    tcase_add_test(tests, pieces_do_not_matter);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
