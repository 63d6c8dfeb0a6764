/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole runs on images in memory: the folder, resuming to the byte, stopping, and what is refused.
 */
#include "tiny.h"

#include "os/file.h"
#include "run/run.h"

#include <errno.h>
#include <sys/stat.h>

static char root[256], out_a[300], out_b[300];

static const char base[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 mask=block mask_ratio=0.5 "
                           "mask_block_size=2 batch_size=8 accumulate=2 seed=3 threads=1 lr=2e-3 warmup_steps=8 "
                           "ema_start=5 log_every=1 ";

/* One run; `more` are options. Returns its status. */
static int run_as(const char *kind, const char *out, const char *more, maskdm_control *control)
{
    char text[2048];
    maskdm_options *o;
    int status;

    snprintf(text, sizeof text, "out=%s %s", out, more);
    o = tiny_options(kind, text);
    status = tiny_train(kind, o, control);
    maskdm_options_release(&o);
    return status;
}

static int run(const char *out, const char *more, maskdm_control *control)
{
    char text[1024];

    snprintf(text, sizeof text, "%s%s", base, more);
    return run_as("pretrain", out, text, control);
}

/* A second run into the folder of one that is under way. */
static int intrude(void *user, const struct maskdm_progress *p)
{
    int *tries = user;

    if (p->step != 2)
        return 0;
    FAILS(MASKDM_EINVAL, "is in use by another run", run(out_a, "steps=9 resume=true", NULL));
    ++*tries;
    return 0;
}

static void setup(void)
{
    static int number;

    if (!*root)
        snprintf(root, sizeof root, "%s", tiny_folder());
    snprintf(out_a, sizeof out_a, "%s/a%d", root, ++number);
    snprintf(out_b, sizeof out_b, "%s/b%d", root, number);
    *tiny_lines = '\0';
}

START_TEST(resuming_to_the_byte)
{
    OK(run(out_a, "steps=20", NULL));
    OK(run(out_b, "steps=10", NULL));
    OK(run(out_b, "steps=20 resume=true threads=2 save_every=3", NULL));
    ck_assert(tiny_same_files(tiny_file(out_a, "model.safetensors"), tiny_file(out_b, "model.safetensors")));
    ck_assert(tiny_same_files(tiny_file(out_a, "checkpoint-20.safetensors"),
                              tiny_file(out_b, "checkpoint-20.safetensors")));
    ck_assert_int_eq(tiny_count(out_b, "log.jsonl", "\"step\":"), 20);
    ck_assert_int_eq(tiny_count(out_b, "log.jsonl", "\n"), 20);
}
END_TEST

static const char changing[] =
    "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 mask=patch mask_ratio=0.75 mask_ratio_end=0 "
    "mask_ratio_steps=10 mask_ratio_levels=4 batch_tokens=24 seed=3 threads=1 log_every=1 val_share=0.2 val_every=4 ";

static int run_changing(const char *out, const char *more, maskdm_control *control)
{
    char text[1024];

    snprintf(text, sizeof text, "%s%s", changing, more);
    return run_as("pretrain", out, text, control);
}

/* 6, 3, 2 and 1 images of 4, 8, 12 and 16 patches, from steps 0, 3, 5 and 8 on. */
START_TEST(shares_that_change)
{
    maskdm_control *control;

    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    OK(run_changing(out_a, "steps=12", control));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "mask patch hides 75.00 % of the patches (4 of 16 visible)"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "batch_tokens 24: 6 images a step"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "that changes: from step 8 on mask patch hides 0.00 %"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "step 5: mask patch hides 25.00 % of the patches (12 of 16 visible)"));
    ck_assert_int_eq(tiny_count(out_a, "log.jsonl", "\"visible\":4,"), 3);
    ck_assert_int_eq(tiny_count(out_a, "log.jsonl", "\"visible\":12,"), 3);
    ck_assert_int_eq(tiny_count(out_a, "log.jsonl", "{\"step\":8,\"images\":30,"), 1);
    ck_assert_int_eq(tiny_count(out_a, "log.jsonl", "{\"step\":12,\"images\":34,"), 1);
    OK(run_changing(out_b, "steps=4", NULL));
    OK(run_changing(out_b, "steps=7 resume=true", NULL));
    *tiny_lines = '\0';
    OK(run_changing(out_b, "steps=12 resume=true threads=2", control));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "mask patch hides 25.00 % of the patches (12 of 16 visible)"));
    ck_assert_ptr_null(strstr(tiny_lines, "step 5: "));
    ck_assert(tiny_same_files(tiny_file(out_a, "checkpoint-12.safetensors"),
                              tiny_file(out_b, "checkpoint-12.safetensors")));
    FAILS(MASKDM_EINVAL, "mask_ratio_steps 10",
          run_changing(out_b, "steps=14 resume=true mask_ratio_steps=20", NULL));
    FAILS(MASKDM_EINVAL, "batch_size 4 and batch_tokens 24",
          run_changing(tiny_file(root, "c"), "steps=14 batch_size=4", NULL));
    maskdm_control_release(&control);
}
END_TEST

