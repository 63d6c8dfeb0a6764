/* SPDX-License-Identifier: BSD-2-Clause
 *
 * NumPy's arrays and archives: every form that NumPy writes is read, every cut and every flipped bit is refused or
 * found by a checksum, and nothing is allocated that the file does not justify.
 */
#include "archive.h"

#include "base/alloc.h"
#include "base/error.h"
#include "tensorfile/tensorfile.h"

#include <check.h>
#include <stdio.h>

#define MU "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"

static const double mean[3] = {1.5, -2, 3};
static const float turned[6] = {1, 4, 2, 5, 3, 6}; /* [2,3], the first index fastest */

static void make(struct archive *a)
{
    add_array(a, "mu.npy", MU, mean, sizeof mean);
    add_array(a, "x.npy", "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", turned, sizeof turned);
    add_array(a, "n.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "\7", 1);
    add_array(a, "none.npy", "{'descr': '<i8', 'fortran_order': False, 'shape': (0, 4), }", "", 0);
    end_archive(a);
}

START_TEST(what_numpy_writes)
{
    struct archive a = {.plain = _i & 1, .deflate = _i >> 1 & 1, .zip64 = _i >> 2 & 1};
    struct mdm_tensorfile s;
    double x[6];

    make(&a);
    ck_assert_msg(mdm_tensorfile_open_memory(&s, a.file.data, a.file.size) == MASKDM_OK, "%s", mdm_error_text());
    ck_assert_int_eq(s.count, 4);
    ck_assert_int_eq(mdm_tensorfile_read_f64(&s, mdm_tensorfile_find(&s, "mu"), x, 3), MASKDM_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq(x[i], mean[i]);
    ck_assert_int_eq(mdm_tensorfile_read_f64(&s, mdm_tensorfile_find(&s, "x"), x, 6), MASKDM_OK);
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq(x[i], i + 1);
    ck_assert_int_eq(mdm_tensorfile_read_f64(&s, mdm_tensorfile_find(&s, "n"), x, 1), MASKDM_OK);
    ck_assert_double_eq(x[0], 7);
    mdm_tensorfile_close(&s);
    free_archive(&a);
    ck_assert_int_eq(mdm_alloc_live(), 0);
}
END_TEST

START_TEST(one_array)
{
    struct bytes b = {0};
    struct mdm_tensorfile s;
    float x[3];

    put_array(&b, MU, mean, sizeof mean);
    ck_assert_int_eq(mdm_tensorfile_open_memory(&s, b.data, b.size), MASKDM_OK);
    ck_assert_int_eq(mdm_tensorfile_read_f32(&s, mdm_tensorfile_find(&s, "arr_0"), x, 3), MASKDM_OK);
    ck_assert_float_eq(x[1], -2);
    mdm_tensorfile_close(&s);
    free(b.data);
}
END_TEST

/* 1: the file was refused, a tensor of it could not be read, or reads as what was written: other deflated bytes may
 * mean the same. */
static int fails(const unsigned char *data, size_t size, int same_is_fine)
{
    struct mdm_tensorfile s;
    double x[8];
    int bad = 0;

    if (mdm_tensorfile_open_memory(&s, data, size) < 0)
        return 1;
    if (same_is_fine && s.count == 1 && s.tensor[0].elements == 3 && !mdm_tensorfile_read_f64(&s, 0, x, 3))
        bad = memcmp(x, mean, sizeof mean) == 0;
    for (int64_t i = 0; i < s.count; i++)
        bad |= s.tensor[i].elements > 8 || mdm_tensorfile_read_f64(&s, i, x, s.tensor[i].elements) < 0;
    mdm_tensorfile_close(&s);
    return bad;
}

START_TEST(every_cut)
{
    struct archive a = {.plain = 1, .deflate = _i};

    make(&a);
    for (size_t n = 0; n < a.file.size; n++) {
        unsigned char *cut = malloc(n + 1);

        memcpy(cut, a.file.data, n);
        ck_assert_msg(fails(cut, n, 0), "cut at %zu of %zu", n, a.file.size);
        free(cut);
    }
    free_archive(&a);
}
END_TEST

START_TEST(flipped_bits_of_an_array)
{
    struct archive a = {.plain = 1, .deflate = _i};
    const size_t from = 30 + strlen("mu.npy");
    size_t to;

    add_array(&a, "mu.npy", MU, mean, sizeof mean);
    to = a.file.size;
    end_archive(&a);
    for (size_t bit = 8 * from; bit < 8 * to; bit++) {
        a.file.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        ck_assert_msg(fails(a.file.data, a.file.size, _i), "bit %zu of byte %zu of %zu", bit % 8, bit / 8, to);
        a.file.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    free_archive(&a);
}
END_TEST

static const struct {
    const char *dictionary, *line;
} odd[] = {
    {"{'descr': '>f8', 'fortran_order': False, 'shape': (3,), }", "of type '>f8'"},
    {"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "of type '|O'"},
    {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,), }", "records"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }", "should take 32 bytes has 24"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }", "not as NumPy writes it at \"-3"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (3), }", "not as NumPy"},
    {"{'descr': '<f8', 'fortran_order': False, }", "not as NumPy"},
    {"{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", "not as NumPy"},
    {"{'descr': '<f8', 'fortran_order': 0, 'shape': (3,), }", "not as NumPy"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), } x", "not as NumPy"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999999), }", "should take"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,3), }", "more than 8 dimensions"},
};

