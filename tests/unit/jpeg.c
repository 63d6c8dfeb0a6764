/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JPEG in: grey, colour, progressive; cut and hostile files.
 */
#include "io/codec.h"
#include "util/alloc.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { H = 21, W = 35 };

static int value(int y, int x, int c)
{
    return 40 + 4 * y + 2 * x + 20 * c; /* smooth, so that little is lost */
}

static unsigned char *encode(unsigned long *size, int channels, int scans)
{
    struct jpeg_compress_struct j;
    struct jpeg_error_mgr e;
    static jpeg_scan_info script[160];
    unsigned char row[W * 4], *rows[1] = {row}, *out = NULL;

    j.err = jpeg_std_error(&e);
    jpeg_create_compress(&j);
    jpeg_mem_dest(&j, &out, size);
    j.image_height = H;
    j.image_width = W;
    j.input_components = channels;
    j.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&j);
    jpeg_set_quality(&j, 98, TRUE);
    if (scans == 1)
        jpeg_simple_progression(&j);
    for (int i = 0; i < scans && scans > 1; i++) /* DC, then each coefficient, then its last bit */
        script[i] = i == 0 ? (jpeg_scan_info){1, {0}, 0, 0, 0, 0}
                  : i <= 63 ? (jpeg_scan_info){1, {0}, i, i, 0, 1}
                            : (jpeg_scan_info){1, {0}, i - 63, i - 63, 1, 0};
    if (scans > 1) {
        j.scan_info = script;
        j.num_scans = scans;
    }
    jpeg_start_compress(&j, TRUE);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++)
            for (int c = 0; c < channels; c++)
                row[x * channels + c] = (unsigned char)value(y, x, c);
        jpeg_write_scanlines(&j, rows, 1);
    }
    jpeg_finish_compress(&j);
    jpeg_destroy_compress(&j);
    return out;
}

static int decode(maskdm_image **out, const unsigned char *bytes, size_t size, struct maskdm_failure *f)
{
    memset(f, 0, sizeof *f);
    return maskdm_picture_decode(out, bytes, size, 0, NULL, f);
}

START_TEST(grey_and_colour)
{
    int channels = _i % 2 ? 3 : 1;
    struct maskdm_failure f;
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, channels, _i / 2);
    maskdm_image *m;

    ck_assert_msg(decode(&m, bytes, size, &f) == MASKDM_OK, "%s", f.text);
    ck_assert_int_eq(m->height, H);
    ck_assert_int_eq(m->width, W);
    ck_assert_int_eq(m->channels, channels);
    ck_assert_int_eq(m->bits, 8);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < channels; c++) {
                int v = m->sample[(y * W + x) * channels + c];

                ck_assert_int_eq(v % 257, 0);
                ck_assert_int_le(abs(v / 257 - value(y, x, c)), 4);
            }
    maskdm_picture_free(&m);
    free(bytes);
}
END_TEST

START_TEST(every_cut_is_an_error)
{
    struct maskdm_failure f;
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, _i % 2 ? 3 : 1, _i / 2);
    long before = maskdm_alloc_live();
    maskdm_image *m;

    for (size_t n = 0; n < size; n++) {
        unsigned char *cut = malloc(n + 1); /* of its own, so that a sanitizer sees reads behind the end */

        memcpy(cut, bytes, n);
        ck_assert_int_eq(decode(&m, cut, n, &f), MASKDM_EFORMAT);
        ck_assert_ptr_null(m);
        ck_assert_int_gt(strlen(f.text), 0);
        ck_assert_int_eq(maskdm_alloc_live(), before);
        free(cut);
    }
    free(bytes);
}
END_TEST

START_TEST(no_flipped_bit_crashes)
{
    struct maskdm_failure f;
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, _i % 2 ? 3 : 1, _i / 2);
    maskdm_image *m;

    for (size_t n = 0; n < 8 * size; n += 3) {
        bytes[n / 8] ^= (unsigned char)(1 << n % 8);
        if (decode(&m, bytes, size, &f) < 0)
            ck_assert_ptr_null(m);
        maskdm_picture_free(&m);
        bytes[n / 8] ^= (unsigned char)(1 << n % 8);
    }
    free(bytes);
}
END_TEST

START_TEST(cmyk_is_refused_by_name)
{
    struct maskdm_failure f;
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, 4, 0);
    maskdm_image *m;

    ck_assert_int_eq(decode(&m, bytes, size, &f), MASKDM_ENOTSUP);
    ck_assert_ptr_nonnull(strstr(f.text, "CMYK"));
    free(bytes);
}
END_TEST

START_TEST(scans_are_limited)
{
    struct maskdm_failure f;
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, 1, 100);
    maskdm_image *m;

    ck_assert_msg(decode(&m, bytes, size, &f) == MASKDM_OK, "%s", f.text);
    maskdm_picture_free(&m);
    free(bytes);
    bytes = encode(&size, 1, 127);
    ck_assert_int_eq(decode(&m, bytes, size, &f), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(f.text, "scans"));
    free(bytes);
}
END_TEST

START_TEST(promised_pixels_are_not_believed)
{
    struct maskdm_failure f;
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, 3, 0);
    size_t at = 2;
    maskdm_image *m;

    while (bytes[at + 1] != 0xc0) /* to the frame header */
        at += 2 + ((size_t)bytes[at + 2] << 8 | bytes[at + 3]);
    for (int i = 5; i < 9; i++)
        bytes[at + (size_t)i] = 0xff;
    ck_assert_int_eq(decode(&m, bytes, size, &f), MASKDM_EFORMAT);
    ck_assert_ptr_null(m);
    bytes[at + 5] = bytes[at + 7] = 0x1f; /* 8191 x 8191 */
    ck_assert_int_eq(decode(&m, bytes, size, &f), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(f.text, "8191"));
    free(bytes);
}
END_TEST

static int refuse_at(void *user, size_t bytes)
{
    int *left = user;

    (void)bytes;
    return (*left)-- == 0;
}

START_TEST(every_refused_allocation_is_reported)
{
    struct maskdm_failure f;
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, 3, 0);
    long before = maskdm_alloc_live();
    maskdm_image *m;
    int r = -1;

    for (int i = 0; r < 0; i++) {
        int left = i;
        struct maskdm_alloc_hook hook = {refuse_at, &left};

        ck_assert_int_lt(i, 20);
        maskdm_alloc_hook_set(&hook);
        r = decode(&m, bytes, size, &f);
        maskdm_alloc_hook_set(NULL);
        if (r < 0)
            ck_assert_int_eq(r, MASKDM_ENOMEM);
        if (r < 0)
            ck_assert_int_eq(maskdm_alloc_live(), before);
    }
    maskdm_picture_free(&m);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("jpeg");
    TCase *t = tcase_create("jpeg");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, grey_and_colour, 0, 4);
    tcase_add_loop_test(t, every_cut_is_an_error, 0, 4);
    tcase_add_loop_test(t, no_flipped_bit_crashes, 0, 4);
    tcase_add_test(t, cmyk_is_refused_by_name);
    tcase_add_test(t, scans_are_limited);
    tcase_add_test(t, promised_pixels_are_not_believed);
    tcase_add_test(t, every_refused_allocation_is_reported);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