START_TEST(folder)
{
    maskdm_control *control;

    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    OK(run(out_a, "steps=12 save_every=3 keep=2 val_share=0.25 val_every=6 sample_every=6 sample_count=3 "
                  "sample_steps=4",
           control));
    ck_assert(tiny_exists(out_a, "options.json") && tiny_exists(out_a, "model.safetensors"));
    ck_assert(tiny_exists(out_a, "checkpoint-9.safetensors") && tiny_exists(out_a, "checkpoint-12.safetensors"));
    ck_assert(!tiny_exists(out_a, "checkpoint-3.safetensors") && !tiny_exists(out_a, "checkpoint-6.safetensors"));
    ck_assert(tiny_exists(out_a, "samples-6.png") && tiny_exists(out_a, "samples-12.png"));
    ck_assert_int_eq(tiny_count(out_a, "log.jsonl", "held_out_loss"), 2);
    ck_assert_int_eq(tiny_count(out_a, "log.jsonl", "grad_norm"), 12);
    ck_assert_ptr_nonnull(strstr(tiny_lines, "mask block hides 50.00 %"));
    FAILS(MASKDM_EINVAL, "not empty", run(out_a, "steps=12", NULL));
    maskdm_control_release(&control);
}
END_TEST

static int64_t told_last;
static int while_drawn;

/* What the host is told of are steps of training, one by one. */
static int count_up(void *user, const struct maskdm_progress *p)
{
    (void)user;
    ck_assert_int_eq(p->step, ++told_last);
    return 0;
}

static int watch_no_more(void *user, const struct maskdm_progress *p)
{
    (void)user, (void)p;
    return 0;
}

/* A grid is being written: the control is as the host has it, who may change it even now. */
static int change_control(void *user, const char *operation, const char *name)
{
    maskdm_control *control = user;

    if (strstr(name, "samples-") && strcmp(operation, "write") == 0 && !while_drawn++) {
        ck_assert(control->progress == count_up);
        maskdm_control_set_progress(control, watch_no_more, NULL);
    }
    return 0;
}

START_TEST(previews_leave_the_control_alone)
{
    struct mdm_file_hook hook = {change_control, NULL};
    maskdm_control *control;

    OK(maskdm_control_create(&control));
    hook.user = control;
    maskdm_control_set_progress(control, count_up, NULL);
    told_last = while_drawn = 0;
    mdm_file_hook_set(&hook);
    OK(run(out_a, "steps=6 log_every=1 sample_every=4 sample_count=2 sample_steps=3", control));
    mdm_file_hook_set(NULL);
    ck_assert_int_ge(while_drawn, 1);
    ck_assert(control->progress == watch_no_more);
    ck_assert_int_eq(told_last, 3); /* a grid comes before the report of its step */
    maskdm_control_release(&control);
}
END_TEST

static int stop_at_five(void *user, const struct maskdm_progress *p)
{
    if (p->step == 5)
        maskdm_control_cancel(user);
    return p->step == 3;
}

START_TEST(stopped_and_cancelled)
{
    maskdm_control *control;

    OK(maskdm_control_create(&control));
    maskdm_control_set_progress(control, stop_at_five, control);
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    OK(run(out_a, "steps=12", NULL));
    ck_assert_int_eq(run(out_b, "steps=12", control), MASKDM_ECANCELED);
    ck_assert(tiny_exists(out_b, "checkpoint-3.safetensors") && tiny_exists(out_b, "model.safetensors"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "saved step 3"));
    ck_assert_int_eq(run(out_b, "steps=12 resume=true", control), MASKDM_ECANCELED);
    ck_assert(tiny_exists(out_b, "checkpoint-5.safetensors"));
    OK(run(out_b, "steps=12 resume=true", control));
    ck_assert(tiny_same_files(tiny_file(out_a, "model.safetensors"), tiny_file(out_b, "model.safetensors")));
    maskdm_control_release(&control);
}
END_TEST

