/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Haar's wavelets as images have them, and a network's patches of two kinds: sizes, ranges, masks, parameters.
 */
#include "mask/kinds.h"
#include "model/model.h"

#include <maskdm/maskdm.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { H = 6, W = 10, C = 3, N = H * W * C };

static uint64_t state = 3;

static double draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / (double)(1ull << 52) - 1;
}

/* Band k of channel c at a place. */
static int64_t value_at(int64_t y, int64_t x, int64_t k, int64_t c)
{
    return ((y * (W / 2) + x) * 4 + k) * C + c;
}

/* Of pixels u in 0 .. 1, PyWavelets' dwt2(u, "haar") gives cA, (cH, cV, cD), and MaskDM's first program 2 cA - 1. */
START_TEST(coefficients_are_those_of_the_authors)
{
    float pixels[N], values[N];

    for (int i = 0; i < N; i++)
        pixels[i] = (float)draw();
    mdm_haar.enter(values, pixels, H, W, C);
    for (int64_t y = 0; y < H / 2; y++)
        for (int64_t x = 0; x < W / 2; x++)
            for (int64_t c = 0; c < C; c++) {
                double u[4];

                for (int k = 0; k < 4; k++)
                    u[k] = ((double)pixels[((2 * y + k / 2) * W + 2 * x + k % 2) * C + c] + 1) / 2;
                ck_assert_double_eq_tol((double)values[value_at(y, x, 0, c)], u[0] + u[1] + u[2] + u[3] - 1, 1e-6);
                ck_assert_double_eq_tol((double)values[value_at(y, x, 1, c)], (u[0] + u[1] - u[2] - u[3]) / 2, 1e-6);
                ck_assert_double_eq_tol((double)values[value_at(y, x, 2, c)], (u[0] - u[1] + u[2] - u[3]) / 2, 1e-6);
                ck_assert_double_eq_tol((double)values[value_at(y, x, 3, c)], (u[0] - u[1] - u[2] + u[3]) / 2, 1e-6);
            }
}
END_TEST

START_TEST(pixels_come_back)
{
    float pixels[N], values[N], back[N];

    for (int i = 0; i < N; i++)
        pixels[i] = (float)draw();
    mdm_haar.enter(values, pixels, H, W, C);
    mdm_haar.leave(back, values, H, W, C);
    for (int i = 0; i < N; i++)
        ck_assert_double_eq_tol((double)back[i], (double)pixels[i], 3e-7);
    for (int i = 0; i < N; i++)
        values[i] = (float)draw();
    mdm_haar.leave(pixels, values, H, W, C);
    mdm_haar.enter(back, pixels, H, W, C);
    for (int i = 0; i < N; i++)
        ck_assert_double_eq_tol((double)back[i], (double)values[i], 6e-7);
}
END_TEST

/* Every band reaches both ends of its range on some image of black and white, and none goes beyond. */
START_TEST(ranges_are_reached)
{
    struct mdm_range range[MDM_MOST_DEPTH];
    double low[4], high[4];

    mdm_space_ranges(&mdm_haar, 1, 1, range);
    for (int k = 0; k < 4; k++) {
        low[k] = INFINITY;
        high[k] = -INFINITY;
    }
    for (int corner = 0; corner < 16; corner++) {
        float pixels[4], values[4];

        for (int k = 0; k < 4; k++)
            pixels[k] = corner >> k & 1 ? 1 : -1;
        mdm_haar.enter(values, pixels, 2, 2, 1);
        for (int k = 0; k < 4; k++) {
            low[k] = fmin(low[k], (double)values[k]);
            high[k] = fmax(high[k], (double)values[k]);
        }
    }
    for (int k = 0; k < 4; k++) {
        ck_assert_double_eq(low[k], range[k].low);
        ck_assert_double_eq(high[k], range[k].high);
        ck_assert_double_eq(range[k].low, -1);
        ck_assert_double_eq(range[k].high, k ? 1 : 3);
    }
    mdm_space_ranges(&mdm_haar, 3, 0.5, range);
    for (int i = 0; i < 12; i++) {
        ck_assert_double_eq(range[i].low, i < 3 ? 0 : -0.5);
        ck_assert_double_eq(range[i].high, i < 3 ? 2 : 0.5);
    }
}
END_TEST

