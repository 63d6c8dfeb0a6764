/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A network of wavelets through the public interface: its loss is the sum of two means, its masks are two, images go
 * in and come out as pixels, and the held-out loss is in pixels as every other network's is.
 */
#include "tiny.h"

static const char network[] = "form=wavelet image_size=8 patch_size=1 dim=16 depth=3 heads=2 mlp_ratio=2";
static const char scaled[] =
    "form=wavelet detail_scale=2 image_size=8 patch_size=1 dim=16 depth=3 heads=2 mlp_ratio=2";

enum { PLACES = SIDE * SIDE / 4, DEPTH = 12 };

/* Mean square of the error over a range of an image's prediction. */
static double mean_of(const float *a, const float *b, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sum / (double)n;
}

/* Of 16 patches of the approximation with 3 values and of as many, or 4, of details with 9, or 36. */
static const struct {
    const char *network, *mask;
    int approx, detail, values;
} losses[] = {{network, "type=none", 16, 16, 9},
              {network, "type=patch ratio=0.5 detail_ratio=0.75", 8, 4, 9},
              {scaled, "type=patch ratio=0.75", 4, 1, 36},
              {scaled, "type=block block_size=2 ratio=0.5 detail_ratio=0", 8, 4, 36}};

START_TEST(the_loss_is_the_sum_of_two_means)
{
    const int approx = losses[_i].approx * 3, all = approx + losses[_i].detail * losses[_i].values;
    const float *target, *prediction, *images, *noise;
    struct tiny t;
    int64_t count;
    double loss, want = 0;

    tiny_open_network(&t, tiny_device("threads=2"), "uvit", losses[_i].network, losses[_i].mask, NULL, NULL,
                      "batch_size=4 seed=3");
    ck_assert_int_eq(maskdm_trainer_visible(t.trainer), losses[_i].approx + losses[_i].detail);
    tiny_step(&t, 2);
    OK(maskdm_trainer_draw(t.trainer, t.data, 0));
    OK(maskdm_trainer_forward(t.trainer));
    OK(maskdm_trainer_loss(t.trainer, &loss));
    target = maskdm_trainer_view(t.trainer, "target", &count);
    ck_assert_int_eq(count, 4 * all);
    prediction = maskdm_trainer_view(t.trainer, "prediction", &count);
    ck_assert_int_eq(count, 4 * all);
    for (int b = 0; b < 4; b++)
        want += mean_of(target + b * all, prediction + b * all, approx) +
                mean_of(target + b * all + approx, prediction + b * all + approx, all - approx);
    ck_assert_double_eq_tol(loss, want / 4, 1e-6 * want);

    /* The target is the noise on what is visible: its values in their order, from the place that an index means. */
    noise = maskdm_trainer_view(t.trainer, "noise", NULL);
    images = maskdm_trainer_view(t.trainer, "images", &count);
    ck_assert_int_eq(count, 4 * VALUES);
    for (int b = 0; b < 4; b++) {
        const int32_t *index = maskdm_trainer_index(t.trainer) + b * maskdm_trainer_visible(t.trainer);
        const float *at = target + b * all;

        for (int k = 0; k < losses[_i].approx; k++)
            for (int c = 0; c < 3; c++)
                ck_assert_float_eq(*at++, noise[(b * PLACES + index[k]) * DEPTH + c]);
        for (int k = 0; k < losses[_i].detail; k++) {
            const int patch = index[losses[_i].approx + k] - 16, side = losses[_i].values / 9 > 1 ? 2 : 1;

            for (int i = 0; i < side * side; i++)
                for (int c = 0; c < 9; c++) {
                    const int y = patch / (4 / side) * side + i / side, x = patch % (4 / side) * side + i % side;

                    ck_assert_float_eq(*at++, noise[(b * PLACES + y * 4 + x) * DEPTH + 3 + c]);
                }
        }
    }
    for (int i = 0; i < 4 * PLACES; i++)
        for (int c = 0; c < DEPTH; c++)
            ck_assert(images[i * DEPTH + c] >= -1 && images[i * DEPTH + c] <= (c < 3 ? 3 : 1));
    tiny_close(&t);
}
END_TEST

