/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sheets: how large, what a pixel becomes, what lies under transparency, and where captions stand.
 */
#include "image/sheet.h"

#include "base/error.h"

#include <check.h>
#include <string.h>

static maskdm_image *image(int64_t height, int64_t width, int channels)
{
    maskdm_image *m;

    ck_assert_int_eq(mdm_image_create(&m, height, width, channels), MASKDM_OK);
    m->bits = 8;
    for (int64_t i = 0; i < height * width * channels; i++)
        m->sample[i] = (uint16_t)(i * 37 % 256 * 257);
    return m;
}

static const uint16_t *at(const struct mdm_sheet *s, int64_t y, int64_t x)
{
    return s->image->sample + (y * s->image->width + x) * s->image->channels;
}

START_TEST(is_as_large_as_it_must_be)
{
    static const struct {
        int64_t count, columns, height, width, scale, high, wide;
    } want[] = {
        {16, 0, 32, 32, 4, 532, 532},  {16, 8, 32, 32, 2, 140, 548}, {1, 0, 16, 16, 32, 520, 520},
        {256, 0, 32, 32, 1, 546, 546}, {1, 0, 512, 8, 1, 516, 12},   {3, 3, 8, 16, 11, 96, 544},
    };

    for (size_t i = 0; i < MDM_LENGTH(want); i++) {
        const struct mdm_sheet_how how = {.columns = want[i].columns, .bits = 8};
        struct mdm_sheet s;

        ck_assert_int_eq(mdm_sheet_create(&s, want[i].count, &how, want[i].height, want[i].width, 3), MASKDM_OK);
        ck_assert_int_eq(s.how.scale, want[i].scale);
        ck_assert_int_eq(s.image->height, want[i].high);
        ck_assert_int_eq(s.image->width, want[i].wide);
        mdm_sheet_free(&s);
    }
}
END_TEST

/* As it is, a sheet is what maskdm_image_grid() makes; enlarged, each pixel is a square. */
START_TEST(keeps_pixels)
{
    for (int64_t scale = 1; scale <= 3; scale += 2) {
        const struct mdm_sheet_how how = {.columns = 2, .scale = scale, .bits = 8};
        const int64_t gap = scale > 1 ? 4 : 2;
        maskdm_image *m = image(5, 4, 3), *grid;
        struct mdm_sheet s;

        ck_assert_int_eq(mdm_sheet_create(&s, 2, &how, 5, 4, 3), MASKDM_OK);
        for (int64_t i = 0; i < 2; i++)
            mdm_sheet_put(&s, i, m, "not wanted");
        for (int64_t y = 0; y < 5 * scale; y++)
            for (int64_t x = 0; x < 4 * scale; x++)
                for (int c = 0; c < 3; c++)
                    ck_assert_uint_eq(at(&s, gap + y, 2 * gap + 4 * scale + x)[c],
                                      m->sample[(y / scale * 4 + x / scale) * 3 + c]);
        ck_assert_uint_eq(at(&s, 0, 0)[0], 65535);
        if (scale == 1) {
            ck_assert_int_eq(mdm_image_grid(&grid, (const maskdm_image *const[]){m, m}, 2, 2), MASKDM_OK);
            ck_assert_int_eq(grid->width, s.image->width);
            ck_assert_mem_eq(grid->sample, s.image->sample,
                             (size_t)(grid->height * grid->width * 3) * sizeof *m->sample);
            mdm_image_free(&grid);
        }
        mdm_sheet_free(&s);
        mdm_image_free(&m);
    }
}
END_TEST

START_TEST(lays_transparency_over_a_checkerboard)
{
    const struct mdm_sheet_how how = {.columns = 1, .scale = 16, .bits = 8};
    maskdm_image *m = image(1, 3, 2);
    struct mdm_sheet s;
    int seen[2] = {0, 0};

    for (int i = 0; i < 3; i++) {
        m->sample[2 * i] = 100 * 257;
        m->sample[2 * i + 1] = (uint16_t)(i * 32640); /* 0, near half, nearly 1 */
    }
    m->sample[5] = 65535;
    ck_assert_int_eq(mdm_sheet_create(&s, 1, &how, 1, 3, 2), MASKDM_OK);
    ck_assert_int_eq(s.image->channels, 1);
    mdm_sheet_put(&s, 0, m, NULL);
    for (int64_t x = 0; x < 16; x++) {
        ck_assert(*at(&s, 8, 4 + x) == 65535 || *at(&s, 8, 4 + x) == 204 * 257);
        seen[*at(&s, 8, 4 + x) == 65535] = 1;
        ck_assert_uint_eq(*at(&s, 8, 4 + 32 + x), 100 * 257);
        ck_assert_uint_lt(*at(&s, 8, 4 + 16 + x), 65535);
    }
    ck_assert(seen[0] && seen[1]);
    mdm_sheet_free(&s);
    mdm_image_free(&m);
}
END_TEST

static int black(const struct mdm_sheet *s, int64_t top, int64_t left, int64_t height, int64_t width)
{
    int n = 0;

    for (int64_t y = top; y < top + height; y++)
        for (int64_t x = left; x < left + width; x++)
            n += !*at(s, y, x);
    return n;
}

/* A one is a stem of nine units with a serif and a foot; what has no room is left out, within the cell's width. */
START_TEST(writes_captions)
{
    const struct mdm_sheet_how how = {.columns = 1, .scale = 4, .captions = 1, .bits = 8};
    maskdm_image *m = image(4, 4, 3);
    struct mdm_sheet s;

    for (int i = 0; i < 48; i++)
        m->sample[i] = 65535;
    ck_assert_int_eq(mdm_sheet_create(&s, 2, &how, 4, 4, 3), MASKDM_OK);
    ck_assert_int_eq(s.image->height, 4 + 2 * (16 + 11 + 4));
    mdm_sheet_put(&s, 0, m, "1");
    ck_assert_int_eq(black(&s, 20, 0, 11, 24), 7 + 1 + 2);
    ck_assert_int_eq(black(&s, 20, 4 + 2, 11, 1), 7);
    mdm_sheet_put(&s, 1, m, "1111");
    ck_assert_int_eq(black(&s, 51, 0, 11, 24), 2 * (7 + 1 + 2));
    ck_assert_int_eq(black(&s, 0, 0, 20, 24), 0);
    mdm_sheet_free(&s);
    mdm_image_free(&m);
}
END_TEST

START_TEST(refuses_what_is_too_large)
{
    const struct mdm_sheet_how how = {.columns = 1, .scale = 1024, .bits = 8};
    struct mdm_sheet s;

    ck_assert_int_eq(mdm_sheet_create(&s, 4, &how, 32, 32, 3), MASKDM_EINVAL);
    ck_assert_ptr_null(s.image);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "a grid of 4 images in 1 columns"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sheet");
    TCase *c = tcase_create("all");
    SRunner *r;
    int failed;

    tcase_add_test(c, is_as_large_as_it_must_be);
    tcase_add_test(c, keeps_pixels);
    tcase_add_test(c, lays_transparency_over_a_checkerboard);
    tcase_add_test(c, writes_captions);
    tcase_add_test(c, refuses_what_is_too_large);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
