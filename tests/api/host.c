/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hosts of unusual habits: one that traps floating-point exceptions on all its threads, as some simulators do, and
 * one whose threads have small stacks. Training, EMA, guided sampling by every sampler, files, and images read and
 * resized work there on each instruction set.
 */
#define _GNU_SOURCE /* feenableexcept */
#include "rig.h"

#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { TRAPS = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW };

static char folder[32];

static const char *path_to(const char *name)
{
    static char path[96];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Of two sizes, so that one is resized up and one down. */
static void make_pictures(void)
{
    enum { MOST = 21 };
    unsigned char pixel[MOST * MOST * RIG_CHANNELS];
    char name[32];

    for (int k = 0; k < 6; k++) {
        int side = k % 2 ? MOST : 5;
        maskdm_image *m;

        for (int i = 0; i < side * side * RIG_CHANNELS; i++)
            pixel[i] = (unsigned char)(k == 0 ? 0 : k == 1 ? 255 : k * 40 + i);
        MUST(maskdm_image_create(&m, side, side, RIG_CHANNELS, MASKDM_SAMPLE_U8, pixel, 0));
        snprintf(name, sizeof name, "%d.png", k);
        MUST(maskdm_image_write_png(m, path_to(name), 8));
        maskdm_image_release(&m);
    }
}

static void train(maskdm_device *dev, const char *prediction, const char *schedule)
{
    char text[96];
    maskdm_options *fo = rig_options("folder", "image_size=8 loaders=2 cache_limit=0");
    maskdm_options *no = rig_options("uvit", RIG_NETWORK " classes=3"), *so;
    maskdm_data *data = rig_data(dev), *pictures;
    maskdm_scheduler *scheduler;
    maskdm_model *model;
    maskdm_trainer *tr;

    snprintf(text, sizeof text, "timesteps=40 prediction=%s schedule=%s", prediction, schedule);
    so = rig_options("scheduler", text);
    MUST(maskdm_scheduler_create(&scheduler, so));
    MUST(maskdm_model_create(&model, dev, "uvit", no, scheduler, 3));
    MUST(maskdm_data_open_folder(&pictures, dev, path_to("."), fo, NULL));
    tr = rig_trainer(model, "type=patch ratio=0.5", "batch_size=4 accumulate=2 seed=1", NULL);
    for (int i = 0; i < 3; i++) {
        MUST(maskdm_trainer_step(tr, data));
        MUST(maskdm_trainer_step(tr, pictures));
    }
    for (int k = 0; k < 4; k++) {
        static const char *const sampler[] = {"sampler=ddpm batch_size=4 guidance=2.5",
                                              "sampler=ddim steps=5 batch_size=4 guidance=2.5",
                                              "sampler=dpmpp steps=5 batch_size=4 guidance=2.5",
                                              "sampler=dpmpp steps=5 spacing=logsnr batch_size=4 clip=false"};
        const int32_t labels[5] = {0, 1, 2, 0, 1};
        maskdm_options *o = rig_options("sampler", sampler[k]);
        unsigned char pixel[5 * RIG_VALUES];
        maskdm_sampler *s;

        MUST(maskdm_sampler_create(&s, model, MASKDM_WEIGHTS_EMA, o, NULL));
        MUST(maskdm_sampler_run(s, 5, NULL, labels, MASKDM_SAMPLE_U8, pixel, 0, 0));
        maskdm_sampler_release(&s);
        maskdm_options_release(&o);
    }
    maskdm_trainer_release(&tr);
    MUST(maskdm_model_save(model, path_to("model.safetensors")));
    maskdm_model_release(&model);
    maskdm_data_release(&pictures);
    maskdm_data_release(&data);
    maskdm_scheduler_release(&scheduler);
    maskdm_options_release(&so);
    maskdm_options_release(&no);
    maskdm_options_release(&fo);
}

static void begin(void)
{
    strcpy(folder, "host_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    make_pictures();
}

static void end(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -rf ./%s", folder);
    ck_assert_int_eq(system(command), 0);
}

static const char *const devices[] = {"threads=1", "threads=3", "threads=3 instruction_set=c"};

START_TEST(nothing_is_trapped)
{
    if (feenableexcept(TRAPS) == -1)
        return; /* a processor without traps */
    begin();
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        maskdm_device *dev = rig_device(devices[i]);

        train(dev, "noise", "linear");
        train(dev, "x0", "cosine");
        train(dev, "v", "shifted_cosine");
        maskdm_device_release(&dev);
    }
    ck_assert_int_eq(fegetexcept() & TRAPS, TRAPS);
    (void)fedisableexcept(TRAPS);
    end();
}
END_TEST

#if defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#    define SANITIZED 1
#  endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(SANITIZED)
enum { STACK = 1 << 20 }; /* theirs, for the most part */
#else
enum { STACK = 64 << 10 };
#endif

static void *train_there(void *arg)
{
    maskdm_device *dev = rig_device(arg);

    train(dev, "v", "cosine");
    maskdm_device_release(&dev);
    return NULL;
}

START_TEST(a_small_stack_is_enough)
{
    pthread_attr_t a;
    pthread_t t;

    begin();
    ck_assert_int_eq(pthread_attr_init(&a), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&a, STACK), 0);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        int reason = pthread_create(&t, &a, train_there, (void *)(uintptr_t)devices[i]);

        if (reason == EINVAL)
            break; /* what the program itself links keeps more for each thread: OpenBLAS, in a static build */
        ck_assert_int_eq(reason, 0);
        ck_assert_int_eq(pthread_join(t, NULL), 0);
    }
    pthread_attr_destroy(&a);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {nothing_is_trapped, a_small_stack_is_enough};

    return rig_run("host", tests, sizeof tests / sizeof *tests);
}
