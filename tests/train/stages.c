/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs of several stages: what each begins with, and the same bytes whenever a run was stopped, on however many
 * threads and in however many parts.
 */
#include "tiny.h"

#include "os/file.h"
#include "run/run.h"

#include <sys/stat.h>

static char root[256], once[300], twice[300];

static const char base[] =
    "network=uvit image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 batch_size=8 seed=3 threads=1 "
    "lr=2e-3 ema_start=2 log_every=1 keep=99 val_share=0.1 ";

/* Three stages of 5, 4 and 6 steps: another mask, batch, rate and loss, then a share of the images, routed. */
static const char *const three[] = {"mask=block mask_ratio=0.5 steps=5 warmup_steps=2",
                                    "mask=patch mask_ratio=0.25 batch_size=4 steps=4 lr=1e-3 weight=v flip=0.5",
                                    "steps=6 clip_norm=0 ema_decay=0.9 loss=l1 data_fraction=0.5 route_ratio=0.5 "
                                    "route_from=1",
                                    NULL};

static maskdm_options *options_of(const char *out, const char *more, const char *const *stages)
{
    char text[2048];
    maskdm_options *o;

    snprintf(text, sizeof text, "out=%s %s%s", out, base, more);
    o = tiny_options("train", text);
    for (; *stages; stages++)
        OK(maskdm_options_add_stage(o, *stages));
    return o;
}

static int run(const char *out, const char *more, const char *const *stages, maskdm_control *control)
{
    maskdm_options *o = options_of(out, more, stages);
    int status = tiny_train("train", o, control);

    maskdm_options_release(&o);
    return status;
}

static int same_models(const char *a, const char *b)
{
    return tiny_same_files(tiny_file(a, "model.safetensors"), tiny_file(b, "model.safetensors"));
}

static void setup(void)
{
    static int number;

    if (!*root)
        snprintf(root, sizeof root, "%s", tiny_folder());
    snprintf(once, sizeof once, "%s/a%d", root, ++number);
    snprintf(twice, sizeof twice, "%s/b%d", root, number);
    *tiny_lines = '\0';
}

static int stop_at(void *user, const struct maskdm_progress *p)
{
    return p->step == *(const int64_t *)user;
}

static char *log_of(const char *folder)
{
    size_t bytes;

    return tiny_read(tiny_file(folder, "log.jsonl"), &bytes);
}

/* The log without what time tells. */
static void check_log(const char *folder)
{
    char *text = log_of(folder), *at = text, wanted[64];
    const char *const begins[] = {"{\"step\":0,\"stage\":1,", "{\"step\":5,\"stage\":2,", "{\"step\":9,\"stage\":3,"};

    for (int step = 1; step <= 15; step++) {
        snprintf(wanted, sizeof wanted, "{\"step\":%d,\"images\"", step);
        at = strstr(text, wanted);
        ck_assert_msg(at && !strstr(at + 1, wanted), "step %d in %s", step, text);
    }
    for (size_t i = 0; i < MDM_LENGTH(begins); i++) {
        at = strstr(text, begins[i]);
        ck_assert_msg(at && !strstr(at + 1, begins[i]), "%s in %s", begins[i], text);
    }
    free(text);
}

/* Stopped at every step there is and gone on with: within each stage, at both borders, and behind the last step. */
START_TEST(resuming_to_the_byte)
{
    maskdm_control *control;

    OK(run(once, "", three, NULL));
    check_log(once);
    for (int64_t step = 1; step <= 15; step++) {
        int status;

        snprintf(twice, sizeof twice, "%s/%s-%d", root, "stop", (int)step);
        OK(maskdm_control_create(&control));
        maskdm_control_set_progress(control, stop_at, &step);
        status = run(twice, "", three, control);
        ck_assert_int_eq(status, step < 15 ? MASKDM_ECANCELED : MASKDM_OK);
        maskdm_control_release(&control);
        OK(run(twice, "resume=true threads=2", three, NULL));
        ck_assert_msg(same_models(once, twice), "stopped at step %d", (int)step);
        ck_assert(tiny_same_files(tiny_file(once, "checkpoint-15.safetensors"),
                                  tiny_file(twice, "checkpoint-15.safetensors")));
        check_log(twice);
    }
}
END_TEST

