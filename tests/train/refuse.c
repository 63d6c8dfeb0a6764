/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every allocation, and every file operation, refused in turn: a clean error, nothing leaked, and a run that goes on
 * afterwards as if nothing had happened.
 */
#include "tiny.h"

#include "base/alloc.h"
#include "os/file.h"

static const char run_options[] = "image_size=8 patch_size=2 dim=8 depth=1 heads=1 mlp_ratio=2 mask=patch "
                                  "mask_ratio=0.5 batch_size=8 seed=3 threads=1 ema_start=2 log_every=1 steps=2 "
                                  "save_every=1 keep=1 ";

static long left;

static int refuse_one(void *user, size_t bytes)
{
    (void)user, (void)bytes;
    return left-- == 0;
}

static const struct mdm_alloc_hook refusing = { refuse_one, NULL };

/* Refuse the first allocation of a call, then the second, and so on until it gets through. Objects must stay as they
 * were, or the next try would not end as it should. */
#define SWEEP(call)                                                                                           \
    for (long nth = 0, got = MASKDM_ENOMEM; got != MASKDM_OK; nth++, refused++) {                             \
        left = nth;                                                                                           \
        mdm_alloc_hook_set(&refusing);                                                                     \
        got = (call);                                                                                         \
        mdm_alloc_hook_set(NULL);                                                                          \
        ck_assert_msg(got == MASKDM_OK || got == MASKDM_ENOMEM, "%s, allocation %ld refused: %s", #call, nth, \
                      maskdm_last_error());                                                                   \
        ck_assert_msg(got == MASKDM_OK || strstr(maskdm_last_error(), "bytes"), "%s", maskdm_last_error());   \
        ck_assert_int_lt(nth, 5000);                                                                          \
    }

static const unsigned char black[64 * VALUES];

START_TEST(every_allocation)
{
    maskdm_device *device = tiny_device("threads=1");
    long live = mdm_alloc_live(), refused = 0;
    maskdm_options *n, *m, *s, *t;
    maskdm_scheduler *scheduler;
    maskdm_model *model, *trained, *back;
    maskdm_mask *mask;
    maskdm_optimizer *optimizer;
    maskdm_trainer *trainer;
    maskdm_sampler *sampler;
    maskdm_data *data;
    unsigned char pixels[2 * VALUES];
    double loss, bucket[3];
    char path[300], state[310];

    snprintf(path, sizeof path, "%s/model", tiny_folder());
    snprintf(state, sizeof state, "%s.state", path);
    SWEEP(maskdm_options_create(&n, "uvit"));
    SWEEP(maskdm_options_parse(n, "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=5"));
    /* The second step shows more, for which a program is made. */
    m = tiny_options("mask", "type=block ratio=0.5 ratio_end=0 ratio_steps=2 ratio_levels=2");
    s = tiny_options("sampler", "sampler=ddim steps=2");
    t = tiny_options("trainer", "batch_size=8 accumulate=2 label_dropout=0.5");
    SWEEP(maskdm_scheduler_create(&scheduler, NULL));
    SWEEP(maskdm_model_create(&model, device, "uvit", n, scheduler, 1));
    SWEEP(maskdm_mask_create(&mask, m));
    SWEEP(maskdm_optimizer_create(&optimizer, NULL, NULL));
    SWEEP(maskdm_trainer_create(&trainer, model, mask, optimizer, t, NULL));
    SWEEP(
        maskdm_data_create_memory(&data, device, 64, SIDE, SIDE, 3, MASKDM_SAMPLE_U8, black, 0, 0, NULL, NULL, NULL));
    SWEEP(maskdm_trainer_step(trainer, data));
    SWEEP(maskdm_trainer_validate(trainer, data, 3, MASKDM_WEIGHTS_EMA, &loss, bucket, 3));
    SWEEP(maskdm_trainer_save(trainer, state));
    SWEEP(maskdm_trainer_load(trainer, state));
    SWEEP(maskdm_trainer_step(trainer, data));
    SWEEP(maskdm_trainer_model(&trained, trainer));
    SWEEP(maskdm_model_save(trained, path));
    SWEEP(maskdm_model_load(&back, device, path));
    SWEEP(maskdm_sampler_create(&sampler, back, MASKDM_WEIGHTS_EMA, s, NULL));
    SWEEP(maskdm_sampler_run(sampler, 2, NULL, NULL, MASKDM_SAMPLE_U8, pixels, 0, 0));
    ck_assert_int_eq(maskdm_trainer_steps(trainer), 2);
    ck_assert_int_eq(maskdm_trainer_visible(trainer), 16);
    ck_assert_int_gt(refused, 300);
    maskdm_sampler_release(&sampler);
    maskdm_data_release(&data);
    maskdm_trainer_release(&trainer);
    maskdm_optimizer_release(&optimizer);
    maskdm_mask_release(&mask);
    maskdm_model_release(&back);
    maskdm_model_release(&trained);
    maskdm_model_release(&model);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&t);
    maskdm_options_release(&s);
    maskdm_options_release(&m);
    maskdm_options_release(&n);
    ck_assert_int_eq(mdm_alloc_live(), live);
    ck_assert_uint_eq(maskdm_device_memory_used(device), 0);
    maskdm_device_release(&device);
}
END_TEST

static int run(const char *out, const char *more)
{
    char text[1024];
    maskdm_options *o;
    int status;

    snprintf(text, sizeof text, "out=%s %s%s", out, run_options, more);
    o = tiny_options("pretrain", text);
    status = tiny_train("pretrain", o, NULL);
    maskdm_options_release(&o);
    return status;
}

static long writes;

/* Of the many writes of one file, every 24th is as good as all. */
static int fail_one(void *user, const char *operation, const char *path)
{
    (void)user, (void)path;
    if (strcmp(operation, "write") == 0 && writes++ % 24)
        return 0;
    return left-- == 0 ? 5 : 0; /* EIO */
}

START_TEST(every_file_operation)
{
    const struct mdm_file_hook hook = { fail_one, NULL };
    const char *folder = tiny_folder();
    char whole[300], out[300], a[400], b[400];
    int status = MASKDM_EIO, failed = 0;
    long n = 0;

    snprintf(whole, sizeof whole, "%s/whole", folder);
    OK(run(whole, ""));
    snprintf(a, sizeof a, "%s/model.safetensors", whole);
    for (; status != MASKDM_OK || left < 0; n++) {
        long live = mdm_alloc_live();

        snprintf(out, sizeof out, "%s/%ld", folder, n);
        left = n;
        writes = 0;
        mdm_file_hook_set(&hook);
        status = run(out, "");
        mdm_file_hook_set(NULL);
        ck_assert_msg(status == MASKDM_OK || status == MASKDM_EIO || status == MASKDM_ENOTFOUND,
                      "file operation %ld: %s", n, maskdm_last_error());
        failed += status != MASKDM_OK;
        ck_assert_int_eq(mdm_alloc_live(), live);
        OK(run(out, "resume=true"));
        snprintf(b, sizeof b, "%s/model.safetensors", out);
        ck_assert_msg(tiny_same_files(a, b), "file operation %ld: the run ends elsewhere", n);
    }
    ck_assert_int_gt(failed, 30);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refuse");
    TCase *tests = tcase_create("refuse");

    tcase_add_test(tests, every_allocation);
    tcase_add_test(tests, every_file_operation);
    tcase_set_timeout(tests, 100);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
