/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Callbacks that come back in. Each callback of each call does each thing that it can think of to the handles at
 * work: it releases them, one or all, and uses them again, itself or through another thread. The call gives what it
 * gives undisturbed, a second use of what is at work is refused, and in the end nothing is left over.
 */
#include "rig.h"

#include "base/alloc.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 4 };

/* In front of the C library's: hundreds of runs end here, none of which has to outlive a power cut. */
int fsync(int fd)
{
    (void)fd;
    return 0;
}

/* Handles, as bits. */
enum {
    DEVICE = 1,
    MODEL = 2,
    MASK = 4,
    OPTIMIZER = 8,
    TRAINER = 16,
    SAMPLER = 32,
    DATA = 64,
    CONTROL = 128,
    OPTIONS = 256,
    UNBOUND = 512
};

static struct {
    maskdm_device *device;
    maskdm_scheduler *scheduler;
    maskdm_model *model, *made;
    maskdm_mask *mask;
    maskdm_optimizer *optimizer, *unbound;
    maskdm_trainer *trainer, *second;
    maskdm_sampler *sampler;
    maskdm_data *data, *folder;
    maskdm_control *control;
    maskdm_options *options; /* of the job, or of the folder */
    maskdm_options *few;     /* of a trainer */
} h;

static char root[64], file[128];
static void *model_bytes;
static size_t model_size;
static unsigned char pixel[BATCH * RIG_VALUES];
static float floats[BATCH * RIG_VALUES], more[BATCH * RIG_VALUES], fetched[RIG_VALUES];
static int32_t indices[BATCH * 16], label;
static double times[BATCH], loss;

/* ---- what a callback does ---- */

static int step_again(void)
{
    return maskdm_trainer_step(h.trainer, h.data);
}

static int draw_again(void)
{
    return maskdm_trainer_draw(h.trainer, h.data, 0);
}

static int forward_again(void)
{
    return maskdm_trainer_forward(h.trainer);
}

static int backward_again(void)
{
    return maskdm_trainer_backward(h.trainer, NULL);
}

static int validate_again(void)
{
    return maskdm_trainer_validate(h.trainer, h.data, 2, MASKDM_WEIGHTS_EMA, &loss, NULL, 0);
}

static int save_again(void)
{
    return maskdm_trainer_save(h.trainer, file);
}

static int load_again(void)
{
    return maskdm_trainer_load(h.trainer, file);
}

static int copy_again(void)
{
    maskdm_model *m;
    int status = maskdm_trainer_model(&m, h.trainer);

    maskdm_model_release(&m);
    return status;
}

static int optimize_again(void)
{
    return maskdm_optimizer_step(h.optimizer);
}

static int average_again(void)
{
    return maskdm_optimizer_update_ema(h.optimizer);
}

static int bind_again(void)
{
    maskdm_trainer *t;
    int status = maskdm_trainer_create(&t, h.model, NULL, h.unbound, h.few, NULL);

    maskdm_trainer_release(&t);
    return status;
}

static int sample_again(void)
{
    return maskdm_sampler_run(h.sampler, 1, NULL, NULL, MASKDM_SAMPLE_U8, pixel, 0, 0);
}

static int sample_from_again(void)
{
    return maskdm_sampler_run_from(h.sampler, 1, more, NULL, NULL);
}

static int get_again(void)
{
    return maskdm_data_get(h.data, 0, fetched, &label);
}

static int batch_again(void)
{
    return maskdm_data_batch(h.data, 1, 0, 1, 0, fetched, &label);
}

static int set_weights(void)
{
    const float *zero = calloc(1 << 16, sizeof *zero);
    int64_t shape[8], n = 1;
    int status;

    for (int d = 0, rank = maskdm_model_parameter_shape(h.model, 0, shape, 8); d < rank; d++)
        n *= shape[d];
    status = maskdm_model_set_parameter(h.model, MASKDM_WEIGHTS_EMA, 0, zero, n);
    free((void *)zero);
    return status;
}

