/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a run leaves in its folder beside the newest state, and what may be done with it: milestones, logs of starts
 * that left no checkpoint, states in the place of models.
 */
#include "tiny.h"

#include "os/file.h"
#include "run/run.h"

#include <errno.h>

static char root[256], folder[300], other[300];

static const char base[] = "network=uvit mask=none "
                           "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 batch_size=8 "
                           "seed=3 threads=1 lr=2e-3 log_every=1 ";

static maskdm_control *listening(void)
{
    maskdm_control *control;

    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    return control;
}

static int run(const char *out, const char *more, maskdm_control *control)
{
    char text[1400];
    maskdm_options *o;
    int status;

    snprintf(text, sizeof text, "out=%s %s%s", out, base, more);
    o = tiny_options("pretrain", text);
    status = tiny_train("pretrain", o, control);
    maskdm_options_release(&o);
    return status;
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

START_TEST(milestones_stay)
{
    OK(run(folder, "steps=10 keep=1 keep_every=4", NULL));
    ck_assert(tiny_exists(folder, "checkpoint-4.safetensors") && tiny_exists(folder, "checkpoint-8.safetensors"));
    ck_assert(tiny_exists(folder, "checkpoint-10.safetensors"));
    OK(run(folder, "steps=12 keep=1 keep_every=4 save_every=3 resume=true", NULL));
    ck_assert(tiny_exists(folder, "checkpoint-4.safetensors") && tiny_exists(folder, "checkpoint-8.safetensors"));
    ck_assert(tiny_exists(folder, "checkpoint-12.safetensors") && !tiny_exists(folder, "checkpoint-10.safetensors"));
}
END_TEST

static int save_at_three(void *user, const struct maskdm_progress *p)
{
    if (p->step == 3)
        maskdm_control_save(user);
    return 0;
}

START_TEST(saved_when_the_host_asks)
{
    maskdm_control *control = listening();

    maskdm_control_set_progress(control, save_at_three, control);
    OK(run(folder, "steps=6", control));
    ck_assert(tiny_exists(folder, "checkpoint-4.safetensors") && tiny_exists(folder, "checkpoint-6.safetensors"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "saved step 4 in"));
    OK(run(other, "steps=6", NULL));
    ck_assert(tiny_same_files(tiny_file(folder, "model.safetensors"), tiny_file(other, "model.safetensors")));
    maskdm_control_release(&control);
}
END_TEST

/* Of a start that saved nothing what it logged stays, beside what the next one logs. */
START_TEST(no_checkpoint_loses_no_log)
{
    maskdm_control *control = listening();

    OK(run(folder, "steps=3", NULL));
    OK(unlink(tiny_file(folder, "checkpoint-3.safetensors")));
    OK(unlink(tiny_file(folder, "model.safetensors")));
    OK(run(folder, "steps=2 resume=true", control));
    ck_assert_int_eq(tiny_count(folder, "log.jsonl", "\"loss\":"), 2);
    ck_assert_int_eq(tiny_count(folder, "log-1.jsonl", "\"loss\":"), 3);
    ck_assert_ptr_nonnull(strstr(tiny_lines, "log-1.jsonl"));
    OK(unlink(tiny_file(folder, "checkpoint-2.safetensors")));
    OK(unlink(tiny_file(folder, "model.safetensors")));
    OK(run(folder, "steps=1 resume=true", NULL));
    ck_assert_int_eq(tiny_count(folder, "log-1.jsonl", "\"loss\":"), 3);
    ck_assert_int_eq(tiny_count(folder, "log-2.jsonl", "\"loss\":"), 2);
    OK(run(folder, "steps=2 resume=true", NULL));
    ck_assert(!tiny_exists(folder, "log-3.jsonl"));
    maskdm_control_release(&control);
}
END_TEST

/* Nothing stays of a dry run, and it says so; what is wrong is told one by one, and in number. */
START_TEST(dry_runs_write_nothing)
{
    maskdm_control *control = listening();

    OK(run(folder, "steps=5 dry_run=true", control));
    ck_assert(access(folder, F_OK) != 0);
    ck_assert_ptr_nonnull(strstr(tiny_lines, "5 steps, network uvit: 40 images, 1"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "as 3 steps were timed"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "nothing was written"));
    OK(run(folder, "steps=5", NULL));
    *tiny_lines = '\0';
    FAILS(MASKDM_EINVAL, "2 problems", run(folder, "steps=5 dry_run=true batch_size=400", control));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "problem 1: "));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "is not empty"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "problem 2: batch_size 400 is larger than the data"));
    maskdm_control_release(&control);
}
END_TEST

