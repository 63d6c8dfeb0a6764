/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scaling and cropping against Pillow 13's resize(BICUBIC) and torchvision's centre crop: equal to the bit, except
 * with alpha, where Pillow multiplies and divides in 8 bits and that costs a few steps.
 */
#include "base/alloc.h"
#include "image/codec.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    int height, width, channels, to_height, to_width;
    unsigned char expected[128];
} pillow[] = {
    {13, 7, 1, 5, 5, {201, 117, 95, 172, 84, 109, 115, 210, 124, 147, 124, 106, 104, 180, 140, 185, 123, 180,
     150, 92, 73, 149, 136, 106, 76}},
    {9, 16, 3, 4, 4, {131, 117, 126, 95, 106, 135, 137, 141, 113, 130, 127, 122, 121, 136, 131, 124, 121, 117,
     147, 121, 142, 134, 108, 129, 145, 141, 121, 135, 129, 140, 150, 120, 138, 135, 134, 110, 132, 91, 104,
     136, 117, 118, 141, 120, 134, 141, 122, 146}},
    {6, 5, 1, 9, 12, {27, 32, 48, 68, 84, 100, 121, 147, 170, 191, 205, 212, 55, 62, 79, 101, 120, 138, 156,
     175, 193, 215, 232, 239, 80, 88, 105, 129, 159, 188, 183, 144, 120, 138, 163, 171, 105, 113, 131, 157, 193,
     226, 196, 95, 26, 40, 74, 84, 129, 140, 167, 194, 201, 193, 152, 69, 17, 34, 67, 78, 153, 167, 209, 236,
     186, 105, 65, 58, 66, 90, 116, 126, 184, 191, 216, 221, 154, 60, 32, 69, 110, 140, 163, 174, 239, 220, 177,
     125, 91, 68, 72, 107, 144, 183, 215, 228, 255, 220, 132, 48, 51, 92, 124, 151, 178, 210, 235, 246}},
    {40, 50, 1, 6, 3, {132, 119, 111, 144, 131, 114, 126, 141, 149, 125, 138, 138, 117, 133, 169, 126, 135,
     146}},
    {11, 11, 4, 5, 5, {92, 162, 85, 119, 142, 157, 97, 149, 136, 116, 107, 123, 106, 101, 108, 108, 139, 116,
     97, 144, 148, 87, 121, 122, 116, 149, 111, 114, 113, 168, 103, 106, 125, 114, 96, 122, 142, 125, 110, 134,
     119, 123, 123, 130, 148, 80, 102, 139, 121, 175, 99, 103, 120, 145, 111, 112, 136, 118, 128, 123, 134, 100,
     118, 112, 130, 109, 85, 119, 131, 65, 86, 124, 134, 120, 100, 127, 136, 114, 120, 127, 116, 138, 119, 120,
     127, 161, 97, 112, 137, 104, 104, 141, 151, 90, 125, 177, 127, 180, 125, 126}},
};

