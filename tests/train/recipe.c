/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What pre-training does where nobody names a mask: some of the patches first, then whole images while the rate
 * falls, in steps of as many patches; and how such a run goes on.
 */
#include "tiny.h"

#include "mask/kinds.h"
#include "run/run.h"
#include "train/pace.h"

static char root[256], folder[300], other[300];

/* 4 of 16 patches in the first 6 steps, of 16 images, then all 16, of 4. */
static const char plain[] = "image_size=8 patch_size=2 dim=16 depth=2 heads=2 bottleneck=4 batch_tokens=64 seed=3 "
                            "threads=1 warmup_steps=2 ema_start=2 log_every=1 ";

static int run(const char *out, const char *more, maskdm_control *control)
{
    char text[1400];
    maskdm_options *o;
    int status;

    snprintf(text, sizeof text, "out=%s %s%s", out, plain, more);
    o = tiny_options("pretrain", text);
    status = tiny_train("pretrain", o, control);
    maskdm_options_release(&o);
    return status;
}

static int stop_at(void *user, const struct maskdm_progress *p)
{
    return p->step == *(const int64_t *)user;
}

static void setup(void)
{
    static int number;

    if (!*root)
        snprintf(root, sizeof root, "%s", tiny_folder());
    snprintf(folder, sizeof folder, "%s/a%d", root, ++number);
    snprintf(other, sizeof other, "%s/b%d", root, number);
    *tiny_lines = '\0';
}

static void settled(const char *said, const char *name, const char *value)
{
    maskdm_options *o = tiny_options("pretrain", said);
    const char *is;

    OK(mdm_run_settle(o));
    is = mdm_options_text(o, name);
    ck_assert_msg(!strcmp(is, value), "%s: %s is %s, not %s", said, name, is, value);
    maskdm_options_release(&o);
}

START_TEST(masks_and_rates_follow_the_steps)
{
    settled("steps=10", "mask_steps", "6");
    settled("steps=10", "decay_steps", "4");
    settled("steps=10", "lr_steps", "10");
    settled("steps=1", "mask_steps", "0");
    settled("steps=10 masked_share=0.25", "mask_steps", "3");
    settled("steps=10 masked_share=0.25", "decay_steps", "7");
    settled("steps=10 mask_steps=9", "decay_steps", "1");
    settled("steps=10 decay_steps=2", "decay_steps", "2");
    settled("steps=10 warmup_steps=8", "decay_steps", "2");
    settled("steps=10 warmup_steps=80", "lr_schedule", "constant");
    settled("steps=10 warmup_steps=80", "lr_steps", "");
    settled("steps=10 lr_steps=20", "decay_steps", "14"); /* to where it is told to be down */
    settled("steps=10 mask=grid", "mask_steps", "0"); /* a mask that was named lasts */
    settled("steps=10 mask=grid", "lr_schedule", "constant");
    settled("steps=10 mask=grid masked_share=0.5", "mask_steps", "5");
    settled("steps=10 mask=none", "lr_schedule", "constant");
    settled("steps=10 network=sit", "mask", "none");
    settled("steps=10", "lr", "0.002");
    settled("steps=10 dim=64", "lr", "0.001");
    settled("steps=10 network=uvit", "mask", "grid");
    settled("steps=10 mask_ratio=0.5", "mask", "block"); /* of which there is a share */
    settled("steps=10 mask_ratio=0.5", "mask_steps", "6");
    settled("steps=10 mask_block_size=2 mask=patch", "mask", "patch");
    settled("steps=10 mask_ratio=0.5 sprint=1", "mask", "none");
}
END_TEST

START_TEST(batches_keep_their_patches)
{
    static const struct {
        const char *mask, *trainer;
        int64_t masked, whole;
    } row[] = {{"type=grid steps=6", "", 64, 16},
               {"type=grid steps=6", "batch_size=24", 24, 24},
               {"type=grid steps=6", "batch_tokens=160", 10, 2},
               {"type=grid steps=6", "accumulate=4", 64, 16},
               {"type=grid cell_size=8 steps=6", "accumulate=4", 64, 4}, /* 1 of 64 patches: one image a part */
               {"type=patch ratio=0.5 ratio_end=0.25 ratio_steps=6 ratio_levels=2", "", 64, 42}};
    const struct mdm_grids grids = {.first = {8, 8}};

    for (size_t i = 0; i < MDM_LENGTH(row); i++) {
        maskdm_options *m = tiny_options("mask", row[i].mask), *o = tiny_options("trainer", row[i].trainer);
        struct mdm_pace pace;
        maskdm_mask *mask;

        OK(maskdm_mask_create(&mask, m));
        OK(mdm_pace_plan(&pace, mask, &grids, o));
        ck_assert_int_eq(mdm_pace_at(&pace, 0)->batch_size, row[i].masked);
        ck_assert_int_eq(mdm_pace_at(&pace, 99)->batch_size, row[i].whole);
        maskdm_mask_release(&mask);
        maskdm_options_release(&m);
        maskdm_options_release(&o);
    }
}
END_TEST

