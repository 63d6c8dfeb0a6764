/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The poorer views that guide: what a network says with some tokens routed past its inner blocks, and what it says of
 * an image in parts, against passes that are made here one by one.
 */
#include "sample/denoiser.h"

#include "base/rng.h"
#include "model/program.h"

#include <maskdm/maskdm.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { B = 2, H = 8, W = 12, C = 3, N = H * W * C, PATCH = 2, P = 24, VALUES = PATCH * PATCH * C };

#define OK(call) ck_assert_msg((call) >= 0, "%s", maskdm_last_error())

static const uint64_t seeds[B] = {5, 9};
static const int32_t labels[B] = {1, -1};
static const double when = 321;

static maskdm_model *open_model(void)
{
    maskdm_options *o;
    maskdm_device *d;
    maskdm_model *m;

    OK(maskdm_options_create(&o, "uvit"));
    OK(maskdm_options_parse(o, "image_size=8x12 patch_size=2 dim=32 depth=5 heads=2 classes=3 route_ratio=0.5 "
                               "route_from=1"));
    OK(maskdm_device_open(&d, "cpu", NULL));
    OK(maskdm_model_create(&m, d, "uvit", o, NULL, 3));
    maskdm_options_release(&o);
    maskdm_device_release(&d);
    return m;
}

static void fill(float *x)
{
    for (int i = 0; i < B * N; i++)
        x[i] = (float)(i * 37 % 101) / 50 - 1;
}

/* What a denoiser says of x in evaluation `evaluation`; it is used up. */
static void ask(struct mdm_denoiser *d, maskdm_model *m, const float *x, int64_t evaluation, float *out)
{
    const size_t bytes = B * N * sizeof *x;
    void *on_device;
    struct mdm_question q = {.batch = B, .time = when, .labels = labels, .seeds = seeds, .evaluation = evaluation};

    OK(mdm_device_alloc(m->device, &on_device, bytes, 0, "a test"));
    OK(mdm_device_upload(m->device, on_device, x, bytes));
    q.x = on_device;
    OK(d->kind->ready(d, B, B, 0));
    OK(d->kind->ask(d, &q, on_device));
    OK(mdm_device_download(m->device, out, on_device, bytes));
    mdm_device_free(m->device, on_device, bytes);
    mdm_denoiser_release(&d);
}

static void ask_masked(maskdm_model *m, const float *x, int64_t parts, int64_t evaluation, float *out)
{
    struct mdm_denoiser *d;

    OK(mdm_denoiser_masked(&d, m, MASKDM_WEIGHTS_EMA, parts, NULL));
    ask(d, m, x, evaluation, out);
}

static void ask_routed(maskdm_model *m, const float *x, double ratio, int64_t evaluation, float *out)
{
    struct mdm_denoiser *d;

    OK(mdm_denoiser_routed(&d, m, MASKDM_WEIGHTS_EMA, ratio, NULL));
    ask(d, m, x, evaluation, out);
}

/* One part of one image, into its place. */
static void predict_part(maskdm_model *m, const float *x, int32_t label, const int32_t *index, int64_t visible,
                         float *out)
{
    float patch[P * VALUES];

    OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, 1, x, &when, &label, index, visible, patch));
    for (int64_t k = 0; k < visible; k++)
        for (int i = 0; i < PATCH; i++)
            memcpy(out + ((index[k] / (W / PATCH) * PATCH + i) * W + index[k] % (W / PATCH) * PATCH) * C,
                   patch + k * VALUES + i * PATCH * C, PATCH * C * sizeof *out);
}

START_TEST(an_image_in_parts)
{
    enum { PARTS = 3, VISIBLE = P / PARTS };
    static float x[B * N], expected[B * N], got[B * N], other[B * N];
    maskdm_model *m = open_model();

    fill(x);
    for (int b = 0; b < B; b++) {
        struct mdm_rng r = mdm_rng_make(seeds[b], MDM_DRAW_MASK, 0, 4);
        int32_t left[P], place[VISIBLE], index[VISIBLE];
        int count = P;

        for (int i = 0; i < P; i++)
            left[i] = i;
        for (int part = 0; part < PARTS; part++) {
            mdm_rng_choose(&r, place, VISIBLE, count);
            for (int k = 0; k < VISIBLE; k++)
                index[k] = left[place[k]];
            for (int k = VISIBLE; k-- > 0; count--)
                memmove(left + place[k], left + place[k] + 1, (size_t)(count - place[k] - 1) * sizeof *left);
            predict_part(m, x + b * N, labels[b], index, VISIBLE, expected + b * N);
        }
    }
    ask_masked(m, x, PARTS, 4, got);
    ck_assert_mem_eq(got, expected, sizeof got);
    ask_masked(m, x, PARTS, 5, other);
    ck_assert_mem_ne(other, got, sizeof got);
    maskdm_model_release(&m);
}
END_TEST

