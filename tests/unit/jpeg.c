/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JPEG in: grey, colour, progressive; cut and hostile files.
 */
#include "jpeg.h"

#include "base/alloc.h"
#include "image/codec.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static int decode(maskdm_image **out, const unsigned char *bytes, size_t size)
{
    mdm_fail(MASKDM_OK, "%s", ""); /* so that a line is of this call */
    return mdm_image_decode(out, bytes, size, &mdm_reading_standard);
}

START_TEST(grey_and_colour)
{
    int channels = _i % 2 ? 3 : 1;
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, channels, _i / 2);
    maskdm_image *m;

    ck_assert_msg(decode(&m, bytes, size) == MASKDM_OK, "%s", mdm_error_text());
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
    mdm_image_free(&m);
    free(bytes);
}
END_TEST

/* Only the end marker, and a last byte of padding before it, may be missing. */
START_TEST(every_cut_into_the_picture_is_an_error)
{
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, _i % 2 ? 3 : 1, _i / 2);
    maskdm_image *m, *whole;
    long before;
    int status;

    ck_assert_int_eq(decode(&whole, bytes, size), MASKDM_OK);
    before = mdm_alloc_live();
    for (size_t n = 0; n < size; n++) {
        unsigned char *cut = malloc(n + 1); /* of its own, so that a sanitizer sees reads behind the end */

        memcpy(cut, bytes, n);
        status = decode(&m, cut, n);
        if (status == MASKDM_OK) {
            ck_assert_uint_ge(n, size - 3);
            ck_assert_str_eq(m->remark, "no end marker behind the whole picture");
            ck_assert_mem_eq(m->sample, whole->sample, (size_t)(H * W * m->channels) * sizeof *m->sample);
        } else {
            ck_assert_uint_lt(n, size - 2);
            ck_assert_int_eq(status, MASKDM_EFORMAT);
            ck_assert_ptr_null(m);
            ck_assert_int_gt(strlen(mdm_error_text()), 0);
        }
        mdm_image_free(&m);
        ck_assert_int_eq(mdm_alloc_live(), before);
        free(cut);
    }
    mdm_image_free(&whole);
    free(bytes);
}
END_TEST

START_TEST(no_flipped_bit_crashes)
{
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, _i % 2 ? 3 : 1, _i / 2);
    maskdm_image *m;

    for (size_t n = 0; n < 8 * size; n += 3) {
        bytes[n / 8] ^= (unsigned char)(1 << n % 8);
        if (decode(&m, bytes, size) < 0)
            ck_assert_ptr_null(m);
        mdm_image_free(&m);
        bytes[n / 8] ^= (unsigned char)(1 << n % 8);
    }
    free(bytes);
}
END_TEST

/* The four inks as libjpeg gives them. */
static void decode_inks(unsigned char *out, const unsigned char *bytes, unsigned long size)
{
    struct jpeg_decompress_struct j;
    struct jpeg_error_mgr e;

    j.err = jpeg_std_error(&e);
    jpeg_create_decompress(&j);
    jpeg_mem_src(&j, bytes, size);
    (void)jpeg_read_header(&j, TRUE);
    j.out_color_space = JCS_CMYK;
    (void)jpeg_start_decompress(&j);
    for (unsigned char *row = out; j.output_scanline < j.output_height; row += W * 4)
        (void)jpeg_read_scanlines(&j, &row, 1);
    (void)jpeg_finish_decompress(&j);
    jpeg_destroy_decompress(&j);
}

/* Four inks are stored inverted, as light. Where black leaves light k, a colour is k less (255 - light) * k / 255. */
START_TEST(cmyk_becomes_rgb)
{
    static const int transform[] = {0, 2, -1}; /* CMYK and YCCK with Adobe's marker, CMYK without one */
    unsigned long size = 0;
    unsigned char *bytes = encode_form(&size, (struct form){.channels = 4, .transform = transform[_i]});
    unsigned char inks[H * W * 4];
    maskdm_image *m;

    ck_assert_msg(decode(&m, bytes, size) == MASKDM_OK, "%s", mdm_error_text());
    ck_assert_int_eq(m->channels, 3);
    ck_assert_str_eq(m->remark, "");
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) {
                int k = value(y, x, 3), expected = k - (255 - value(y, x, c)) * k / 255;

                ck_assert_int_le(abs(m->sample[(y * W + x) * 3 + c] / 257 - expected), 6);
            }
    decode_inks(inks, bytes, size);
    for (int i = 0; i < H * W * 3; i++) { /* from those inks, rounded to the nearest */
        int k = inks[i / 3 * 4 + 3], light = inks[i / 3 * 4 + i % 3];

        ck_assert_int_eq(m->sample[i], 257 * (k - ((255 - light) * k + 127) / 255));
    }
    mdm_image_free(&m);
    free(bytes);
}
END_TEST

