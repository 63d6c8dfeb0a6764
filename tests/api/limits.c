/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The memory limit of a device: what would exceed it is refused with the wanted and the allowed bytes before
 * anything is taken, and what was estimated is what is taken.
 */
#include "rig.h"

#include <stdio.h>
#include <unistd.h>

enum { BATCH = 8 };

/* Large enough that the few bytes of a mask or of step numbers are nothing beside it. */
static const char network[] = "image_size=32 patch_size=4 dim=64 depth=5 heads=2";

static size_t estimate(maskdm_device *dev, int train, int64_t batch, int64_t visible)
{
    maskdm_options *o = rig_options("uvit", network);
    size_t bytes;

    MUST(maskdm_model_estimate(&bytes, dev, "uvit", o, train, batch, visible));
    maskdm_options_release(&o);
    return bytes;
}

static int try_trainer(maskdm_trainer **t, maskdm_model *m, int64_t batch)
{
    maskdm_options *o = rig_options("trainer", "");
    maskdm_optimizer *optimizer;
    int status;

    MUST(maskdm_options_set_int(o, "batch_size", batch));
    MUST(maskdm_optimizer_create(&optimizer, NULL, NULL));
    status = maskdm_trainer_create(t, m, NULL, optimizer, o, NULL);
    maskdm_optimizer_release(&optimizer);
    maskdm_options_release(&o);
    return status;
}

static void limit(maskdm_device **dev, size_t bytes)
{
    maskdm_options *o = rig_options("device", "threads=2");

    MUST(maskdm_options_set_int(o, "memory_limit", (int64_t)bytes));
    MUST(maskdm_device_open(dev, "cpu", o));
    ck_assert_uint_eq(maskdm_device_memory_limit(*dev), bytes);
    maskdm_options_release(&o);
}

static void expect_refusal(const maskdm_device *dev, int status, size_t allowed, size_t before)
{
    char number[32];

    ck_assert_msg(status == MASKDM_ENOMEM, "%s: %s", maskdm_status_name(status), maskdm_last_error());
    snprintf(number, sizeof number, "%zu", allowed);
    ck_assert_msg(strstr(maskdm_last_error(), number) != NULL, "no %s in: %s", number, maskdm_last_error());
    ck_assert_uint_eq(maskdm_device_memory_used(dev), before);
    ck_assert_uint_eq(maskdm_device_memory_peak(dev), before);
}

/* As a limit the estimate suffices: for a trainer beside its model, whether that is fresh or a trained file, and for
 * a sampler with a trained file, all of it. */