START_TEST(resuming_without_a_checkpoint)
{
    maskdm_control *control;

    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    OK(run(out_a, "steps=2 resume=true", control));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "no checkpoint in"));
    maskdm_control_release(&control);
    /* what was trained is not begun anew because its checkpoints were taken away */
    OK(unlink(tiny_file(out_a, "checkpoint-2.safetensors")));
    ck_assert_int_eq(run(out_a, "steps=2 resume=true", NULL), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "no checkpoint in"));
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "model.safetensors"));
    ck_assert(tiny_exists(out_a, "model.safetensors"));
    OK(unlink(tiny_file(out_a, "model.safetensors")));
    OK(run(out_a, "steps=2 resume=true", NULL));
}
END_TEST

START_TEST(resuming_past_a_broken_checkpoint)
{
    maskdm_control *control;
    size_t bytes;
    char *text;

    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    OK(run(out_a, "steps=12", NULL));
    OK(run(out_b, "steps=10 save_every=5", NULL));
    text = tiny_read(tiny_file(out_b, "checkpoint-10.safetensors"), &bytes);
    text[bytes - 100] ^= 4;
    tiny_write(tiny_file(out_b, "checkpoint-10.safetensors"), text, bytes);
    free(text);
    tiny_write(tiny_file(out_b, "checkpoint-11.safetensors"), "half", 4);
    text = tiny_read(tiny_file(out_b, "log.jsonl"), &bytes);
    tiny_write(tiny_file(out_b, "log.jsonl"), text, bytes - 7); /* a torn last line */
    free(text);
    OK(run(out_b, "steps=12 resume=true", control));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "checkpoint-10.safetensors"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "checkpoint-11.safetensors"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "resuming from"));
    ck_assert(tiny_same_files(tiny_file(out_a, "model.safetensors"), tiny_file(out_b, "model.safetensors")));
    ck_assert_int_eq(tiny_count(out_b, "log.jsonl", "\"step\":"), 12);
    maskdm_control_release(&control);
}
END_TEST

/* Checkpoints newer than the state at hand are broken: they stay, and none that is whole makes room for them. */
START_TEST(broken_checkpoints_do_not_count_as_kept)
{
    OK(run(out_a, "steps=6 save_every=3 keep=2", NULL));
    tiny_write(tiny_file(out_a, "checkpoint-9.safetensors"), "half", 4);
    OK(run(out_a, "steps=8 resume=true keep=1", NULL));
    ck_assert(tiny_exists(out_a, "checkpoint-8.safetensors") && tiny_exists(out_a, "checkpoint-9.safetensors"));
    ck_assert(!tiny_exists(out_a, "checkpoint-3.safetensors") && !tiny_exists(out_a, "checkpoint-6.safetensors"));
}
END_TEST

static int bad_disk(void *user, const char *operation, const char *path)
{
    return strcmp(operation, "read") == 0 && strstr(path, user) ? EIO : 0;
}

START_TEST(resuming_past_a_bad_place_on_the_disk)
{
    struct mdm_file_hook hook = { bad_disk, (char[]){"checkpoint-6"} };
    maskdm_control *control;
    int status;

    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    OK(run(out_a, "steps=6 save_every=3", NULL));
    mdm_file_hook_set(&hook);
    status = run(out_a, "steps=8 resume=true", control);
    mdm_file_hook_set(NULL);
    OK(status);
    ck_assert_ptr_nonnull(strstr(tiny_lines, "checkpoint-6.safetensors"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "resuming from"));
    ck_assert(tiny_exists(out_a, "checkpoint-8.safetensors"));
    maskdm_control_release(&control);
}
END_TEST

/* Nothing to do is nothing to write. */
START_TEST(a_finished_run_is_left_alone)
{
    struct stat before, after;

    OK(run(out_a, "steps=4", NULL));
    ck_assert_int_eq(stat(tiny_file(out_a, "checkpoint-4.safetensors"), &before), 0);
    OK(run(out_a, "steps=4 resume=true", NULL));
    ck_assert_int_eq(stat(tiny_file(out_a, "checkpoint-4.safetensors"), &after), 0);
    ck_assert(before.st_ino == after.st_ino);
}
END_TEST

