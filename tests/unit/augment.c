/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is done to images in training: each thing by its definition, how often, and that one does not move another.
 */
#include "data/augment.h"

#include "base/error.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { H = 5, W = 5, C = 4, N = H * W * C, TRIES = 400 };

static const struct mdm_raster square = {H, W, C}, wide = {1, H * W, C};

static void fill(float *image)
{
    for (int i = 0; i < N; i++)
        image[i] = (float)((i * 37 + i / C * 11) % 101) / 100;
}

static void augment(float *image, struct mdm_raster canvas, struct mdm_augment how, int64_t position)
{
    float room[N];

    fill(image);
    mdm_augment_image(image, room, canvas, &how, 7, position);
}

static const float *pixel(const float *image, int64_t y, int64_t x)
{
    return image + (y * W + x) * C;
}

START_TEST(nothing_is_nothing)
{
    const struct mdm_augment none = {0};
    float plain[N], image[N];

    fill(plain);
    augment(image, square, none, 3);
    ck_assert_mem_eq(image, plain, sizeof plain);
}
END_TEST

/* Which of the places that a shift may lead to it is, or -1. */
static int shift_of(const float *image, const float *plain, int most)
{
    int found = -1;

    for (int i = 0; i < (2 * most + 1) * (2 * most + 1); i++) {
        const int down = i / (2 * most + 1) - most, across = i % (2 * most + 1) - most;
        int same = 1;

        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                const int from_y = y - down < 0 ? 0 : y - down >= H ? H - 1 : y - down;
                const int from_x = x - across < 0 ? 0 : x - across >= W ? W - 1 : x - across;

                same &= !memcmp(pixel(image, y, x), pixel(plain, from_y, from_x), C * sizeof *image);
            }
        if (same)
            found = i;
    }
    return found;
}

START_TEST(shifts_repeat_the_edge)
{
    const struct mdm_augment how = {.shift = 1};
    float plain[N], image[N];
    int count[9] = {0};

    fill(plain);
    for (int p = 0; p < TRIES; p++) {
        int at;

        augment(image, square, how, p);
        at = shift_of(image, plain, 1);
        ck_assert_int_ge(at, 0);
        count[at]++;
    }
    for (int i = 0; i < 9; i++)
        ck_assert_double_lt(fabs(count[i] - TRIES / 9.0), 5 * sqrt(TRIES / 9.0));
}
END_TEST

/* Pixel (0, 0) comes from another corner for each number of quarters; turned so often again, all is as it was. */
START_TEST(turns_are_quarters)
{
    const struct mdm_augment how = {.turn = 1}, seldom = {.turn = 0.25};
    float plain[N], image[N];
    int count[4] = {0}, still = 0;

    fill(plain);
    for (int p = 0; p < TRIES; p++) {
        const int64_t corner[4][2] = {{0, 0}, {H - 1, 0}, {H - 1, W - 1}, {0, W - 1}};
        int quarters = 0;

        augment(image, square, how, p);
        for (int k = 1; k < 4; k++)
            if (!memcmp(pixel(image, 0, 0), pixel(plain, corner[k][0], corner[k][1]), C * sizeof *image))
                quarters = k;
        ck_assert_int_gt(quarters, 0);
        count[quarters]++;
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                int64_t v = y, u = x;

                for (int k = 0; k < quarters; k++) {
                    const int64_t up = v;

                    v = H - 1 - u; /* where a quarter, clockwise, takes it from */
                    u = up;
                }
                ck_assert_mem_eq(pixel(image, y, x), pixel(plain, v, u), C * sizeof *image);
            }
        augment(image, square, seldom, p);
        still += !memcmp(image, plain, sizeof plain);
        augment(image, wide, how, p);
        ck_assert_mem_eq(image, plain + N - C, C * sizeof *image);
    }
    for (int k = 1; k < 4; k++)
        ck_assert_double_lt(fabs(count[k] - TRIES / 3.0), 5 * sqrt(TRIES / 3.0));
    ck_assert_double_lt(fabs(still - 0.75 * TRIES), 5 * sqrt(TRIES * 0.75 * 0.25));
}
END_TEST

START_TEST(colours_change_within_bounds_and_alpha_stays)
{
    const struct mdm_augment how = {.colour = 0.25};
    const struct mdm_raster one = {1, 1, C};
    float plain[N], image[N], room[N];
    double least = 2, most = 0;

    fill(plain);
    for (int p = 0; p < TRIES; p++) {
        float grey[C] = {0.5f, 0.5f, 0.5f, 0.25f};

        augment(image, square, how, p);
        ck_assert_mem_ne(image, plain, sizeof plain);
        for (int i = 0; i < N; i++) {
            ck_assert(image[i] >= 0 && image[i] <= 1);
            if (i % C == C - 1)
                ck_assert(image[i] == plain[i]);
        }
        mdm_augment_image(grey, room, one, &how, 7, p); /* of one grey pixel only the brightness can change */
        ck_assert_double_lt(fabs((double)(grey[0] - grey[2])), 1e-6);
        least = fmin(least, (double)grey[0] / 0.5);
        most = fmax(most, (double)grey[0] / 0.5);
    }
    ck_assert(least >= 0.7499 && least < 0.77 && most <= 1.2501 && most > 1.23);
}
END_TEST

/* Whether an image is mirrored does not depend on what else is done. */
START_TEST(draws_are_their_own)
{
    const struct mdm_augment flip = {.flip = 0.5}, all = {.flip = 0.5, .turn = 1e-300, .colour = 1e-12};
    float a[N], b[N];

    for (int p = 0; p < TRIES; p++) {
        augment(a, square, flip, p);
        augment(b, square, all, p);
        for (int i = 0; i < N; i++)
            ck_assert_double_lt(fabs((double)(a[i] - b[i])), 1e-5);
    }
}
END_TEST

START_TEST(windows)
{
    float large[(H + 2) * (W + 3) * C], image[N];
    int seen[3][4] = {{0}};

    for (size_t i = 0; i < MDM_LENGTH(large); i++)
        large[i] = (float)i;
    for (int p = 0; p < TRIES; p++) {
        int64_t top, left;

        mdm_augment_draw_window(&top, &left, 2, 3, 7, p);
        ck_assert(top >= 0 && top <= 2 && left >= 0 && left <= 3);
        seen[top][left]++;
        mdm_augment_window(image, large, square, 3, top, left);
        for (int y = 0; y < H; y++)
            ck_assert_mem_eq(image + y * W * C, large + ((top + y) * (W + 3) + left) * C, W * C * sizeof *image);
    }
    for (int i = 0; i < 12; i++)
        ck_assert_double_lt(fabs(seen[i / 4][i % 4] - TRIES / 12.0), 5 * sqrt(TRIES / 12.0));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("augment");
    TCase *t = tcase_create("augment");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, nothing_is_nothing);
    tcase_add_test(t, shifts_repeat_the_edge);
    tcase_add_test(t, turns_are_quarters);
    tcase_add_test(t, colours_change_within_bounds_and_alpha_stays);
    tcase_add_test(t, draws_are_their_own);
    tcase_add_test(t, windows);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