/* Pixels that a host gives are those that diffusion then has, and come back. */
START_TEST(images_go_in_as_pixels)
{
    static float given[2 * VALUES], noise[2 * VALUES], values[2 * VALUES], back[2 * VALUES];
    static const double times[] = {3, 700};
    const float *seen;
    maskdm_model *model;
    struct tiny t;

    tiny_open_network(&t, tiny_device("threads=1"), "uvit", network, "type=none", NULL, NULL, "batch_size=2 seed=3");
    for (int i = 0; i < 2 * VALUES; i++) {
        given[i] = tiny_images[i / VALUES][i % VALUES] * 2 - 1;
        noise[i] = (float)cos(0.7 * i);
    }
    OK(maskdm_trainer_set_batch(t.trainer, given, NULL, times, noise, NULL));
    OK(maskdm_trainer_model(&model, t.trainer));
    OK(maskdm_model_encode(model, 2, given, values));
    seen = maskdm_trainer_view(t.trainer, "images", NULL);
    ck_assert_mem_eq(seen, values, sizeof values);
    ck_assert(tiny_distance(given, values, 2 * VALUES) > 0.1);
    OK(maskdm_model_decode(model, 2, values, back));
    for (int i = 0; i < 2 * VALUES; i++)
        ck_assert_double_eq_tol((double)back[i], (double)given[i], 1e-6);
    maskdm_model_release(&model);
    tiny_close(&t);
    tiny_open(&t, NULL); /* of pixels nothing is made */
    OK(maskdm_model_encode(t.model, 2, given, values));
    ck_assert_mem_eq(values, given, sizeof values);
    OK(maskdm_model_decode(t.model, 2, given, values));
    ck_assert_mem_eq(values, given, sizeof values);
    tiny_close(&t);
}
END_TEST

/* A network that predicts the image itself: the held-out loss is its mean squared error in pixels. */
START_TEST(the_held_out_loss_is_in_pixels)
{
    static float values[VALUES], made[VALUES], image[VALUES], was[VALUES];
    const char *const forms[] = {network, scaled};
    maskdm_options *s = tiny_options("scheduler", "schedule=cosine prediction=x0"), *n, *r;
    maskdm_trainer *trainer;
    maskdm_optimizer *optimizer;
    struct tiny t;
    double loss;

    tiny_open_network(&t, tiny_device("threads=1"), "uvit", forms[_i], NULL, NULL, NULL, NULL);
    maskdm_scheduler_release(&t.scheduler);
    maskdm_model_release(&t.model);
    maskdm_trainer_release(&t.trainer);
    n = tiny_options("uvit", forms[_i]);
    r = tiny_options("trainer", "batch_size=1 seed=3");
    OK(maskdm_scheduler_create(&t.scheduler, s));
    OK(maskdm_model_create(&t.model, t.device, "uvit", n, t.scheduler, 7));
    OK(maskdm_optimizer_create(&optimizer, NULL, NULL));
    OK(maskdm_trainer_create(&trainer, t.model, NULL, optimizer, r, NULL));
    OK(maskdm_trainer_validate(trainer, t.data, 1, MASKDM_WEIGHTS_EMA, &loss, NULL, 0));
    memcpy(values, maskdm_trainer_view(trainer, "input", NULL), sizeof values);
    memcpy(was, maskdm_trainer_view(trainer, "images", NULL), sizeof was);
    OK(maskdm_model_predict(t.model, MASKDM_WEIGHTS_EMA, 1, values, maskdm_trainer_times(trainer), NULL, NULL, 0,
                            made));
    OK(maskdm_model_decode(t.model, 1, made, image));
    for (int i = 0; i < VALUES; i++)
        values[i] = tiny_images[0][i] * 2 - 1;
    OK(maskdm_model_decode(t.model, 1, was, made));
    ck_assert(tiny_distance(made, values, VALUES) < 1e-6);
    ck_assert_double_eq_tol(loss, mean_of(image, values, VALUES), 1e-5 * loss);
    maskdm_options_release(&s);
    maskdm_options_release(&n);
    maskdm_options_release(&r);
    maskdm_trainer_release(&trainer);
    maskdm_optimizer_release(&optimizer);
    tiny_close(&t);
}
END_TEST

/* Every x0 is kept within what images have, band for band. */
static int see(void *user, const struct maskdm_step *step)
{
    int *steps = user;

    for (int64_t i = 0; i < step->count * step->values; i++) {
        const double value = (double)step->x0[i], low = -1, high = i % DEPTH < 3 ? 3 : 1;

        ck_assert_msg(value >= low && value <= high, "value %g of channel %d", value, (int)(i % DEPTH));
    }
    ++*steps;
    return 0;
}

static maskdm_sampler *make_sampler(maskdm_model *model, const char *text)
{
    maskdm_options *o = tiny_options("sampler", text);
    maskdm_sampler *s;

    OK(maskdm_sampler_create(&s, model, MASKDM_WEIGHTS_EMA, o, NULL));
    maskdm_options_release(&o);
    return s;
}