START_TEST(resuming_with_other_options)
{
    OK(run(out_a, "steps=2", NULL));
    FAILS(MASKDM_EINVAL, "lr 0.002", run(out_a, "steps=4 resume=true lr=1e-3", NULL));
    FAILS(MASKDM_EINVAL, "seed 3", run(out_a, "steps=4 resume=true seed=4", NULL));
    FAILS(MASKDM_EINVAL, "mask_ratio 0.5", run(out_a, "steps=4 resume=true mask_ratio=0.75", NULL));
    OK(run(out_a, "steps=4 resume=true keep=9 sample_count=2 val_every=7", NULL));
    OK(run(out_b, "steps=2 val_share=0.25", NULL));
    FAILS(MASKDM_EINVAL, "val_share 0.25", run(out_b, "steps=4 resume=true val_share=0.5", NULL));
    OK(run(out_b, "steps=4 resume=true val_share=2.5e-1", NULL));
}
END_TEST

/* A line's step is that of the line, whatever lies deeper in it. */
START_TEST(log_is_cut_by_its_own_steps)
{
    static const char kept[] = "{\"step\":4,\"more\":{\"step\":9}}\n{\"step\":5}\n";
    char text[] = "{\"step\":4,\"more\":{\"step\":9}}\n{\"more\":{\"step\":1}}\n{\"step\":5}\n"
                  "{\"more\":[{\"step\":1}],\"step\":6}\n{\"step\":5";

    ck_assert_uint_eq(mdm_run_log_keep(text, sizeof text - 1, 5), sizeof kept - 1);
    ck_assert_mem_eq(text, kept, sizeof kept - 1);
}
END_TEST

static unsigned char *pixels(const char *path, size_t *bytes)
{
    maskdm_image *image;
    unsigned char *all;

    OK(maskdm_image_read(&image, path, 3, NULL));
    *bytes = (size_t)(maskdm_image_height(image) * maskdm_image_width(image)) * 3;
    all = malloc(*bytes);
    ck_assert_ptr_nonnull(all);
    OK(maskdm_image_copy(image, MASKDM_SAMPLE_U8, all, 0));
    maskdm_image_release(&image);
    return all;
}

/* The grid of a run is what `sample` draws from its model, of each class in turn; that says more of itself. */
START_TEST(previews_are_samples)
{
    unsigned char *preview, *drawn;
    char text[1200];
    size_t n, m;
    maskdm_options *o;

    OK(run(out_a, "steps=3 classes=2 seed=2000 sample_every=3 sample_count=3 sample_steps=4", NULL));
    snprintf(text, sizeof text,
             "model=%s/model.safetensors out=%s/again.png count=3 label=0,1 sampler=dpmpp steps=4 seed=2000 "
             "threads=1",
             out_a, out_a);
    o = tiny_options("sample", text);
    OK(maskdm_sample(o, NULL));
    maskdm_options_release(&o);
    preview = pixels(tiny_file(out_a, "samples-3.png"), &n);
    drawn = pixels(tiny_file(out_a, "again.png"), &m);
    ck_assert_uint_eq(n, m);
    ck_assert_mem_eq(preview, drawn, n);
    free(preview);
    free(drawn);
}
END_TEST

/* One step more of the run in out_a, on the first `count` images in memory with these labels (NULL: none). */
static int step_on(int64_t steps, int64_t count, const int32_t *labels, const char *more, maskdm_control *control)
{
    char text[1024];
    maskdm_options *o;
    maskdm_device *device = tiny_device("threads=1");
    maskdm_data *data;
    int status;

    snprintf(text, sizeof text, "out=%s %s classes=6 steps=%d resume=true %s", out_a, base, (int)steps, more);
    o = tiny_options("pretrain", text);
    OK(maskdm_data_create_memory(&data, device, count, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images, 0, 0,
                                 labels, NULL, NULL));
    status = maskdm_pretrain(NULL, o, data, NULL, control);
    maskdm_data_release(&data);
    maskdm_device_release(&device);
    maskdm_options_release(&o);
    return status;
}

