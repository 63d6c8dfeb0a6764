/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forgetting by levels of noise, and images that keep what a model can: which images a batch has, what they count,
 * and runs that go on.
 */
#include "tiny.h"

#include "train/trainer.h"

#include <sys/stat.h>

static float old_images[12][VALUES];
static const int32_t old_labels[12] = {3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3};

/* Brighter than all others: image i is 0.95 and a little, told by i. */
static maskdm_data *old_ones(maskdm_device *device, int count)
{
    maskdm_data *data;

    for (int i = 0; i < 12; i++)
        for (int k = 0; k < VALUES; k++)
            old_images[i][k] = (float)(0.95 + 0.004 * i);
    OK(maskdm_data_create_memory(&data, device, count, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, old_images, 0, 0,
                                 old_labels, NULL, NULL));
    return data;
}

static void open_with(struct tiny *t, const char *trainer, int old)
{
    maskdm_data *data;

    tiny_open_on(t, tiny_device("threads=1"),
                 "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=5", NULL, NULL, NULL, trainer);
    if (!old)
        return;
    data = old_ones(t->device, old);
    OK(maskdm_trainer_set_retained(t->trainer, data));
    maskdm_data_release(&data);
}

static double factor(const char *process, double time, double power, int old)
{
    maskdm_options *o = tiny_options("scheduler", process);
    maskdm_scheduler *s;
    double f;

    OK(maskdm_scheduler_create(&s, o));
    f = mdm_retain_factor(s->process, time, power, old);
    maskdm_scheduler_release(&s);
    maskdm_options_release(&o);
    return f;
}

/* The authors' i^p, i = 1 .. 1000, over its mean; continuous times by their own way. */
START_TEST(factors)
{
    double sum[2] = {0, 0};

    ck_assert_double_eq_tol(factor("timesteps=1000", 0, 1, 0), 2 * 0.001, 1e-12);
    ck_assert_double_eq_tol(factor("timesteps=1000", 999, 1, 0), 2, 1e-12);
    ck_assert_double_eq_tol(factor("timesteps=1000", 0, 1, 1), 2, 1e-12);
    ck_assert_double_eq_tol(factor("timesteps=1000", 999, 1, 1), 2 * 0.001, 1e-12);
    ck_assert_double_eq_tol(factor("timesteps=1000", 249, 2, 0), 3 * 0.0625, 1e-12);
    ck_assert_double_eq_tol(factor("process=flow", 0.25, 1, 0), 0.5, 1e-12);
    ck_assert_double_eq_tol(factor("process=flow", 0.25, 1, 1), 1.5, 1e-12);
    ck_assert_double_eq_tol(factor("process=edm sigma_min=0.01 sigma_max=100", 1, 1, 0), 1, 1e-9);
    ck_assert_double_eq(factor("process=flow", 0.25, 0, 0), 1);
    for (int t = 0; t < 100; t++)
        for (int old = 0; old < 2; old++)
            sum[old] += factor("timesteps=100", t, 1, old) / 100;
    ck_assert_double_eq_tol(sum[0], 1.01, 1e-9); /* sum i / T, twice */
    ck_assert_double_eq_tol(sum[1], 1.01, 1e-9);
}
END_TEST

/* A quarter of each batch, spread over it, without labels; in parts the same ones in the same places. */
START_TEST(which_images)
{
    static const char *const text[] = {"batch_size=8 seed=3 retain_share=0.25",
                                       "batch_size=8 seed=3 retain_share=0.25 accumulate=4"};
    float seen[2][2][8][VALUES];
    int32_t labels[2][2][8];

    for (int i = 0; i < 2; i++) {
        const int parts = i ? 4 : 1, images = 8 / parts;
        struct tiny t;

        open_with(&t, text[i], 5);
        for (int step = 0; step < 2; step++) {
            for (int part = 0; part < parts; part++) {
                OK(maskdm_trainer_draw(t.trainer, t.data, part));
                memcpy(seen[i][step][part * images], maskdm_trainer_view(t.trainer, "images", NULL),
                       (size_t)images * sizeof seen[0][0][0]);
                memcpy(labels[i][step] + part * images, t.trainer->micro.labels, (size_t)images * sizeof(int32_t));
            }
            tiny_step(&t, 1);
        }
        tiny_close(&t);
    }
    ck_assert_mem_eq(seen[0], seen[1], sizeof seen[0]);
    ck_assert_mem_eq(labels[0], labels[1], sizeof labels[0]);
    for (int step = 0; step < 2; step++)
        for (int b = 0; b < 8; b++) {
            const int old = b % 4 == 3;

            ck_assert_int_eq(seen[0][step][b][0] > 0.85F && seen[0][step][b][0] == seen[0][step][b][VALUES - 1], old);
            ck_assert_int_eq(labels[0][step][b] == -1, old);
        }
    ck_assert_float_ne(seen[0][0][3][0], seen[0][0][7][0]); /* no image twice */
}
END_TEST