/* What comes out are pixels, of an image alone as among others. */
START_TEST(samples_are_pixels)
{
    static float x[2 * VALUES], drawn[2 * VALUES];
    struct tiny t;
    maskdm_model *model;
    maskdm_sampler *s;
    float *values;
    int steps = 0;

    tiny_open_network(&t, tiny_device("threads=2"), "uvit", network, NULL, "lr=2e-2", NULL, NULL);
    tiny_step(&t, 20);
    OK(maskdm_trainer_model(&model, t.trainer));
    s = make_sampler(model, "sampler=ddim steps=8 seed=4");
    maskdm_sampler_set_step(s, see, &steps);
    for (int i = 0; i < 2 * VALUES; i++)
        x[i] = (float)(1.3 * sin(1.7 * i * i));
    OK(maskdm_sampler_run_from(s, 2, x, NULL, NULL));
    ck_assert_int_eq(steps, 8);
    values = malloc(sizeof x);
    OK(maskdm_model_encode(model, 2, x, values));
    for (int i = 0; i < 2 * VALUES; i++) {
        const double value = (double)values[i];

        ck_assert(value >= -1 - 1e-5 && value <= (i % DEPTH < 3 ? 3 : 1) + 1e-5);
    }
    OK(maskdm_sampler_run(s, 2, NULL, NULL, MASKDM_SAMPLE_FLOAT, drawn, 0, 0));
    ck_assert_int_eq(steps, 16);
    OK(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_FLOAT, x, 0, 0));
    ck_assert_mem_eq(x, drawn, VALUES * sizeof *x);
    free(values);
    maskdm_sampler_release(&s);
    maskdm_model_release(&model);
    tiny_close(&t);
}
END_TEST

/* One step from noise is x0 = (x - noise F) / signal, kept within what images have, as pixels. */
START_TEST(a_step_is_what_was_predicted)
{
    static float x[2 * VALUES], drawn[2 * VALUES], said[2 * VALUES];
    static const double times[2] = {999, 999};
    struct tiny t;
    maskdm_sampler *s;
    double signal, noise;

    tiny_open_network(&t, tiny_device("threads=1"), "uvit", _i ? scaled : network, NULL, NULL, NULL, NULL);
    for (int i = 0; i < 2 * VALUES; i++)
        drawn[i] = x[i] = (float)(1.3 * sin(1.7 * i * i));
    OK(maskdm_scheduler_factors(t.scheduler, "signal", 1, times, &signal));
    OK(maskdm_scheduler_factors(t.scheduler, "noise", 1, times, &noise));
    OK(maskdm_model_predict(t.model, MASKDM_WEIGHTS_EMA, 2, x, times, NULL, NULL, 0, said));
    for (int i = 0; i < 2 * VALUES; i++) {
        const double x0 = ((double)x[i] - noise * (double)said[i]) / signal;

        said[i] = (float)fmin(fmax(x0, -1), i % DEPTH < 3 ? 3 : 1);
    }
    OK(maskdm_model_decode(t.model, 2, said, x));
    s = make_sampler(t.model, "sampler=ddim steps=1");
    OK(maskdm_sampler_run_from(s, 2, drawn, NULL, NULL));
    for (int i = 0; i < 2 * VALUES; i++)
        ck_assert_msg(fabs((double)drawn[i] - (double)x[i]) < 1e-4, "value %d is %g, not %g", i, (double)drawn[i],
                      (double)x[i]);
    maskdm_sampler_release(&s);
    tiny_close(&t);
}
END_TEST

static maskdm_image *make_image(int channels, const unsigned char *bytes)
{
    maskdm_image *image;

    OK(maskdm_image_create(&image, SIDE, SIDE, channels, MASKDM_SAMPLE_U8, bytes, 0));
    return image;
}

/* Of a picture with a hole every 2 x 2 pixels without one of it come back as they were, and all of it from the least
 * noise that a start can have. */
START_TEST(pictures_are_kept_outside_of_a_hole)
{
    unsigned char bytes[VALUES], open[SIDE * SIDE] = {0}, got[VALUES];
    maskdm_sampler *s;
    maskdm_image *image, *mask;
    const maskdm_image *one[1];
    maskdm_options *o = tiny_options("inpaint", "surround=1");
    struct tiny t;
    int changed = 0;

    tiny_open_network(&t, tiny_device("threads=1"), "uvit", network, NULL, NULL, NULL, NULL);
    for (int i = 0; i < VALUES; i++)
        bytes[i] = (unsigned char)(i * 37 % 256);
    for (int y = 3; y < 6; y++)
        for (int x = 2; x < 5; x++)
            open[y * SIDE + x] = 255;
    image = make_image(3, bytes);
    mask = make_image(1, open);
    one[0] = image;
    s = make_sampler(t.model, "sampler=ddim steps=4 seed=4");
    OK(maskdm_sampler_set_hole(s, one, 1, mask, NULL));
    OK(maskdm_sampler_run(s, 1, NULL, NULL, MASKDM_SAMPLE_U8, got, 0, 0));
    for (int i = 0; i < VALUES; i++) {
        const int y = i / 3 / SIDE, x = i / 3 % SIDE, in = y >= 2 && y < 6 && x >= 2 && x < 6;

        ck_assert_msg(in || got[i] == bytes[i], "pixel %d,%d is %d, not %d", y, x, got[i], bytes[i]);
        changed += in && got[i] != bytes[i];
    }
    ck_assert_int_gt(changed, 16);
    FAILS(MASKDM_EINVAL, "surround 1 needs a network of one kind of patches; this one has 2",
          maskdm_sampler_set_hole(s, one, 1, mask, o));
    maskdm_options_release(&o);
    maskdm_image_release(&image);
    maskdm_image_release(&mask);
    maskdm_sampler_release(&s);
    tiny_close(&t);
}
END_TEST