START_TEST(what_is_refused)
{
    struct archive a = {.plain = 1};
    struct mdm_tensorfile s;

    add_array(&a, "mu.npy", odd[_i].dictionary, mean, sizeof mean);
    end_archive(&a);
    ck_assert_int_eq(mdm_tensorfile_open_memory(&s, a.file.data, a.file.size), MASKDM_EFORMAT);
    ck_assert_msg(strstr(mdm_error_text(), odd[_i].line) != NULL, "%s", mdm_error_text());
    free_archive(&a);
    ck_assert_int_eq(mdm_alloc_live(), 0);
}
END_TEST

/* A few bytes that claim to be gigabytes. */
START_TEST(a_bomb)
{
    struct archive a = {.plain = 1, .deflate = 1, .no_crc = 1};
    struct mdm_tensorfile s;

    add_packed(&a, "mu.npy", mean, (size_t)1 << 20, mean, sizeof mean);
    mdm_store_le(a.file.data + 22, 4, 0xfffffff0);
    mdm_store_le(a.directory.data + 24, 4, 0xfffffff0);
    end_archive(&a);
    ck_assert_int_eq(mdm_tensorfile_open_memory(&s, a.file.data, a.file.size), MASKDM_EFORMAT);
    ck_assert_msg(strstr(mdm_error_text(), "more than deflating can save") != NULL, "%s", mdm_error_text());
    free_archive(&a);
}
END_TEST

START_TEST(a_foreign_entry)
{
    struct archive a = {.plain = 1};
    struct mdm_tensorfile s;

    add_array(&a, "mu.npy", MU, mean, sizeof mean);
    add_entry(&a, "readme.txt", "no", 2);
    end_archive(&a);
    ck_assert_int_eq(mdm_tensorfile_open_memory(&s, a.file.data, a.file.size), MASKDM_EFORMAT);
    ck_assert_msg(strstr(mdm_error_text(), "\"readme.txt\" is no array") != NULL, "%s", mdm_error_text());
    free_archive(&a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("npz");
    TCase *c = tcase_create("npz");
    SRunner *runner = srunner_create(s);
    int failed;

    tcase_add_loop_test(c, what_numpy_writes, 0, 8);
    tcase_add_test(c, one_array);
    tcase_add_loop_test(c, every_cut, 0, 2);
    tcase_add_loop_test(c, flipped_bits_of_an_array, 0, 2);
    tcase_add_loop_test(c, what_is_refused, 0, (int)MDM_LENGTH(odd));
    tcase_add_test(c, a_bomb);
    tcase_add_test(c, a_foreign_entry);
    suite_add_tcase(s, c);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