START_TEST(resuming_with_other_data)
{
    static const char accept[] = "accept_changed_data=true";
    maskdm_control *control;
    int32_t labels[COUNT];

    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    tiny_draw_images();
    memcpy(labels, tiny_labels, sizeof labels);
    labels[7] = 5;
    OK(step_on(1, COUNT, tiny_labels, "", NULL));
    OK(step_on(2, COUNT, tiny_labels, "", NULL));
    FAILS(MASKDM_EINVAL, "image 7 had label 2 and has 5; accept_changed_data", step_on(3, COUNT, labels, "", NULL));
    FAILS(MASKDM_EINVAL, "had labels and have none", step_on(3, COUNT, NULL, "", NULL));
    FAILS(MASKDM_EINVAL, "there were 40 images of 8 x 8 x 3", step_on(3, COUNT - 1, tiny_labels, "", NULL));
    ck_assert(!tiny_exists(out_a, "checkpoint-3.safetensors"));
    OK(step_on(3, COUNT, labels, accept, control));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "image 7 had label 2 and has 5; going on"));
    ck_assert_int_eq(tiny_count(out_a, "log.jsonl", "image 7 had label 2 and has 5; going on"), 1);
    OK(step_on(4, COUNT, labels, "", NULL));
    FAILS(MASKDM_EINVAL, "image 7 had label 5 and has 2", step_on(5, COUNT, tiny_labels, "", NULL));
    FAILS(MASKDM_EINVAL, "val_share none and cannot be resumed with 0.1",
          step_on(5, COUNT, labels, "val_share=0.1", NULL));
    maskdm_control_release(&control);
}
END_TEST

static int full_after(void *user, const char *operation, const char *name)
{
    int *left = user;

    if (strcmp(operation, "write") != 0 || !strstr(name, "checkpoint-6"))
        return 0;
    return (*left)-- <= 0 ? 28 : 0; /* ENOSPC */
}

START_TEST(full_disk)
{
    int left = 1;
    const struct mdm_file_hook hook = { full_after, &left };

    mdm_file_hook_set(&hook);
    FAILS(MASKDM_EIO, "checkpoint-6", run(out_a, "steps=12 save_every=3", NULL));
    mdm_file_hook_set(NULL);
    ck_assert(tiny_exists(out_a, "checkpoint-3.safetensors") && !tiny_exists(out_a, "checkpoint-6.safetensors"));
    OK(run(out_a, "steps=12 save_every=3 resume=true", NULL));
    OK(run(out_b, "steps=12", NULL));
    ck_assert(tiny_same_files(tiny_file(out_a, "model.safetensors"), tiny_file(out_b, "model.safetensors")));
}
END_TEST

START_TEST(fine_tuning)
{
    static const char more[] = "batch_size=8 threads=1 steps=3 ";
    char init[1200], *bytes;
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *model;
    size_t size;

    OK(run(out_a, "steps=9 prediction=x0", NULL));
    snprintf(init, sizeof init, "init=%s/model.safetensors dim=32 %s", out_a, more);
    FAILS(MASKDM_EINVAL, "dim is 32", run_as("finetune", out_b, init, NULL));
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "16"));
    snprintf(init, sizeof init, "init=%s/model.safetensors prediction=noise %s", out_a, more);
    FAILS(MASKDM_EINVAL, "prediction is noise", run_as("finetune", out_b, init, NULL));
    ck_assert(!tiny_exists(out_b, "options.json"));
    snprintf(init, sizeof init, "init=%s/model.safetensors dim=16 mask=none init_weights=ema %s", out_a, more);
    OK(run_as("finetune", out_b, init, NULL));
    OK(maskdm_model_load(&model, device, tiny_file(out_b, "model.safetensors")));
    ck_assert_int_eq(maskdm_model_height(model), SIDE);
    bytes = tiny_read(tiny_file(out_a, "model.safetensors"), &size);
    tiny_write(tiny_file(out_a, "other.safetensors"), bytes, size); /* another file is another start */
    free(bytes);
    snprintf(init, sizeof init, "init=%s/other.safetensors dim=16 mask=none init_weights=ema resume=true %s", out_a,
             more);
    FAILS(MASKDM_EINVAL, "other.safetensors", run_as("finetune", out_b, init, NULL));
    snprintf(init, sizeof init, "init=%s/model.safetensors dim=16 mask=none init_weights=ema %s", out_a, more);
    ck_assert_int_eq(rename(tiny_file(out_a, "model.safetensors"), tiny_file(out_a, "gone")), 0);
    strcat(init, "steps=5 resume=true");
    OK(run_as("finetune", out_b, init, NULL));
    ck_assert(tiny_exists(out_b, "checkpoint-5.safetensors"));
    snprintf(init, sizeof init, "init=%s/model.safetensors resume=true %s", out_a, more);
    FAILS(MASKDM_ENOTFOUND, "a", run_as("finetune", root, init, NULL));
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), tiny_file(out_a, "model.safetensors")));
    maskdm_model_release(&model);
    maskdm_device_release(&device);
}
END_TEST