/* A broken checkpoint is passed over, back into the stage before. */
START_TEST(back_into_the_stage_before)
{
    maskdm_control *control;

    OK(maskdm_control_create(&control));
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    OK(run(once, "save_every=3", three, NULL));
    OK(run(twice, "save_every=3", three, NULL));
    for (int step = 6; step <= 15; step++) {
        char name[64];

        snprintf(name, sizeof name, "checkpoint-%d.safetensors", step);
        if (tiny_exists(twice, name))
            tiny_write(tiny_file(twice, name), "half", 4);
    }
    ck_assert(tiny_exists(twice, "checkpoint-5.safetensors"));
    OK(run(twice, "resume=true", three, control));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "checkpoint-9.safetensors"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "b2/checkpoint-5.safetensors"));
    ck_assert(same_models(once, twice));
    check_log(twice);
    maskdm_control_release(&control);
}
END_TEST

START_TEST(threads_and_accumulation)
{
    static const char *const parts[] = {"mask=block mask_ratio=0.5 steps=5 warmup_steps=2 accumulate=2",
                                        "mask=patch mask_ratio=0.25 batch_size=4 steps=4 lr=1e-3 weight=v flip=0.5 "
                                        "accumulate=4",
                                        "steps=6 clip_norm=0 ema_decay=0.9 loss=l1 data_fraction=0.5 route_ratio=0.5 "
                                        "route_from=1",
                                        NULL};
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *a, *b;
    float *x, *y;

    OK(run(once, "", three, NULL));
    OK(run(twice, "threads=2", three, NULL));
    ck_assert(same_models(once, twice));
    strcat(twice, "-parts");
    OK(run(twice, "", parts, NULL)); /* what is drawn is the same; sums are in another order */
    OK(maskdm_model_load(&a, device, tiny_file(once, "model.safetensors")));
    OK(maskdm_model_load(&b, device, tiny_file(twice, "model.safetensors")));
    x = tiny_flat(a, MASKDM_WEIGHTS_ONLINE);
    y = tiny_flat(b, MASKDM_WEIGHTS_ONLINE);
    ck_assert_double_lt(tiny_distance(x, y, (size_t)maskdm_model_parameter_elements(a)), 1e-3);
    free(x);
    free(y);
    maskdm_model_release(&a);
    maskdm_model_release(&b);
    maskdm_device_release(&device);
}
END_TEST

/* A list of one is the run that it was without a list, and a first stage begins as that does. */
START_TEST(lists_of_one)
{
    static const char *const one[] = {"mask=block mask_ratio=0.5 steps=5 warmup_steps=2", NULL};
    static const char *const none[] = {NULL};
    char model[400], text[2048];
    maskdm_options *o;

    OK(run(once, "", one, NULL));
    OK(run(twice, "mask=block mask_ratio=0.5 steps=5 warmup_steps=2", none, NULL));
    ck_assert(same_models(once, twice));
    ck_assert(tiny_same_files(tiny_file(once, "checkpoint-5.safetensors"),
                              tiny_file(twice, "checkpoint-5.safetensors")));
    strcat(twice, "-pretrain");
    snprintf(text, sizeof text, "out=%s %smask=block mask_ratio=0.5 steps=5 warmup_steps=2", twice, base);
    o = tiny_options("pretrain", text);
    OK(tiny_train("pretrain", o, NULL));
    maskdm_options_release(&o);
    ck_assert(same_models(once, twice));
    OK(run(once, "resume=true", three, NULL)); /* two stages more */
    strcat(twice, "-three");
    OK(run(twice, "", three, NULL));
    ck_assert(same_models(once, twice));
    snprintf(model, sizeof model, "init=%s", tiny_file(once, "model.safetensors"));
    strcat(twice, "-tuned");
    OK(run(twice, model, one, NULL));
    ck_assert(!same_models(once, twice));
}
END_TEST

