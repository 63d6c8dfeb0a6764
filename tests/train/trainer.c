/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The trainer's parts and its whole step: accumulation, threads, a loss of one's own, steps that are not finite, and
 * cancelling.
 */
#include "tiny.h"

#include "model/model.h"
#include "sample/sampler.h"
#include "train/trainer.h"

#include "base/alloc.h"

static const char labelled[] = "image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 classes=5 time_mlp=true";

START_TEST(learns)
{
    struct tiny t;
    double first = 0, last = 0;

    tiny_open_on(&t, tiny_device("threads=1"), labelled, NULL, "lr=2e-3", NULL,
                 "batch_size=8 seed=3 label_dropout=0.2");
    ck_assert(isnan(maskdm_trainer_last_loss(t.trainer)));
    for (int i = 0; i < 200; i++) {
        tiny_step(&t, 1);
        *(i < 20 ? &first : &last) += i < 20 || i >= 180 ? maskdm_trainer_last_loss(t.trainer) / 20 : 0;
    }
    ck_assert_msg(last < 0.5 * first, "the loss went from %g to %g", first, last);
    ck_assert_int_eq(maskdm_trainer_steps(t.trainer), 200);
    ck_assert_int_eq(maskdm_trainer_skipped(t.trainer), 0);
    ck_assert_int_eq(maskdm_trainer_batch(t.trainer), 8);
    ck_assert_int_eq(maskdm_trainer_visible(t.trainer), 8);
    tiny_close(&t);
}
END_TEST

/* Gradients of one step, summed over parts. */
static float *step_gradients(const char *trainer, int64_t parts, double *loss)
{
    struct tiny t;
    float *g;

    tiny_open_on(&t, tiny_device("threads=1"), labelled, NULL, NULL, NULL, trainer);
    *loss = 0;
    for (int64_t i = 0; i < parts; i++) {
        double part;

        OK(maskdm_trainer_draw(t.trainer, t.data, i));
        OK(maskdm_trainer_forward(t.trainer));
        OK(maskdm_trainer_loss(t.trainer, &part));
        OK(maskdm_trainer_backward(t.trainer, NULL));
        *loss += part / (double)parts;
    }
    g = tiny_gradients(&t);
    tiny_close(&t);
    return g;
}

START_TEST(accumulation_changes_nothing)
{
    struct tiny t;
    double whole_loss, parts_loss;
    float *whole = step_gradients("batch_size=16 seed=3 label_dropout=0.3", 1, &whole_loss);
    float *parts = step_gradients("batch_size=16 accumulate=4 seed=3 label_dropout=0.3", 4, &parts_loss);

    tiny_open_on(&t, tiny_device("threads=1"), labelled, NULL, NULL, NULL, NULL);
    ck_assert_double_eq_tol(parts_loss, whole_loss, 1e-6 * whole_loss);
    ck_assert_double_lt(tiny_distance(parts, whole, tiny_bytes(&t) / sizeof(float)), 1e-6);
    tiny_close(&t);
    free(whole);
    free(parts);
}
END_TEST