START_TEST(masked_then_whole)
{
    char *log;
    size_t bytes;

    OK(run(folder, "steps=10", NULL));
    log = tiny_read(tiny_file(folder, "log.jsonl"), &bytes);
    for (int step = 1; step <= 10; step++) {
        char wanted[64];
        const char *line;

        snprintf(wanted, sizeof wanted, "{\"step\":%d,", step);
        line = strstr(log, wanted);
        ck_assert_msg(line != NULL, "%s in %s", wanted, log);
        ck_assert_ptr_nonnull(line = strstr(line, "\"visible\":"));
        ck_assert_int_eq(atoi(line + strlen("\"visible\":")), step <= 6 ? 4 : 16);
        ck_assert_ptr_nonnull(line = strstr(line, "\"lr\":"));
        ck_assert_msg(step < 3 || step > 7 ? strtod(line + 5, NULL) < 1e-3 : strtod(line + 5, NULL) == 1e-3,
                      "step %d: %.20s", step, line);
    }
    free(log);
}
END_TEST

/* Stopped in either part, and at the border; and what is planned anew is what was begun. */
START_TEST(going_on)
{
    maskdm_control *control;

    OK(run(folder, "steps=10", NULL));
    for (int64_t step = 5; step <= 8; step++) {
        snprintf(other, sizeof other, "%s/stopped%d", root, (int)step);
        OK(maskdm_control_create(&control));
        maskdm_control_set_progress(control, stop_at, &step);
        ck_assert_int_eq(run(other, "steps=10", control), MASKDM_ECANCELED);
        maskdm_control_release(&control);
        OK(run(other, "steps=10 resume=true", NULL));
        ck_assert(tiny_same_files(tiny_file(folder, "model.safetensors"), tiny_file(other, "model.safetensors")));
    }
    FAILS(MASKDM_EINVAL, "behind it the learning rate is 0; --override lr_steps=14 lets a run go on",
          run(folder, "steps=14 resume=true", NULL));
    FAILS(MASKDM_EINVAL, "was started with mask_steps 6 and cannot be resumed with 7",
          run(folder, "steps=14 resume=true mask_steps=7 override=lr_steps=14", NULL));
    OK(run(folder, "steps=14 resume=true override=lr_steps=14", NULL));
    ck_assert_int_eq(tiny_count(folder, "log.jsonl", "\"visible\":4,"), 6);
    ck_assert_int_eq(tiny_count(folder, "log.jsonl", "\"visible\":16,"), 8);
}
END_TEST

static int run_small(const char *out, const char *more, maskdm_control *control)
{
    char text[400];
    maskdm_options *o;
    int status;

    snprintf(text, sizeof text, "out=%s image_size=8 patch_size=2 dim=16 depth=2 heads=2 steps=9 log_every=1 %s",
             out, more);
    o = tiny_options("pretrain", text);
    status = tiny_train("pretrain", o, control);
    maskdm_options_release(&o);
    return status;
}

/* The usual batch of 64 has some of 40 images twice: to the same weights on any threads, and when it is resumed. */
START_TEST(small_sets)
{
    const int64_t four = 4;
    maskdm_control *control;

    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    OK(run_small(folder, "threads=1", control));
    ck_assert_msg(strstr(tiny_lines, "a step has 64 images and the data 40, so that") != NULL, "%s", tiny_lines);
    ck_assert_int_eq(tiny_count(folder, "log.jsonl", "\"images\":384,"), 1); /* 6 steps of 64; of 3 whole ones 16 */
    ck_assert_int_eq(tiny_count(folder, "log.jsonl", "\"images\":432,"), 1);
    maskdm_control_set_progress(control, stop_at, (void *)&four);
    ck_assert_int_eq(run_small(other, "threads=2", control), MASKDM_ECANCELED);
    maskdm_control_release(&control);
    OK(run_small(other, "threads=2 resume=true", NULL));
    ck_assert(tiny_same_files(tiny_file(folder, "model.safetensors"), tiny_file(other, "model.safetensors")));
}
END_TEST

/* What somebody asked for stays within the data. */
START_TEST(batches_that_are_too_large)
{
    FAILS(MASKDM_EINVAL, "batch_size 64 is larger than the data, 40 images",
          run_small(other, "batch_size=64", NULL));
    FAILS(MASKDM_EINVAL, "batch_tokens 200 makes a batch of 50 images", run_small(other, "batch_tokens=200", NULL));
}
END_TEST

START_TEST(refusals)
{
    FAILS(MASKDM_EINVAL, "masked_share 0: without masks it is mask none",
          run(folder, "steps=4 masked_share=0", NULL));
    FAILS(MASKDM_EINVAL, "mask_steps belongs to mask=patch|block|crop|grid",
          run(folder, "steps=4 mask=partition mask_steps=2", NULL));
    FAILS(MASKDM_EINVAL, "masked_share 0.5: mask partition hides no patch that could be shown again",
          run(folder, "steps=4 mask=partition masked_share=0.5", NULL));
    ck_assert(!tiny_exists(folder, "options.json"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("recipe");
    TCase *tests = tcase_create("recipe");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, masks_and_rates_follow_the_steps);
    tcase_add_test(tests, batches_keep_their_patches);
    tcase_add_test(tests, masked_then_whole);
    tcase_add_test(tests, going_on);
    tcase_add_test(tests, small_sets);
    tcase_add_test(tests, batches_that_are_too_large);
    tcase_add_test(tests, refusals);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