/* Which tokens pass blocks by is no fact of the weights: fine-tuning turns it off or on, and resumes so. */
/* A sprint is of the network; how much it leaves out is of its training. */
START_TEST(fine_tuning_keeps_a_sprint)
{
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *model;
    char text[800], json[2048];

    OK(run(out_a, "depth=5 steps=2 mask_ratio=0 sprint=1", NULL));
    for (int other = 0; other <= 2; other += 2) {
        snprintf(text, sizeof text, "init=%s/model.safetensors batch_size=8 steps=2 sprint=%d", out_a, other);
        FAILS(MASKDM_EINVAL, other ? "sprint is 2" : "sprint is 0", run_as("finetune", out_b, text, NULL));
    }
    snprintf(text, sizeof text, "init=%s/model.safetensors batch_size=8 threads=1 steps=2 sprint_drop=0 ", out_a);
    OK(run_as("finetune", out_b, text, NULL));
    strcat(text, "steps=4 resume=true ");
    OK(run_as("finetune", out_b, text, NULL));
    OK(maskdm_model_load(&model, device, tiny_file(out_b, "model.safetensors")));
    OK(maskdm_model_options_json(model, json, sizeof json, NULL));
    ck_assert_msg(strstr(json, "\"sprint\": 1,") && strstr(json, "\"sprint_drop\": 0,") &&
                      strstr(json, "\"path_drop\": 0.1,"),
                  "%s", json);
    maskdm_model_release(&model);
    maskdm_device_release(&device);
}
END_TEST

START_TEST(fine_tuning_chooses_its_routing)
{
    static const struct {
        const char *begun, *given, *is;
    } cases[] = {{"route_ratio=0.5 route_from=1", "", "\"route_ratio\": 0.5,"},
                 {"route_ratio=0.5 route_from=1", "route_ratio=0", "\"route_ratio\": 0,"},
                 {"", "route_ratio=0.25 route_from=1", "\"route_ratio\": 0.25,"}};
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *model;
    char text[800], json[1024];

    snprintf(text, sizeof text, "depth=5 steps=2 %s", cases[_i].begun);
    OK(run(out_a, text, NULL));
    snprintf(text, sizeof text, "init=%s/model.safetensors batch_size=8 threads=1 steps=2 %s ", out_a,
             cases[_i].given);
    OK(run_as("finetune", out_b, text, NULL));
    OK(maskdm_model_load(&model, device, tiny_file(out_b, "model.safetensors")));
    OK(maskdm_model_options_json(model, json, sizeof json, NULL));
    ck_assert_msg(strstr(json, cases[_i].is) != NULL, "%s is not in %s", cases[_i].is, json);
    strcat(text, "steps=3 resume=true ");
    OK(run_as("finetune", out_b, text, NULL));
    strcat(text, "route_ratio=0.75");
    FAILS(MASKDM_EINVAL, "route_ratio", run_as("finetune", out_b, text, NULL));
    snprintf(text, sizeof text, "init=%s/model.safetensors batch_size=8 steps=2 route_ratio=0.5 route_from=3", out_a);
    FAILS(MASKDM_EINVAL, "route_from 3 leaves no block", run_as("finetune", tiny_file(root, "c"), text, NULL));
    maskdm_model_release(&model);
    maskdm_device_release(&device);
}
END_TEST

START_TEST(what_is_refused)
{
    FAILS(MASKDM_EINVAL, "8 is larger than the data, 4", run(out_a, "steps=2 val_share=0.9", NULL));
    FAILS(MASKDM_EINVAL, "val_share 1 leaves nothing", run(out_a, "steps=2 val_share=1", NULL));
    FAILS(MASKDM_ENOMEM, "50000", run(out_a, "steps=2 memory_limit=50000", NULL));
    ck_assert(access(out_a, F_OK) != 0);
    tiny_write(out_a, "", 0);
    FAILS(MASKDM_EINVAL, "not a folder", run(out_a, "steps=2", NULL));
}
END_TEST

static int all_bad(void *user, int64_t index, float *image, int32_t *label)
{
    (void)index;
    for (int k = 0; k < VALUES; k++)
        image[k] = ++*(int64_t *)user > 200 * VALUES ? NAN : 0.5f;
    *label = -1;
    return 0;
}