/* Squares of errors in bands add up to those in pixels. */
START_TEST(errors_are_those_of_pixels)
{
    float a[N], b[N], values[2][N];
    double pixels = 0, bands = 0;

    for (int i = 0; i < N; i++) {
        a[i] = (float)draw();
        b[i] = (float)draw();
        pixels += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    }
    mdm_haar.enter(values[0], a, H, W, C);
    mdm_haar.enter(values[1], b, H, W, C);
    for (int i = 0; i < N; i++) {
        const double error = (double)values[0][i] - (double)values[1][i];

        bands += mdm_haar.band[i / C % 4].pixels * error * error;
    }
    ck_assert_double_eq_tol(bands, pixels, 1e-5 * pixels);
}
END_TEST

static maskdm_options *parse(const char *kind, const char *text)
{
    maskdm_options *o;

    ck_assert_int_eq(maskdm_options_create(&o, kind), MASKDM_OK);
    ck_assert_msg(maskdm_options_parse(o, text) == MASKDM_OK, "%s", maskdm_last_error());
    return o;
}

static int make_shell(maskdm_model **out, maskdm_device *device, const char *text)
{
    maskdm_options *o = parse("uvit", text);
    const int status = mdm_model_shell(out, device, "uvit", o, NULL);

    maskdm_options_release(&o);
    return status;
}

static maskdm_device *open_device(void)
{
    maskdm_device *device;

    ck_assert_int_eq(maskdm_device_open(&device, "cpu", NULL), MASKDM_OK);
    return device;
}

/* MaskDM-L of the paper's first version, configs/celebahq_maskdml_dwt.yml: its published file has four times as many
 * bytes as four sets of so many weights. Nothing is allocated. */
START_TEST(the_authors_network_has_their_parameters)
{
    static const struct {
        const char *name;
        int64_t shape[4];
        int rank;
    } some[] = {{"encoder.encoder_pos_embed", {1, 2049, 1024}, 3},
                {"encoder.approx_patch_embed.proj.weight", {1024, 3, 4, 4}, 4},
                {"encoder.detail_patch_embed.proj.weight", {1024, 9, 4, 4}, 4},
                {"approx_to_output.weight", {48, 1024}, 2},
                {"detail_to_output.weight", {144, 1024}, 2},
                {"detail_to_output.bias", {144}, 1}};
    maskdm_device *device = open_device();
    maskdm_model *model;

    ck_assert_msg(make_shell(&model, device,
                             "form=wavelet image_size=256 patch_size=4 dim=1024 depth=16 heads=16 qkv_bias=true") ==
                      0,
                  "%s", maskdm_last_error());
    ck_assert_int_eq(model->layout.numel, 233399488);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        const int at = mdm_params_find(&model->layout, some[i].name);

        ck_assert_msg(at >= 0, "%s", some[i].name);
        ck_assert_int_eq(model->layout.list[at].shape.n, some[i].rank);
        for (int d = 0; d < some[i].rank; d++)
            ck_assert_int_eq(model->layout.list[at].shape.d[d], some[i].shape[d]);
    }
    mdm_model_drop(&model);
    maskdm_device_release(&device);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    static const struct {
        const char *options, *says;
    } bad[] = {
        {"form=wavelet image_size=30 patch_size=4", "image_size 30x30 is no multiple of 8 pixels: patch_size 4"},
        {"form=wavelet image_size=31 patch_size=1", "image_size 31x31 is no multiple of 2 pixels"},
        {"form=wavelet image_size=8x12 patch_size=2 detail_scale=2", "image_size 8x12 is no multiple of 8 pixels"},
        {"form=wavelet conv=true", "conv is for patches of one kind, and form wavelet has two"},
        {"detail_scale=2", "detail_scale 2 is for form wavelet"},
        {"form=original detail_scale=3", "detail_scale 3 is for form wavelet"},
    };
    maskdm_device *device = open_device();
    maskdm_model *model;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_int_eq(make_shell(&model, device, bad[i].options), MASKDM_EINVAL);
        ck_assert_msg(strstr(maskdm_last_error(), bad[i].says) != NULL, "\"%s\" is not in \"%s\"", bad[i].says,
                      maskdm_last_error());
    }
    maskdm_device_release(&device);
}
END_TEST

static maskdm_mask *make_mask(const char *text)
{
    maskdm_options *o = parse("mask", text);
    maskdm_mask *m;

    ck_assert_msg(mdm_mask_create(&m, o) == MASKDM_OK, "%s", maskdm_last_error());
    maskdm_options_release(&o);
    return m;
}

