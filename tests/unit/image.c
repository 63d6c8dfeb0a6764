/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Channel conversion, grids, and the public calls on images.
 */
#include <maskdm/image.h>

#include "base/alloc.h"
#include "image/codec.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static maskdm_image *make(int height, int width, int channels, int bits, const uint16_t *sample)
{
    maskdm_image *m;

    ck_assert_int_eq(mdm_image_create(&m, height, width, channels), MASKDM_OK);
    m->bits = bits;
    memcpy(m->sample, sample, (size_t)(height * width * channels) * sizeof *sample);
    return m;
}

/* One pixel to `channels`; NULL: over white. */
static void convert(uint16_t *out, int from, int to, int bits, const uint16_t *pixel, const float *background)
{
    static const float white[3] = {1, 1, 1};

    mdm_convert_row(out, to, pixel, from, 1, bits, background ? background : white);
}

START_TEST(grey_by_the_luma_weights)
{
    /* From Pillow: Image.new("RGB", (1, 1), ...).convert("L") */
    static const int pillow[][4] = {{255, 0, 0, 76},    {0, 255, 0, 150}, {0, 0, 255, 29},  {255, 255, 255, 255},
                                    {10, 200, 77, 129}, {1, 2, 3, 2},     {254, 1, 128, 91}, {17, 18, 16, 17}};

    for (size_t i = 0; i < MDM_LENGTH(pillow); i++) {
        uint16_t rgb[3], l;

        for (int c = 0; c < 3; c++)
            rgb[c] = (uint16_t)(pillow[i][c] * 257);
        convert(&l, 3, 1, 8, rgb, NULL);
        ck_assert_int_eq(l, pillow[i][3] * 257);
        convert(&l, 3, 1, 16, rgb, NULL);
        ck_assert_int_le(abs(l - pillow[i][3] * 257), 129);
    }
}
END_TEST

START_TEST(alpha_over_the_background)
{
    static const uint16_t rgba[4] = {60000, 0, 30000, 16384}, ga[2] = {100 * 257, 64 * 257};
    static const float red[3] = {1, 0, 0}, grey[3] = {0.25f};
    uint16_t out[4];

    convert(out, 4, 3, 16, rgba, NULL); /* white */
    ck_assert_int_eq(out[0], (int)floor((60000.0 * 16384 + 65535.0 * 49151) / 65535 + 0.5));
    ck_assert_int_eq(out[1], 49151);
    convert(out, 4, 3, 16, rgba, red);
    ck_assert_int_eq(out[1], 0);
    ck_assert_int_eq(out[2], (int)floor(30000.0 * 16384 / 65535 + 0.5));
    convert(out, 2, 1, 8, ga, grey); /* stays a sample of 8 bits */
    ck_assert_int_eq(out[0], 257 * (int)floor((100 * 64 + 63.75 * 191) / 255 + 0.5));
    convert(out, 2, 3, 8, ga, red);
    ck_assert_int_eq(out[0], 257 * (int)floor((100.0 * 64 + 255 * 191) / 255 + 0.5));
    ck_assert_int_eq(out[2], 257 * (int)floor(100.0 * 64 / 255 + 0.5));
    convert(out, 2, 4, 8, ga, red); /* alpha is wanted: nothing is composed */
    ck_assert_int_eq(out[0], 100 * 257);
    ck_assert_int_eq(out[2], 100 * 257);
    ck_assert_int_eq(out[3], 64 * 257);
    convert(out, 1, 2, 8, ga, NULL);
    ck_assert_int_eq(out[1], 65535);
}
END_TEST