START_TEST(test_estimate_suffices)
{
    static const char labelled[] = "image_size=16 patch_size=4 dim=64 depth=5 heads=2 classes=3";
    char path[] = "/tmp/maskdm-trained-XXXXXX", drawn[sizeof path + 4], job[160];
    static const char *const samplers[] = {"sampler=ddim steps=2 batch_size=8 guidance=3",
                                           "sampler=ddpm batch_size=8", "sampler=dpmpp steps=3 batch_size=8",
                                           "sampler=heun steps=3 batch_size=8",
                                           "sampler=unipc order=3 steps=4 batch_size=8 guidance=3"};
    static const int32_t labels[BATCH] = {0, 1, 2, 0, 1, 2, -1, 0};
    static float pixel[BATCH * 16 * 16 * 3];
    maskdm_device *dev = rig_device("threads=2");
    maskdm_model *m = rig_model(dev, labelled), *trained;
    maskdm_trainer *t = rig_trainer(m, "", "batch_size=2", NULL);
    maskdm_options *o = rig_options("uvit", labelled);
    size_t set, train, sample;

    MUST(maskdm_model_estimate(&train, dev, "uvit", o, 1, BATCH, 0));
    MUST(maskdm_model_estimate(&sample, dev, "uvit", o, 0, BATCH, 0));
    MUST(maskdm_trainer_model(&trained, t));
    ck_assert_int_eq(close(mkstemp(path)), 0);
    MUST(maskdm_model_save(trained, path));
    maskdm_model_release(&trained);
    maskdm_trainer_release(&t);
    set = maskdm_device_memory_used(dev);
    maskdm_model_release(&m);
    maskdm_device_release(&dev);

    for (int kind = 0; kind < 3; kind++) {
        limit(&dev, train + (kind ? set : 2 * set));
        if (kind == 0)
            MUST(maskdm_model_load(&m, dev, path));
        else if (kind == 1)
            MUST(maskdm_model_load_one(&m, dev, path, MASKDM_WEIGHTS_ONLINE));
        else
            m = rig_model(dev, labelled);
        ck_assert_uint_eq(maskdm_device_memory_used(dev), kind ? set : 2 * set);
        MUST(try_trainer(&t, m, BATCH));
        ck_assert_uint_eq(maskdm_device_memory_used(dev), maskdm_device_memory_limit(dev));
        maskdm_trainer_release(&t);
        maskdm_model_release(&m);
        maskdm_device_release(&dev);
    }

    for (size_t i = 0; i < sizeof samplers / sizeof *samplers; i++) {
        maskdm_options *so = rig_options("sampler", samplers[i]);
        maskdm_sampler *s;

        limit(&dev, sample);
        MUST(maskdm_model_load(&m, dev, path));
        MUST(maskdm_sampler_create(&s, m, MASKDM_WEIGHTS_EMA, so, NULL));
        MUST(maskdm_sampler_run(s, BATCH, NULL, labels, MASKDM_SAMPLE_FLOAT, pixel, 0, 0));
        /* UniPC of order 3 looks back at four images, others at two, one or none. */
        ck_assert_uint_ge(maskdm_device_memory_peak(dev), sample - (i == 4 ? 0 : 4 * sizeof pixel));
        maskdm_sampler_release(&s);
        maskdm_model_release(&m);
        maskdm_device_release(&dev);
        maskdm_options_release(&so);
    }
    maskdm_options_release(&o);

    /* The program samples from one set, and loads no other. */
    snprintf(drawn, sizeof drawn, "%s.png", path);
    snprintf(job, sizeof job, "model=%s out=%s count=8 batch_size=8 steps=2 threads=1", path, drawn);
    o = rig_options("sample", job);
    MUST(maskdm_options_set_int(o, "memory_limit", (int64_t)(sample - set)));
    MUST(maskdm_sample(o, NULL));
    maskdm_options_release(&o);
    remove(drawn);
    remove(path);
}
END_TEST

/* The line begins with what was wanted: "12 bytes for ...". */
static size_t wanted_bytes(void)
{
    char *end;
    unsigned long long wanted = strtoull(maskdm_last_error(), &end, 10);

    ck_assert_msg(strncmp(end, " bytes for ", 11) == 0, "no wanted bytes in: %s", maskdm_last_error());
    return (size_t)wanted;
}

START_TEST(test_estimate_is_the_peak)
{
    for (int masked = 0; masked < 2; masked++) {
        maskdm_device *dev = rig_device("threads=2");
        size_t want = estimate(dev, 1, BATCH, masked ? 16 : 0), model, peak;
        maskdm_model *m = rig_model(dev, network);
        maskdm_trainer *t;
        char settings[64];

        model = maskdm_device_memory_used(dev);
        snprintf(settings, sizeof settings, "batch_size=%d", BATCH);
        t = rig_trainer(m, masked ? "type=patch ratio=0.75" : "", settings, NULL);
        ck_assert_int_eq(maskdm_trainer_visible(t), masked ? 16 : 64);
        peak = maskdm_device_memory_peak(dev) - model;
        ck_assert_msg(peak <= want * 1.05 && peak >= want * 0.95, "estimated %zu bytes, took %zu", want, peak);
        maskdm_trainer_release(&t);
        ck_assert_uint_eq(maskdm_device_memory_used(dev), model);
        maskdm_model_release(&m);
        ck_assert_uint_eq(maskdm_device_memory_used(dev), 0);
        maskdm_device_release(&dev);
    }
}
END_TEST