/* A run on images that are finite up to the `good`th; `more` are options. */
static int run_into_nan(const char *out, const char *more, int64_t good)
{
    char text[2048];
    maskdm_device *device = tiny_device("threads=1");
    maskdm_options *o;
    maskdm_data *data;
    int64_t drawn = (200 - good) * VALUES;
    int status;

    OK(maskdm_data_create_callback(&data, device, COUNT, SIDE, SIDE, 3, all_bad, NULL, &drawn));
    snprintf(text, sizeof text, "out=%s %s max_bad_steps=4 %s", out, base, more);
    o = tiny_options("pretrain", text);
    status = maskdm_pretrain(NULL, o, data, NULL, NULL);
    maskdm_data_release(&data);
    maskdm_options_release(&o);
    maskdm_device_release(&device);
    return status;
}

/* A row of steps that are not finite ends the run; what it leaves is the last good step, to the byte, and no
 * checkpoint from within the row, which would push out those from before. */
START_TEST(not_finite)
{
    FAILS(MASKDM_ENONFINITE, "4 steps in a row up to step 29",
          run_into_nan(out_a, "steps=100 save_every=9 keep=1", 200));
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "step 25 is saved in"));
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "checkpoint-25.safetensors"));
    ck_assert(tiny_exists(out_a, "checkpoint-18.safetensors") && !tiny_exists(out_a, "checkpoint-27.safetensors"));
    OK(run_into_nan(out_b, "steps=25", 200));
    ck_assert(tiny_same_files(tiny_file(out_a, "checkpoint-25.safetensors"),
                              tiny_file(out_b, "checkpoint-25.safetensors")));
    ck_assert(tiny_same_files(tiny_file(out_a, "model.safetensors"), tiny_file(out_b, "model.safetensors")));
}
END_TEST

START_TEST(nothing_learnt_is_nothing_saved)
{
    FAILS(MASKDM_ENONFINITE, "4 steps in a row up to step 4", run_into_nan(out_a, "steps=9", 0));
    ck_assert_ptr_null(strstr(maskdm_last_error(), "saved"));
    ck_assert(!tiny_exists(out_a, "checkpoint-0.safetensors") && !tiny_exists(out_a, "checkpoint-4.safetensors"));
    ck_assert(!tiny_exists(out_a, "model.safetensors"));
}
END_TEST

/* Gradients whose squares the second moment cannot hold count as not finite, so that the state stays one that a file
 * may hold; learning this fast, they come before the loss itself overflows. */
START_TEST(moments_never_overflow)
{
    maskdm_model *model;
    maskdm_device *device = tiny_device("threads=1");

    FAILS(MASKDM_ENONFINITE, "is saved in",
          run(out_a, "steps=3000 lr=1000 weight_decay=1000 clip_norm=0 warmup_steps=200000", NULL));
    OK(maskdm_model_load(&model, device, tiny_file(out_a, "model.safetensors")));
    FAILS(MASKDM_ENONFINITE, "is saved in",
          run(out_a, "steps=3000 lr=1000 weight_decay=1000 clip_norm=0 warmup_steps=200000 resume=true", NULL));
    maskdm_model_release(&model);
    maskdm_device_release(&device);
}
END_TEST

static int broken_log(void *user, const char *operation, const char *name)
{
    int *left = user;

    return !strcmp(operation, "write") && strstr(name, "log.jsonl") && (*left)-- <= 0 ? 5 : 0; /* EIO */
}

/* Errors that leave the state sound leave it on disk, and say so. */
START_TEST(saved_by_an_error)
{
    int left = 6;
    const struct mdm_file_hook hook = { broken_log, &left };

    mdm_file_hook_set(&hook);
    FAILS(MASKDM_EIO, "log.jsonl", run(out_a, "steps=12", NULL));
    mdm_file_hook_set(NULL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "checkpoint-7.safetensors"));
    OK(run(out_a, "steps=12 resume=true", NULL));
    OK(run(out_b, "steps=12", NULL));
    ck_assert(tiny_same_files(tiny_file(out_a, "checkpoint-12.safetensors"),
                              tiny_file(out_b, "checkpoint-12.safetensors")));
}
END_TEST

static int full_disk_from(void *user, const char *operation, const char *name)
{
    return strstr(name, "checkpoint-") && !strcmp(operation, "write") ? 28 : broken_log(user, operation, name);
}