static int set_option(void)
{
    return maskdm_options_set(h.options, "device_threads", "1") == MASKDM_EBUSY ? MASKDM_EBUSY : MASKDM_OK;
}

/* A device's threads serve one loop at a time; used from within, they are refused. */
static int predict_again(void)
{
    return maskdm_model_predict(h.model, MASKDM_WEIGHTS_EMA, 1, more, times, NULL, NULL, 0, fetched);
}

static int release_data(void)
{
    maskdm_data_release(&h.data);
    return h.data ? MASKDM_EINVAL : MASKDM_OK;
}

static int release_device(void)
{
    maskdm_device_release(&h.device);
    return h.device ? MASKDM_EINVAL : MASKDM_OK;
}

static int release_model(void)
{
    maskdm_model_release(&h.model);
    return h.model ? MASKDM_EINVAL : MASKDM_OK;
}

static int release_mask(void)
{
    maskdm_mask_release(&h.mask);
    return h.mask ? MASKDM_EINVAL : MASKDM_OK;
}

static int release_optimizer(void)
{
    maskdm_optimizer_release(&h.optimizer);
    maskdm_optimizer_release(&h.unbound);
    return h.optimizer ? MASKDM_EINVAL : MASKDM_OK;
}

static int release_trainer(void)
{
    maskdm_trainer_release(&h.trainer);
    return h.trainer ? MASKDM_EINVAL : MASKDM_OK;
}

static int release_sampler(void)
{
    maskdm_sampler_release(&h.sampler);
    return h.sampler ? MASKDM_EINVAL : MASKDM_OK;
}

static int release_control(void)
{
    maskdm_control_release(&h.control);
    return h.control ? MASKDM_EINVAL : MASKDM_OK;
}

static int release_options(void)
{
    maskdm_options_release(&h.options);
    return h.options ? MASKDM_EINVAL : MASKDM_OK;
}

static int release_all(void)
{
    release_trainer();
    release_sampler();
    release_optimizer();
    release_data();
    release_mask();
    release_model();
    maskdm_scheduler_release(&h.scheduler);
    release_control();
    release_options();
    release_device();
    return MASKDM_OK;
}

/* Facts, and what is told to stop, are there for a callback. */
static int look(void)
{
    if (maskdm_trainer_steps(h.trainer) < 0 || maskdm_data_count(h.data) != RIG_IMAGES ||
        maskdm_model_height(h.model) != RIG_SIDE || !maskdm_mask_name(h.mask) || maskdm_device_threads(h.device) < 1)
        return MASKDM_EINVAL;
    maskdm_control_set_log(h.control, NULL, NULL);
    maskdm_sampler_set_step(h.sampler, NULL, NULL);
    return MASKDM_OK;
}

static const struct act {
    const char *name;
    int (*run)(void);
    int alone, shared; /* handles that it wants */
    int computes;      /* on the device */
} acts[] = {
    {"nothing", NULL, 0, 0, 0},
    {"look", look, 0, 0, 0},
    {"release data", release_data, 0, 0, 0},
    {"release device", release_device, 0, 0, 0},
    {"release model", release_model, 0, 0, 0},
    {"release mask", release_mask, 0, 0, 0},
    {"release optimizer", release_optimizer, 0, 0, 0},
    {"release trainer", release_trainer, 0, 0, 0},
    {"release sampler", release_sampler, 0, 0, 0},
    {"release control", release_control, 0, 0, 0},
    {"release options", release_options, 0, 0, 0},
    {"release all", release_all, 0, 0, 0},
    {"step", step_again, TRAINER | OPTIMIZER | DATA, 0, 1},
    {"draw", draw_again, TRAINER | OPTIMIZER | DATA, 0, 1},
    {"forward", forward_again, TRAINER | OPTIMIZER, 0, 0},
    {"backward", backward_again, TRAINER | OPTIMIZER, 0, 0},
    {"validate", validate_again, TRAINER | OPTIMIZER | DATA, 0, 1},
    {"save", save_again, TRAINER | OPTIMIZER, 0, 0},
    {"load", load_again, TRAINER | OPTIMIZER, 0, 1},
    {"copy", copy_again, TRAINER | OPTIMIZER, 0, 0},
    {"optimize", optimize_again, TRAINER | OPTIMIZER, 0, 1},
    {"average", average_again, TRAINER | OPTIMIZER, 0, 1},
    {"bind", bind_again, UNBOUND, MODEL, 0},
    {"sample", sample_again, SAMPLER, MODEL, 1},
    {"sample from", sample_from_again, SAMPLER, MODEL, 1},
    {"get", get_again, DATA, 0, 0},
    {"batch", batch_again, DATA, 0, 0},
    {"set weights", set_weights, MODEL, 0, 0},
    {"set option", set_option, OPTIONS, 0, 0},
    {"predict", predict_again, 0, MODEL, 1},
};

