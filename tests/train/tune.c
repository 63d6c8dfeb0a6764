/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Consistency tuning by a trainer: a step is the host's own arithmetic on two passes of the model, for every process
 * and prediction, masked, in groups and routed; the rest is as in any other training.
 */
#include "tiny.h"

#include "train/trainer.h"

enum { SEED = 3, ROWS = 16, PATCH_VALUES = 12 };

static const char plain_network[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=5";
static const char short_stages[] = "q=2 stages=4 every=2 huber=0.05";

/* Like tiny_open_on(), of any scheduler. */
static void open_tuned(struct tiny *t, const char *scheduler, const char *mask, const char *trainer,
                       const char *device, const char *tune)
{
    maskdm_options *s = tiny_options("scheduler", scheduler), *n = tiny_options("uvit", plain_network);
    maskdm_options *m = tiny_options("mask", mask), *o = tiny_options("optimizer", "lr=2e-3");
    maskdm_options *e = tiny_options("ema", "start=2"), *r = tiny_options("trainer", trainer);
    maskdm_options *c = tune ? tiny_options("consistency", tune) : NULL;

    memset(t, 0, sizeof *t);
    tiny_draw_images();
    t->device = tiny_device(device);
    OK(maskdm_scheduler_create(&t->scheduler, s));
    OK(maskdm_model_create(&t->model, t->device, "uvit", n, t->scheduler, 7));
    OK(maskdm_mask_create(&t->mask, m));
    OK(maskdm_optimizer_create(&t->optimizer, o, e));
    OK(maskdm_control_create(&t->control));
    OK(maskdm_trainer_create(&t->trainer, t->model, t->mask, t->optimizer, r, t->control));
    if (c)
        OK(maskdm_trainer_tune(t->trainer, c));
    OK(maskdm_data_create_memory(&t->data, t->device, COUNT, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images, 0, 0,
                                 tiny_labels, NULL, NULL));
    maskdm_options_release(&s);
    maskdm_options_release(&n);
    maskdm_options_release(&m);
    maskdm_options_release(&o);
    maskdm_options_release(&e);
    maskdm_options_release(&r);
    maskdm_options_release(&c);
}

static int same_weights(struct tiny *a, struct tiny *b)
{
    int same = 1;

    for (int set = 0; set < 2; set++) {
        float *x = tiny_weights(a, (enum maskdm_weights)set), *y = tiny_weights(b, (enum maskdm_weights)set);

        same = same && memcmp(x, y, tiny_bytes(a)) == 0;
        free(x);
        free(y);
    }
    return same;
}

/* ---- a step ---- */

/* patches[rows, visible, p*p*C] from whole[rows, H, W, C] */
static void gather(float *patches, const float *whole, const int32_t *index, int64_t rows, int64_t visible)
{
    for (int64_t i = 0; i < rows * visible; i++)
        for (int y = 0; y < 2; y++)
            for (int k = 0; k < 6; k++)
                *patches++ = whole[i / visible * VALUES + (index[i] / 4 * 2 + y) * SIDE * 3 + index[i] % 4 * 6 + k];
}

/* The network's answer at times; where one is the image's, at that of `otherwise`, which is not looked at. */
static void predict(const struct tiny *t, const double *times, const double *otherwise, int64_t rows, int64_t visible,
                    const float *images, const float *noise, float *out)
{
    static float x[ROWS * VALUES];
    const double image = t->trainer->model->scheduler->process->image;
    double at[ROWS];
    maskdm_model *model;

    for (int64_t b = 0; b < rows; b++)
        at[b] = times[b] == image ? otherwise[b] : times[b];
    OK(maskdm_scheduler_add_noise(t->scheduler, rows, VALUES, images, noise, at, x));
    OK(maskdm_trainer_model(&model, t->trainer));
    OK(maskdm_model_predict(model, MASKDM_WEIGHTS_ONLINE, rows, x, at, maskdm_trainer_labels(t->trainer),
                            maskdm_trainer_index(t->trainer), visible, out));
    maskdm_model_release(&model);
}

/* Micro-batch 0 of step `step`, by hand. */
static void check_step(struct tiny *t, const char *tune, int64_t step, int64_t every, int64_t stages)
{
    static float x0[ROWS * VALUES], noise[ROWS * VALUES], now[ROWS * VALUES], below[ROWS * VALUES];
    static float gradient[ROWS * VALUES], images[ROWS * VALUES], whole_noise[ROWS * VALUES];
    const int64_t rows = maskdm_trainer_batch(t->trainer), visible = maskdm_trainer_visible(t->trainer);
    const int64_t stage = step / every < stages ? step / every : stages - 1;
    maskdm_options *o = tiny_options("consistency", tune);
    double numbers[ROWS], times[ROWS], r[ROWS], losses[ROWS], mean = 0, loss;
    float *theirs, *ours;

    t->optimizer->steps = step;
    OK(maskdm_trainer_draw(t->trainer, t->data, 0));
    memcpy(images, maskdm_trainer_view(t->trainer, "images", NULL), sizeof(float) * (size_t)(rows * VALUES));
    memcpy(whole_noise, maskdm_trainer_view(t->trainer, "noise", NULL), sizeof(float) * (size_t)(rows * VALUES));
    for (int64_t b = 0; b < rows; b++) {
        struct mdm_rng stream = mdm_rng_make(
            SEED, MDM_DRAW_TIME, (uint64_t)(mdm_pace_images(&t->trainer->pace, step) * t->trainer->pace.groups + b),
            (uint64_t)step);
        float normal;

        mdm_rng_normal(&normal, 1, &stream, 0);
        numbers[b] = (double)normal;
    }
    OK(maskdm_scheduler_consistency_times(t->scheduler, o, stage, rows, numbers, times, r));
    ck_assert_mem_eq(maskdm_trainer_times(t->trainer), times, (size_t)rows * sizeof *times);
    gather(x0, images, maskdm_trainer_index(t->trainer), rows, visible);
    gather(noise, whole_noise, maskdm_trainer_index(t->trainer), rows, visible);
    predict(t, times, times, rows, visible, images, whole_noise, now);
    predict(t, r, times, rows, visible, images, whole_noise, below);
    OK(maskdm_scheduler_consistency_loss(t->scheduler, o, rows, visible * PATCH_VALUES, x0, noise, times, r, now,
                                         below, losses, gradient));
    for (int64_t b = 0; b < rows; b++)
        mean += losses[b] / (double)rows;

    OK(maskdm_trainer_forward(t->trainer));
    OK(maskdm_trainer_loss(t->trainer, &loss));
    ck_assert_double_gt(loss, 0);
    ck_assert_msg(fabs(loss - mean) < 1e-5 * mean, "step %d: %.9g, by hand %.9g", (int)step, loss, mean);
    OK(maskdm_trainer_loss(t->trainer, &loss)); /* which can be asked for again */
    ck_assert(fabs(loss - mean) < 1e-5 * mean);
    OK(maskdm_trainer_backward(t->trainer, NULL));
    theirs = tiny_gradients(t);
    OK(maskdm_trainer_zero_gradients(t->trainer));
    for (int64_t i = 0; i < rows * visible * PATCH_VALUES; i++) /* of the mean over the step, not the micro-batch */
        gradient[i] *= (float)((double)rows / (double)(t->trainer->batch_size * t->trainer->pace.groups));
    OK(maskdm_trainer_forward(t->trainer));
    OK(maskdm_trainer_backward(t->trainer, gradient));
    ours = tiny_gradients(t);
    OK(maskdm_trainer_zero_gradients(t->trainer));
    ck_assert_double_lt(tiny_distance(theirs, ours, tiny_bytes(t) / sizeof *ours), 1e-5);
    free(theirs);
    free(ours);
    maskdm_options_release(&o);
}

START_TEST(a_step_is_two_passes_and_their_difference)
{
    static const char *const schedulers[] = {"schedule=cosine",
                                             "schedule=cosine prediction=v",
                                             "schedule=linear prediction=x0",
                                             "process=edm",
                                             "process=edm prediction=x0",
                                             "process=ve",
                                             "process=vp prediction=v",
                                             "process=flow",
                                             "process=flow prediction=x0 flow_time=data"};
    static const char *const masks[] = {"type=none", "type=block ratio=0.5 block_size=2", "type=partition"};

    for (size_t i = 0; i < sizeof schedulers / sizeof *schedulers; i++)
        for (size_t k = 0; k < sizeof masks / sizeof *masks; k++) {
            struct tiny t;

            open_tuned(&t, schedulers[i], masks[k], "batch_size=8 accumulate=2 seed=3 label_dropout=0.3", "threads=1",
                       short_stages);
            check_step(&t, short_stages, 0, 2, 4);
            check_step(&t, short_stages, 3, 2, 4);
            check_step(&t, short_stages, 40, 2, 4);
            tiny_close(&t);
        }
}
END_TEST

START_TEST(every_setting_takes_part)
{
    static const char *const tune[] = {"q=256 stages=1 every=1", "mapping=const q=4 stages=1 every=1",
                                       "k=1000 q=2 stages=1 every=1", "mean=0.5 std=0.5 b=3 stages=1 every=1",
                                       "floor=3 stages=1 every=1 huber=0.5"};

    for (size_t i = 0; i < sizeof tune / sizeof *tune; i++) {
        struct tiny t;

        open_tuned(&t, "process=edm", "type=none", "batch_size=8 seed=3", "threads=1", tune[i]);
        check_step(&t, tune[i], 2, 1, 1);
        tiny_close(&t);
    }
}
END_TEST

/* ---- as in any other training ---- */

static const char falling[] = "type=patch ratio=0.75 ratio_end=0 ratio_steps=10 ratio_levels=4";
static const char drawn[] = "batch_size=8 seed=3 flip=0.5 label_dropout=0.3";

START_TEST(threads_change_no_bit)
{
    struct tiny one, three;

    open_tuned(&one, "process=edm", falling, drawn, "threads=1", short_stages);
    open_tuned(&three, "process=edm", falling, drawn, "threads=3", short_stages);
    tiny_step(&one, 10);
    tiny_step(&three, 10);
    ck_assert(same_weights(&one, &three));
    tiny_close(&one);
    tiny_close(&three);
}
END_TEST

START_TEST(accumulation_changes_no_draw)
{
    struct tiny whole, parts;
    float *a, *b;

    open_tuned(&whole, "process=edm", falling, "batch_size=8 seed=3", "threads=1", short_stages);
    open_tuned(&parts, "process=edm", falling, "batch_size=8 accumulate=4 seed=3", "threads=1", short_stages);
    for (int i = 0; i < 4; i++) {
        tiny_step(&whole, 1);
        tiny_step(&parts, 1);
        ck_assert_double_lt(
            fabs(maskdm_trainer_last_loss(whole.trainer) / maskdm_trainer_last_loss(parts.trainer) - 1), 1e-4);
    }
    a = tiny_weights(&whole, MASKDM_WEIGHTS_ONLINE);
    b = tiny_weights(&parts, MASKDM_WEIGHTS_ONLINE);
    ck_assert_double_lt(tiny_distance(a, b, tiny_bytes(&whole) / sizeof *a), 1e-3);
    free(a);
    free(b);
    tiny_close(&whole);
    tiny_close(&parts);
}
END_TEST

/* From every step on, over stages and levels of the mask. */
START_TEST(resuming_changes_no_bit)
{
    const char *path = "train_tune.safetensors";

    for (int at = 1; at < 10; at += 3) {
        struct tiny straight, before, after;

        open_tuned(&straight, "process=edm", falling, drawn, "threads=1", short_stages);
        open_tuned(&before, "process=edm", falling, drawn, "threads=1", short_stages);
        open_tuned(&after, "process=edm", falling, drawn, "threads=1", short_stages);
        tiny_step(&straight, 10);
        tiny_step(&before, at);
        OK(maskdm_trainer_save(before.trainer, path));
        OK(maskdm_trainer_load(after.trainer, path));
        tiny_step(&after, 10 - at);
        ck_assert(same_weights(&straight, &after));
        tiny_close(&straight);
        tiny_close(&before);
        tiny_close(&after);
    }
    unlink(path);
}
END_TEST

START_TEST(a_state_is_of_its_own_tuning)
{
    const char *path = "train_tune.safetensors";
    struct tiny tuned, other, plain;

    open_tuned(&tuned, "process=edm", "type=none", drawn, "threads=1", short_stages);
    open_tuned(&other, "process=edm", "type=none", drawn, "threads=1", "q=2 stages=4 every=3 huber=0.05");
    open_tuned(&plain, "process=edm", "type=none", drawn, "threads=1", NULL);
    tiny_step(&tuned, 1);
    tiny_step(&plain, 1);
    OK(maskdm_trainer_save(tuned.trainer, path));
    FAILS(MASKDM_EINVAL, "every 2, this one 3", maskdm_trainer_load(other.trainer, path));
    FAILS(MASKDM_EINVAL, "tunes for consistency, which this one does not", maskdm_trainer_load(plain.trainer, path));
    OK(maskdm_trainer_save(plain.trainer, path));
    FAILS(MASKDM_EINVAL, "which that of the file did not", maskdm_trainer_load(tuned.trainer, path));
    unlink(path);
    tiny_close(&tuned);
    tiny_close(&other);
    tiny_close(&plain);
}
END_TEST

/* ---- what it costs, and what is refused ---- */

/* Both passes' outputs are kept for the loss, and a step's arithmetic has one more forward pass. */
START_TEST(memory_and_arithmetic_are_foretold)
{
    struct maskdm_cost with = {.struct_size = sizeof with}, without = with;
    struct tiny tuned, plain;

    open_tuned(&tuned, "process=edm", falling, "batch_tokens=32 seed=3", "threads=1", short_stages);
    open_tuned(&plain, "process=edm", falling, "batch_tokens=32 seed=3", "threads=1", NULL);
    ck_assert_int_eq((int64_t)(mdm_trainer_memory(tuned.trainer) - mdm_trainer_memory(plain.trainer)),
                     2 * 32 * PATCH_VALUES * (int64_t)sizeof(float));
    OK(maskdm_trainer_cost(tuned.trainer, &with));
    OK(maskdm_trainer_cost(plain.trainer, &without));
    ck_assert_double_eq(with.step_forward, 2 * without.step_forward);
    ck_assert_double_eq(with.step_backward, without.step_backward);
    tiny_close(&tuned);
    tiny_close(&plain);
}
END_TEST

static void refuse(struct tiny *t, const char *tune, const char *says)
{
    maskdm_options *o = tiny_options("consistency", tune);

    FAILS(MASKDM_EINVAL, says, maskdm_trainer_tune(t->trainer, o));
    maskdm_options_release(&o);
}

START_TEST(what_is_refused)
{
    struct tiny t, forgetful;
    double loss;

    open_tuned(&t, "process=edm", "type=none", drawn, "threads=1", NULL);
    refuse(&t, "stages=8", "stages 8 need every, the steps of each");
    refuse(&t, "q=256 every=5", "q 256 in stages 8 makes steps of 5.4e-20 of the noise");
    refuse(&t, "mapping=const k=2", "k");
    OK(maskdm_trainer_draw(t.trainer, t.data, 0));
    OK(maskdm_trainer_forward(t.trainer));
    OK(maskdm_trainer_loss(t.trainer, &loss));
    ck_assert_ptr_nonnull(maskdm_trainer_view(t.trainer, "target", NULL));
    {
        maskdm_options *o = tiny_options("consistency", "every=5");

        OK(maskdm_trainer_tune(t.trainer, o));
        maskdm_options_release(&o);
    }
    refuse(&t, "every=5", "tunes for consistency already");
    ck_assert_ptr_null(maskdm_trainer_view(t.trainer, "target", NULL));
    tiny_step(&t, 1);
    tiny_close(&t);
    open_tuned(&t, "process=edm", "type=none", drawn, "threads=1", NULL);
    tiny_step(&t, 2);
    refuse(&t, "every=5", "the trainer is at step 2; consistency tuning begins with the first");
    tiny_close(&t);
    open_tuned(&forgetful, "process=edm", "type=none", "batch_size=8 forget_power=1", "threads=1", NULL);
    refuse(&forgetful, "every=5", "forget_power and retained images have no meaning for consistency tuning");
    tiny_close(&forgetful);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("train_tune");
    TCase *steps = tcase_create("steps"), *training = tcase_create("training"), *limits = tcase_create("limits");

    tcase_set_timeout(steps, 60);
    tcase_add_test(steps, a_step_is_two_passes_and_their_difference);
    tcase_add_test(steps, every_setting_takes_part);
    suite_add_tcase(suite, steps);
    tcase_add_test(training, threads_change_no_bit);
    tcase_add_test(training, accumulation_changes_no_draw);
    tcase_add_test(training, resuming_changes_no_bit);
    tcase_add_test(training, a_state_is_of_its_own_tuning);
    suite_add_tcase(suite, training);
    tcase_add_test(limits, memory_and_arithmetic_are_foretold);
    tcase_add_test(limits, what_is_refused);
    suite_add_tcase(suite, limits);
    return tiny_main(suite);
}