/* Pillow's BOX and NEAREST, cut as above. */
static const struct {
    int height, width, channels, to_height, to_width;
    enum mdm_filter filter;
    unsigned char expected[128];
} other_filters[] = {
    {13, 7, 1, 5, 5, MDM_FILTER_AREA, {177, 136, 95, 182, 13, 138, 113, 215, 126, 165, 98, 89, 79, 198, 60,
     187, 129, 199, 142, 84, 19, 169, 63, 85, 107}},
    {13, 7, 1, 5, 5, MDM_FILTER_NEAREST, {177, 37, 95, 153, 13, 39, 183, 255, 71, 215, 98, 0, 79, 158, 60,
     157, 73, 159, 245, 161, 19, 219, 63, 163, 107}},
    {9, 17, 3, 4, 4, MDM_FILTER_AREA, {148, 121, 158, 100, 116, 131, 159, 132, 105, 112, 149, 122, 140, 155,
     128, 128, 115, 131, 131, 147, 120, 162, 92, 150, 153, 126, 99, 128, 144, 117, 146, 119, 156, 105, 142,
     115, 142, 115, 88, 131, 104, 119, 141, 114, 151, 128, 101, 138}},
    {9, 17, 3, 4, 4, MDM_FILTER_NEAREST, {23, 124, 225, 111, 212, 57, 199, 44, 145, 31, 132, 233, 211, 56,
     157, 71, 172, 17, 187, 32, 133, 47, 148, 249, 143, 244, 89, 31, 132, 233, 175, 20, 121, 63, 164, 9, 75,
     176, 21, 247, 92, 193, 163, 8, 109, 79, 180, 25}},
    {6, 5, 1, 9, 12, MDM_FILTER_AREA, {59, 59, 103, 103, 103, 147, 147, 191, 191, 191, 235, 235, 59, 59, 103,
     103, 103, 147, 147, 191, 191, 191, 235, 235, 59, 59, 103, 103, 103, 147, 147, 191, 191, 191, 235, 235,
     118, 118, 169, 169, 169, 220, 220, 15, 15, 15, 66, 66, 118, 118, 169, 169, 169, 220, 220, 15, 15, 15, 66,
     66, 177, 177, 235, 235, 235, 37, 37, 95, 95, 95, 153, 153, 177, 177, 235, 235, 235, 37, 37, 95, 95, 95,
     153, 153, 236, 236, 45, 45, 45, 110, 110, 175, 175, 175, 240, 240, 236, 236, 45, 45, 45, 110, 110, 175,
     175, 175, 240, 240}},
    {6, 5, 1, 9, 12, MDM_FILTER_NEAREST, {59, 59, 103, 103, 103, 147, 147, 191, 191, 191, 235, 235, 59, 59,
     103, 103, 103, 147, 147, 191, 191, 191, 235, 235, 59, 59, 103, 103, 103, 147, 147, 191, 191, 191, 235,
     235, 118, 118, 169, 169, 169, 220, 220, 15, 15, 15, 66, 66, 118, 118, 169, 169, 169, 220, 220, 15, 15,
     15, 66, 66, 177, 177, 235, 235, 235, 37, 37, 95, 95, 95, 153, 153, 177, 177, 235, 235, 235, 37, 37, 95,
     95, 95, 153, 153, 236, 236, 45, 45, 45, 110, 110, 175, 175, 175, 240, 240, 236, 236, 45, 45, 45, 110,
     110, 175, 175, 175, 240, 240}},
    {40, 50, 1, 6, 3, MDM_FILTER_AREA, {125, 120, 108, 138, 126, 114, 127, 149, 147, 129, 141, 146, 111, 149,
     174, 124, 127, 142}},
    {40, 50, 1, 6, 3, MDM_FILTER_NEAREST, {23, 115, 9, 147, 21, 2, 107, 233, 252, 231, 139, 245, 99, 45, 238,
     59, 1, 232}},
};

/* The picture that the numbers above were made from. */
static maskdm_image *pattern(int height, int width, int channels, int bits)
{
    maskdm_image *m;

    ck_assert_int_eq(mdm_image_create(&m, height, width, channels), MASKDM_OK);
    m->bits = bits;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++) {
                int v = (x * 37 + y * 59 + c * 101 + x * y * 7) % 256;

                m->sample[(y * width + x) * channels + c] = (uint16_t)(bits == 8 ? v * 257 : v * 257 / 3);
            }
    return m;
}

static maskdm_image *fit(const maskdm_image *m, int height, int width)
{
    maskdm_image *n;

    ck_assert_int_eq(mdm_image_fit(&n, m, height, width), MASKDM_OK);
    ck_assert_int_eq(n->height, height);
    ck_assert_int_eq(n->width, width);
    ck_assert_int_eq(n->channels, m->channels);
    return n;
}