START_TEST(tokens_that_pass_by)
{
    enum { KEPT = 7 };
    static float x[B * N], expected[B * N], got[B * N], other[B * N];
    const double times[B] = {when, when};
    const size_t bytes = B * N * sizeof *x;
    maskdm_model *m = open_model();
    struct mdm_program *p;
    int32_t keep[B * KEPT];
    void *image;

    fill(x);
    OK(mdm_program_create(&p, m, (struct mdm_extent){.batch = B, .visible = P, .routed = {KEPT}},
                          MDM_PROGRAM_PREDICT));
    OK(mdm_device_alloc(m->device, &image, bytes, 0, "a test"));
    for (int b = 0; b < B; b++) {
        struct mdm_rng r = mdm_rng_make(seeds[b], MDM_DRAW_ROUTE, 0, 4);

        mdm_rng_choose(&r, keep + b * KEPT, KEPT, P);
    }
    OK(mdm_device_upload(m->device, mdm_program_input(p), x, bytes));
    OK(mdm_program_set(p, mdm_program_input(p), times, labels, NULL));
    OK(mdm_program_set_kept(p, keep));
    OK(mdm_device_enter(m->device));
    OK(mdm_program_forward(p, mdm_model_block(m, MASKDM_WEIGHTS_EMA), NULL));
    OK(mdm_program_image(p, image));
    mdm_device_leave(m->device);
    OK(mdm_device_download(m->device, expected, image, bytes));
    mdm_device_free(m->device, image, bytes);
    mdm_program_release(&p);

    ask_routed(m, x, 1 - (KEPT - 0.5) / P, 4, got);
    ck_assert_mem_eq(got, expected, sizeof got);
    ask_routed(m, x, 1 - (KEPT - 0.5) / P, 5, other);
    ck_assert_mem_ne(other, got, sizeof got);
    /* With every token in the routed blocks it is the network itself. */
    ask_routed(m, x, 0.5 / P, 4, other);
    OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, B, x, times, labels, NULL, 0, expected));
    ck_assert_mem_eq(other, expected, sizeof other);
    maskdm_model_release(&m);
}
END_TEST

/* ---- without deep blocks ---- */

static maskdm_model *open_sprint(const char *network, const char *more)
{
    maskdm_options *o;
    maskdm_device *d;
    maskdm_model *m;

    OK(maskdm_options_create(&o, network));
    OK(maskdm_options_parse(o, "image_size=8x12 patch_size=2 dim=32 heads=2 classes=3"));
    OK(maskdm_options_parse(o, more));
    OK(maskdm_device_open(&d, "cpu", NULL));
    OK(maskdm_model_create(&m, d, network, o, NULL, 3));
    maskdm_options_release(&o);
    maskdm_device_release(&d);
    return m;
}

/* What begins as zeros would hide the rest. */
static void stir(maskdm_model *m, const char *of, float by)
{
    for (int64_t i = 0; i < maskdm_model_parameter_count(m); i++) {
        const char *name = maskdm_model_parameter_name(m, i);
        int64_t shape[4], n = 1;
        float *values;

        if (!strstr(name, of))
            continue;
        for (int d = maskdm_model_parameter_shape(m, i, shape, 4); d-- > 0;)
            n *= shape[d];
        values = malloc((size_t)n * sizeof *values);
        OK(maskdm_model_get_parameter(m, MASKDM_WEIGHTS_EMA, i, values, n));
        for (int64_t k = 0; k < n; k++)
            values[k] += by * (float)((k * 29 + i) % 17 - 8);
        OK(maskdm_model_set_parameter(m, MASKDM_WEIGHTS_EMA, i, values, n));
        free(values);
    }
}

/* The whole prediction of a program that is told of which images nothing comes from the deep blocks. */
static void predict_dropped(maskdm_model *m, const float *x, const int32_t *dropped, float *out)
{
    const double times[B] = {when, when};
    const size_t bytes = B * N * sizeof *x;
    struct mdm_program *p;
    void *image;

    OK(mdm_program_create(&p, m, (struct mdm_extent){.batch = B, .visible = P, .path_drop = 1}, MDM_PROGRAM_PREDICT));
    OK(mdm_device_alloc(m->device, &image, bytes, 0, "a test"));
    OK(mdm_device_upload(m->device, mdm_program_input(p), x, bytes));
    OK(mdm_program_set(p, mdm_program_input(p), times, labels, NULL));
    OK(mdm_program_set_dropped(p, dropped));
    OK(mdm_device_enter(m->device));
    OK(mdm_program_forward(p, mdm_model_block(m, MASKDM_WEIGHTS_EMA), NULL));
    OK(mdm_program_image(p, image));
    mdm_device_leave(m->device);
    OK(mdm_device_download(m->device, out, image, bytes));
    mdm_device_free(m->device, image, bytes);
    mdm_program_release(&p);
}

