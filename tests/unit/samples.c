/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Samples as floats: to the bit what a division gives, in pieces and behind them.
 */
#include "data/samples.h"

#include <check.h>
#include <stdlib.h>

enum { LEVELS = 256, REST = 13 };

START_TEST(eight_bits_are_divided_exactly)
{
    unsigned char from[LEVELS + REST];
    float to[LEVELS + REST], want[LEVELS + REST];

    for (int i = 0; i < LEVELS + REST; i++) {
        from[i] = (unsigned char)(i * 3);
        want[i] = (float)(from[i] * 257) / 65535.0f;
    }
    mdm_samples_u8(to, from, LEVELS + REST);
    ck_assert_mem_eq(to, want, sizeof to);
}
END_TEST

START_TEST(eight_bits_are_as_sixteen)
{
    unsigned char from[LEVELS];
    uint16_t wide[LEVELS];
    float to[LEVELS], want[LEVELS];

    for (int i = 0; i < LEVELS; i++) {
        from[i] = (unsigned char)i;
        wide[i] = (uint16_t)(i * 257);
    }
    mdm_samples_u8(to, from, LEVELS);
    mdm_samples_u16(want, wide, LEVELS);
    ck_assert_mem_eq(to, want, sizeof to);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("samples");
    TCase *t = tcase_create("samples");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, eight_bits_are_divided_exactly);
    tcase_add_test(t, eight_bits_are_as_sixteen);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