/* "Exif\0\0", a header, a list of one entry. */
START_TEST(exif_turns)
{
    static const unsigned char little[] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0,
                                           1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0};
    static const unsigned char big[] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8,
                                        0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0};
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, _i % 2 ? 3 : 1, _i / 2 % 2), *more = malloc(size + 2 * sizeof big);
    maskdm_image *m, *plain;
    size_t n = sizeof big;

    ck_assert_int_eq(decode(&plain, bytes, size), MASKDM_OK);
    memcpy(more, bytes, 2);
    memcpy(more + 2, _i / 4 ? big : little, n);
    memcpy(more + 2 + n, bytes + 2, size - 2);
    ck_assert_msg(decode(&m, more, size + n) == MASKDM_OK, "%s", mdm_error_text());
    ck_assert_str_eq(m->remark, "turned upright from EXIF orientation 6");
    ck_assert_int_eq(m->height, W);
    ck_assert_int_eq(m->width, H);
    for (int y = 0; y < W; y++)
        for (int x = 0; x < H; x++)
            ck_assert_mem_eq(m->sample + (y * H + x) * m->channels,
                             plain->sample + ((H - 1 - x) * W + y) * m->channels,
                             (size_t)m->channels * sizeof *m->sample);
    mdm_image_free(&m);
    for (unsigned length = 0; length < 36; length++) { /* a segment of any length is passed over or refused */
        more[5] = (unsigned char)length;
        if (decode(&m, more, size + n) == MASKDM_OK)
            ck_assert(m->height == H || length >= 28);
        mdm_image_free(&m);
    }
    for (size_t cut = 2; cut < 2 + n; cut++) {
        unsigned char *own = malloc(cut);

        memcpy(own, more, cut);
        ck_assert_int_eq(decode(&m, own, cut), MASKDM_EFORMAT);
        free(own);
    }
    mdm_image_free(&plain);
    free(bytes);
    free(more);
}
END_TEST

START_TEST(scans_are_limited)
{
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, 1, 100);
    maskdm_image *m;

    ck_assert_msg(decode(&m, bytes, size) == MASKDM_OK, "%s", mdm_error_text());
    mdm_image_free(&m);
    free(bytes);
    bytes = encode(&size, 1, 127);
    ck_assert_int_eq(decode(&m, bytes, size), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "scans"));
    free(bytes);
}
END_TEST

START_TEST(promised_pixels_are_not_believed)
{
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, 3, 0);
    size_t at = 2;
    maskdm_image *m;

    while (bytes[at + 1] != 0xc0) /* to the frame header */
        at += 2 + ((size_t)bytes[at + 2] << 8 | bytes[at + 3]);
    for (int i = 5; i < 9; i++)
        bytes[at + (size_t)i] = 0xff;
    ck_assert_int_eq(decode(&m, bytes, size), MASKDM_ENOTSUP);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "65500"));
    ck_assert_ptr_null(m);
    bytes[at + 5] = bytes[at + 7] = 0x1f; /* 8191 x 8191 */
    ck_assert_int_eq(decode(&m, bytes, size), MASKDM_EFORMAT);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "8191"));
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
    unsigned long size = 0;
    unsigned char *bytes = encode(&size, 3, 0);
    long before = mdm_alloc_live();
    maskdm_image *m;
    int r = -1;

    for (int i = 0; r < 0; i++) {
        int left = i;
        struct mdm_alloc_hook hook = {refuse_at, &left};

        ck_assert_int_lt(i, 20);
        mdm_alloc_hook_set(&hook);
        r = decode(&m, bytes, size);
        mdm_alloc_hook_set(NULL);
        if (r < 0)
            ck_assert_int_eq(r, MASKDM_ENOMEM);
        if (r < 0)
            ck_assert_int_eq(mdm_alloc_live(), before);
    }
    mdm_image_free(&m);
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
    tcase_add_loop_test(t, every_cut_into_the_picture_is_an_error, 0, 4);
    tcase_add_loop_test(t, no_flipped_bit_crashes, 0, 4);
    tcase_add_loop_test(t, cmyk_becomes_rgb, 0, 3);
    tcase_add_loop_test(t, exif_turns, 0, 8);
    tcase_add_test(t, scans_are_limited);
    tcase_add_test(t, promised_pixels_are_not_believed);
    tcase_add_test(t, every_refused_allocation_is_reported);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