/* The loss of each image is what it was, times its factors. */
START_TEST(what_they_count)
{
    struct tiny plain, all;
    double loss[2], wanted = 0;

    open_with(&plain, "batch_size=8 seed=3 retain_share=0.25 retain_weight=0.75", 5); /* 3 times a third */
    open_with(&all, "batch_size=8 seed=3 retain_share=0.25 retain_weight=0.1 forget_power=1.5", 5);
    OK(maskdm_trainer_draw(plain.trainer, plain.data, 0));
    OK(maskdm_trainer_draw(all.trainer, all.data, 0));
    OK(maskdm_trainer_forward(plain.trainer));
    OK(maskdm_trainer_forward(all.trainer));
    OK(maskdm_trainer_loss(plain.trainer, &loss[0]));
    OK(maskdm_trainer_loss(all.trainer, &loss[1]));
    for (int b = 0; b < 8; b++) {
        const int old = b % 4 == 3;
        const double share =
            old ? (1000 - plain.trainer->micro.times[b]) / 1000 : (plain.trainer->micro.times[b] + 1) / 1000;
        const double bare = plain.trainer->micro.losses[b] / (old ? 0.75 / 0.25 : 1 / 0.75);

        wanted += bare * 2.5 * pow(share, 1.5) * (old ? 0.1 / 0.25 : 1 / 0.75) / 8;
        ck_assert_double_eq(plain.trainer->micro.times[b], all.trainer->micro.times[b]);
    }
    ck_assert_double_eq_tol(loss[1], wanted, 1e-9 * wanted);
    tiny_close(&plain);
    tiny_close(&all);
}
END_TEST

/* Where there are neither, not a bit is another; and steps go on. */
START_TEST(nothing_where_nothing_is_asked)
{
    struct tiny a, b;
    float *x, *y;

    open_with(&a, "batch_size=8 seed=3", 0);
    open_with(&b, "batch_size=8 seed=3 retain_share=0.5 retain_weight=7", 5);
    OK(maskdm_trainer_set_retained(b.trainer, NULL));
    tiny_step(&a, 3);
    tiny_step(&b, 3);
    x = tiny_weights(&a, MASKDM_WEIGHTS_EMA);
    y = tiny_weights(&b, MASKDM_WEIGHTS_EMA);
    ck_assert_mem_eq(x, y, tiny_bytes(&a));
    free(x);
    free(y);
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

START_TEST(refused)
{
    struct tiny t;
    maskdm_data *few, *other;

    open_with(&t, "batch_size=8 seed=3 retain_share=0.3", 0);
    few = old_ones(t.device, 2);
    FAILS(MASKDM_EINVAL, "2 retained images are too few: a batch of 8 has 3 by retain_share 0.3",
          maskdm_trainer_set_retained(t.trainer, few));
    OK(maskdm_data_create_memory(&other, t.device, 8, SIDE, SIDE / 2, 3, MASKDM_SAMPLE_FLOAT, old_images, 0, 0, NULL,
                                 NULL, NULL));
    FAILS(MASKDM_ESHAPE, "the retained images are 8 x 4 x 3, the model needs 8 x 8 x 3",
          maskdm_trainer_set_retained(t.trainer, other));
    maskdm_data_release(&few);
    maskdm_data_release(&other);
    tiny_close(&t);
}
END_TEST

/* ---- runs ---- */

static char root[256];

static const char *below(const char *name)
{
    return tiny_file(root, name);
}

static void write_images(const char *folder, int from, int count)
{
    char name[64];

    (void)mkdir(below(folder), 0777);
    for (int k = from; k < from + count; k++) {
        maskdm_image *image;

        snprintf(name, sizeof name, "%s/%02d.png", folder, k);
        OK(maskdm_image_create(&image, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images[k], 0));
        OK(maskdm_image_write_png(image, below(name), 8));
        maskdm_image_release(&image);
    }
}

static int tune(const char *out, const char *more)
{
    char text[2000];
    maskdm_options *o;
    int status;

    snprintf(
        text, sizeof text,
        "init=%s/a/model.safetensors data=%s/data out=%s/%s retain=%s/old batch_size=4 threads=1 retain_share=0.5 "
        "forget_power=1 %s",
        root, root, root, out, root, more);
    o = tiny_options("finetune", text);
    status = maskdm_finetune(NULL, o, NULL, NULL, NULL);
    maskdm_options_release(&o);
    return status;
}

START_TEST(runs)
{
    maskdm_options *o;
    char text[1000];

    snprintf(root, sizeof root, "%s", tiny_folder());
    tiny_draw_images();
    write_images("data", 0, 8);
    write_images("old", 8, 6);
    snprintf(text, sizeof text,
             "data=%s/data out=%s/a image_size=8 patch_size=2 dim=16 depth=3 heads=2 batch_size=4 threads=1 steps=1",
             root, root);
    o = tiny_options("pretrain", text);
    OK(maskdm_pretrain(NULL, o, NULL, NULL, NULL));
    maskdm_options_release(&o);
    OK(tune("b", "steps=4"));
    ck_assert_int_eq(access(below("b/retained.json"), F_OK), 0);
    OK(tune("c", "steps=2"));
    OK(tune("c", "steps=4 resume=true"));
    ck_assert(tiny_same_files(below("b/model.safetensors"), below("c/model.safetensors")));
    OK(tune("d", "steps=4 forget_power=0"));
    ck_assert(!tiny_same_files(below("b/model.safetensors"), below("d/model.safetensors")));
    write_images("old", 20, 1);
    FAILS(MASKDM_EINVAL, "the retained images are not those that ", tune("c", "steps=6 resume=true"));
    FAILS(MASKDM_EINVAL, "7 retained images are too few: a batch of 8 has 8 by retain_share 0.9",
          tune("e", "steps=1 batch_size=8 retain_share=0.9"));
    ck_assert_int_ne(access(below("e"), F_OK), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("retain");
    TCase *tests = tcase_create("retain");

    tcase_add_test(tests, factors);
    tcase_add_test(tests, which_images);
    tcase_add_test(tests, what_they_count);
    tcase_add_test(tests, nothing_where_nothing_is_asked);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, runs);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