/* The configuration's 70 % of 1024 patches of each kind, as facts have it; and two shares on two grids. */
START_TEST(kinds_are_hidden_apart)
{
    enum { FIRST = 12, SECOND = 4, K = FIRST + SECOND };
    const struct mdm_grids large = {{32, 32}, {32, 32}}, grids = {{4, 6}, {2, 4}};
    maskdm_mask *m = make_mask("type=patch ratio=0.7");
    int32_t index[20 * K], alone[20 * FIRST];
    int64_t second;
    int apart = 0;

    ck_assert_int_eq(mdm_mask_visible_kinds(m, &large, 0, &second), 308 + 308);
    ck_assert_int_eq(second, 308);
    mdm_mask_drop(&m);
    m = make_mask("type=patch ratio=0.5 detail_ratio=0.5");
    ck_assert_int_eq(mdm_mask_visible_kinds(m, &grids, 0, &second), K);
    ck_assert_int_eq(second, SECOND);
    ck_assert_int_eq(mdm_mask_draw_kinds(m, &grids, K, 5, 7, 3, 20, index), MASKDM_OK);
    ck_assert_int_eq(mdm_mask_draw(m, 4, 6, FIRST, 5, 7, 3, 20, alone), MASKDM_OK);
    for (int i = 0; i < 20; i++) {
        for (int k = 0; k < K; k++)
            ck_assert(index[i * K + k] >= (k < FIRST ? 0 : 24) && index[i * K + k] < (k < FIRST ? 24 : 32) &&
                      (k == 0 || index[i * K + k] > index[i * K + k - 1]));
        ck_assert_mem_eq(index + i * K, alone + i * FIRST, FIRST * sizeof *alone);
    }
    mdm_mask_drop(&m);
    m = make_mask("type=patch ratio=0.75");
    for (int i = 0; i < 20; i++) {
        const struct mdm_grids same = {{4, 4}, {4, 4}};

        ck_assert_int_eq(mdm_mask_draw_kinds(m, &same, 8, 1, i, 0, 1, index), MASKDM_OK);
        for (int k = 0; k < 4; k++)
            apart += index[k] != index[4 + k] - 16;
    }
    ck_assert_int_gt(apart, 40);
    mdm_mask_drop(&m);
    m = make_mask("type=patch ratio=0.25 detail_ratio=0.75");
    ck_assert_int_eq(mdm_mask_visible_kinds(m, &grids, 0, &second), 18 + 2);
    ck_assert_int_eq(second, 2);
    mdm_mask_drop(&m);
}
END_TEST

START_TEST(masks_that_do_not_fit_are_refused)
{
    const struct mdm_grids two = {{4, 4}, {2, 2}}, one = {{4, 4}, {0, 0}};
    static const struct {
        const char *mask, *says;
        int two;
    } bad[] = {{"type=crop crop_size=2", "mask crop shows one window", 1},
               {"type=block block_size=4 ratio=0.1", "blocks of 4 x 4", 1},
               {"type=partition groups=2", "mask partition divides the patches", 1},
               {"type=patch detail_ratio=0.9999", NULL, 1},
               {"type=patch detail_ratio=0.5", "detail_ratio is for details", 0}};
    int64_t second;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        maskdm_mask *m = make_mask(bad[i].mask);
        const int64_t visible = mdm_mask_visible_kinds(m, bad[i].two ? &two : &one, 0, &second);

        if (bad[i].says) {
            ck_assert_int_eq(visible, MASKDM_EINVAL);
            ck_assert_msg(strstr(maskdm_last_error(), bad[i].says) != NULL, "%s", maskdm_last_error());
        } else {
            ck_assert_int_eq(visible, 4 + 1);
        }
        mdm_mask_drop(&m);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("haar");
    TCase *t = tcase_create("haar");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, coefficients_are_those_of_the_authors);
    tcase_add_test(t, pixels_come_back);
    tcase_add_test(t, ranges_are_reached);
    tcase_add_test(t, errors_are_those_of_pixels);
    tcase_add_test(t, the_authors_network_has_their_parameters);
    tcase_add_test(t, what_does_not_fit_is_refused);
    tcase_add_test(t, kinds_are_hidden_apart);
    tcase_add_test(t, masks_that_do_not_fit_are_refused);
    suite_add_tcase(s, t);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