/* What a host may not ask of such a network. */
START_TEST(what_needs_one_kind_is_refused)
{
    static const struct {
        const char *sampler, *says;
    } bad[] = {{"threshold=true", "threshold is for pixels, and this network works on haar"},
               {"guidance=2 guidance_by=masked", "guidance_by masked needs a network of one kind of patches"},
               {"guidance=2 guidance_channels=13", "guidance_channels 13 of images with 12 channels"}};
    static const double time = 5;
    static const int32_t index[2][4] = {{0, 1, 2, 3}, {0, 3, 2, 17}};
    static const int32_t uneven[] = {0, 1, 16, 17, 0, 1, 2, 17};
    static const double times[] = {5, 6};
    static float x[2 * VALUES], out[2 * VALUES];
    maskdm_options *o;
    maskdm_sampler *s;
    maskdm_mask *mask;
    maskdm_optimizer *optimizer;
    maskdm_trainer *trainer;
    maskdm_model *pixels;
    struct tiny t;

    tiny_open_network(&t, tiny_device("threads=1"), "uvit", network, NULL, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o = tiny_options("sampler", bad[i].sampler);
        FAILS(MASKDM_EINVAL, bad[i].says, maskdm_sampler_create(&s, t.model, MASKDM_WEIGHTS_EMA, o, NULL));
        maskdm_options_release(&o);
    }
    FAILS(MASKDM_EINVAL, "image 0 has other than 2 visible patches below 16, and 2 above",
          maskdm_model_predict(t.model, 0, 1, x, &time, NULL, index[0], 4, out));
    FAILS(MASKDM_EINVAL, "not rising", maskdm_model_predict(t.model, 0, 1, x, &time, NULL, index[1], 4, out));
    FAILS(MASKDM_EINVAL, "image 1 has other than 2 visible patches below 16, and 2 above",
          maskdm_model_predict(t.model, 0, 2, x, times, NULL, uneven, 4, out));
    o = tiny_options("mask", "type=crop crop_size=2");
    OK(maskdm_mask_create(&mask, o));
    OK(maskdm_optimizer_create(&optimizer, NULL, NULL));
    FAILS(MASKDM_EINVAL, "mask crop shows one window",
          maskdm_trainer_create(&trainer, t.model, mask, optimizer, NULL, NULL));
    maskdm_options_release(&o);
    maskdm_mask_release(&mask);
    maskdm_optimizer_release(&optimizer);
    o = tiny_options("uvit", "image_size=8 patch_size=2 dim=16 depth=1 heads=2");
    OK(maskdm_model_create(&pixels, t.device, "uvit", o, t.scheduler, 1));
    maskdm_options_release(&o);
    o = tiny_options("sampler", "guidance=2");
    FAILS(MASKDM_EINVAL, "the guide works on pixels and the model on haar",
          maskdm_sampler_create_guided(&s, t.model, MASKDM_WEIGHTS_EMA, pixels, MASKDM_WEIGHTS_EMA, o, NULL));
    maskdm_options_release(&o);
    maskdm_model_release(&pixels);
    tiny_close(&t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("wavelet");
    TCase *t = tcase_create("wavelet");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, the_loss_is_the_sum_of_two_means, 0, (int)(sizeof losses / sizeof *losses));
    tcase_add_test(t, images_go_in_as_pixels);
    tcase_add_loop_test(t, the_held_out_loss_is_in_pixels, 0, 2);
    tcase_add_test(t, samples_are_pixels);
    tcase_add_loop_test(t, a_step_is_what_was_predicted, 0, 2);
    tcase_add_test(t, pictures_are_kept_outside_of_a_hole);
    tcase_add_test(t, what_needs_one_kind_is_refused);
    suite_add_tcase(s, t);
    return tiny_main(s);
}
