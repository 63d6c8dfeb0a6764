/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two host threads train and sample at once, on one shared device and on a device each: every bit is as if one had
 * come after the other.
 */
#include "rig.h"

#include <pthread.h>

enum { STEPS = 4 };

struct job {
    maskdm_device *dev; /* shared, or NULL: one of its own */
    const char *settings;
    uint64_t weights, pictures;
};

static void *work(void *arg)
{
    struct job *j = arg;
    maskdm_device *dev = j->dev ? j->dev : rig_device("threads=2");
    maskdm_model *model = rig_model(dev, RIG_NETWORK), *trained;
    maskdm_data *data = rig_data(dev);
    maskdm_trainer *t = rig_trainer(model, "type=block ratio=0.5", j->settings, NULL);

    maskdm_model_release(&model);
    for (int i = 0; i < STEPS; i++)
        MUST(maskdm_trainer_step(t, data));
    MUST(maskdm_trainer_model(&trained, t));
    j->weights = rig_model_hash(trained);
    j->pictures = rig_sample_hash(trained, NULL);
    maskdm_model_release(&trained);
    maskdm_trainer_release(&t);
    maskdm_data_release(&data);
    if (!j->dev)
        maskdm_device_release(&dev);
    return NULL;
}

static const char *const settings[2] = {"batch_size=8 seed=5", "batch_size=6 accumulate=2 seed=6"};
static uint64_t weights[2], pictures[2];

static void one_after_the_other(void)
{
    for (int i = 0; i < 2; i++) {
        struct job j = {.settings = settings[i]};

        work(&j);
        weights[i] = j.weights;
        pictures[i] = j.pictures;
    }
    ck_assert(weights[0] != weights[1] && pictures[0] != pictures[1]);
}

static void both_at_once(maskdm_device *dev)
{
    struct job j[2] = {{.dev = dev, .settings = settings[0]}, {.dev = dev, .settings = settings[1]}};
    pthread_t thread[2];

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, work, &j[i]), 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(j[i].weights == weights[i], "trainer %d got other weights beside another", i);
        ck_assert_msg(j[i].pictures == pictures[i], "sampler %d got other pictures beside another", i);
    }
}

START_TEST(test_shared_device)
{
    maskdm_device *dev = rig_device("threads=2");

    one_after_the_other();
    for (int i = 0; i < 5; i++)
        both_at_once(dev);
    ck_assert_uint_eq(maskdm_device_memory_used(dev), 0);
    maskdm_device_release(&dev);
}
END_TEST

START_TEST(test_two_devices)
{
    one_after_the_other();
    for (int i = 0; i < 5; i++)
        both_at_once(NULL);
}
END_TEST

/* One model, trained and sampled from by two threads at once: it is immutable while shared. */
static void *sample_shared(void *arg)
{
    maskdm_model *m = arg;
    uint64_t *h = malloc(sizeof *h);

    ck_assert_ptr_nonnull(h);
    *h = rig_sample_hash(m, NULL);
    return h;
}

START_TEST(test_shared_model)
{
    maskdm_device *dev = rig_device("threads=2");
    maskdm_model *m = rig_model(dev, RIG_NETWORK);
    uint64_t alone = rig_sample_hash(m, NULL);
    pthread_t thread[2];

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, sample_shared, m), 0);
    for (int i = 0; i < 2; i++) {
        void *h;
        ck_assert_int_eq(pthread_join(thread[i], &h), 0);
        ck_assert_uint_eq(*(uint64_t *)h, alone);
        free(h);
    }
    maskdm_model_release(&m);
    maskdm_device_release(&dev);
}
END_TEST

int main(void)
{
    const TTest *test[] = {test_shared_device, test_two_devices, test_shared_model};

    return rig_run("threads", test, sizeof test / sizeof *test);
}