/* That is what training with dropped paths teaches, and nothing of the deep blocks is in it. */
START_TEST(deep_blocks_left_out)
{
    static const char *const nets[][3] = {{"sit", "encoder_depth=1 middle_depth=2 decoder_depth=1", "middle_blocks."},
                                          {"dit", "depth=4 sprint=1", "blocks.2."},
                                          {"uvit", "depth=5 sprint=1", "mid_block."},
                                          {"jit", "depth=4 sprint=1 bottleneck=8 in_context_len=2 in_context_start=2",
                                           "blocks.1."}};
    static float x[B * N], got[B * N], expected[B * N], whole[B * N], other[B * N];
    static const double times[B] = {when, when};
    static const int32_t all[B] = {1, 1}, none[B], second[B] = {0, 1};
    maskdm_model *m = open_sprint(nets[_i][0], nets[_i][1]);
    struct mdm_denoiser *d;

    fill(x);
    stir(m, "", 0.01f);
    OK(mdm_denoiser_shallow(&d, m, MASKDM_WEIGHTS_EMA, NULL));
    ask(d, m, x, 0, got);
    predict_dropped(m, x, all, expected);
    ck_assert_mem_eq(got, expected, sizeof got);
    OK(maskdm_model_predict_shallow(m, MASKDM_WEIGHTS_EMA, B, x, times, labels, other));
    ck_assert_mem_eq(got, other, sizeof got);
    OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, B, x, times, labels, NULL, 0, whole));
    ck_assert_mem_ne(whole, got, N * sizeof *got);
    predict_dropped(m, x, none, other);
    ck_assert_mem_eq(other, whole, sizeof whole);
    predict_dropped(m, x, second, other);
    ck_assert_mem_eq(other, whole, N * sizeof *other);
    ck_assert_mem_eq(other + N, got + N, N * sizeof *other);

    stir(m, nets[_i][2], 0.02f);
    OK(maskdm_model_predict_shallow(m, MASKDM_WEIGHTS_EMA, B, x, times, labels, other));
    ck_assert_mem_eq(got, other, sizeof got);
    OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, B, x, times, labels, NULL, 0, other));
    ck_assert_mem_ne(whole, other, N * sizeof *got);
    stir(m, "mask_token", 0.02f);
    OK(maskdm_model_predict_shallow(m, MASKDM_WEIGHTS_EMA, B, x, times, labels, other));
    ck_assert_mem_ne(got, other, N * sizeof *got);
    OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, B, x, times, labels, NULL, 0, whole));
    stir(m, "mask_token", 0.02f);
    OK(maskdm_model_predict(m, MASKDM_WEIGHTS_EMA, B, x, times, labels, NULL, 0, other));
    ck_assert_mem_eq(whole, other, sizeof whole);
    maskdm_model_release(&m);
}
END_TEST

static double flops_of(maskdm_model *m, int shallow)
{
    struct mdm_program *p;
    double flops;

    OK(mdm_program_create(&p, m, (struct mdm_extent){.batch = B, .visible = P, .shallow = shallow},
                          MDM_PROGRAM_PREDICT));
    flops = mdm_graph_flops(&p->graph, 0);
    mdm_program_release(&p);
    return flops;
}

/* Of two whole passes, one and the shallow blocks: 4 of 28 and the join (the authors count 0.274 of 0.477 TFLOP), or
 * 4 of 12. */
START_TEST(path_drop_guidance_costs_little_more_than_half)
{
    static const struct {
        const char *options;
        double share;
    } cases[] = {{"middle_depth=24", 0.574}, {"middle_depth=8", 0.68}};

    for (int i = 0; i < 2; i++) {
        maskdm_model *m = open_sprint("sit", cases[i].options);
        const double whole = flops_of(m, 0), shallow = flops_of(m, 1);

        ck_assert_double_eq_tol((whole + shallow) / (2 * whole), cases[i].share, 0.01);
        maskdm_model_release(&m);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("denoiser");
    TCase *c = tcase_create("denoiser");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, an_image_in_parts);
    tcase_add_test(c, tokens_that_pass_by);
    tcase_add_loop_test(c, deep_blocks_left_out, 0, 4);
    tcase_add_test(c, path_drop_guidance_costs_little_more_than_half);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