/* ---- the callbacks ---- */

enum { PROGRESS, STEP, LOG, FETCH, VISIBLE, DRAW, LOOP, CALLBACKS };
static const char *const callback_name[] = {"progress", "step", "log", "fetch", "visible", "draw", "loop"};

static struct {
    int callback, armed, fired, elsewhere, result;
    const struct act *act;
    int called[CALLBACKS];
} plan;

static void *act_elsewhere(void *arg)
{
    (void)arg;
    plan.result = plan.act->run();
    return NULL;
}

static void hook(int callback)
{
    pthread_t thread;

    plan.called[callback]++;
    if (!plan.armed || plan.fired || callback != plan.callback || !plan.act->run)
        return;
    plan.fired = 1;
    if (!plan.elsewhere) {
        plan.result = plan.act->run();
        return;
    }
    ck_assert_int_eq(pthread_create(&thread, NULL, act_elsewhere, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static int progress(void *user, const struct maskdm_progress *p)
{
    (void)user;
    (void)p;
    hook(PROGRESS);
    return 0;
}

static int see_step(void *user, const struct maskdm_step *step)
{
    float sum = 0;

    (void)user;
    hook(STEP);
    for (int64_t i = 0; i < step->count * RIG_VALUES; i++)
        sum += step->x0[i] + step->x[i];
    return !(step->step <= step->steps && step->first >= 0 && sum == sum);
}

static void hear(void *user, int level, const char *line)
{
    (void)user;
    (void)level;
    hook(LOG);
    ck_assert_uint_gt(strlen(line), 0);
}

static int fetch(void *user, int64_t index, float *image, int32_t *l)
{
    hook(FETCH);
    return rig_fetch(user, index, image, l);
}

static int64_t visible(void *user, int64_t rows, int64_t columns)
{
    (void)user;
    hook(VISIBLE);
    return rows * columns / 2;
}

static int draw(void *user, uint64_t seed, int64_t rows, int64_t columns, int32_t *index)
{
    (void)user;
    hook(DRAW);
    for (int64_t i = 0; i < rows * columns / 2; i++)
        index[i] = (int32_t)(2 * i + (int64_t)(seed % 2));
    return 0;
}

static void drop(void *user)
{
    ++*(int *)user;
}

static void loop(void *user, int64_t n, void (*body)(void *arg, int64_t i, int worker), void *arg)
{
    (void)user;
    hook(LOOP);
    for (int64_t i = 0; i < n; i++)
        body(arg, i, 0);
}

/* ---- the calls ---- */

static int call_step(void)
{
    return maskdm_trainer_step(h.trainer, h.data);
}

static int call_validate(void)
{
    return maskdm_trainer_validate(h.trainer, h.data, 3, MASKDM_WEIGHTS_EMA, &loss, NULL, 0);
}

static int call_sample(void)
{
    return maskdm_sampler_run(h.sampler, BATCH, NULL, NULL, MASKDM_SAMPLE_U8, pixel, 0, 0);
}

static int call_sample_from(void)
{
    return maskdm_sampler_run_from(h.sampler, BATCH, floats, NULL, NULL);
}

static int call_get(void)
{
    return maskdm_data_get(h.data, 1, floats, &label);
}

static int call_batch(void)
{
    return maskdm_data_batch(h.data, 1, 2, BATCH, 0.5, floats, NULL);
}

static int call_draw(void)
{
    return maskdm_mask_draw(h.mask, 4, 4, 1, 0, 0, BATCH, indices);
}

static int call_create(void)
{
    return maskdm_trainer_create(&h.second, h.model, h.mask, h.unbound, h.few, h.control);
}

static int call_predict(void)
{
    return maskdm_model_predict(h.model, MASKDM_WEIGHTS_EMA, 2, more, times, NULL, NULL, 0, floats);
}

static int call_optimizer(void)
{
    MUST(maskdm_trainer_draw(h.trainer, h.data, 0));
    MUST(maskdm_trainer_forward(h.trainer));
    MUST(maskdm_trainer_loss(h.trainer, NULL));
    MUST(maskdm_trainer_backward(h.trainer, NULL));
    plan.armed = 1;
    return maskdm_optimizer_step(h.optimizer);
}

static int call_load(void)
{
    return maskdm_model_load_memory(&h.made, h.device, model_bytes, model_size);
}

static int call_folder(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/images", root);
    return maskdm_data_open_folder(&h.folder, h.device, path, h.options, h.control);
}

static int call_pretrain(void)
{
    return maskdm_pretrain(&h.made, h.options, h.data, h.mask, h.control);
}

static int call_job(void)
{
    return maskdm_sample(h.options, h.control);
}

static const struct call {
    const char *name;
    int (*run)(void);
    unsigned callbacks;
    int alone, shared;
    const char *kind, *options; /* of the handle `options`, with a path behind them */
} calls[] = {
#define ON(callback) (1u << (callback))
    {"trainer_step", call_step, ON(PROGRESS) | ON(FETCH) | ON(VISIBLE) | ON(DRAW) | ON(LOOP),
     TRAINER | OPTIMIZER | DATA, 0, NULL, NULL},
    {"trainer_validate", call_validate, ON(FETCH) | ON(LOOP), TRAINER | OPTIMIZER | DATA, 0, NULL, NULL},
    {"sampler_run", call_sample, ON(PROGRESS) | ON(STEP) | ON(LOOP), SAMPLER, MODEL, NULL, NULL},
    {"sampler_run_from", call_sample_from, ON(PROGRESS) | ON(STEP) | ON(LOOP), SAMPLER, MODEL, NULL, NULL},
    {"data_get", call_get, ON(FETCH), DATA, 0, NULL, NULL},
    {"data_batch", call_batch, ON(FETCH), DATA, 0, NULL, NULL},
    {"mask_draw", call_draw, ON(VISIBLE) | ON(DRAW), 0, MASK, NULL, NULL},
    {"trainer_create", call_create, ON(VISIBLE), UNBOUND, MODEL, NULL, NULL},
    {"model_predict", call_predict, ON(LOOP), 0, MODEL, NULL, NULL},
    {"optimizer_step", call_optimizer, ON(LOOP), OPTIMIZER | TRAINER, 0, NULL, NULL},
    {"model_load_memory", call_load, ON(LOOP), 0, DEVICE, NULL, NULL},
    {"data_open_folder", call_folder, ON(LOG), 0, DEVICE | OPTIONS, "folder", "image_size=8"},
    {"pretrain", call_pretrain, ON(PROGRESS) | ON(LOG) | ON(FETCH) | ON(VISIBLE) | ON(DRAW), DATA, MASK | OPTIONS,
     "pretrain", RIG_NETWORK " steps=1 batch_size=2 threads=1 save_every=1 out=%s/run"},
    {"sample", call_job, ON(PROGRESS), 0, OPTIONS, "sample",
     "model=%s/model count=2 steps=2 sampler=ddim threads=1 out=%s/grid.png"},
};

/* ---- one trial ---- */

static int dropped[2];

static void open_device(int callback)
{
    maskdm_options *o = rig_options("device", "threads=1");

    if (callback == LOOP)
        MUST(maskdm_device_open_hosted(&h.device, o, loop, 1, NULL));
    else
        MUST(maskdm_device_open(&h.device, "cpu", o));
    maskdm_options_release(&o);
}

static void make_handles(const struct call *c, int callback)
{
    maskdm_options *to = rig_options("trainer", "batch_size=4"), *so = rig_options("sampler", "steps=2 batch_size=2");
    char text[512];

    memset(&h, 0, sizeof h);
    memset(dropped, 0, sizeof dropped);
    open_device(callback);
    h.model = rig_model(h.device, RIG_NETWORK);
    MUST(maskdm_model_scheduler(&h.scheduler, h.model));
    MUST(maskdm_mask_create_custom(&h.mask, "half", visible, draw, drop, &dropped[0]));
    MUST(maskdm_data_create_callback(&h.data, h.device, RIG_IMAGES, RIG_SIDE, RIG_SIDE, RIG_CHANNELS, fetch, drop,
                                     &dropped[1]));
    MUST(maskdm_control_create(&h.control));
    maskdm_control_set_progress(h.control, progress, NULL);
    maskdm_control_set_log(h.control, hear, NULL);
    MUST(maskdm_optimizer_create(&h.optimizer, NULL, NULL));
    MUST(maskdm_optimizer_create(&h.unbound, NULL, NULL));
    MUST(maskdm_trainer_create(&h.trainer, h.model, h.mask, h.optimizer, to, h.control));
    MUST(maskdm_sampler_create(&h.sampler, h.model, MASKDM_WEIGHTS_EMA, so, h.control));
    maskdm_sampler_set_step(h.sampler, see_step, NULL);
    h.few = rig_options("trainer", "batch_size=2");
    if (c->kind) {
        snprintf(text, sizeof text, c->options, root, root);
        h.options = rig_options(c->kind, text);
    } else {
        h.options = rig_options("device", "");
    }
    maskdm_options_release(&to);
    maskdm_options_release(&so);
}

/* What the call has made, or changed. The trainer may be gone by then. */
static uint64_t outcome(void)
{
    uint64_t hash = 1469598103934665603u;

    hash = rig_hash(hash, pixel, sizeof pixel);
    hash = rig_hash(hash, floats, sizeof floats);
    hash = rig_hash(hash, indices, sizeof indices);
    hash = rig_hash(hash, &loss, sizeof loss);
    if (h.made)
        hash ^= rig_model_hash(h.made);
    if (h.trainer)
        hash ^= rig_trainer_hash(h.trainer);
    return hash;
}

static void drop_handles(void)
{
    release_all();
    maskdm_trainer_release(&h.second);
    maskdm_data_release(&h.folder);
    maskdm_model_release(&h.made);
    maskdm_options_release(&h.few);
}

static void clear_results(void)
{
    memset(pixel, 0, sizeof pixel);
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        floats[i] = more[i] = (float)(i % 11) / 11 - 0.5f;
    memset(indices, 0, sizeof indices);
    loss = 0;
}

static void clear_folder(void)
{
    char command[192];

    snprintf(command, sizeof command, "rm -rf ./%s/run ./%s/grid.png", root, root);
    ck_assert_int_eq(system(command), 0);
}

/* A handle at work excludes whoever wants it alone, and one that is had alone excludes everybody. */
static int expected(const struct call *c, const struct act *a, int callback)
{
    if ((a->alone & (c->alone | c->shared)) || (a->shared & c->alone))
        return MASKDM_EBUSY;
    return a->computes && callback == LOOP ? MASKDM_EBUSY : MASKDM_OK;
}

static void try_one(const struct call *c, int callback, const struct act *a, int elsewhere, uint64_t *hash)
{
    long live = mdm_alloc_live();
    int status, want = expected(c, a, callback);

    clear_results();
    if (c->kind)
        clear_folder();
    make_handles(c, callback);
    plan.callback = callback;
    plan.act = a;
    plan.elsewhere = elsewhere;
    plan.fired = plan.result = 0;
    plan.armed = c->run != call_optimizer;
    memset(plan.called, 0, sizeof plan.called);
    status = c->run();
    plan.armed = 0;
    ck_assert_msg(status >= 0, "%s, %s in %s%s: %s", c->name, a->name, callback_name[callback],
                  elsewhere ? " elsewhere" : "", maskdm_last_error());
    ck_assert_msg(plan.called[callback] > 0, "%s never called %s", c->name, callback_name[callback]);
    ck_assert_msg((plan.result == MASKDM_EBUSY) == (want == MASKDM_EBUSY), "%s, %s in %s%s answered %s: %s", c->name,
                  a->name, callback_name[callback], elsewhere ? " elsewhere" : "", maskdm_status_name(plan.result),
                  maskdm_last_error());
    *hash = outcome();
    drop_handles();
    ck_assert_int_eq(dropped[0], 1);
    ck_assert_int_eq(dropped[1], 1);
    ck_assert_msg(mdm_alloc_live() == live, "%s, %s in %s%s left %ld blocks", c->name, a->name,
                  callback_name[callback], elsewhere ? " elsewhere" : "", mdm_alloc_live() - live);
}

/* An act that is refused, or that only lets go of what the result is not read from, changes no bit. */
static int changes_nothing(const struct call *c, const struct act *a, int callback)
{
    return expected(c, a, callback) == MASKDM_EBUSY || a->run == release_data || a->run == release_device ||
           a->run == release_model || a->run == release_mask || a->run == release_optimizer ||
           a->run == release_sampler || a->run == release_control || a->run == release_options;
}

/* Acts on handles that are not at work are tried once for each callback. Jobs flush files, which takes long: they see
 * fewer acts, each once. Another thread that wants the device would wait for the loop, and the loop for that thread:
 * see device.h. */
static int is_worth_while(const struct call *c, const struct act *a, int callback, int elsewhere)
{
    const int wanted = a->alone | a->shared, related = !wanted || (wanted & (c->alone | c->shared));

    if (c->kind)
        return related && !elsewhere;
    if (!related)
        return !elsewhere;
    return !(elsewhere && callback == LOOP && a->computes && !(a->alone & (c->alone | c->shared)));
}

START_TEST(test_callbacks_come_back_in)
{
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++)
        for (int callback = 0; callback < CALLBACKS; callback++) {
            uint64_t want = 0, got;

            if (!(calls[k].callbacks & ON(callback)))
                continue;
            for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
                for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
                    if (!is_worth_while(&calls[k], &acts[i], callback, elsewhere))
                        continue;
                    try_one(&calls[k], callback, &acts[i], elsewhere, &got);
                    if (i == 0)
                        want = got;
                    if (changes_nothing(&calls[k], &acts[i], callback))
                        ck_assert_msg(got == want, "%s gave something else after %s in %s", calls[k].name,
                                      acts[i].name, callback_name[callback]);
                }
        }
}
END_TEST

/* ---- what the table has not ---- */

static maskdm_data *late_data;
static maskdm_mask *late_mask;
static int late[2];

static void drop_data(void *user)
{
    (void)user;
    late[0] = maskdm_data_get(late_data, 0, fetched, &label);
    maskdm_data_release(&late_data);
}

static void drop_mask(void *user)
{
    (void)user;
    late[1] = maskdm_mask_draw(late_mask, 4, 4, 1, 0, 0, 1, indices);
    maskdm_mask_release(&late_mask);
}

/* `drop` runs while the handle goes: it is no longer there to be used, or to be released once more. */
START_TEST(test_drop_comes_back_in)
{
    maskdm_device *dev = rig_device("threads=1");
    long live = mdm_alloc_live();
    maskdm_data *d;
    maskdm_mask *m;

    MUST(maskdm_data_create_callback(&d, dev, 2, 8, 8, 3, fetch, drop_data, NULL));
    late_data = d;
    maskdm_data_release(&d);
    ck_assert_int_eq(late[0], MASKDM_EBUSY);
    MUST(maskdm_mask_create_custom(&m, "late", visible, draw, drop_mask, NULL));
    late_mask = m;
    maskdm_mask_release(&m);
    ck_assert_int_eq(late[1], MASKDM_EBUSY);
    ck_assert_int_eq(mdm_alloc_live(), live);
    maskdm_device_release(&dev);
}
END_TEST

/* A policy that changes its mind would write past the trainer's indices. */
static int64_t more_visible;

static int64_t visible_changes(void *user, int64_t rows, int64_t columns)
{
    (void)user;
    return rows * columns / 2 + more_visible;
}

START_TEST(test_mask_that_changes_its_mind)
{
    maskdm_device *dev = rig_device("threads=1");
    maskdm_model *model = rig_model(dev, RIG_NETWORK);
    maskdm_data *d = rig_data(dev);
    maskdm_options *o = rig_options("trainer", "batch_size=2");
    maskdm_optimizer *optimizer;
    maskdm_trainer *t;
    maskdm_mask *m;

    more_visible = 0;
    MUST(maskdm_mask_create_custom(&m, "fickle", visible_changes, draw, NULL, NULL));
    MUST(maskdm_optimizer_create(&optimizer, NULL, NULL));
    MUST(maskdm_trainer_create(&t, model, m, optimizer, o, NULL));
    more_visible = 8;
    ck_assert_int_eq(maskdm_trainer_step(t, d), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "now keeps 16 patches of 4 x 4 visible, not 8"));
    more_visible = 0;
    MUST(maskdm_trainer_step(t, d));
    maskdm_trainer_release(&t);
    maskdm_optimizer_release(&optimizer);
    maskdm_mask_release(&m);
    maskdm_options_release(&o);
    maskdm_data_release(&d);
    maskdm_model_release(&model);
    maskdm_device_release(&dev);
}
END_TEST