static int no_room(void *user, const char *operation, const char *path)
{
    (void)user, (void)path;
    return strcmp(operation, "space") == 0 ? ENOSYS : 0;
}

/* What a run may come to is more than any disk has, or cannot be said. */
START_TEST(the_disk_is_foretold)
{
    const struct mdm_file_hook hook = {no_room, NULL};
    maskdm_control *control = listening();

    OK(run(folder, "steps=2 keep=1000000 dim=256 dry_run=true", control));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "the disk may fill: this run takes up to"));
    *tiny_lines = '\0';
    OK(run(other, "steps=2 keep=2 dry_run=true", control));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "disk: "));
    ck_assert_ptr_null(strstr(tiny_lines, "the disk may fill"));
    mdm_file_hook_set(&hook);
    OK(run(other, "steps=2 dry_run=true", control));
    mdm_file_hook_set(NULL);
    maskdm_control_release(&control);
}
END_TEST

/* Full for the first `left` writes into checkpoints. */
static int full_for_a_while(void *user, const char *operation, const char *path)
{
    int *left = user;

    if (strcmp(operation, "space") == 0)
        return ENOSPC;
    return strcmp(operation, "write") == 0 && strstr(path, "checkpoint-") && (*left)-- > 0 ? ENOSPC : 0;
}

/* What is waited for comes, and nothing is lost; otherwise a full disk ends the run as ever, as does a fault of the
 * disk while it has room. */
START_TEST(a_full_disk_is_waited_for)
{
    int left = 1;
    const struct mdm_file_hook hook = {full_for_a_while, &left};
    maskdm_control *control = listening();

    mdm_file_hook_set(&hook);
    OK(run(folder, "steps=3 on_disk_full=wait", control));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "waiting for room"));
    left = 1;
    ck_assert_int_eq(run(other, "steps=3", control), MASKDM_EIO);
    mdm_file_hook_set(NULL);
    OK(run(other, "steps=3 resume=true", control));
    ck_assert(tiny_same_files(tiny_file(folder, "model.safetensors"), tiny_file(other, "model.safetensors")));
    maskdm_control_release(&control);
}
END_TEST

/* A number of the first line that has the member. */
static double member(const char *where, const char *name)
{
    size_t bytes;
    char *text = tiny_read(tiny_file(where, "log.jsonl"), &bytes), *at = strstr(text, name);
    double x;

    ck_assert_ptr_nonnull(at);
    x = strtod(at + strlen(name), NULL);
    free(text);
    return x;
}

START_TEST(lines_tell_of_the_steps_between)
{
    double mean = 0;

    OK(run(folder, "steps=6", NULL));
    OK(run(other, "steps=6 log_every=6 val_share=0", NULL));
    for (int i = 1; i <= 6; i++) {
        char name[64];

        snprintf(name, sizeof name, "{\"step\":%d,\"images\":%d,\"visible\":16,\"loss\":", i, 8 * i);
        mean += member(folder, name) / 6;
    }
    ck_assert_double_eq_tol(member(other, "\"mean_loss\":"), mean, 1e-12 * mean);
    ck_assert_double_eq_tol(member(other, "\"epoch\":"), 48.0 / COUNT, 1e-12);
    ck_assert_double_ge(member(other, "\"memory\":"), 4096);
    ck_assert_double_ge(member(other, "\"time\":"), 1.7e9);
    ck_assert_double_ge(member(other, "\"elapsed\":") + 1e-3, member(other, "\"seconds\":"));
}
END_TEST

