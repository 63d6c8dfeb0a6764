/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sizes as people write them.
 */
#include "text/size.h"

#include "option/option.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    int64_t bytes; /* -1: none */
} cases[] = {
    {"0", 0},
    {"4096", 4096},
    {"12B", 12},
    {"1k", 1024},
    {"1K", 1024},
    {"300M", 300 << 20},
    {"300MiB", 300 << 20},
    {"300mb", 300 << 20},
    {"2G", INT64_C(2) << 30},
    {"1.5G", INT64_C(3) << 29},
    {"1T", INT64_C(1) << 40},
    {"7E", INT64_C(7) << 60},
    {"8E", -1},
    {"-1", -1 /* read, and out of range */},
    {"", -1},
    {"G", -1},
    {"2 G", -1},
    {"2GG", -1},
    {"2Gi", -1},
    {"1.3", -1},
    {"0.0001K", -1},
    {"1.2.3M", -1},
    {"2X", -1},
    {"99999999999999999999G", -1},
};

START_TEST(read_as_written)
{
    int64_t bytes = 77;
    const int status = mdm_size_read(cases[_i].text, &bytes);

    if (!strcmp(cases[_i].text, "-1"))
        ck_assert(status == 0 && bytes == -1);
    else if (cases[_i].bytes < 0)
        ck_assert_msg(status == -1 && bytes == 77, "%s", cases[_i].text);
    else
        ck_assert_msg(status == 0 && bytes == cases[_i].bytes, "%s: %lld", cases[_i].text, (long long)bytes);
}
END_TEST

START_TEST(written_to_three_figures)
{
    static const struct {
        double bytes;
        const char *text;
    } shown[] = {{0, "0"},
                 {812, "812"},
                 {999, "999"},
                 {1000, "0.977K"},
                 {1024, "1K"},
                 {300 << 20, "300M"},
                 {1.5 * 1073741824, "1.5G"},
                 {1e12, "931G"},
                 {1e30, "8.67e+11E"}};

    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        char text[MDM_SIZE_TEXT];

        mdm_size_write(text, shown[i].bytes);
        ck_assert_str_eq(text, shown[i].text);
    }
}
END_TEST

START_TEST(options_of_bytes_take_them)
{
    maskdm_options *o;
    char text[32];

    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_set(o, "memory_limit", "2G"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_get(o, "memory_limit", text, sizeof text, NULL), MASKDM_OK);
    ck_assert_str_eq(text, "2147483648");
    ck_assert_int_eq(maskdm_options_set(o, "memory_limit", "2 pounds"), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "option memory_limit takes bytes, as 300M or 2G, not \"2 pounds\"");
    ck_assert_int_eq(maskdm_options_set(o, "memory_limit", "-1"), MASKDM_EINVAL);
    maskdm_options_release(&o);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("size");
    TCase *tc = tcase_create("size");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tc, read_as_written, 0, (int)(sizeof cases / sizeof *cases));
    tcase_add_test(tc, written_to_three_figures);
    tcase_add_test(tc, options_of_bytes_take_them);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
