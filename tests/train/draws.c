/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which random numbers go where: label dropout, noise and times of a step, and those of the held-out loss, each from
 * a stream of its own.
 */
#include "tiny.h"

#include "base/rng.h"
#include "train/trainer.h"

enum { BATCH = 8, SEED = 3 };

static const char labelled[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=5 time_mlp=true";

static void open_labelled(struct tiny *t, const char *trainer)
{
    tiny_open_on(t, tiny_device("threads=1"), labelled, NULL, NULL, NULL, trainer);
}

/* A label is dropped where its own number lies below label_dropout, and kept elsewhere. */
START_TEST(labels_are_dropped_at_their_rate)
{
    struct tiny t;
    int dropped = 0, drawn = 0;

    open_labelled(&t, "batch_size=8 seed=3 label_dropout=0.2");
    for (int64_t step = 0; step < 100; step++) {
        float images[BATCH * VALUES];
        int32_t labels[BATCH];

        t.optimizer->steps = step;
        OK(maskdm_trainer_draw(t.trainer, t.data, 0));
        OK(maskdm_data_batch(t.data, SEED, step, BATCH, 0.5, images, labels));
        for (int64_t b = 0; b < BATCH; b++, drawn++) {
            struct mdm_rng r = mdm_rng_make(SEED, MDM_DRAW_LABEL, (uint64_t)(step * BATCH + b), (uint64_t)step);
            int drop = mdm_rng_uniform(&r) < 0.2;

            ck_assert_int_ge(labels[b], 0);
            ck_assert_int_eq(t.trainer->micro.labels[b], drop ? -1 : labels[b]);
            dropped += drop;
        }
    }
    ck_assert_msg(dropped > 0.15 * drawn && dropped < 0.25 * drawn, "%d of %d labels", dropped, drawn);
    tiny_close(&t);
}
END_TEST

START_TEST(no_label_or_every_label)
{
    for (int all = 0; all < 2; all++) {
        struct tiny t;

        open_labelled(&t, all ? "batch_size=8 seed=3 label_dropout=1" : "batch_size=8 seed=3 label_dropout=0");
        OK(maskdm_trainer_draw(t.trainer, t.data, 0));
        for (int b = 0; b < BATCH; b++)
            ck_assert_int_eq(t.trainer->micro.labels[b] == -1, all);
        tiny_close(&t);
    }
}
END_TEST

/* The trainer's noise and times are those that mdm_scheduler_draw_*() say, for every part of every step, and its
 * images those of maskdm_data_batch(), of which each part is a batch. */
START_TEST(noise_and_times_of_a_step)
{
    struct tiny t;

    open_labelled(&t, "batch_size=8 accumulate=2 seed=3");
    for (int64_t step = 0; step < 3; step++)
        for (int64_t part = 0; part < 2; part++) {
            static float noise[BATCH / 2 * VALUES], images[BATCH / 2 * VALUES];
            double times[BATCH / 2];
            int64_t first = step * BATCH + part * BATCH / 2;

            t.optimizer->steps = step;
            OK(maskdm_trainer_draw(t.trainer, t.data, part));
            OK(maskdm_scheduler_draw_noise(t.scheduler, SEED, first, step, BATCH / 2, VALUES, noise));
            OK(maskdm_scheduler_draw_times(t.scheduler, SEED, first, step, BATCH / 2, times));
            ck_assert_mem_eq(maskdm_trainer_view(t.trainer, "noise", NULL), noise, sizeof noise);
            ck_assert_mem_eq(t.trainer->micro.times, times, sizeof times);
            OK(maskdm_data_batch(t.data, SEED, step * 2 + part, BATCH / 2, 0, images, NULL));
            ck_assert_mem_eq(maskdm_trainer_view(t.trainer, "images", NULL), images, sizeof images);
        }
    tiny_close(&t);
}
END_TEST

/* Streams of one sample and step differ by their purpose alone. */
START_TEST(no_two_purposes_share_a_stream)
{
    uint32_t first[MDM_DRAW_PATH + 1];

    for (int p = MDM_DRAW_INIT; p <= MDM_DRAW_PATH; p++) {
        struct mdm_rng r = mdm_rng_make(SEED, (enum mdm_purpose)p, 5, 7);

        first[p] = mdm_rng_u32(&r);
        for (int q = MDM_DRAW_INIT; q < p; q++)
            ck_assert_uint_ne(first[p], first[q]);
    }
}
END_TEST

/* Mean squared error of the predicted x0 of whole images at stratified levels, with the noise of a step that no run
 * reaches, computed from the public parts. */
static double held_out(struct tiny *t, int64_t step)
{
    static float image[VALUES], noise[VALUES], x_t[VALUES], out[VALUES], clean[VALUES];
    maskdm_model *now;
    double sum = 0;

    OK(maskdm_trainer_model(&now, t->trainer));
    for (int64_t i = 0; i < COUNT; i++) {
        const double place = (double)mdm_rng_permute(SEED, MDM_DRAW_TIME, (uint64_t)1 << 40, (uint64_t)i, COUNT);
        const double ratio = log(0.02) + (place + 0.5) / COUNT * log(20 / 0.02);
        const double time = mdm_process_time_of(t->scheduler->process, ratio);
        double squares = 0;
        int32_t label;

        OK(maskdm_data_get(t->data, i, image, &label));
        for (int k = 0; k < VALUES; k++)
            image[k] = image[k] * 2 - 1;
        OK(maskdm_scheduler_draw_noise(t->scheduler, SEED, i, step, 1, VALUES, noise));
        OK(maskdm_scheduler_add_noise(t->scheduler, 1, VALUES, image, noise, &time, x_t));
        OK(maskdm_model_predict(now, MASKDM_WEIGHTS_EMA, 1, x_t, &time, &label, NULL, 0, out));
        OK(maskdm_scheduler_denoised(t->scheduler, 1, VALUES, x_t, out, &time, clean));
        for (int k = 0; k < VALUES; k++)
            squares += ((double)clean[k] - image[k]) * ((double)clean[k] - image[k]) / VALUES;
        sum += squares / COUNT;
    }
    maskdm_model_release(&now);
    return sum;
}

START_TEST(held_out_loss_has_noise_of_its_own)
{
    struct tiny t;
    double loss;

    open_labelled(&t, "batch_size=8 seed=3 loss=l1");
    tiny_step(&t, 5);
    OK(maskdm_trainer_validate(t.trainer, t.data, 0, MASKDM_WEIGHTS_EMA, &loss, NULL, 0));
    ck_assert_double_eq_tol(loss, held_out(&t, (int64_t)1 << 40), 1e-6 * loss);
    ck_assert_double_gt(fabs(loss - held_out(&t, 0)), 1e-4 * loss); /* training's own would show */
    tiny_close(&t);
}
END_TEST

/* Held-out images may have labels that the network has not. */
START_TEST(unknown_held_out_labels_are_none)
{
    static int32_t unknown[COUNT];
    struct tiny t;
    maskdm_data *data[2];
    double loss[3];

    for (int i = 0; i < COUNT; i++)
        unknown[i] = 5 + i;
    open_labelled(&t, NULL);
    tiny_step(&t, 3);
    for (int k = 0; k < 2; k++) {
        OK(maskdm_data_create_memory(&data[k], t.device, COUNT, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images, 0, 0,
                                     k ? unknown : NULL, NULL, NULL));
        OK(maskdm_trainer_validate(t.trainer, data[k], 0, MASKDM_WEIGHTS_EMA, &loss[k], NULL, 0));
        maskdm_data_release(&data[k]);
    }
    OK(maskdm_trainer_validate(t.trainer, t.data, 0, MASKDM_WEIGHTS_EMA, &loss[2], NULL, 0));
    ck_assert_double_eq(loss[1], loss[0]);
    ck_assert_double_ne(loss[2], loss[0]);
    tiny_close(&t);
}
END_TEST

/* Of 8 x 8 patches, as many of each square side x side; each of them as often as the others. */
START_TEST(a_sprint_takes_some_of_every_square)
{
    static const struct {
        const char *drop;
        int side, taken;
    } ways[] = {{"0.75", 2, 1}, {"0.5", 2, 2}, {"0.875", 4, 2}, {"0.625", 4, 6}, {"0.25", 2, 3}};
    const int side = ways[_i].side, kept = 64 / side / side * ways[_i].taken, rounds = 400;
    char network[200];
    int often[64] = {0};
    struct tiny t;

    snprintf(network, sizeof network,
             "image_size=8 patch_size=1 dim=8 depth=3 heads=2 mlp_ratio=1 sprint=1 sprint_drop=%s", ways[_i].drop);
    tiny_open_network(&t, tiny_device("threads=1"), "dit", network, "type=none", NULL, NULL, "batch_size=8 seed=3");
    ck_assert_int_eq(maskdm_trainer_routed(t.trainer, 0), kept);
    ck_assert_int_eq(maskdm_trainer_routed(t.trainer, 1), 0);
    for (int64_t step = 0; step < rounds / BATCH; step++) {
        t.optimizer->steps = step;
        OK(maskdm_trainer_draw(t.trainer, t.data, 0));
        for (int b = 0; b < BATCH; b++) {
            const int32_t *keep = t.trainer->micro.keep + b * kept;
            int square[16] = {0};

            for (int k = 0; k < kept; k++) {
                ck_assert(keep[k] >= 0 && keep[k] < 64 && (!k || keep[k] > keep[k - 1]));
                square[keep[k] / 8 / side * (8 / side) + keep[k] % 8 / side]++;
                often[keep[k]]++;
            }
            for (int k = 0; k < 64 / side / side; k++)
                ck_assert_int_eq(square[k], ways[_i].taken);
        }
    }
    for (int k = 0; k < 64; k++)
        ck_assert_double_eq_tol(often[k], (double)rounds * kept / 64, 60);
    tiny_close(&t);
}
END_TEST

/* Who is routed and whose deep blocks count for nothing is drawn by the image's place in the run, at its rate, and
 * does not depend on how a step is split. */
START_TEST(routes_and_paths_are_an_image_s_own)
{
    enum { KEPT = 4, STEPS = 60 };
    static const char network[] = "image_size=8 patch_size=2 dim=8 depth=3 heads=2 mlp_ratio=1 sprint=1 "
                                  "path_drop=0.3";
    struct tiny whole, parts;
    int dropped = 0;

    tiny_open_network(&whole, tiny_device("threads=1"), "dit", network, "type=none", NULL, NULL,
                      "batch_size=8 seed=3");
    tiny_open_network(&parts, tiny_device("threads=1"), "dit", network, "type=none", NULL, NULL,
                      "batch_size=8 accumulate=2 seed=3");
    for (int64_t step = 0; step < STEPS; step++) {
        const struct mdm_microbatch *w = &whole.trainer->micro, *p = &parts.trainer->micro;

        whole.optimizer->steps = parts.optimizer->steps = step;
        OK(maskdm_trainer_draw(whole.trainer, whole.data, 0));
        for (int part = 0; part < 2; part++) {
            OK(maskdm_trainer_draw(parts.trainer, parts.data, part));
            ck_assert_mem_eq(p->keep, w->keep + part * BATCH / 2 * KEPT, BATCH / 2 * KEPT * sizeof *p->keep);
            ck_assert_mem_eq(p->dropped, w->dropped + part * BATCH / 2, BATCH / 2 * sizeof *p->dropped);
        }
        for (int b = 0; b < BATCH; b++) {
            struct mdm_rng r = mdm_rng_make(SEED, MDM_DRAW_PATH, (uint64_t)(step * BATCH + b), (uint64_t)step);

            ck_assert_int_eq(w->dropped[b], mdm_rng_uniform(&r) < 0.3);
            dropped += w->dropped[b];
        }
    }
    ck_assert_double_eq_tol(dropped, 0.3 * STEPS * BATCH, 40);
    tiny_close(&parts);
    tiny_close(&whole);
}
END_TEST

/* A host's own choice takes the place of the drawn one: it is what the step predicts from. */
START_TEST(a_host_says_who_takes_part)
{
    static const char network[] = "image_size=8 patch_size=2 dim=8 depth=4 heads=2 mlp_ratio=1 "
                                  "routes=0-1:0.5,2-3:0.75";
    static const int32_t first[] = {0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15},
                         last[] = {0, 5, 10, 15, 1, 2, 3, 4}, wrong[] = {0, 2, 1, 3, 0, 1, 2, 3};
    struct tiny t;

    tiny_open_network(&t, tiny_device("threads=1"), "dit", network, "type=none", NULL, NULL, "batch_size=2 seed=3");
    ck_assert_int_eq(maskdm_trainer_routed(t.trainer, 0), 8);
    ck_assert_int_eq(maskdm_trainer_routed(t.trainer, 1), 4);
    ck_assert_int_eq(maskdm_trainer_routed(t.trainer, 2), 0);
    FAILS(MASKDM_EINVAL, "a route needs a micro-batch", maskdm_trainer_set_route(t.trainer, 0, first));
    OK(maskdm_trainer_draw(t.trainer, t.data, 0));
    OK(maskdm_trainer_set_route(t.trainer, 1, last));
    OK(maskdm_trainer_set_route(t.trainer, 0, first));
    ck_assert_mem_eq(t.trainer->micro.keep, first, sizeof first);
    ck_assert_mem_eq(t.trainer->micro.keep + 16, last, sizeof last);
    FAILS(MASKDM_EINVAL, "kept token 1 at place 2 of image 0 is not rising within 0 .. 15",
          maskdm_trainer_set_route(t.trainer, 1, wrong));
    FAILS(MASKDM_EINVAL, "no token passes by a route 2", maskdm_trainer_set_route(t.trainer, 2, last));
    FAILS(MASKDM_EINVAL, "no image of this network's is trained without its deep blocks",
          maskdm_trainer_set_path_drop(t.trainer, first));
    ck_assert_mem_eq(t.trainer->micro.keep + 16, last, sizeof last);
    OK(maskdm_trainer_forward(t.trainer));
    tiny_close(&t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("draws");
    TCase *c = tcase_create("draws");

    tcase_add_test(c, labels_are_dropped_at_their_rate);
    tcase_add_test(c, no_label_or_every_label);
    tcase_add_test(c, noise_and_times_of_a_step);
    tcase_add_test(c, no_two_purposes_share_a_stream);
    tcase_add_loop_test(c, a_sprint_takes_some_of_every_square, 0, 5);
    tcase_add_test(c, routes_and_paths_are_an_image_s_own);
    tcase_add_test(c, a_host_says_who_takes_part);
    tcase_add_test(c, held_out_loss_has_noise_of_its_own);
    tcase_add_test(c, unknown_held_out_labels_are_none);
    suite_add_tcase(s, c);
    return tiny_main(s);
}