START_TEST(agrees_with_pillow)
{
    int samples = pillow[_i].to_height * pillow[_i].to_width * pillow[_i].channels;
    int most = pillow[_i].channels == 4 ? 3 : 0;
    maskdm_image *m = pattern(pillow[_i].height, pillow[_i].width, pillow[_i].channels, 8);
    maskdm_image *n = fit(m, pillow[_i].to_height, pillow[_i].to_width);

    for (int i = 0; i < samples; i++) {
        int ours = n->sample[i] / 257, d = abs(ours - pillow[_i].expected[i]);

        ck_assert_int_eq(n->sample[i] % 257, 0);
        ck_assert_msg(d <= most, "sample %d: %d, Pillow has %d", i, ours, pillow[_i].expected[i]);
    }
    mdm_image_free(&m);
    mdm_image_free(&n);
}
END_TEST

/* The picture as a file of 8 or 16 bits, read with `how`. */
static maskdm_image *read_back(const maskdm_image *m, const struct mdm_reading *how)
{
    maskdm_image *n;
    char path[] = "/tmp/resize-XXXXXX";
    int file = mkstemp(path);

    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(close(file), 0);
    ck_assert_int_eq(mdm_image_write_png(m, path, m->bits), MASKDM_OK);
    ck_assert_int_eq(mdm_image_read(&n, path, how), MASKDM_OK);
    ck_assert_int_eq(unlink(path), 0);
    return n;
}

static struct mdm_reading reading(int height, int width, enum mdm_filter filter, enum mdm_cut cut)
{
    struct mdm_reading how = mdm_reading_standard;

    how.height = height;
    how.width = width;
    how.filter = filter;
    how.cut = cut;
    return how;
}

START_TEST(other_filters_agree_with_pillow)
{
    const int h = other_filters[_i].to_height, w = other_filters[_i].to_width;
    const struct mdm_reading how = reading(h, w, other_filters[_i].filter, MDM_CUT_CENTRE);
    maskdm_image *m = pattern(other_filters[_i].height, other_filters[_i].width, other_filters[_i].channels, 8);
    maskdm_image *n = read_back(m, &how);

    ck_assert_int_eq(n->height, h);
    ck_assert_int_eq(n->width, w);
    for (int i = 0; i < h * w * other_filters[_i].channels; i++)
        ck_assert_int_eq(n->sample[i], other_filters[_i].expected[i] * 257);
    mdm_image_free(&m);
    mdm_image_free(&n);
}
END_TEST

/* All of a picture of another shape: squeezed, or with the background around it, transparent where that can be. */
START_TEST(all_of_it)
{
    maskdm_image *m = pattern(4, 8, 3, 8), *n;
    struct mdm_reading how = reading(8, 8, MDM_FILTER_NEAREST, MDM_CUT_NOTHING);

    n = read_back(m, &how);
    for (int y = 0; y < 8; y++)
        ck_assert_mem_eq(n->sample + y * 24, m->sample + y / 2 * 24, 24 * sizeof *m->sample);
    mdm_image_free(&n);
    how.cut = MDM_CUT_PAD;
    how.background[0] = 0.2f;
    n = read_back(m, &how);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++) {
            const uint16_t around[] = {51 * 257, 65535, 65535};
            const uint16_t *expected = y < 2 || y > 5 ? around : m->sample + ((y - 2) * 8 + x) * 3;

            ck_assert_mem_eq(n->sample + (y * 8 + x) * 3, expected, sizeof around);
        }
    mdm_image_free(&n);
    how.channels = 4;
    n = read_back(m, &how);
    for (int i = 0; i < 64; i++)
        ck_assert_int_eq(n->sample[4 * i + 3], i < 16 || i >= 48 ? 0 : 65535);
    mdm_image_free(&n);
    mdm_image_free(&m);
    m = pattern(100, 1, 1, 16); /* so thin that its width rounds to nothing */
    how = reading(4, 4, MDM_FILTER_AREA, MDM_CUT_PAD);
    n = read_back(m, &how);
    ck_assert_int_eq(n->sample[0], 65535);
    ck_assert_int_ne(n->sample[1], 65535);
    mdm_image_free(&n);
    mdm_image_free(&m);
}
END_TEST

