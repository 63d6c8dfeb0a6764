/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What reading a picture may cost, and what the limits say.
 */
#include "base/alloc.h"
#include "image/codec.h"
#include "picture.h"

#include <check.h>
#include <stdio.h>

static unsigned char value(int y, size_t i)
{
    return (unsigned char)(y / 16 + (int)(i / 48));
}

/* The largest allocation, of those that the library knows of. */
static int watch(void *user, size_t bytes)
{
    size_t *most = user;

    if (bytes > *most)
        *most = bytes;
    return 0;
}

static int decode(maskdm_image **out, const struct png_file *file, const struct mdm_reading *how, size_t *most)
{
    struct mdm_alloc_hook hook = {watch, most};
    int r;

    *most = 0;
    mdm_fail(MASKDM_OK, "%s", ""); /* so that a line is of this call */
    mdm_alloc_hook_set(&hook);
    r = mdm_image_decode(out, file->data, file->size, how);
    mdm_alloc_hook_set(NULL);
    return r;
}

/* 3 MB of pixels, fitted: only rows are held. Interlaced, or on its side: one picture of the file's depth. */
START_TEST(a_large_picture_is_read_by_rows)
{
    struct png_file file = picture_png(1024, 1024, PNG_COLOR_TYPE_RGB, 8, _i, value, NULL);
    struct mdm_reading how = mdm_reading_standard;
    maskdm_image *m;
    size_t most;

    how.channels = 4;
    how.height = how.width = 8;
    ck_assert_msg(!decode(&m, &file, &how, &most), "%s", mdm_error_text());
    mdm_image_free(&m);
    if (_i)
        ck_assert_uint_eq(most, 1024 * 1024 * 3);
    else
        ck_assert_uint_lt(most, 1 << 18);
    how.memory = 1024 * 1024 * 3 - 1;
    if (_i) {
        ck_assert_int_eq(decode(&m, &file, &how, &most), MASKDM_EINVAL);
        ck_assert_msg(strstr(mdm_error_text(), "1024 x 1024") && strstr(mdm_error_text(), "3145728") &&
                          strstr(mdm_error_text(), "3145727") && strstr(mdm_error_text(), "--image-memory"),
                      "%s", mdm_error_text());
        ck_assert_uint_lt(most, 1 << 17);
    } else {
        ck_assert_int_eq(decode(&m, &file, &how, &most), MASKDM_OK);
        mdm_image_free(&m);
    }
    free(file.data);
}
END_TEST

START_TEST(pictures_on_their_side_count)
{
    static const unsigned char exif[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0};
    const struct png_chunk chunk = {"eXIf", exif, sizeof exif, 0, 1};
    const int interlaced = _i % 2, sample = 1 + _i / 2;
    struct png_file file = picture_png(300, 200, PNG_COLOR_TYPE_RGB, 8 * sample, interlaced, value, &chunk);
    struct mdm_reading how = mdm_reading_standard;
    maskdm_image *m;
    size_t most;

    how.height = how.width = 8;
    how.memory = (size_t)(300 * 200 * 3 * sample * (1 + interlaced));
    ck_assert_msg(!decode(&m, &file, &how, &most), "%s", mdm_error_text());
    ck_assert_uint_eq(most, (size_t)(300 * 200 * 3 * sample));
    mdm_image_free(&m);
    how.memory--;
    ck_assert_int_eq(decode(&m, &file, &how, &most), MASKDM_EINVAL);
    ck_assert_msg(strstr(mdm_error_text(), "on their side") && strstr(mdm_error_text(), "image_memory"), "%s",
                  mdm_error_text());
    how.as_stored = 1;
    ck_assert_int_eq(decode(&m, &file, &how, &most), MASKDM_OK);
    mdm_image_free(&m);
    free(file.data);
}
END_TEST

START_TEST(the_limit_of_pixels_is_named)
{
    struct png_file file = picture_png(31, 17, PNG_COLOR_TYPE_GRAY, 8, 0, value, NULL);
    struct mdm_reading how = mdm_reading_standard;
    maskdm_image *m;
    size_t most;

    how.pixels = 31 * 17;
    ck_assert_int_eq(decode(&m, &file, &how, &most), MASKDM_OK);
    mdm_image_free(&m);
    how.pixels--;
    ck_assert_int_eq(decode(&m, &file, &how, &most), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "31 x 17 are 527 pixels, and image_pixels is 526 (--image-pixels raises it)");
    free(file.data);
    file = picture_png(1, 65536, PNG_COLOR_TYPE_GRAY, 8, 0, value, NULL);
    ck_assert_int_eq(decode(&m, &file, &mdm_reading_standard, &most), MASKDM_ENOTSUP);
    ck_assert_msg(strstr(mdm_error_text(), "65535") && strstr(mdm_error_text(), "fixed"), "%s", mdm_error_text());
    free(file.data);
}
END_TEST