START_TEST(arrays_in_and_out)
{
    unsigned char u8[2 * 10] = {0, 1, 2, 253, 254, 255, 9, 9, 9, 9, 10, 20, 30, 40, 50, 60}, back[12];
    uint16_t u16[6];
    float in[4] = {-1, 0.5f, 2, NAN}, out[6];
    maskdm_image *m;

    ck_assert_int_eq(maskdm_image_create(&m, 2, 2, 3, MASKDM_SAMPLE_U8, u8, 10), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_height(m), 2);
    ck_assert_int_eq(maskdm_image_width(m), 2);
    ck_assert_int_eq(maskdm_image_channels(m), 3);
    ck_assert_int_eq(maskdm_image_copy(m, MASKDM_SAMPLE_U8, back, 0), MASKDM_OK);
    ck_assert_mem_eq(back, u8, 6);
    ck_assert_mem_eq(back + 6, u8 + 10, 6);
    ck_assert_int_eq(maskdm_image_copy(m, MASKDM_SAMPLE_U8, back, 5), MASKDM_EINVAL);
    maskdm_image_release(&m);
    ck_assert_ptr_null(m);
    maskdm_image_release(&m);

    ck_assert_int_eq(maskdm_image_create(&m, 1, 4, 1, MASKDM_SAMPLE_FLOAT, in, 0), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_copy(m, MASKDM_SAMPLE_U16, u16, 0), MASKDM_OK);
    ck_assert_int_eq(u16[0], 0);
    ck_assert_int_eq(u16[1], 32768);
    ck_assert_int_eq(u16[2], 65535);
    ck_assert_int_eq(u16[3], 0);
    ck_assert_int_eq(maskdm_image_copy(m, MASKDM_SAMPLE_FLOAT, out, 0), MASKDM_OK);
    ck_assert(out[2] == 1 && out[0] == 0 && fabsf(out[1] - 0.5f) < 1e-5f);
    maskdm_image_release(&m);

    ck_assert_int_eq(maskdm_image_create(&m, 0, 4, 1, MASKDM_SAMPLE_U8, u8, 0), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_image_create(&m, 1 << 15, 1 << 15, 1, MASKDM_SAMPLE_U8, u8, 0), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_image_create(&m, 1, 4, 5, MASKDM_SAMPLE_U8, u8, 0), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_image_create(&m, 1, 4, 1, 7, u8, 0), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_image_create(&m, 1, 4, 1, MASKDM_SAMPLE_U8, u8, 3), MASKDM_EINVAL);
    ck_assert_ptr_null(m);
}
END_TEST

START_TEST(grid)
{
    static const uint16_t black[6], odd[8];
    maskdm_image *a = make(2, 3, 1, 8, black), *b = make(2, 4, 1, 8, odd), *sheet;
    const maskdm_image *list[5] = {a, a, a, a, a}, *mixed[2] = {a, b};
    int blacks = 0;

    ck_assert_int_eq(mdm_image_grid(&sheet, list, 5, 0), MASKDM_OK);      /* 3 columns, 2 rows */
    ck_assert_int_eq(sheet->width, 3 * 5 + 2);
    ck_assert_int_eq(sheet->height, 2 * 4 + 2);
    ck_assert_int_eq(sheet->bits, 8);
    ck_assert_int_eq(sheet->sample[0], 65535);
    ck_assert_int_eq(sheet->sample[2 * 17 + 2], 0);
    ck_assert_int_eq(sheet->sample[6 * 17 + 7], 0);
    ck_assert_int_eq(sheet->sample[6 * 17 + 12], 65535);
    for (int i = 0; i < 17 * 10; i++)
        blacks += sheet->sample[i] == 0;
    ck_assert_int_eq(blacks, 5 * 6);
    mdm_image_free(&sheet);
    ck_assert_int_eq(mdm_image_grid(&sheet, list, 4, 2), MASKDM_OK);      /* full rows, and no row behind them */
    ck_assert_int_eq(sheet->width, 2 * 5 + 2);
    ck_assert_int_eq(sheet->height, 2 * 4 + 2);
    mdm_image_free(&sheet);
    ck_assert_int_eq(mdm_image_grid(&sheet, mixed, 2, 0), MASKDM_ESHAPE);
    ck_assert_int_eq(mdm_image_grid(&sheet, list, 0, 0), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_image_grid(&sheet, list, 1, INT64_MAX / 2), MASKDM_EINVAL);
    ck_assert_ptr_null(sheet);
    mdm_image_free(&a);
    mdm_image_free(&b);
}
END_TEST