START_TEST(not_saved_by_an_error)
{
    int left = 6;
    const struct mdm_file_hook hook = { full_disk_from, &left };

    OK(run(out_a, "steps=1", NULL));
    mdm_file_hook_set(&hook);
    FAILS(MASKDM_EIO, "log.jsonl", run(out_a, "steps=12 resume=true", NULL));
    mdm_file_hook_set(NULL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "step 8 is not saved: cannot write"));
    ck_assert(tiny_exists(out_a, "checkpoint-1.safetensors"));
}
END_TEST

static int is_saved(void *user, const struct maskdm_progress *p)
{
    char name[64];

    snprintf(name, sizeof name, "checkpoint-%d.safetensors", (int)p->step);
    *(int *)user += tiny_exists(out_a, name);
    snprintf(name, sizeof name, "checkpoint-%d.safetensors", (int)p->step - 2);
    ck_assert(!tiny_exists(out_a, name));
    return 0;
}

/* By the clock: here after each step, with no more on disk than `keep`, and without a trace in the results. */
START_TEST(saving_by_the_clock)
{
    maskdm_control *control;
    int saved = 0;

    OK(maskdm_control_create(&control));
    maskdm_control_set_progress(control, is_saved, &saved);
    OK(run(out_a, "steps=9 save_minutes=1e-9", control));
    ck_assert_int_eq(saved, 9);
    OK(run(out_b, "steps=5 save_minutes=0", NULL));
    OK(run(out_b, "steps=9 resume=true save_minutes=7.5", NULL));
    ck_assert(tiny_same_files(tiny_file(out_a, "checkpoint-9.safetensors"),
                              tiny_file(out_b, "checkpoint-9.safetensors")));
    maskdm_control_release(&control);
}
END_TEST

static int wait_a_quarter(void *user, const struct maskdm_progress *p)
{
    (void)user, (void)p;
    usleep(250000);
    return 0;
}

START_TEST(minutes_are_no_seconds)
{
    maskdm_control *control;

    OK(maskdm_control_create(&control));
    maskdm_control_set_progress(control, wait_a_quarter, NULL);
    OK(run(out_a, "steps=3 keep=9 save_minutes=0.2", control));
    ck_assert(tiny_exists(out_a, "checkpoint-3.safetensors") && !tiny_exists(out_a, "checkpoint-2.safetensors"));
    maskdm_control_release(&control);
}
END_TEST

START_TEST(one_run_in_a_folder)
{
    maskdm_control *control;
    int tries = 0;

    OK(maskdm_control_create(&control));
    maskdm_control_set_progress(control, intrude, &tries);
    OK(run(out_a, "steps=4", control));
    ck_assert_int_eq(tries, 1);
    OK(run(out_a, "steps=6 resume=true", NULL));
    maskdm_control_release(&control);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run");
    TCase *tests = tcase_create("run");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, resuming_to_the_byte);
    tcase_add_test(tests, shares_that_change);
    tcase_add_test(tests, folder);
    tcase_add_test(tests, previews_leave_the_control_alone);
    tcase_add_test(tests, stopped_and_cancelled);
    tcase_add_test(tests, resuming_without_a_checkpoint);
    tcase_add_test(tests, resuming_past_a_broken_checkpoint);
    tcase_add_test(tests, broken_checkpoints_do_not_count_as_kept);
    tcase_add_test(tests, resuming_past_a_bad_place_on_the_disk);
    tcase_add_test(tests, a_finished_run_is_left_alone);
    tcase_add_test(tests, resuming_with_other_options);
    tcase_add_test(tests, log_is_cut_by_its_own_steps);
    tcase_add_test(tests, previews_are_samples);
    tcase_add_test(tests, resuming_with_other_data);
    tcase_add_test(tests, full_disk);
    tcase_add_test(tests, fine_tuning);
    tcase_add_loop_test(tests, fine_tuning_chooses_its_routing, 0, 3);
    tcase_add_test(tests, fine_tuning_keeps_a_sprint);
    tcase_add_test(tests, one_run_in_a_folder);
    tcase_add_test(tests, what_is_refused);
    tcase_add_test(tests, not_finite);
    tcase_add_test(tests, nothing_learnt_is_nothing_saved);
    tcase_add_test(tests, moments_never_overflow);
    tcase_add_test(tests, saved_by_an_error);
    tcase_add_test(tests, not_saved_by_an_error);
    tcase_add_test(tests, saving_by_the_clock);
    tcase_add_test(tests, minutes_are_no_seconds);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