/* Texts that inflate to a thousand times their size, before the picture and behind it. */
START_TEST(side_chunks_are_not_inflated)
{
    static const char *const names[] = {"zTXt", "iTXt", "tEXt"};
    const struct png_chunk chunk = {names[_i % 3], NULL, 1 << 20, _i / 3, 8};
    struct png_file file = picture_png(31, 17, PNG_COLOR_TYPE_RGB, 8, 0, value, &chunk);
    maskdm_image *m;
    size_t most;

    ck_assert_uint_gt(file.size, _i % 3 == 2 ? 8 << 20 : 8000);
    ck_assert_msg(!decode(&m, &file, &mdm_reading_standard, &most), "%s", mdm_error_text());
    ck_assert_str_eq(m->remark, "");
    ck_assert_uint_lt(most, 1 << 16);
    mdm_image_free(&m);
    free(file.data);
}
END_TEST

/* What stands behind the picture does not spoil it; transparency before it that is lost does. */
START_TEST(odd_chunks)
{
    static const unsigned char key[6] = {0, 1, 0, 2, 0, 3};
    const struct png_chunk trns = {"tRNS", key, sizeof key, 0, 1}, late = {"tRNS", key, sizeof key, 1, 1};
    const struct png_chunk text = {"tEXt", "a\0b", 3, 1, 1};
    struct png_file file = picture_png(31, 17, PNG_COLOR_TYPE_RGB, 8, 0, value, &text);
    maskdm_image *m;
    size_t most;

    file.data = realloc(file.data, file.size + 100);
    memset(file.data + file.size, 0, 100);
    file.size += 100;
    ck_assert_int_eq(decode(&m, &file, &mdm_reading_standard, &most), MASKDM_OK);
    ck_assert_str_eq(m->remark, "100 bytes behind the end of the picture");
    mdm_image_free(&m);
    file.size -= 100 + 12 + 2; /* into the text's checksum */
    ck_assert_int_eq(decode(&m, &file, &mdm_reading_standard, &most), MASKDM_OK);
    ck_assert_str_eq(m->remark, "no end marker behind the whole picture");
    mdm_image_free(&m);
    free(file.data);
    file = picture_png(31, 17, PNG_COLOR_TYPE_RGB, 8, 0, value, &trns);
    ck_assert_int_eq(decode(&m, &file, &mdm_reading_standard, &most), MASKDM_OK);
    ck_assert_int_eq(m->channels, 4);
    mdm_image_free(&m);
    file.data[8 + 25 + 8 + sizeof key] ^= 1;
    ck_assert_int_eq(decode(&m, &file, &mdm_reading_standard, &most), MASKDM_EFORMAT);
    ck_assert_msg(strstr(mdm_error_text(), "tRNS") != NULL, "%s", mdm_error_text());
    free(file.data);
    file = picture_png(31, 17, PNG_COLOR_TYPE_RGB, 8, 0, value, NULL);
    memcpy(file.data + file.size - 8, "IxND", 4);
    ck_assert_int_eq(decode(&m, &file, &mdm_reading_standard, &most), MASKDM_OK);
    ck_assert_str_eq(m->remark, "no end marker behind the whole picture");
    mdm_image_free(&m);
    file.data[file.size - 12 - 1] ^= 1; /* the checksum of the picture's data */
    ck_assert_int_eq(decode(&m, &file, &mdm_reading_standard, &most), MASKDM_EFORMAT);
    free(file.data);
    file = picture_png(31, 17, PNG_COLOR_TYPE_RGB, 8, 0, value, &late);
    ck_assert_int_eq(decode(&m, &file, &mdm_reading_standard, &most), MASKDM_OK);
    ck_assert_int_eq(m->channels, 3);
    ck_assert_str_eq(m->remark, "misplaced or malformed transparency is left out");
    mdm_image_free(&m);
    free(file.data);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rows");
    TCase *t = tcase_create("rows");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, a_large_picture_is_read_by_rows, 0, 2);
    tcase_add_loop_test(t, pictures_on_their_side_count, 0, 4);
    tcase_add_test(t, the_limit_of_pixels_is_named);
    tcase_add_loop_test(t, side_chunks_are_not_inflated, 0, 6);
    tcase_add_test(t, odd_chunks);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