START_TEST(files)
{
    static const unsigned char clear[4] = {9, 9, 9, 0};
    unsigned char u8[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, back[12];
    maskdm_image *m, *n;
    maskdm_options *o;
    FILE *file;

    ck_assert_int_eq(maskdm_image_create(&m, 2, 2, 3, MASKDM_SAMPLE_U8, u8, 0), MASKDM_OK);
    ck_assert_int_eq(m->bits, 8);
    ck_assert_int_eq(maskdm_image_write_png(m, "unit_image.png", 12), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_image_write_png(m, "unit_image.png", 8), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_read(&n, "unit_image.png", 3, NULL), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_copy(n, MASKDM_SAMPLE_U8, back, 0), MASKDM_OK);
    ck_assert_mem_eq(back, u8, 12);
    maskdm_image_release(&n);
    ck_assert_int_eq(maskdm_image_fit(&n, m, 1, 1), MASKDM_OK);
    maskdm_image_release(&n);
    ck_assert_int_eq(maskdm_image_create(&n, 1, 1, 4, MASKDM_SAMPLE_U8, clear, 0), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_write_png(n, "unit_clear.png", 8), MASKDM_OK);
    maskdm_image_release(&n);
    ck_assert_int_eq(maskdm_options_create(&o, "image"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, "background=0,0.2,1"), MASKDM_OK); /* a colour under each channel */
    ck_assert_int_eq(maskdm_image_read(&n, "unit_clear.png", 3, o), MASKDM_OK);
    maskdm_options_release(&o);
    ck_assert_int_eq(maskdm_image_copy(n, MASKDM_SAMPLE_U8, back, 0), MASKDM_OK);
    ck_assert(back[0] == 0 && back[1] == 51 && back[2] == 255);
    maskdm_image_release(&n);
    unlink("unit_clear.png");
    ck_assert_int_eq(maskdm_image_fit(&n, m, 1, -1), MASKDM_EINVAL);
    maskdm_image_release(&m);

    file = fopen("unit_image.png", "a");
    fputs("trailer", file);
    fclose(file);
    ck_assert_int_eq(maskdm_options_create(&o, "image"), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_read(&n, "unit_image.png", 1, o), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_channels(n), 1);
    ck_assert_str_eq(maskdm_image_remark(n), "7 bytes behind the end of the picture");
    maskdm_image_release(&n);
    ck_assert_ptr_null(maskdm_image_remark(NULL));
    ck_assert_int_eq(maskdm_options_parse(o, "background=0.5,0.5 orientation=ignore"), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_read(&n, "unit_image.png", 3, o), MASKDM_EINVAL); /* 2 values, 3 colours */
    ck_assert_int_eq(maskdm_options_parse(o, "background=1 image_pixels=3"), MASKDM_OK);
    ck_assert_int_eq(maskdm_image_read(&n, "unit_image.png", 3, o), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "unit_image.png: 2 x 2 are 4 pixels, and image_pixels is 3 "
                                          "(--image-pixels raises it)");
    ck_assert_ptr_null(n);
    maskdm_options_release(&o);
    ck_assert_int_eq(maskdm_image_read(&n, "unit_image.png", 0, NULL), MASKDM_OK);
    maskdm_image_release(&n);

    ck_assert_int_eq(maskdm_image_read(&n, "unit_image.png", 5, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_image_read(&n, "unit_image_none.png", 3, NULL), MASKDM_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "unit_image_none.png"));
    unlink("unit_image.png");
}
END_TEST

/* What is no picture that is read is called what it is, where that is known. */
START_TEST(foreign)
{
    static const char *const kind[][2] = {{"GIF89a", ", but a GIF picture"},
                                          {"RIFF....WAVEfmt ", ", but text"},
                                          {"....ftypheic", ", but a HEIC picture"},
                                          {"....ftypavif", ", but an AVIF picture"},
                                          {"....JXL ", ", but a JPEG XL picture"},
                                          {"version https://git-lfs.github.com/spec/v1\n", ", but a Git LFS pointer"},
                                          {"<!DOCTYPE html>", ", but an HTML page"},
                                          {"\xff\x01\x02", ""}};

    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++) {
        FILE *file = fopen("unit_image_foreign.png", "w");
        maskdm_image *n;
        char said[128];

        fputs(kind[i][0], file);
        fclose(file);
        ck_assert_int_eq(maskdm_image_read(&n, "unit_image_foreign.png", 3, NULL), MASKDM_EFORMAT);
        snprintf(said, sizeof said, "unit_image_foreign.png: neither PNG, JPEG nor WebP%s", kind[i][1]);
        ck_assert_str_eq(maskdm_last_error(), said);
    }
    unlink("unit_image_foreign.png");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("image");
    TCase *t = tcase_create("image");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_test(t, grey_by_the_luma_weights);
    tcase_add_test(t, alpha_over_the_background);
    tcase_add_test(t, arrays_in_and_out);
    tcase_add_test(t, grid);
    tcase_add_test(t, files);
    tcase_add_test(t, foreign);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