START_TEST(same_size_changes_nothing)
{
    maskdm_image *m = pattern(9, 8, 3, 16), *n = fit(m, 9, 8);

    ck_assert_mem_eq(m->sample, n->sample, 9 * 8 * 3 * sizeof *m->sample);
    mdm_image_free(&n);
    n = fit(m, 9, 5); /* crop alone: three columns too many, one goes left and two go right, halves to even */
    ck_assert_mem_eq(m->sample + 2 * 3, n->sample, 5 * 3 * sizeof *m->sample);
    mdm_image_free(&n);
    mdm_image_free(&m);
}
END_TEST

START_TEST(a_constant_stays_constant_at_16_bits)
{
    maskdm_image *m = pattern(37, 53, 2, 16), *n;

    for (int i = 0; i < 37 * 53 * 2; i++)
        m->sample[i] = i % 2 ? 65535 : 12345;
    n = fit(m, 7, 11);
    for (int i = 0; i < 7 * 11 * 2; i++)
        ck_assert_int_eq(n->sample[i], i % 2 ? 65535 : 12345);
    mdm_image_free(&n);
    n = fit(m, 70, 11);
    for (int i = 0; i < 70 * 11 * 2; i++)
        ck_assert_int_eq(n->sample[i], i % 2 ? 65535 : 12345);
    mdm_image_free(&n);
    mdm_image_free(&m);
}
END_TEST

START_TEST(invisible_colours_do_not_bleed)
{
    maskdm_image *m = pattern(8, 8, 2, 8), *n;

    for (int i = 0; i < 64; i++) {
        m->sample[2 * i] = i % 8 < 3 ? 0 : 40 * 257;
        m->sample[2 * i + 1] = i % 8 < 3 ? 0 : 65535;
    }
    n = fit(m, 4, 4);
    for (int i = 0; i < 16; i++)
        if (n->sample[2 * i + 1])
            ck_assert_int_eq(n->sample[2 * i], 40 * 257);
    ck_assert_int_lt(n->sample[1], 20 * 257);
    ck_assert_int_gt(n->sample[7], 250 * 257);
    mdm_image_free(&n);
    mdm_image_free(&m);
}
END_TEST

START_TEST(a_thin_picture)
{
    maskdm_image *m = pattern(1, 65535, 1, 8), *n = fit(m, 32, 32);

    mdm_image_free(&n);
    n = fit(m, 1, 1);
    mdm_image_free(&n);
    mdm_image_free(&m);
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
    maskdm_image *m = pattern(9, 16, 3, 8), *n;
    long before = mdm_alloc_live();
    int r = -1;

    for (int i = 0; r < 0; i++) {
        int left = i;
        struct mdm_alloc_hook hook = {refuse_at, &left};

        ck_assert_int_lt(i, 50);
        mdm_alloc_hook_set(&hook);
        r = mdm_image_fit(&n, m, 4, 4);
        mdm_alloc_hook_set(NULL);
        if (r < 0) {
            ck_assert_int_eq(r, MASKDM_ENOMEM);
            ck_assert_ptr_null(n);
            ck_assert_int_eq(mdm_alloc_live(), before);
        }
    }
    mdm_image_free(&n);
    mdm_image_free(&m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resize");
    TCase *t = tcase_create("resize");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, agrees_with_pillow, 0, (int)MDM_LENGTH(pillow));
    tcase_add_loop_test(t, other_filters_agree_with_pillow, 0, (int)MDM_LENGTH(other_filters));
    tcase_add_test(t, all_of_it);
    tcase_add_test(t, same_size_changes_nothing);
    tcase_add_test(t, a_constant_stays_constant_at_16_bits);
    tcase_add_test(t, invisible_colours_do_not_bleed);
    tcase_add_test(t, a_thin_picture);
    tcase_add_test(t, every_refused_allocation_is_reported);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
