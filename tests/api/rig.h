/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of the public calls train: a network of a few thousand weights on made-up pictures of 8 x 8.
 */
#ifndef MASKDM_TESTS_API_RIG_H
#define MASKDM_TESTS_API_RIG_H

#include <maskdm/maskdm.h>

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MUST(call)                                                                                                  \
    do {                                                                                                            \
        int must_ = (int)(call);                                                                                    \
        ck_assert_msg(must_ >= 0, "%s: %s: %s", #call, maskdm_status_name(must_), maskdm_last_error());             \
    } while (0)

#define RIG_NETWORK "image_size=8 patch_size=2 channels=3 dim=16 depth=3 heads=2"

enum { RIG_IMAGES = 12, RIG_SIDE = 8, RIG_CHANNELS = 3, RIG_VALUES = RIG_SIDE * RIG_SIDE * RIG_CHANNELS };

static inline maskdm_options *rig_options(const char *kind, const char *text)
{
    maskdm_options *o;

    MUST(maskdm_options_create(&o, kind));
    MUST(maskdm_options_parse(o, text));
    return o;
}

static inline maskdm_device *rig_device(const char *text)
{
    maskdm_options *o = rig_options("device", text);
    maskdm_device *d;

    MUST(maskdm_device_open(&d, "cpu", o));
    maskdm_options_release(&o);
    return d;
}

static inline maskdm_sampler *rig_sampler(maskdm_model *model, const char *text)
{
    maskdm_options *o = rig_options("sampler", text);
    maskdm_sampler *s;

    MUST(maskdm_sampler_create(&s, model, MASKDM_WEIGHTS_EMA, o, NULL));
    maskdm_options_release(&o);
    return s;
}

static inline maskdm_model *rig_model(maskdm_device *dev, const char *network)
{
    maskdm_options *o = rig_options("uvit", network), *so = rig_options("scheduler", "timesteps=20 prediction=x0");
    maskdm_scheduler *s;
    maskdm_model *m;

    MUST(maskdm_scheduler_create(&s, so));
    MUST(maskdm_model_create(&m, dev, "uvit", o, s, 3));
    maskdm_scheduler_release(&s);
    maskdm_options_release(&so);
    maskdm_options_release(&o);
    return m;
}

static inline int rig_fetch(void *user, int64_t index, float *image, int32_t *label)
{
    (void)user;
    *label = -1;
    for (int i = 0; i < RIG_VALUES; i++)
        image[i] = (float)((i * 7 + index * 31) % 256) / 255;
    return 0;
}

static inline maskdm_data *rig_data(maskdm_device *dev)
{
    maskdm_data *d;

    MUST(maskdm_data_create_callback(&d, dev, RIG_IMAGES, RIG_SIDE, RIG_SIDE, RIG_CHANNELS, rig_fetch, NULL, NULL));
    return d;
}

/* A trainer is all that its making needs: the other handles are let go. */
static inline maskdm_trainer *rig_trainer(maskdm_model *model, const char *mask, const char *settings,
                                          maskdm_control *control)
{
    maskdm_options *mo = rig_options("mask", mask), *to = rig_options("trainer", settings);
    maskdm_options *eo = rig_options("ema", "start=1");
    maskdm_optimizer *optimizer;
    maskdm_trainer *t;
    maskdm_mask *m;

    MUST(maskdm_mask_create(&m, mo));
    MUST(maskdm_optimizer_create(&optimizer, NULL, eo));
    MUST(maskdm_trainer_create(&t, model, m, optimizer, to, control));
    maskdm_optimizer_release(&optimizer);
    maskdm_mask_release(&m);
    maskdm_options_release(&eo);
    maskdm_options_release(&to);
    maskdm_options_release(&mo);
    return t;
}

/* One number for the bits of all of a model's weights (FNV-1a). */
static inline uint64_t rig_hash(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 1099511628211u;
    return h;
}

static inline uint64_t rig_model_hash(const maskdm_model *m)
{
    uint64_t h = 1469598103934665603u;
    size_t bytes = (size_t)maskdm_model_parameter_elements(m) * sizeof(float);
    float *value = malloc(bytes);

    ck_assert_ptr_nonnull(value);
    for (int which = MASKDM_WEIGHTS_EMA; which <= MASKDM_WEIGHTS_ONLINE; which++)
        for (int64_t i = 0; i < maskdm_model_parameter_count(m); i++) {
            int64_t shape[8], n = 1;
            int rank = maskdm_model_parameter_shape(m, i, shape, 8);
            for (int k = 0; k < rank; k++)
                n *= shape[k];
            MUST(maskdm_model_get_parameter(m, which, i, value, n));
            h = rig_hash(h, value, (size_t)n * sizeof *value);
        }
    free(value);
    return h;
}

static inline uint64_t rig_trainer_hash(maskdm_trainer *t)
{
    maskdm_model *m;
    uint64_t h;

    MUST(maskdm_trainer_model(&m, t));
    h = rig_model_hash(m);
    maskdm_model_release(&m);
    return h;
}

/* Eight pictures of the model. */
static inline uint64_t rig_sample_hash(maskdm_model *m, maskdm_control *control)
{
    maskdm_options *o = rig_options("sampler", "sampler=ddim steps=3 batch_size=4");
    unsigned char pixel[8 * RIG_VALUES];
    maskdm_sampler *s;

    MUST(maskdm_sampler_create(&s, m, MASKDM_WEIGHTS_EMA, o, control));
    MUST(maskdm_sampler_run(s, 8, NULL, NULL, MASKDM_SAMPLE_U8, pixel, 0, 0));
    maskdm_sampler_release(&s);
    maskdm_options_release(&o);
    return rig_hash(1469598103934665603u, pixel, sizeof pixel);
}

static inline int rig_run(const char *name, const TTest *const *test, size_t count)
{
    Suite *s = suite_create(name);
    TCase *c = tcase_create(name);
    SRunner *r = srunner_create(s);
    int failed;

    srunner_set_fork_status(r, CK_NOFORK);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(c, test[i]);
    suite_add_tcase(s, c);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

#endif
