/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Steps whose images, and what is visible of them, are not one number: partitions, of which an image makes several
 * rows; batches by tokens; shares of hidden patches that change within a run.
 */
#include "tiny.h"

#include "train/trainer.h"

enum { SEED = 3, PATCHES = 16 };

static const char labelled[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=5";
/* 4, 8, 12 and 16 visible patches of 16, for 3, 2, 3 and 2 of 10 steps, 6 images, 3, 2, and 1 a step. */
static const char falling[] = "type=patch ratio=0.75 ratio_end=0 ratio_steps=10 ratio_levels=4";
static const char tokens[] = "batch_tokens=24 seed=3";
static const int64_t level_from[] = {0, 3, 5, 8}, level_images[] = {6, 3, 2, 1};

static void open_masked(struct tiny *t, const char *mask, const char *trainer, const char *device)
{
    tiny_open_on(t, tiny_device(device), labelled, mask, "lr=2e-3", "start=2", trainer);
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

/* ---- partitions ---- */

START_TEST(one_group_is_the_plain_network)
{
    static const char *const trainer[] = {"batch_size=8 seed=3 flip=0.5 label_dropout=0.3",
                                          "batch_size=8 accumulate=2 seed=3"};

    for (int i = 0; i < 2; i++)
        for (int cell = 0; cell < 2; cell++) {
            struct tiny plain, one;

            open_masked(&plain, "type=none", trainer[i], "threads=1");
            open_masked(&one, cell ? "type=partition groups=1 cell_size=2" : "type=partition groups=1", trainer[i],
                        "threads=1");
            tiny_step(&plain, 5);
            tiny_step(&one, 5);
            ck_assert(same_weights(&plain, &one));
            ck_assert_double_eq(maskdm_trainer_last_loss(one.trainer), maskdm_trainer_last_loss(plain.trainer));
            tiny_close(&plain);
            tiny_close(&one);
        }
}
END_TEST

/* An image is drawn once and makes a row of each group, with times and noise of the row's own; together the rows have
 * every patch once. */
static void check_rows(int64_t groups, const char *mask)
{
    enum { IMAGES = 4 };
    const int64_t rows = IMAGES * groups, visible = PATCHES / groups;
    struct tiny t;

    open_masked(&t, mask, "batch_size=8 accumulate=2 seed=3 flip=0.5", "threads=1");
    ck_assert_int_eq(maskdm_trainer_batch(t.trainer), rows);
    ck_assert_int_eq(maskdm_trainer_visible(t.trainer), visible);
    for (int64_t step = 0; step < 2; step++)
        for (int64_t part = 0; part < 2; part++) {
            static float images[IMAGES * VALUES], noise[8 * IMAGES * VALUES];
            const int64_t image = step * 8 + part * IMAGES;
            const float *drawn;
            double times[8 * IMAGES];
            int32_t labels[IMAGES], index[IMAGES * PATCHES];

            t.optimizer->steps = step;
            OK(maskdm_trainer_draw(t.trainer, t.data, part));
            OK(maskdm_mask_draw(t.mask, 4, 4, SEED, image, step, IMAGES, index));
            ck_assert_mem_eq(maskdm_trainer_index(t.trainer), index, sizeof index);
            OK(maskdm_data_batch(t.data, SEED, step * 2 + part, IMAGES, 0.5, images, labels));
            OK(maskdm_scheduler_draw_noise(t.scheduler, SEED, image * groups, step, rows, VALUES, noise));
            OK(maskdm_scheduler_draw_times(t.scheduler, SEED, image * groups, step, rows, times));
            drawn = maskdm_trainer_view(t.trainer, "images", NULL);
            for (int64_t row = 0; row < rows; row++) {
                ck_assert_mem_eq(drawn + row * VALUES, images + row / groups * VALUES, VALUES * sizeof *images);
                ck_assert_int_eq(maskdm_trainer_labels(t.trainer)[row], labels[row / groups]);
            }
            ck_assert_mem_eq(maskdm_trainer_view(t.trainer, "noise", NULL), noise,
                             (size_t)(rows * VALUES) * sizeof *noise);
            ck_assert_mem_eq(maskdm_trainer_times(t.trainer), times, (size_t)rows * sizeof *times);
            for (int64_t i = 0; i < IMAGES; i++) {
                int seen[PATCHES] = {0};

                for (int64_t k = 0; k < PATCHES; k++)
                    seen[maskdm_trainer_index(t.trainer)[i * PATCHES + k]]++;
                for (int p = 0; p < PATCHES; p++)
                    ck_assert_int_eq(seen[p], 1);
            }
        }
    tiny_close(&t);
}

START_TEST(an_image_makes_a_row_of_each_group)
{
    check_rows(1, "type=none");
    check_rows(2, "type=partition");
    check_rows(4, "type=partition groups=4 cell_size=2");
    check_rows(8, "type=partition groups=8");
}
END_TEST

static float *gradients_now(struct tiny *t, double *loss)
{
    OK(maskdm_trainer_forward(t->trainer));
    OK(maskdm_trainer_loss(t->trainer, loss));
    OK(maskdm_trainer_backward(t->trainer, NULL));
    return tiny_gradients(t);
}

/* A group is trained as a masked image is: the same rows, given to a trainer that knows of no groups, make the same
 * gradients and loss. */
START_TEST(groups_are_rows_to_the_network)
{
    struct tiny groups, rows;
    double loss[2];
    float *g, *r;

    open_masked(&groups, "type=partition", "batch_size=4 seed=3", "threads=1");
    open_masked(&rows, "type=patch ratio=0.5", "batch_size=8 seed=3", "threads=1");
    OK(maskdm_trainer_draw(groups.trainer, groups.data, 0));
    OK(maskdm_trainer_set_batch(rows.trainer, maskdm_trainer_view(groups.trainer, "images", NULL),
                                maskdm_trainer_labels(groups.trainer), maskdm_trainer_times(groups.trainer),
                                maskdm_trainer_view(groups.trainer, "noise", NULL),
                                maskdm_trainer_index(groups.trainer)));
    g = gradients_now(&groups, &loss[0]);
    r = gradients_now(&rows, &loss[1]);
    ck_assert_double_eq(loss[0], loss[1]);
    ck_assert_mem_eq(g, r, tiny_bytes(&rows));
    free(g);
    free(r);
    tiny_close(&groups);
    tiny_close(&rows);
}
END_TEST

/* ---- how a step is cut, and who computes it ---- */

static const struct {
    const char *mask, *trainer;
} kinds[] = {{"type=partition groups=2 cell_size=2", "batch_size=6 seed=3"},
             {"type=grid", tokens},
             {"type=partition groups=4", "batch_tokens=100 seed=3"},
             {falling, "batch_size=6 seed=3"},
             {falling, tokens},
             {"type=block ratio=0.5 ratio_end=0.25 ratio_steps=6 ratio_levels=2 ratio_curve=cosine", tokens}};

START_TEST(threads_change_nothing)
{
    for (size_t i = 0; i < MDM_LENGTH(kinds); i++) {
        struct tiny a, b;

        open_masked(&a, kinds[i].mask, kinds[i].trainer, "threads=1");
        open_masked(&b, kinds[i].mask, kinds[i].trainer, "threads=2");
        tiny_step(&a, 10);
        tiny_step(&b, 10);
        ck_assert_msg(same_weights(&a, &b), "%s %s", kinds[i].mask, kinds[i].trainer);
        tiny_close(&a);
        tiny_close(&b);
    }
}
END_TEST

/* Gradients of a step, of all parts. */
static float *step_gradients(const char *mask, const char *trainer, int64_t step, int64_t parts)
{
    struct tiny t;
    float *g = NULL;
    double loss;

    open_masked(&t, mask, trainer, "threads=1");
    t.optimizer->steps = step;
    for (int64_t i = 0; i < parts; i++) {
        free(g);
        OK(maskdm_trainer_draw(t.trainer, t.data, i));
        g = gradients_now(&t, &loss);
    }
    tiny_close(&t);
    return g;
}

START_TEST(accumulation_changes_nothing)
{
    static const struct {
        const char *mask, *whole, *parts;
        int64_t step;
    } row[] = {{"type=partition", "batch_size=6 seed=3", "batch_size=6 seed=3 accumulate=3", 1},
               {falling, "batch_size=6 seed=3", "batch_size=6 seed=3 accumulate=3", 6},
               {falling, "batch_tokens=144 seed=3", "batch_tokens=144 seed=3 accumulate=3", 9}};
    struct tiny t;

    open_masked(&t, "type=none", NULL, "threads=1");
    for (size_t i = 0; i < MDM_LENGTH(row); i++) {
        float *whole = step_gradients(row[i].mask, row[i].whole, row[i].step, 1);
        float *parts = step_gradients(row[i].mask, row[i].parts, row[i].step, 3);

        ck_assert_double_lt(tiny_distance(parts, whole, tiny_bytes(&t) / sizeof(float)), 1e-6);
        free(whole);
        free(parts);
    }
    tiny_close(&t);
}
END_TEST

/* ---- what changes within a run ---- */

static int64_t images_of(int64_t step)
{
    int level = 3;

    while (level_from[level] > step)
        level--;
    return level_images[level];
}

/* The images of a step go on where those of the step before ended, whatever a step takes. */
START_TEST(images_are_counted_exactly)
{
    struct tiny t;
    int64_t position = 0;

    open_masked(&t, falling, tokens, "threads=1");
    for (int64_t step = 0; step < 14; step++) {
        const int64_t images = images_of(step);
        const float *drawn;

        ck_assert_int_eq(maskdm_trainer_batch(t.trainer), images);
        ck_assert_int_eq(mdm_trainer_progress(t.trainer).images, position);
        OK(maskdm_trainer_draw(t.trainer, t.data, 0));
        drawn = maskdm_trainer_view(t.trainer, "images", NULL);
        for (int64_t b = 0; b < images; b++, position++) {
            float image[VALUES];

            OK(maskdm_data_batch(t.data, SEED, position, 1, 0, image, NULL));
            ck_assert_mem_eq(drawn + b * VALUES, image, sizeof image);
        }
        tiny_step(&t, 1);
    }
    tiny_close(&t);
}
END_TEST

START_TEST(visible_patches_follow_the_step)
{
    static const int64_t visible[] = {4, 8, 12, 16};
    struct tiny t;
    int64_t count;

    open_masked(&t, falling, "batch_size=3 seed=3", "threads=1");
    for (int64_t step = 0; step < 12; step++) {
        const int64_t k = visible[(step >= 3) + (step >= 5) + (step >= 8)];

        ck_assert_int_eq(maskdm_trainer_visible(t.trainer), k);
        ck_assert_int_eq(maskdm_trainer_batch(t.trainer), 3);
        OK(maskdm_trainer_draw(t.trainer, t.data, 0));
        OK(maskdm_trainer_forward(t.trainer));
        ck_assert_ptr_nonnull(maskdm_trainer_view(t.trainer, "prediction", &count));
        ck_assert_int_eq(count, 3 * k * 12);
        ck_assert_ptr_nonnull(maskdm_trainer_view(t.trainer, "target", &count));
        ck_assert_int_eq(count, 3 * k * 12);
        tiny_step(&t, 1);
    }
    tiny_close(&t);
}
END_TEST

/* A level's steps are those of a run that has its share from the beginning, from the same state on. */
START_TEST(a_level_is_a_run_of_its_own)
{
    struct tiny t, u;

    open_masked(&t, falling, "batch_size=6 seed=3", "threads=1");
    open_masked(&u, "type=patch ratio=0.75", "batch_size=6 seed=3", "threads=1");
    tiny_step(&t, 3);
    tiny_step(&u, 3);
    ck_assert(same_weights(&t, &u));
    tiny_step(&t, 1);
    tiny_step(&u, 1);
    ck_assert(!same_weights(&t, &u));
    tiny_close(&t);
    tiny_close(&u);
}
END_TEST

/* From the state of every step. */
START_TEST(going_on_from_any_step)
{
    const char *folder = tiny_folder();

    for (size_t i = 0; i < MDM_LENGTH(kinds); i++) {
        struct tiny whole;
        char path[300];

        snprintf(path, sizeof path, "%s/state", folder);
        open_masked(&whole, kinds[i].mask, kinds[i].trainer, "threads=1");
        tiny_step(&whole, 10);
        for (int64_t step = 1; step < 10; step++) {
            struct tiny begun, later;

            open_masked(&begun, kinds[i].mask, kinds[i].trainer, "threads=1");
            open_masked(&later, kinds[i].mask, kinds[i].trainer, "threads=1");
            tiny_step(&begun, (int)step);
            OK(maskdm_trainer_save(begun.trainer, path));
            OK(maskdm_trainer_load(later.trainer, path));
            ck_assert_int_eq(maskdm_trainer_batch(later.trainer), maskdm_trainer_batch(begun.trainer));
            tiny_step(&later, (int)(10 - step));
            ck_assert_msg(same_weights(&whole, &later), "%s %s from %d", kinds[i].mask, kinds[i].trainer, (int)step);
            tiny_close(&begun);
            tiny_close(&later);
        }
        ck_assert_int_eq(unlink(path), 0);
        tiny_close(&whole);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* The input's gradient and the held-out loss are to be had at every level; neither changes a step. */
START_TEST(other_programs_at_every_level)
{
    struct tiny t, u, plain;
    double loss, expected;
    int64_t count;

    open_masked(&t, falling, tokens, "threads=1");
    open_masked(&u, falling, tokens, "threads=1");
    open_masked(&plain, "type=none", "batch_size=8 seed=3", "threads=1");
    OK(maskdm_trainer_validate(plain.trainer, plain.data, 0, MASKDM_WEIGHTS_ONLINE, &expected, NULL, 0));
    for (int64_t step = 0; step < 10; step++) {
        OK(maskdm_trainer_validate(t.trainer, t.data, 0, MASKDM_WEIGHTS_ONLINE, &loss, NULL, 0));
        if (step == 0)
            ck_assert_double_eq(loss, expected);
        if (step == 4)
            OK(maskdm_trainer_want_input_gradient(t.trainer));
        OK(maskdm_trainer_draw(t.trainer, t.data, 0));
        free(gradients_now(&t, &loss));
        ck_assert_int_eq(maskdm_trainer_view(t.trainer, "input_gradient", &count) != NULL, step >= 4);
        if (step >= 4)
            ck_assert_int_eq(count, images_of(step) * VALUES);
        OK(maskdm_trainer_zero_gradients(t.trainer));
        tiny_step(&t, 1);
        tiny_step(&u, 1);
    }
    ck_assert(same_weights(&t, &u));
    tiny_close(&t);
    tiny_close(&u);
    tiny_close(&plain);
}
END_TEST

/* All that a run will take is taken when it begins, and is what was foretold of its options. */
START_TEST(memory_is_that_of_the_largest_level)
{
    static const char *const text[] = {"mask=patch mask_ratio=0.75 mask_ratio_end=0 mask_ratio_steps=10 "
                                       "mask_ratio_levels=4 batch_size=6",
                                       "mask=patch mask_ratio=0.75 mask_ratio_end=0 mask_ratio_steps=10 "
                                       "mask_ratio_levels=4 batch_tokens=48",
                                       "mask=partition mask_groups=4 batch_size=6"};
    static const char *const mask[] = {falling, falling, "type=partition groups=4"};
    static const char *const trainer[] = {"batch_size=6", "batch_tokens=48", "batch_size=6"};

    for (int i = 0; i < 3; i++) {
        struct tiny t;
        char all[1024];
        maskdm_options *o;
        size_t foretold, taken;

        open_masked(&t, mask[i], trainer[i], "threads=1");
        snprintf(all, sizeof all, "data=d out=o network=uvit %s %s", labelled, text[i]);
        o = tiny_options("pretrain", all);
        OK(maskdm_model_estimate(&foretold, t.device, "uvit", o, 1, 0, 0));
        taken = mdm_trainer_memory(t.trainer);
        ck_assert_uint_eq(taken, foretold);
        taken = maskdm_device_memory_used(t.device);
        for (int step = 0; step < 12; step++) {
            tiny_step(&t, 1);
            ck_assert_uint_eq(maskdm_device_memory_used(t.device), taken);
        }
        maskdm_options_release(&o);
        tiny_close(&t);
    }
}
END_TEST

static char said[4096];

static void hear(void *user, int level, const char *line)
{
    size_t n = strlen(said);

    (void)user, (void)level;
    snprintf(said + n, sizeof said - n, "%s\n", line);
}

START_TEST(levels_are_told)
{
    struct tiny t;

    open_masked(&t, falling, tokens, "threads=1");
    maskdm_control_set_log(t.control, hear, NULL);
    *said = '\0';
    tiny_step(&t, 3);
    ck_assert_str_eq(said, "");
    tiny_step(&t, 9);
    ck_assert_str_eq(said, "step 3: mask patch hides 50.00 % of the patches (8 of 16 visible), 3 images a step\n"
                           "step 5: mask patch hides 25.00 % of the patches (12 of 16 visible), 2 images a step\n"
                           "step 8: mask patch hides 0.00 % of the patches (16 of 16 visible), 1 image a step\n");
    tiny_close(&t);
}
END_TEST

/* ---- what is refused ---- */

static void refused(const char *mask, const char *trainer, const char *line)
{
    maskdm_options *n = tiny_options("uvit", labelled), *m = tiny_options("mask", mask);
    maskdm_options *r = tiny_options("trainer", trainer);
    maskdm_device *device = tiny_device("threads=1");
    maskdm_optimizer *optimizer;
    maskdm_trainer *trained;
    maskdm_model *model;
    maskdm_mask *policy;
    size_t held;

    OK(maskdm_model_create(&model, device, "uvit", n, NULL, 1));
    OK(maskdm_optimizer_create(&optimizer, NULL, NULL));
    OK(maskdm_mask_create(&policy, m));
    held = maskdm_device_memory_used(device);
    ck_assert_int_eq(maskdm_trainer_create(&trained, model, policy, optimizer, r, NULL), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), line);
    ck_assert_ptr_null(trained);
    ck_assert_uint_eq(maskdm_device_memory_used(device), held);
    maskdm_mask_release(&policy);
    maskdm_optimizer_release(&optimizer);
    maskdm_model_release(&model);
    maskdm_device_release(&device);
    maskdm_options_release(&n);
    maskdm_options_release(&m);
    maskdm_options_release(&r);
}

START_TEST(refusals)
{
    struct tiny t;

    refused("type=grid", "batch_size=8 batch_tokens=32",
            "batch_size 8 and batch_tokens 32 both say how large a batch is");
    refused("type=grid", "batch_tokens=3",
            "batch_tokens 3 is less than the 4 visible patches of an image, times accumulate 1");
    refused("type=partition", "batch_tokens=32 accumulate=3",
            "batch_tokens 32 is less than the 16 visible patches of an image, times accumulate 3");
    refused("type=patch ratio=0.5 ratio_end=0 ratio_steps=9", "batch_tokens=15",
            "batch_tokens 15 is less than the 16 visible patches of an image, times accumulate 1");
    refused("type=patch ratio=0.5 ratio_end=1 ratio_steps=9", "",
            "mask patch leaves no patch visible on a grid of 4 x 4 patches");
    refused("type=partition groups=3", "", "3 groups do not divide the 16 patches of a grid of 4 x 4");
    open_masked(&t, "type=patch ratio=0.5 ratio_end=0.75 ratio_steps=9", "batch_tokens=164", "threads=1");
    FAILS(MASKDM_EINVAL, "batch_tokens 164 makes a batch of 41 images, larger than the data, 40 images",
          maskdm_trainer_step(t.trainer, t.data)); /* at once, not when it comes to that */
    t.optimizer->steps = INT64_MAX / 2;
    FAILS(MASKDM_EINVAL, "larger than the data", maskdm_trainer_draw(t.trainer, t.data, 0));
    tiny_close(&t);
    open_masked(&t, falling, tokens, "threads=1");
    t.optimizer->steps = INT64_MAX / 2;
    FAILS(MASKDM_EINVAL, "is behind more images than a run can count", maskdm_trainer_draw(t.trainer, t.data, 0));
    t.optimizer->steps = 0;
    tiny_step(&t, 1);
    tiny_close(&t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pace");
    TCase *c = tcase_create("pace");

    tcase_add_test(c, one_group_is_the_plain_network);
    tcase_add_test(c, an_image_makes_a_row_of_each_group);
    tcase_add_test(c, groups_are_rows_to_the_network);
    tcase_add_test(c, threads_change_nothing);
    tcase_add_test(c, accumulation_changes_nothing);
    tcase_add_test(c, images_are_counted_exactly);
    tcase_add_test(c, visible_patches_follow_the_step);
    tcase_add_test(c, a_level_is_a_run_of_its_own);
    tcase_add_test(c, going_on_from_any_step);
    tcase_add_test(c, other_programs_at_every_level);
    tcase_add_test(c, memory_is_that_of_the_largest_level);
    tcase_add_test(c, levels_are_told);
    tcase_add_test(c, refusals);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    return tiny_main(s);
}