/* What a file says of both sets of weights, by the model that is loaded. */
static void compare_models(const char *one, const char *two)
{
    maskdm_device *device = tiny_device("threads=1");

    for (int which = 0; which < 2; which++) {
        maskdm_model *a, *b;

        OK(maskdm_model_load_one(&a, device, one, which));
        OK(maskdm_model_load_one(&b, device, two, which));
        OK(maskdm_model_save(a, tiny_file(root, "one.safetensors")));
        OK(maskdm_model_save(b, tiny_file(root, "two.safetensors")));
        ck_assert(tiny_same_files(tiny_file(root, "one.safetensors"), tiny_file(root, "two.safetensors")));
        maskdm_model_release(&a);
        maskdm_model_release(&b);
    }
    maskdm_device_release(&device);
}

/* A state is the model that was published with it, to the byte, with an average, one of several and none. */
START_TEST(a_state_is_a_model)
{
    static const char *const averages[] = {" ema_start=2", " ema=power", " ema_decay=0"};
    const char *more = averages[_i];
    maskdm_device *device = tiny_device("threads=1");
    char text[200], init[900], *bytes;
    maskdm_model *model;
    maskdm_options *o;
    size_t size;

    snprintf(text, sizeof text, "steps=5%s", more);
    OK(run(folder, text, NULL));
    OK(maskdm_model_load(&model, device, tiny_file(folder, "checkpoint-5.safetensors")));
    OK(maskdm_model_save(model, tiny_file(root, "again.safetensors")));
    maskdm_model_release(&model);
    ck_assert(tiny_same_files(tiny_file(root, "again.safetensors"), tiny_file(folder, "model.safetensors")));
    compare_models(tiny_file(folder, "checkpoint-5.safetensors"), tiny_file(folder, "model.safetensors"));
    snprintf(init, sizeof init, "init=%s/checkpoint-5.safetensors out=%s steps=1 batch_size=8 threads=1", folder,
             other);
    o = tiny_options("finetune", init);
    OK(tiny_train("finetune", o, NULL));
    maskdm_options_release(&o);
    bytes = tiny_read(tiny_file(folder, "checkpoint-5.safetensors"), &size);
    bytes[size - 100] ^= 1;
    tiny_write(tiny_file(root, "bad.safetensors"), bytes, size);
    free(bytes);
    FAILS(MASKDM_EFORMAT, "digest", maskdm_model_load(&model, device, tiny_file(root, "bad.safetensors")));
    maskdm_device_release(&device);
}
END_TEST

START_TEST(a_state_of_adapters_is_no_model)
{
    maskdm_device *device = tiny_device("threads=1");
    char init[900];
    maskdm_model *model;
    maskdm_options *o;

    OK(run(folder, "steps=1", NULL));
    snprintf(init, sizeof init, "init=%s/model.safetensors out=%s steps=1 batch_size=8 threads=1 lora_rank=2", folder,
             other);
    o = tiny_options("finetune", init);
    OK(tiny_train("finetune", o, NULL));
    maskdm_options_release(&o);
    FAILS(MASKDM_EFORMAT, "adapter.safetensors",
          maskdm_model_load(&model, device, tiny_file(other, "checkpoint-1.safetensors")));
    maskdm_device_release(&device);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("runfolder");
    TCase *tests = tcase_create("runfolder");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, milestones_stay);
    tcase_add_test(tests, saved_when_the_host_asks);
    tcase_add_test(tests, no_checkpoint_loses_no_log);
    tcase_add_test(tests, dry_runs_write_nothing);
    tcase_add_test(tests, the_disk_is_foretold);
    tcase_add_test(tests, a_full_disk_is_waited_for);
    tcase_add_test(tests, lines_tell_of_the_steps_between);
    tcase_add_loop_test(tests, a_state_is_a_model, 0, 3);
    tcase_add_test(tests, a_state_of_adapters_is_no_model);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
