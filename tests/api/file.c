/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensor files as a host sees them: public headers only, misuse answered with a status and a sentence.
 */
#include <maskdm/file.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const PATH = "api-file.tmp";

static const float weights[6] = {1, 2, 3, 4, 5, 6};

static void write_sample(void)
{
    maskdm_file_writer *w;
    const int64_t shape[2] = {2, 3};

    ck_assert_int_eq(maskdm_file_writer_create(&w), MASKDM_OK);
    ck_assert_int_eq(maskdm_file_writer_metadata(w, "format", "pt"), MASKDM_OK);
    ck_assert_int_eq(maskdm_file_writer_add(w, "w", "F32", shape, 2, weights), MASKDM_OK);
    ck_assert_int_eq(maskdm_file_writer_add(w, "s", "F32", NULL, 0, weights + 5), MASKDM_OK);
    ck_assert_int_eq(maskdm_file_writer_save(w, PATH), MASKDM_OK);
    maskdm_file_writer_release(&w);
    ck_assert_ptr_null(w);
}

START_TEST(written_and_read)
{
    maskdm_file *f;
    int64_t shape[8] = {0}, i;
    float x[6], one;
    double y[6];
    char raw[24];

    write_sample();
    ck_assert_int_eq(maskdm_file_open(&f, PATH), MASKDM_OK);
    ck_assert_int_eq(maskdm_file_count(f), 2);
    i = maskdm_file_find(f, "w");
    ck_assert_int_eq(i, 0);
    ck_assert_str_eq(maskdm_file_name(f, i), "w");
    ck_assert_str_eq(maskdm_file_dtype(f, i), "F32");
    ck_assert_int_eq(maskdm_file_shape(f, i, shape, 8), 2);
    ck_assert_int_eq(shape[0], 2);
    ck_assert_int_eq(shape[1], 3);
    shape[1] = 0;
    ck_assert_int_eq(maskdm_file_shape(f, i, shape, 1), 2);
    ck_assert_int_eq(shape[1], 0);
    ck_assert_int_eq(maskdm_file_shape(f, i, NULL, 0), 2);
    ck_assert_int_eq(maskdm_file_elements(f, i), 6);
    ck_assert_uint_eq(maskdm_file_bytes(f, i), 24);
    ck_assert_int_eq(maskdm_file_read_f32(f, i, x, 6), MASKDM_OK);
    ck_assert_mem_eq(x, weights, sizeof x);
    ck_assert_int_eq(maskdm_file_read_f64(f, i, y, 6), MASKDM_OK);
    ck_assert(y[5] == 6);
    ck_assert_int_eq(maskdm_file_read_raw(f, i, raw, 24), MASKDM_OK);
    ck_assert_int_eq(maskdm_file_read_f32(f, 1, &one, 1), MASKDM_OK);
    ck_assert(one == 6);
    ck_assert_int_eq(maskdm_file_metadata_count(f), 1);
    ck_assert_str_eq(maskdm_file_metadata_key(f, 0), "format");
    ck_assert_str_eq(maskdm_file_metadata_value(f, 0), "pt");
    ck_assert_str_eq(maskdm_file_metadata(f, "format"), "pt");
    maskdm_file_release(&f);
    ck_assert_ptr_null(f);
    remove(PATH);
}
END_TEST

START_TEST(misuse_is_answered)
{
    maskdm_file *f;
    float x[6];

    write_sample();
    ck_assert_int_eq(maskdm_file_open(NULL, PATH), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_file_open(&f, NULL), MASKDM_EINVAL);
    ck_assert_ptr_null(f);
    ck_assert_int_lt(maskdm_file_open(&f, "no-such-file"), MASKDM_OK);
    ck_assert_ptr_null(f);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "no-such-file"));
    ck_assert_int_lt(maskdm_file_open(&f, "."), MASKDM_OK);
    ck_assert_int_eq(maskdm_file_open_memory(&f, NULL, 4), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_file_open_memory(&f, NULL, 0), MASKDM_EFORMAT);
    ck_assert_int_eq(maskdm_file_open_memory(&f, "\3\0\0\0\0\0\0\0{} ", 11), MASKDM_OK);
    ck_assert_int_eq(maskdm_file_count(f), 0);
    maskdm_file_release(&f);
    maskdm_file_release(&f);
    maskdm_file_release(NULL);

    ck_assert_int_eq(maskdm_file_open(&f, PATH), MASKDM_OK);
    ck_assert_int_eq(maskdm_file_read_f32(f, 2, x, 6), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "tensor 2 of a file that has 2");
    ck_assert_int_eq(maskdm_file_find(f, "x"), MASKDM_ENOTFOUND);
    ck_assert_str_eq(maskdm_last_error(), "tensor 2 of a file that has 2");
    ck_assert_int_eq(maskdm_file_read_f32(f, -1, x, 6), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_file_read_f32(f, 0, NULL, 6), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_file_read_f32(f, 0, x, 7), MASKDM_ESHAPE);
    ck_assert_int_eq(maskdm_file_read_f32(f, 0, x, 6), MASKDM_OK);
    ck_assert_ptr_null(maskdm_file_name(f, 2));
    ck_assert_ptr_null(maskdm_file_dtype(f, -1));
    ck_assert_int_lt(maskdm_file_shape(f, 2, NULL, 0), 0);
    ck_assert_int_eq(maskdm_file_elements(f, 2), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_file_bytes(f, -1), MASKDM_EINVAL);
    ck_assert_ptr_null(maskdm_file_metadata_key(f, 1));
    ck_assert_ptr_null(maskdm_file_metadata(f, "x"));
    ck_assert_int_eq(maskdm_file_count(NULL), MASKDM_EINVAL);
    maskdm_file_release(&f);
    remove(PATH);
}
END_TEST

START_TEST(writer_misuse_is_answered)
{
    maskdm_file_writer *w;

    ck_assert_int_eq(maskdm_file_writer_create(NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_file_writer_create(&w), MASKDM_OK);
    ck_assert_int_eq(maskdm_file_writer_metadata(w, NULL, "x"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_file_writer_metadata(NULL, "x", "x"), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_file_writer_add(w, NULL, "F32", NULL, 0, weights), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_file_writer_add(w, "x", NULL, NULL, 0, weights), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_file_writer_add(w, "x", "F32", NULL, 1, weights), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_file_writer_save(w, NULL), MASKDM_EINVAL);
    ck_assert_int_lt(maskdm_file_writer_save(w, "no-such-folder/x"), MASKDM_OK);
    maskdm_file_writer_release(&w);
    maskdm_file_writer_release(&w);
    maskdm_file_writer_release(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file");
    TCase *tests = tcase_create("file");
    SRunner *runner;
    int failed;

    tcase_add_test(tests, written_and_read);
    tcase_add_test(tests, misuse_is_answered);
    tcase_add_test(tests, writer_misuse_is_answered);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
