/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every allocation, and every file operation, refused in turn: a clean error, nothing leaked, and a run that goes on
 * afterwards as if nothing had happened.
 */
#include "tiny.h"

#include "util/alloc.h"
#include "util/file.h"

static const char run_options[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 mask=patch "
                                  "mask_ratio=0.5 batch_size=8 seed=3 threads=1 ema_start=2 log_every=2 steps=3 "
                                  "save_every=2 ";

static long left;
static const unsigned char black[64 * VALUES];

static int refuse_one(void *user, size_t bytes)
{
    (void)user, (void)bytes;
    return left-- == 0;
}

static const struct maskdm_alloc_hook refusing = { refuse_one, NULL };

/* Everything between opening the device and closing it. Statuses are all of it: objects stay NULL on failure. */
static int use_everything(maskdm_device *device, const char *path)
{
    maskdm_options *n = NULL, *m = NULL, *s = NULL;
    maskdm_scheduler *scheduler = NULL;
    maskdm_model *model = NULL, *trained = NULL, *back = NULL;
    maskdm_mask *mask = NULL;
    maskdm_optimizer *optimizer = NULL;
    maskdm_trainer *trainer = NULL;
    maskdm_sampler *sampler = NULL;
    maskdm_data *data = NULL;
    unsigned char pixels[2 * VALUES];
    double loss, bucket[3];
    char state[310];
    int status;

    snprintf(state, sizeof state, "%s.state", path);
#define NEXT(call)                                                                                          \
    if (status == MASKDM_OK)                                                                                \
    status = (call)
    status = maskdm_options_create(&n, "uvit");
    NEXT(maskdm_options_parse(n, "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=5"));
    NEXT(maskdm_options_create(&m, "mask"));
    NEXT(maskdm_options_parse(m, "type=block ratio=0.5"));
    NEXT(maskdm_options_create(&s, "sampler"));
    NEXT(maskdm_options_parse(s, "sampler=ddim steps=2"));
    NEXT(maskdm_scheduler_create(&scheduler, NULL));
    NEXT(maskdm_model_create(&model, device, "uvit", n, scheduler, 1));
    NEXT(maskdm_mask_create(&mask, m));
    NEXT(maskdm_optimizer_create(&optimizer, NULL, NULL));
    NEXT(maskdm_trainer_create(&trainer, model, mask, optimizer, NULL, NULL));
    NEXT(maskdm_data_create_memory(&data, device, 64, SIDE, SIDE, 3, MASKDM_SAMPLE_U8, black, 0, 0,
                                   NULL));
    NEXT(maskdm_trainer_step(trainer, data));
    NEXT(maskdm_trainer_validate(trainer, data, 3, MASKDM_WEIGHTS_EMA, &loss, bucket, 3));
    NEXT(maskdm_trainer_save(trainer, state));
    NEXT(maskdm_trainer_load(trainer, state));
    NEXT(maskdm_trainer_step(trainer, data));
    NEXT(maskdm_trainer_model(trainer, &trained));
    NEXT(maskdm_model_save(trained, path));
    NEXT(maskdm_model_load(&back, device, path));
    NEXT(maskdm_sampler_create(&sampler, back, MASKDM_WEIGHTS_EMA, s, NULL));
    NEXT(maskdm_sampler_run(sampler, 2, NULL, NULL, MASKDM_SAMPLE_U8, pixels, 0, 0));
#undef NEXT
    maskdm_sampler_release(&sampler);
    maskdm_data_release(&data);
    maskdm_trainer_release(&trainer);
    maskdm_optimizer_release(&optimizer);
    maskdm_mask_release(&mask);
    maskdm_model_release(&back);
    maskdm_model_release(&trained);
    maskdm_model_release(&model);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&s);
    maskdm_options_release(&m);
    maskdm_options_release(&n);
    return status;
}

START_TEST(every_allocation)
{
    maskdm_device *device = tiny_device("threads=1");
    long live = maskdm_alloc_live();
    char path[300];
    int status = MASKDM_ENOMEM;
    long n = 0;

    snprintf(path, sizeof path, "%s/model", tiny_folder());
    for (; status != MASKDM_OK; n++) {
        left = n;
        maskdm_alloc_hook_set(&refusing);
        status = use_everything(device, path);
        maskdm_alloc_hook_set(NULL);
        ck_assert_msg(status == MASKDM_OK || status == MASKDM_ENOMEM, "refusing allocation %ld: %s", n,
                      maskdm_last_error());
        ck_assert_msg(status == MASKDM_OK || strstr(maskdm_last_error(), "bytes"), "\"%s\" names no bytes",
                      maskdm_last_error());
        ck_assert_msg(maskdm_alloc_live() == live, "allocation %ld refused: %ld blocks leaked", n,
                      maskdm_alloc_live() - live);
        ck_assert_uint_eq(maskdm_device_memory_used(device), 0);
    }
    ck_assert_int_gt(n, 300);
    maskdm_device_release(&device);
}
END_TEST

static int run(const char *out, const char *more)
{
    char text[1024];
    maskdm_options *o;
    maskdm_device *device = tiny_device("threads=1");
    maskdm_data *data;
    int status;

    tiny_draw_images();
    snprintf(text, sizeof text, "out=%s %s%s", out, run_options, more);
    o = tiny_options("pretrain", text);
    OK(maskdm_data_create_memory(&data, device, COUNT, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images, 0, 0, NULL));
    status = maskdm_pretrain(NULL, o, data, NULL, NULL);
    maskdm_data_release(&data);
    maskdm_device_release(&device);
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
    const struct maskdm_file_hook hook = { fail_one, NULL };
    const char *folder = tiny_folder();
    char whole[300], out[300], a[400], b[400];
    int status = MASKDM_EIO, failed = 0;
    long n = 0;

    snprintf(whole, sizeof whole, "%s/whole", folder);
    OK(run(whole, ""));
    snprintf(a, sizeof a, "%s/model.safetensors", whole);
    for (; status != MASKDM_OK || left < 0; n++) {
        long live = maskdm_alloc_live();

        snprintf(out, sizeof out, "%s/%ld", folder, n);
        left = n;
        writes = 0;
        maskdm_file_hook_set(&hook);
        status = run(out, "");
        maskdm_file_hook_set(NULL);
        ck_assert_msg(status == MASKDM_OK || status == MASKDM_EIO || status == MASKDM_ENOTFOUND,
                      "file operation %ld: %s", n, maskdm_last_error());
        failed += status != MASKDM_OK;
        ck_assert_int_eq(maskdm_alloc_live(), live);
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