/* What the trainer's own step takes is there before the step. */
START_TEST(test_steps_take_no_more)
{
    maskdm_device *dev = rig_device("threads=2");
    maskdm_model *m = rig_model(dev, RIG_NETWORK);
    maskdm_data *data = rig_data(dev);
    maskdm_trainer *t = rig_trainer(m, "type=block ratio=0.5", "batch_size=4", NULL);
    size_t used = maskdm_device_memory_used(dev);

    for (int i = 0; i < 3; i++)
        MUST(maskdm_trainer_step(t, data));
    ck_assert_uint_eq(maskdm_device_memory_used(dev), used);
    ck_assert_uint_eq(maskdm_device_memory_peak(dev), used);
    maskdm_trainer_release(&t);
    maskdm_data_release(&data);
    maskdm_model_release(&m);
    maskdm_device_release(&dev);
}
END_TEST

START_TEST(test_refused_before_anything_is_taken)
{
    maskdm_device *dev = rig_device("threads=2");
    maskdm_model *m = rig_model(dev, network);
    size_t model = maskdm_device_memory_used(dev), wanted;
    maskdm_options *o = rig_options("uvit", network);
    maskdm_scheduler *s;
    maskdm_trainer *t;

    maskdm_model_release(&m);
    maskdm_device_release(&dev);

    /* the model itself */
    limit(&dev, model - 1);
    MUST(maskdm_scheduler_create(&s, NULL));
    expect_refusal(dev, maskdm_model_create(&m, dev, "uvit", o, s, 1), model - 1, 0);
    ck_assert_ptr_null(m);
    ck_assert_uint_eq(wanted_bytes(), model);
    maskdm_device_release(&dev);

    /* a trainer, by as little as one byte */
    limit(&dev, model + 1000);
    MUST(maskdm_model_create(&m, dev, "uvit", o, s, 1));
    expect_refusal(dev, try_trainer(&t, m, BATCH), model + 1000, model);
    ck_assert_ptr_null(t);
    wanted = wanted_bytes();
    maskdm_model_release(&m);
    maskdm_device_release(&dev);
    limit(&dev, model + wanted - 1);
    MUST(maskdm_model_create(&m, dev, "uvit", o, s, 1));
    expect_refusal(dev, try_trainer(&t, m, BATCH), model + wanted - 1, model);
    MUST(try_trainer(&t, m, BATCH - 1)); /* the model can still be used */
    maskdm_trainer_release(&t);
    maskdm_model_release(&m);
    maskdm_device_release(&dev);
    limit(&dev, model + wanted);
    MUST(maskdm_model_create(&m, dev, "uvit", o, s, 1));
    MUST(try_trainer(&t, m, BATCH));
    maskdm_trainer_release(&t);
    maskdm_model_release(&m);
    maskdm_device_release(&dev);
    maskdm_scheduler_release(&s);
    maskdm_options_release(&o);
}
END_TEST

START_TEST(test_sampler_estimate)
{
    maskdm_device *dev = rig_device("threads=2");
    size_t want = estimate(dev, 0, 16, 0), model, peak;
    maskdm_model *m = rig_model(dev, network);
    maskdm_options *o = rig_options("sampler", "sampler=unipc order=3 steps=2 batch_size=16");
    static float pixel[16 * 32 * 32 * 3];
    maskdm_sampler *s;

    model = maskdm_device_memory_used(dev);
    MUST(maskdm_sampler_create(&s, m, MASKDM_WEIGHTS_EMA, o, NULL));
    MUST(maskdm_sampler_run(s, 16, NULL, NULL, MASKDM_SAMPLE_FLOAT, pixel, 0, 0));
    peak = maskdm_device_memory_peak(dev) + model; /* a trained file has two sets of weights, this model one */
    ck_assert_msg(peak <= want * 1.05 && peak >= want * 0.95, "estimated %zu bytes, took %zu", want, peak);
    maskdm_sampler_release(&s);
    ck_assert_uint_eq(maskdm_device_memory_used(dev), model);
    maskdm_options_release(&o);
    maskdm_model_release(&m);
    maskdm_device_release(&dev);
}
END_TEST

int main(void)
{
    const TTest *test[] = {test_estimate_is_the_peak, test_estimate_suffices, test_steps_take_no_more,
                           test_refused_before_anything_is_taken, test_sampler_estimate};

    return rig_run("limits", test, sizeof test / sizeof *test);
}