/* What the others read. */
START_TEST(test_files)
{
    char path[128], broken[192];
    maskdm_image *image;
    FILE *f;

    snprintf(path, sizeof path, "%s/images", root);
    ck_assert_int_eq(mkdir(path, 0777), 0);
    snprintf(broken, sizeof broken, "%s/broken.png", path);
    f = fopen(broken, "wb");
    ck_assert_ptr_nonnull(f);
    fputs("no picture", f);
    fclose(f);
    snprintf(broken, sizeof broken, "%s/good.png", path);
    MUST(maskdm_image_create(&image, 8, 8, 3, MASKDM_SAMPLE_U8, pixel, 0));
    MUST(maskdm_image_write_png(image, broken, 8));
    maskdm_image_release(&image);
    snprintf(file, sizeof file, "%s/state", root);
    make_handles(&calls[0], PROGRESS);
    MUST(maskdm_trainer_save(h.trainer, file));
    snprintf(path, sizeof path, "%s/model", root);
    MUST(maskdm_model_save(h.model, path));
    drop_handles();
    f = fopen(path, "rb");
    model_bytes = malloc(1 << 20);
    ck_assert(f && model_bytes);
    model_size = fread(model_bytes, 1, 1 << 20, f);
    fclose(f);
}
END_TEST

int main(void)
{
    const TTest *test[] = {test_files, test_callbacks_come_back_in, test_drop_comes_back_in,
                           test_mask_that_changes_its_mind};
    char command[128];
    int failed;

    strcpy(root, "api_reentry_XXXXXX");
    if (!mkdtemp(root))
        return 1;
    failed = rig_run("reentry", test, sizeof test / sizeof *test);
    free(model_bytes);
    snprintf(command, sizeof command, "rm -rf ./%s", root);
    return system(command) || failed;
}