START_TEST(threads_change_nothing)
{
    struct tiny a, b;
    float *x, *y;

    tiny_open_on(&a, tiny_device("threads=1"), NULL, NULL, NULL, NULL, NULL);
    tiny_open_on(&b, tiny_device("threads=2"), NULL, NULL, NULL, NULL, NULL);
    tiny_step(&a, 5);
    tiny_step(&b, 5);
    for (int set = 0; set < 2; set++) {
        x = tiny_weights(&a, (enum maskdm_weights)set);
        y = tiny_weights(&b, (enum maskdm_weights)set);
        ck_assert_mem_eq(x, y, tiny_bytes(&a));
        free(x);
        free(y);
    }
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

/* The mean squared error over visible values by hand, from forward's result. */
START_TEST(loss_of_ones_own)
{
    struct tiny t;
    float *built_in, *own, *d;
    const float *prediction, *target;
    double loss, by_hand = 0;
    int64_t count, n = 8 * 8 * 12;

    tiny_open(&t, NULL);
    OK(maskdm_trainer_draw(t.trainer, t.data, 0));
    OK(maskdm_trainer_forward(t.trainer));
    OK(maskdm_trainer_loss(t.trainer, &loss));
    OK(maskdm_trainer_backward(t.trainer, NULL));
    built_in = tiny_gradients(&t);
    OK(maskdm_trainer_zero_gradients(t.trainer));
    OK(maskdm_trainer_forward(t.trainer));
    d = malloc((size_t)n * sizeof *d);
    ck_assert_int_eq(maskdm_trainer_visible(t.trainer), 8);
    prediction = maskdm_trainer_view(t.trainer, "prediction", &count);
    ck_assert_int_eq(count, n);
    target = maskdm_trainer_view(t.trainer, "target", &count);
    ck_assert_int_eq(count, n);
    for (int64_t i = 0; i < n; i++) {
        double e = (double)prediction[i] - target[i];

        by_hand += e * e / (double)n;
        d[i] = (float)(2 * e / (double)n);
    }
    ck_assert_double_eq_tol(by_hand, loss, 1e-6 * loss);
    OK(maskdm_trainer_backward(t.trainer, d));
    own = tiny_gradients(&t);
    ck_assert_double_lt(tiny_distance(own, built_in, tiny_bytes(&t) / sizeof(float)), 1e-6);
    ck_assert_ptr_null(maskdm_trainer_view(t.trainer, "nothing", &count));
    ck_assert_str_eq(maskdm_last_error(), "a trainer has no view \"nothing\"");
    ck_assert_int_eq(count, 0);
    free(d);
    free(own);
    free(built_in);
    tiny_close(&t);
}
END_TEST

/* A view stays what it was until it is asked for again, and then stands where it stood. */
/* The first step's loss under a name, and under another from which it follows. */
static double first_loss(const char *options)
{
    struct tiny t;
    double loss;
    char text[128];

    snprintf(text, sizeof text, "batch_size=8 seed=3 %s", options);
    tiny_open_on(&t, tiny_device("threads=1"), NULL, NULL, NULL, NULL, text);
    tiny_step(&t, 1);
    loss = maskdm_trainer_last_loss(t.trainer);
    tiny_close(&t);
    return loss;
}

START_TEST(losses_by_their_names)
{
    const double l2 = first_loss("loss=l2"), l1 = first_loss("loss=l1");
    maskdm_options *o;
    struct tiny t;

    ck_assert_double_eq_tol(first_loss("loss=huber loss_delta=1000"), l2 / 2, 1e-9 * l2);
    ck_assert_double_eq_tol(first_loss("loss=smooth_l1 loss_delta=1e-6"), l1 - 5e-7, 1e-9 * l1);
    ck_assert_double_eq_tol(first_loss("loss=pseudo_huber loss_delta=1e-7"), l1 - 1e-7, 1e-8 * l1);
    ck_assert_double_eq_tol(first_loss("loss=huber"), first_loss("loss=smooth_l1 loss_delta=1"), 1e-12);
    ck_assert_double_gt(first_loss("loss=pseudo_huber_image"), 5 * sqrt(l2)); /* the root of a sum, not of a mean */
    tiny_open_on(&t, tiny_device("threads=1"), NULL, NULL, NULL, NULL, NULL);
    for (int i = 0; i < 2; i++) {
        maskdm_trainer *refused = NULL;

        o = tiny_options("trainer", i ? "loss=l1 loss_delta=2" : "loss_delta=2");
        FAILS(MASKDM_EINVAL,
              i ? "loss_delta 2 has no meaning for loss l1" : "loss_delta 2 has no meaning for loss l2",
              maskdm_trainer_create(&refused, t.model, t.mask, t.optimizer, o, NULL));
        maskdm_options_release(&o);
    }
    tiny_close(&t);
}
END_TEST

START_TEST(handles_know_their_memory)
{
    static unsigned char pixel[6 * VALUES];
    maskdm_options *few = tiny_options("sampler", "steps=2 batch_size=4");
    maskdm_model *model;
    maskdm_sampler *sampler;
    size_t held;
    double loss;
    struct tiny t;

    tiny_open(&t, NULL);
    tiny_step(&t, 1);
    held = mdm_model_memory(t.model) + mdm_trainer_memory(t.trainer);
    ck_assert_uint_eq(maskdm_device_memory_used(t.device), held); /* images of the host's take none */
    OK(maskdm_trainer_want_input_gradient(t.trainer));
    held = mdm_model_memory(t.model) + mdm_trainer_memory(t.trainer);
    ck_assert_uint_eq(maskdm_device_memory_used(t.device), held);
    FAILS(MASKDM_EINVAL, "count", maskdm_trainer_validate(t.trainer, t.data, -1, MASKDM_WEIGHTS_EMA, &loss, NULL, 0));
    OK(maskdm_trainer_validate(t.trainer, t.data, 0, MASKDM_WEIGHTS_EMA, &loss, NULL, 0));
    held = mdm_model_memory(t.model) + mdm_trainer_memory(t.trainer);
    ck_assert_uint_eq(maskdm_device_memory_used(t.device), held);
    held = maskdm_device_memory_used(t.device);
    ck_assert_uint_eq(mdm_model_memory(t.trainer->model), 0); /* the trainer's own */
    OK(maskdm_trainer_model(&model, t.trainer));
    ck_assert_uint_eq(mdm_model_memory(model), 2 * mdm_model_bytes(t.model));
    ck_assert_uint_eq(maskdm_device_memory_used(t.device) - held, mdm_model_memory(model));
    held = maskdm_device_memory_used(t.device);
    OK(maskdm_sampler_create(&sampler, model, MASKDM_WEIGHTS_EMA, few, NULL));
    ck_assert_uint_eq(mdm_sampler_memory(sampler), 0);
    OK(maskdm_sampler_run(sampler, 6, NULL, NULL, MASKDM_SAMPLE_U8, pixel, 0, 0));
    ck_assert_uint_gt(mdm_sampler_memory(sampler), 0);
    ck_assert_uint_eq(maskdm_device_memory_used(t.device) - held, mdm_sampler_memory(sampler));
    maskdm_sampler_release(&sampler);
    ck_assert_uint_eq(maskdm_device_memory_used(t.device), held);
    maskdm_model_release(&model);
    maskdm_options_release(&few);
    tiny_close(&t);
}
END_TEST

START_TEST(views_are_copies)
{
    static float seen[8 * VALUES], image[8 * VALUES], noise[8 * VALUES];
    static const double times[8] = {0, 100, 200, 300, 400, 500, 600, 700};
    const float *view, *prediction;
    int32_t index[8 * 8];
    struct tiny t;

    for (int i = 0; i < 8 * VALUES; i++)
        noise[i] = (float)(i % 7) / 7;
    for (int i = 0; i < 64; i++)
        index[i] = i % 8;
    tiny_open(&t, NULL);
    OK(maskdm_trainer_draw(t.trainer, t.data, 0));
    OK(maskdm_trainer_forward(t.trainer));
    view = maskdm_trainer_view(t.trainer, "noise", NULL);
    prediction = maskdm_trainer_view(t.trainer, "prediction", NULL);
    memcpy(seen, view, sizeof seen);
    memcpy(image, prediction, (size_t)8 * 8 * 12 * sizeof *image);
    OK(maskdm_trainer_set_batch(t.trainer, image, NULL, times, noise, index));
    OK(maskdm_trainer_forward(t.trainer));
    ck_assert_mem_eq(view, seen, sizeof seen);
    ck_assert_mem_eq(prediction, image, (size_t)8 * 8 * 12 * sizeof *image);
    ck_assert_ptr_eq(maskdm_trainer_view(t.trainer, "noise", NULL), view);
    ck_assert_mem_eq(view, noise, sizeof noise);
    ck_assert_ptr_eq(maskdm_trainer_view(t.trainer, "prediction", NULL), prediction);
    ck_assert_mem_ne(prediction, image, (size_t)8 * 8 * 12 * sizeof *image);
    tiny_close(&t);
}
END_TEST

START_TEST(parts_equal_the_step)
{
    struct tiny a, b;
    float *x, *y;
    double part, loss;

    tiny_open(&a, "batch_size=8 accumulate=2 seed=3");
    tiny_open(&b, "batch_size=8 accumulate=2 seed=3");
    tiny_step(&a, 4);
    for (int s = 0; s < 4; s++) {
        loss = 0;
        for (int64_t i = 0; i < 2; i++) {
            OK(maskdm_trainer_draw(b.trainer, b.data, i));
            OK(maskdm_trainer_forward(b.trainer));
            OK(maskdm_trainer_loss(b.trainer, &part));
            OK(maskdm_trainer_backward(b.trainer, NULL));
            loss += part / 2;
        }
        OK(maskdm_optimizer_step(b.optimizer));
        OK(maskdm_optimizer_update_ema(b.optimizer));
    }
    ck_assert_double_eq_tol(maskdm_trainer_last_loss(a.trainer), loss, 1e-12);
    x = tiny_weights(&a, MASKDM_WEIGHTS_EMA);
    y = tiny_weights(&b, MASKDM_WEIGHTS_EMA);
    ck_assert_mem_eq(x, y, tiny_bytes(&a));
    free(x);
    free(y);
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

static int poisoned(void *user, int64_t index, float *image, int32_t *label)
{
    int64_t bad = *(int64_t *)user;

    memcpy(image, tiny_images[index], sizeof tiny_images[index]);
    *label = -1;
    for (int k = 0; k < VALUES && (bad < 0 ? index % 2 == 0 : index == bad); k++)
        image[k] = NAN;
    return index == -bad;
}

START_TEST(step_that_is_not_finite)
{
    struct tiny t;
    maskdm_data *data;
    int64_t bad = 5, steps = 0, updates = 0;
    float *before, *after;

    tiny_open(&t, "batch_size=8 seed=3 max_bad_steps=3");
    OK(maskdm_data_create_callback(&data, t.device, COUNT, SIDE, SIDE, 3, poisoned, NULL, &bad));
    while (maskdm_trainer_steps(t.trainer) < 10) {
        int64_t skipped = maskdm_trainer_skipped(t.trainer);

        before = tiny_weights(&t, MASKDM_WEIGHTS_ONLINE);
        OK(maskdm_trainer_step(t.trainer, data));
        after = tiny_weights(&t, MASKDM_WEIGHTS_ONLINE);
        ck_assert_int_eq(maskdm_trainer_steps(t.trainer), ++steps);
        ck_assert_int_eq(memcmp(before, after, tiny_bytes(&t)) == 0, maskdm_trainer_skipped(t.trainer) > skipped);
        updates += maskdm_trainer_skipped(t.trainer) == skipped;
        free(before);
        free(after);
    }
    ck_assert_int_eq(maskdm_trainer_skipped(t.trainer), 2); /* once in each epoch of 5 steps */
    ck_assert_int_eq(updates, 8);
    bad = -1000;
    OK(maskdm_trainer_step(t.trainer, data));
    OK(maskdm_trainer_step(t.trainer, data));
    FAILS(MASKDM_ENONFINITE, "3 steps in a row", maskdm_trainer_step(t.trainer, data));
    tiny_step(&t, 1);
    maskdm_data_release(&data);
    tiny_close(&t);
}
END_TEST

static int raise_flag(void *user, int64_t index, float *image, int32_t *label)
{
    memcpy(image, tiny_images[index], sizeof tiny_images[index]);
    *label = -1;
    maskdm_control_cancel(user);
    return 0;
}

static int refuse(void *user, int64_t index, float *image, int32_t *label)
{
    (void)user, (void)index, (void)image, (void)label;
    return 1;
}

static int stop_in_the_second_part(void *user, int64_t index, float *image, int32_t *label)
{
    memcpy(image, tiny_images[index], sizeof tiny_images[index]);
    *label = -1;
    return ++*(int *)user > 4;
}

/* The gradients of a part go with the step that another part ends, those of a sum with what breaks it off. */
START_TEST(half_a_sum_is_dropped)
{
    const char *how = "batch_size=8 accumulate=2 seed=3";
    struct tiny t, u;
    maskdm_data *stop;
    int fetched = 0;
    float *x, *y;

    tiny_open(&t, how);
    tiny_open(&u, how);
    OK(maskdm_data_create_callback(&stop, t.device, COUNT, SIDE, SIDE, 3, stop_in_the_second_part, NULL, &fetched));
    ck_assert_int_eq(maskdm_trainer_step(t.trainer, stop), MASKDM_ECANCELED);
    ck_assert_int_eq(fetched, 5);
    tiny_step(&t, 2);
    tiny_step(&u, 2);
    x = tiny_weights(&t, MASKDM_WEIGHTS_ONLINE);
    y = tiny_weights(&u, MASKDM_WEIGHTS_ONLINE);
    ck_assert_mem_eq(x, y, tiny_bytes(&t));
    free(x);
    for (int i = 0; i < 2; i++) {
        OK(maskdm_trainer_draw(t.trainer, t.data, i));
        OK(maskdm_trainer_forward(t.trainer));
        OK(maskdm_trainer_loss(t.trainer, NULL));
        if (i)
            maskdm_control_cancel(t.control);
        ck_assert_int_eq(maskdm_trainer_backward(t.trainer, NULL), i ? MASKDM_ECANCELED : MASKDM_OK);
    }
    x = tiny_gradients(&t);
    memset(y, 0, tiny_bytes(&t));
    ck_assert_mem_eq(x, y, tiny_bytes(&t));
    free(x);
    free(y);
    maskdm_data_release(&stop);
    tiny_close(&t);
    tiny_close(&u);
}
END_TEST

START_TEST(cancelled_in_the_middle)
{
    struct tiny t, u;
    maskdm_data *flag, *stop;
    float *x, *y;

    tiny_open(&t, NULL);
    tiny_open(&u, NULL);
    OK(maskdm_data_create_callback(&flag, t.device, COUNT, SIDE, SIDE, 3, raise_flag, NULL, t.control));
    OK(maskdm_data_create_callback(&stop, t.device, COUNT, SIDE, SIDE, 3, refuse, NULL, NULL));
    tiny_step(&t, 2);
    FAILS(MASKDM_ECANCELED, "cancelled", maskdm_trainer_step(t.trainer, flag));
    ck_assert_int_eq(maskdm_trainer_step(t.trainer, stop), MASKDM_ECANCELED);
    maskdm_control_cancel(t.control);
    FAILS(MASKDM_ECANCELED, "cancelled", maskdm_trainer_step(t.trainer, t.data));
    ck_assert_int_eq(maskdm_trainer_steps(t.trainer), 2);
    OK(maskdm_trainer_draw(t.trainer, t.data, 0));
    maskdm_control_cancel(t.control);
    FAILS(MASKDM_ECANCELED, "forward", maskdm_trainer_forward(t.trainer));
    tiny_step(&t, 2);
    tiny_step(&u, 4);
    x = tiny_weights(&t, MASKDM_WEIGHTS_EMA);
    y = tiny_weights(&u, MASKDM_WEIGHTS_EMA);
    ck_assert_mem_eq(x, y, tiny_bytes(&t));
    free(x);
    free(y);
    maskdm_data_release(&flag);
    maskdm_data_release(&stop);
    tiny_close(&t);
    tiny_close(&u);
}
END_TEST

/* A model file of two sets, of which one is loaded alone. */
START_TEST(one_set_of_two)
{
    const char *folder = tiny_folder();
    char path[300];
    struct tiny t;
    maskdm_model *model;

    snprintf(path, sizeof path, "%s/model", folder);
    tiny_open(&t, NULL);
    tiny_step(&t, 5);
    OK(maskdm_trainer_model(&model, t.trainer));
    OK(maskdm_model_save(model, path));
    maskdm_model_release(&model);
    for (int set = 0; set < 2; set++) {
        float *expected = tiny_weights(&t, (enum maskdm_weights)set), *got;

        OK(mdm_model_load_one(&model, t.device, path, (enum maskdm_weights)set));
        got = tiny_flat(model, MASKDM_WEIGHTS_EMA);
        ck_assert_mem_eq(got, expected, tiny_bytes(&t));
        maskdm_model_release(&model);
        free(expected);
        free(got);
    }
    ck_assert(!unlink(path) && !rmdir(folder));
    tiny_close(&t);
}
END_TEST

static int count_reports(void *user, const struct maskdm_progress *p)
{
    ck_assert_uint_eq(p->struct_size, sizeof *p);
    ck_assert_int_eq(p->step, ++*(int64_t *)user);
    ck_assert(isfinite(p->loss) && isfinite(p->grad_norm));
    return p->step == 3;
}

START_TEST(progress_can_stop)
{
    struct tiny t;
    int64_t reports = 0;

    tiny_open(&t, NULL);
    maskdm_control_set_progress(t.control, count_reports, &reports);
    tiny_step(&t, 3);
    FAILS(MASKDM_ECANCELED, "cancelled", maskdm_trainer_step(t.trainer, t.data));
    ck_assert_int_eq(maskdm_trainer_steps(t.trainer), 3);
    tiny_step(&t, 1);
    ck_assert_int_eq(reports, 4);
    tiny_close(&t);
}
END_TEST

START_TEST(misuse)
{
    struct tiny t;
    maskdm_data *small;
    maskdm_options *o;
    maskdm_optimizer *optimizer;
    maskdm_trainer *other;
    float values[8 * VALUES] = { 0 };
    double times[8] = { -0.5 };
    int32_t index[8 * 8] = { 0 };

    tiny_open(&t, NULL);
    FAILS(MASKDM_EINVAL, "micro-batch", maskdm_trainer_forward(t.trainer));
    FAILS(MASKDM_EINVAL, "forward", maskdm_trainer_loss(t.trainer, NULL));
    FAILS(MASKDM_EINVAL, "part 1", maskdm_trainer_draw(t.trainer, t.data, 1));
    OK(maskdm_trainer_draw(t.trainer, t.data, 0));
    OK(maskdm_trainer_forward(t.trainer));
    FAILS(MASKDM_EINVAL, "loss or gradient", maskdm_trainer_backward(t.trainer, NULL));
    FAILS(MASKDM_EINVAL, "time", maskdm_trainer_set_batch(t.trainer, values, NULL, times, values, index));
    times[0] = 0;
    FAILS(MASKDM_EINVAL, "patch indices", maskdm_trainer_set_batch(t.trainer, values, NULL, times, values, NULL));
    OK(maskdm_trainer_set_batch(t.trainer, values, NULL, times, values, index));
    FAILS(MASKDM_EINVAL, "rising", maskdm_trainer_forward(t.trainer));
    OK(maskdm_data_create_memory(&small, t.device, 7, SIDE, SIDE, 3, MASKDM_SAMPLE_FLOAT, tiny_images, 0, 0, NULL,
                                 NULL, NULL));
    FAILS(MASKDM_EINVAL, "8 is larger than the data, 7", maskdm_trainer_step(t.trainer, small));
    maskdm_data_release(&small);
    OK(maskdm_data_create_memory(&small, t.device, 9, SIDE, 4, 3, MASKDM_SAMPLE_FLOAT, tiny_images, 0, 0, NULL,
                                 NULL, NULL));
    FAILS(MASKDM_ESHAPE, "8 x 4 x 3", maskdm_trainer_step(t.trainer, small));
    maskdm_data_release(&small);
    o = tiny_options("trainer", "batch_size=9 accumulate=2");
    OK(maskdm_optimizer_create(&optimizer, NULL, NULL));
    FAILS(MASKDM_EINVAL, "accumulate 2 does not divide batch_size 9",
          maskdm_trainer_create(&other, t.model, NULL, optimizer, o, NULL));
    maskdm_options_release(&o);
    maskdm_optimizer_release(&optimizer);
    tiny_step(&t, 1);
    tiny_close(&t);
}
END_TEST

START_TEST(memory_limit)
{
    maskdm_device *device = tiny_device("threads=1 memory_limit=400000");
    maskdm_options *n = tiny_options("uvit", labelled), *r = tiny_options("trainer", "batch_size=64");
    maskdm_optimizer *optimizer;
    maskdm_scheduler *s;
    maskdm_model *model;
    maskdm_trainer *trainer;
    size_t held;

    OK(maskdm_scheduler_create(&s, NULL));
    OK(maskdm_model_create(&model, device, "uvit", n, s, 1));
    OK(maskdm_optimizer_create(&optimizer, NULL, NULL));
    held = maskdm_device_memory_used(device);
    FAILS(MASKDM_ENOMEM, "400000", maskdm_trainer_create(&trainer, model, NULL, optimizer, r, NULL));
    ck_assert_ptr_null(trainer);
    ck_assert_uint_eq(maskdm_device_memory_used(device), held);
    maskdm_options_release(&n);
    maskdm_options_release(&r);
    maskdm_optimizer_release(&optimizer);
    maskdm_scheduler_release(&s);
    maskdm_model_release(&model);
    ck_assert_uint_eq(maskdm_device_memory_used(device), 0);
    maskdm_device_release(&device);
}
END_TEST

START_TEST(held_out_loss)
{
    struct tiny t, u;
    double a, b, c, bucket[4], mean = 0;

    tiny_open(&t, "batch_size=8 seed=3");
    tiny_open(&u, "batch_size=16 seed=3");
    OK(maskdm_trainer_validate(t.trainer, t.data, 0, MASKDM_WEIGHTS_EMA, &a, bucket, 4));
    OK(maskdm_trainer_validate(u.trainer, u.data, 0, MASKDM_WEIGHTS_EMA, &b, NULL, 0));
    ck_assert_double_eq(a, b); /* whatever the batch */
    for (int k = 0; k < 4; k++)
        mean += bucket[k] / 4; /* 40 stratified times: 10 in each */
    ck_assert_double_eq_tol(mean, a, 1e-12);
    tiny_step(&t, 60);
    OK(maskdm_trainer_validate(t.trainer, t.data, 0, MASKDM_WEIGHTS_ONLINE, &c, NULL, 0));
    ck_assert_double_lt(c, a);
    OK(maskdm_trainer_validate(t.trainer, t.data, 1, MASKDM_WEIGHTS_EMA, &c, bucket, 4));
    ck_assert(isfinite(c) && isnan(bucket[0]) && isnan(bucket[3]));
    FAILS(MASKDM_EINVAL, "buckets", maskdm_trainer_validate(t.trainer, t.data, 0, MASKDM_WEIGHTS_EMA, &c, bucket, 0));
    tiny_close(&t);
    tiny_close(&u);
}
END_TEST

START_TEST(validation_changes_no_step)
{
    struct tiny a, b;
    double loss;
    float *x, *y;

    tiny_open(&a, NULL);
    tiny_open(&b, NULL);
    for (int i = 0; i < 4; i++) {
        tiny_step(&a, 1);
        tiny_step(&b, 1);
        OK(maskdm_trainer_validate(b.trainer, b.data, 0, MASKDM_WEIGHTS_EMA, &loss, NULL, 0));
    }
    x = tiny_weights(&a, MASKDM_WEIGHTS_ONLINE);
    y = tiny_weights(&b, MASKDM_WEIGHTS_ONLINE);
    ck_assert_mem_eq(x, y, tiny_bytes(&a));
    free(x);
    free(y);
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

START_TEST(nothing_leaks)
{
    long live = mdm_alloc_live();
    struct tiny t;

    tiny_open(&t, NULL);
    tiny_step(&t, 2);
    tiny_close(&t);
    ck_assert_int_eq(mdm_alloc_live(), live);
}
END_TEST

/* A file's weights, one set at a time: the same bits in half the memory, from the disk and from memory. */
START_TEST(one_set_alone)
{
    const char *folder = tiny_folder();
    struct tiny t;
    maskdm_model *model, *both, *one;
    char path[300], *bytes;
    size_t n, held;

    tiny_open(&t, NULL);
    tiny_step(&t, 5);
    OK(maskdm_trainer_model(&model, t.trainer));
    snprintf(path, sizeof path, "%s/model", folder);
    OK(maskdm_model_save(model, path));
    bytes = tiny_read(path, &n);
    OK(maskdm_model_load(&both, t.device, path));
    ck_assert(maskdm_model_has_online(both));
    held = maskdm_device_memory_used(t.device);
    for (int i = 0; i < 4; i++) {
        const enum maskdm_weights which = i % 2 ? MASKDM_WEIGHTS_ONLINE : MASKDM_WEIGHTS_EMA;
        float *expected = tiny_flat(both, which), *got;

        if (i < 2)
            OK(maskdm_model_load_one(&one, t.device, path, which));
        else
            OK(maskdm_model_load_one_memory(&one, t.device, bytes, n, which));
        ck_assert(!maskdm_model_has_online(one));
        ck_assert_uint_lt(maskdm_device_memory_used(t.device) - held, tiny_bytes(&t) * 3 / 2);
        for (int as = 0; as < 2; as++) {
            got = tiny_flat(one, (enum maskdm_weights)as);
            ck_assert_mem_eq(expected, got, tiny_bytes(&t));
            free(got);
        }
        free(expected);
        if (i == 3) { /* a file with one set has only that to give */
            float *online = tiny_flat(one, MASKDM_WEIGHTS_EMA);

            OK(maskdm_model_save(one, path));
            maskdm_model_release(&one);
            OK(maskdm_model_load_one(&one, t.device, path, MASKDM_WEIGHTS_ONLINE));
            got = tiny_flat(one, MASKDM_WEIGHTS_ONLINE);
            ck_assert_mem_eq(online, got, tiny_bytes(&t));
            free(online);
            free(got);
        }
        maskdm_model_release(&one);
    }
    FAILS(MASKDM_EINVAL, "no weights 2", maskdm_model_load_one(&one, t.device, path, 2));
    FAILS(MASKDM_EINVAL, "no weights 3",
          maskdm_model_load_one_memory(&one, t.device, bytes, n, 3));
    FAILS(MASKDM_EINVAL, "path", maskdm_model_load_one(&one, t.device, NULL, MASKDM_WEIGHTS_EMA));
    FAILS(MASKDM_EINVAL, "bytes", maskdm_model_load_one_memory(&one, t.device, NULL, n, MASKDM_WEIGHTS_EMA));
    free(bytes);
    maskdm_model_release(&both);
    maskdm_model_release(&model);
    tiny_close(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trainer");
    TCase *tests = tcase_create("trainer");

    tcase_add_test(tests, learns);
    tcase_add_test(tests, accumulation_changes_nothing);
    tcase_add_test(tests, threads_change_nothing);
    tcase_add_test(tests, loss_of_ones_own);
    tcase_add_test(tests, losses_by_their_names);
    tcase_add_test(tests, views_are_copies);
    tcase_add_test(tests, handles_know_their_memory);
    tcase_add_test(tests, parts_equal_the_step);
    tcase_add_test(tests, step_that_is_not_finite);
    tcase_add_test(tests, half_a_sum_is_dropped);
    tcase_add_test(tests, cancelled_in_the_middle);
    tcase_add_test(tests, one_set_of_two);
    tcase_add_test(tests, progress_can_stop);
    tcase_add_test(tests, misuse);
    tcase_add_test(tests, memory_limit);
    tcase_add_test(tests, held_out_loss);
    tcase_add_test(tests, validation_changes_no_step);
    tcase_add_test(tests, nothing_leaks);
    tcase_add_test(tests, one_set_alone);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