/* Moments begin anew, and the average with the weights, unless all is carried. */
START_TEST(what_a_stage_begins_with)
{
    static const char *const plain[] = {"steps=4", "steps=1 lr=0", NULL};
    static const char *const carried[] = {"steps=4", "steps=1 lr=0 carry=all", NULL};
    maskdm_device *device = tiny_device("threads=1");
    const char *const *list[] = {plain, carried};
    int64_t ema_updates[2], applied[2];

    for (int k = 0; k < 2; k++) {
        const char *out = k ? twice : once;
        int64_t counters[5], at;
        maskdm_model *after;
        maskdm_file *state;
        float *w, *ema;
        size_t n;

        OK(run(out, "", list[k], NULL));
        OK(maskdm_file_open(&state, tiny_file(out, "checkpoint-5.safetensors")));
        at = maskdm_file_find(state, "state.counters");
        OK(maskdm_file_read_i64(state, at, counters, 5));
        ck_assert_int_eq(counters[0], 1);
        applied[k] = counters[1];
        ema_updates[k] = counters[2];
        ck_assert_str_eq(maskdm_file_metadata(state, "maskdm.step"), "5");
        ck_assert_str_eq(maskdm_file_metadata(state, "maskdm.stage"), "2, from step 4");
        maskdm_file_release(&state);
        OK(maskdm_model_load(&after, device, tiny_file(out, "model.safetensors")));
        n = (size_t)maskdm_model_parameter_elements(after);
        w = tiny_flat(after, MASKDM_WEIGHTS_ONLINE);
        ema = tiny_flat(after, MASKDM_WEIGHTS_EMA);
        if (!k) /* weights that a rate of 0 leaves: the average began with them */
            ck_assert_double_lt(tiny_distance(ema, w, n), 1e-6);
        else
            ck_assert_double_gt(tiny_distance(ema, w, n), 1e-5);
        maskdm_model_release(&after);
        free(w);
        free(ema);
    }
    ck_assert_int_eq(applied[0], 1);
    ck_assert_int_eq(ema_updates[0], 1);
    ck_assert_int_eq(applied[1], 5);
    ck_assert_int_eq(ema_updates[1], 5);
    maskdm_device_release(&device);
}
END_TEST

/* Two equal stages that carry all are as good as one, but that they draw otherwise; and resume to the byte. */
START_TEST(carrying_all_resumes)
{
    static const char *const all[] = {"steps=3", "steps=3 carry=all", "steps=3 carry=all lr=1e-3", NULL};

    OK(run(once, "mask=block mask_ratio=0.5", all, NULL));
    for (int64_t step = 2; step <= 8; step++) {
        maskdm_control *control;

        snprintf(twice, sizeof twice, "%s/carry-%d", root, (int)step);
        OK(maskdm_control_create(&control));
        maskdm_control_set_progress(control, stop_at, &step);
        ck_assert_int_eq(run(twice, "mask=block mask_ratio=0.5", all, control), MASKDM_ECANCELED);
        maskdm_control_release(&control);
        OK(run(twice, "mask=block mask_ratio=0.5 resume=true", all, NULL));
        ck_assert_msg(same_models(once, twice), "stopped at step %d", (int)step);
    }
}
END_TEST

/* Before the first step, with nothing left behind. */
START_TEST(later_stages_are_tried_first)
{
    static const char *const too_many[] = {"steps=1", "steps=1 batch_size=64", NULL};
    static const char *const too_few[] = {"steps=1", "steps=1", "steps=1 data_fraction=0.01", NULL};
    static const char *const hidden[] = {"steps=1", "steps=1 mask=crop mask_crop_size=9", NULL};
    static const char *const parts[] = {"steps=1", "steps=1 accumulate=3", NULL};
    static const char *const long_ones[] = {"steps=9223372036854775807", "steps=1", NULL};
    static const char *const away[] = {"steps=1", "route_ratio=0.5 route_from=9", NULL};

    FAILS(MASKDM_EINVAL, "stage 2: batch_size 64 is larger than the data, 40 images", run(once, "", too_many, NULL));
    FAILS(MASKDM_EINVAL, "stage 3: batch_size 8 is larger than the data, 1 image", run(once, "", too_few, NULL));
    FAILS(MASKDM_EINVAL, "stage 2: ", run(once, "", hidden, NULL));
    FAILS(MASKDM_EINVAL, "stage 2: accumulate 3 does not divide", run(once, "", parts, NULL));
    FAILS(MASKDM_EINVAL, "steps of the 2 stages are too many", run(once, "", long_ones, NULL));
    FAILS(MASKDM_EINVAL, "stage 2: route_from", run(once, "", away, NULL));
    ck_assert(!tiny_exists(root, strrchr(once, '/') + 1));
}
END_TEST

START_TEST(resuming_with_other_stages)
{
    static const char *const begun[] = {"steps=2 mask=block mask_ratio=0.5", "steps=3 lr=1e-3", NULL};
    static const char *const other[] = {"steps=2 mask=block mask_ratio=0.75", "steps=3 lr=1e-3", NULL};
    static const char *const rate[] = {"steps=2 mask=block mask_ratio=0.5", "steps=3 lr=4e-3", NULL};
    static const char *const moved[] = {"steps=3 mask=block mask_ratio=0.5", "steps=3 lr=1e-3", NULL};
    static const char *const fewer[] = {"steps=5 mask=block mask_ratio=0.5", NULL};
    static const char *const more[] = {"steps=2 mask=block mask_ratio=0.5", "steps=4 lr=1e-3", "steps=1 carry=all",
                                       NULL};

    OK(run(once, "", begun, NULL));
    FAILS(MASKDM_EINVAL, "stage 1: ", run(once, "resume=true", other, NULL));
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "mask_ratio 0.5 and cannot be resumed with 0.75"));
    FAILS(MASKDM_EINVAL, "lr 0.001 and cannot be resumed with 0.004", run(once, "resume=true", rate, NULL));
    FAILS(MASKDM_EINVAL, "was started with steps 2, behind which others came, and not 3",
          run(once, "resume=true", moved, NULL));
    FAILS(MASKDM_EINVAL, "was started with 2 stages and cannot be resumed with 1",
          run(once, "resume=true", fewer, NULL));
    FAILS(MASKDM_EINVAL, "seed 3", run(once, "resume=true seed=4", begun, NULL));
    OK(run(once, "resume=true", more, NULL));
    ck_assert(tiny_exists(once, "checkpoint-6.safetensors") && tiny_exists(once, "checkpoint-7.safetensors"));
}
END_TEST

static int64_t last_step, last_images;

static int watch(void *user, const struct maskdm_progress *p)
{
    (void)user;
    ck_assert_int_eq(p->step, last_step + 1);
    ck_assert_int_eq(p->steps, 15);
    ck_assert_int_eq(p->images - last_images, p->step > 5 && p->step <= 9 ? 4 : 8);
    last_step = p->step;
    last_images = p->images;
    return 0;
}

/* One count of steps and images, one held-out loss, and a line for each stage. */
START_TEST(one_run_for_those_who_watch)
{
    maskdm_control *control;
    char *log;
    int n = 0;

    last_step = last_images = 0;
    OK(maskdm_control_create(&control));
    maskdm_control_set_progress(control, watch, NULL);
    maskdm_control_set_log(control, tiny_keep_line, NULL);
    OK(run(once, "sample_every=15 sample_steps=2 sample_count=1", three, control));
    ck_assert_int_eq(last_step, 15);
    ck_assert_ptr_nonnull(strstr(tiny_lines, "stage 1 of 3: "));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "stage 2 of 3: "));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "mask_ratio 0.25"));
    ck_assert_ptr_nonnull(strstr(tiny_lines, "18 of 36 images are trained on"));
    ck_assert(tiny_exists(once, "samples-15.png") && tiny_exists(once, "checkpoint-5.safetensors"));
    ck_assert(tiny_exists(once, "checkpoint-9.safetensors") && tiny_exists(once, "checkpoint-15.safetensors"));
    log = log_of(once);
    for (const char *at = log; (at = strstr(at, "held_out_loss")); at++)
        n++;
    ck_assert_int_eq(n, 3);
    free(log);
    maskdm_control_release(&control);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stages");
    TCase *t = tcase_create("stages");

    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, resuming_to_the_byte);
    tcase_add_test(t, back_into_the_stage_before);
    tcase_add_test(t, threads_and_accumulation);
    tcase_add_test(t, lists_of_one);
    tcase_add_test(t, what_a_stage_begins_with);
    tcase_add_test(t, carrying_all_resumes);
    tcase_add_test(t, later_stages_are_tried_first);
    tcase_add_test(t, resuming_with_other_stages);
    tcase_add_test(t, one_run_for_those_who_watch);
    suite_add_tcase(suite, t);
    return tiny_main(suite);
}
