/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a training loop of one's own may take into its hands: rates, gradients, groups of parameters.
 */
#include "rig.h"

#include <math.h>
#include <stdio.h>

enum { BATCH = 4, STEPS = 3 };

struct loop {
    maskdm_device *dev;
    maskdm_model *model;
    maskdm_data *data;
    maskdm_optimizer *optimizer;
    maskdm_trainer *trainer;
};

static struct loop begin(const char *optimizer)
{
    maskdm_options *oo = rig_options("optimizer", optimizer), *to = rig_options("trainer", "batch_size=4 seed=3");
    maskdm_options *mo = rig_options("mask", "type=patch ratio=0.5");
    maskdm_mask *mask;
    struct loop l;

    l.dev = rig_device("threads=1");
    l.model = rig_model(l.dev, RIG_NETWORK);
    l.data = rig_data(l.dev);
    MUST(maskdm_mask_create(&mask, mo));
    MUST(maskdm_optimizer_create(&l.optimizer, oo, NULL));
    MUST(maskdm_trainer_create(&l.trainer, l.model, mask, l.optimizer, to, NULL));
    maskdm_mask_release(&mask);
    maskdm_options_release(&mo);
    maskdm_options_release(&to);
    maskdm_options_release(&oo);
    return l;
}

static uint64_t end(struct loop *l)
{
    uint64_t h = rig_trainer_hash(l->trainer);

    maskdm_trainer_release(&l->trainer);
    maskdm_optimizer_release(&l->optimizer);
    maskdm_data_release(&l->data);
    maskdm_model_release(&l->model);
    maskdm_device_release(&l->dev);
    return h;
}

/* Weights after a few steps, with one group of parameters (NULL: none). */
static uint64_t train(const char *optimizer, const char *pattern, double lr_factor, double weight_decay)
{
    struct loop l = begin(optimizer);

    if (pattern)
        MUST(maskdm_optimizer_set_group(l.optimizer, pattern, lr_factor, weight_decay));
    for (int s = 0; s < STEPS; s++)
        MUST(maskdm_trainer_step(l.trainer, l.data));
    return end(&l);
}

START_TEST(a_rate_of_ones_own)
{
    struct loop l = begin("lr=0.5 warmup_steps=10");

    ck_assert_double_eq(maskdm_optimizer_lr(l.optimizer, 5), 0.25);
    for (int s = 0; s < STEPS; s++) {
        MUST(maskdm_optimizer_set_lr(l.optimizer, 1e-3));
        MUST(maskdm_trainer_step(l.trainer, l.data));
    }
    ck_assert_double_eq(maskdm_optimizer_lr(l.optimizer, 5), 1e-3);
    ck_assert_int_eq(maskdm_optimizer_set_lr(l.optimizer, -1), MASKDM_EINVAL);
    ck_assert_str_eq(maskdm_last_error(), "a learning rate of -1");
    ck_assert_int_eq(maskdm_optimizer_set_lr(l.optimizer, (double)INFINITY), MASKDM_EINVAL);
    ck_assert_double_eq(maskdm_optimizer_lr(l.optimizer, 5), 1e-3);
    MUST(maskdm_optimizer_set_lr(l.optimizer, (double)NAN));
    ck_assert_double_eq(maskdm_optimizer_lr(l.optimizer, 5), 0.25);
    ck_assert_uint_eq(end(&l), train("lr=1e-3 warmup_steps=0", NULL, 1, 0));
}
END_TEST

/* Of one optimizer, so that the norm by which gradients are clipped is the same however many groups there are. */
#define PLAIN "warmup_steps=0 clip_norm=0 "

START_TEST(groups_of_parameters)
{
    const uint64_t plain = train(PLAIN "lr=1e-3 weight_decay=0.03", NULL, 1, 0);

    ck_assert_uint_eq(train(PLAIN "lr=1e-3 weight_decay=0.03", "*.bias", 1, (double)NAN), plain);
    ck_assert_uint_eq(train(PLAIN "lr=2e-3 weight_decay=0.03", "*", 0.5, (double)NAN), plain);
    ck_assert_uint_eq(train(PLAIN "lr=1e-3 weight_decay=0.5", "*", 1, 0.03), plain);
    ck_assert_uint_ne(train(PLAIN "lr=1e-3 weight_decay=0.03", "*.bias", 0.5, (double)NAN), plain);
    ck_assert_uint_ne(train(PLAIN "lr=1e-3 weight_decay=0.03", "*.qkv.weig?t", 1, 0), plain);
}
END_TEST

START_TEST(groups_are_checked)
{
    struct loop l = begin("");
    maskdm_optimizer *unbound;

    ck_assert_int_eq(maskdm_optimizer_set_group(l.optimizer, "decoder.*", 1, 0), MASKDM_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "group \"decoder.*\": none of the "));
    ck_assert_int_eq(maskdm_optimizer_set_group(l.optimizer, "*", -1, 0), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_optimizer_set_group(l.optimizer, "*", (double)NAN, 0), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_optimizer_set_group(l.optimizer, "*", 1, -0.1), MASKDM_EINVAL);
    ck_assert_int_eq(maskdm_optimizer_set_group(l.optimizer, "*x*y*z*", 1, 0), MASKDM_ENOTFOUND);
    MUST(maskdm_optimizer_create(&unbound, NULL, NULL));
    MUST(maskdm_optimizer_set_group(unbound, "whoever comes", 1, 0));
    for (int i = 1; i < 256; i++)
        MUST(maskdm_optimizer_set_group(unbound, "*", 1, 0));
    ck_assert_int_eq(maskdm_optimizer_set_group(unbound, "*", 1, 0), MASKDM_EINVAL);
    maskdm_optimizer_release(&unbound);
    (void)end(&l);
}
END_TEST

static int64_t elements(const maskdm_model *m, int64_t i)
{
    int64_t shape[8], n = 1;

    for (int d = 0, rank = maskdm_model_parameter_shape(m, i, shape, 8); d < rank; d++)
        n *= shape[d];
    return n;
}

/* Frozen: no weight of them moves, not by its gradient, nor by decay, and the norm is that of the others. */
START_TEST(what_is_frozen_stays)
{
    struct loop l = begin("lr=1e-2 warmup_steps=0 weight_decay=0.1");
    maskdm_model *after;
    double squares = 0;

    MUST(maskdm_optimizer_set_group(l.optimizer, "*", 0, (double)NAN));
    MUST(maskdm_optimizer_set_group(l.optimizer, "*.mid_block.*", 1, (double)NAN)); /* the later decides */
    MUST(maskdm_trainer_draw(l.trainer, l.data, 0));
    MUST(maskdm_trainer_forward(l.trainer));
    MUST(maskdm_trainer_loss(l.trainer, NULL));
    MUST(maskdm_trainer_backward(l.trainer, NULL));
    for (int64_t i = 0; i < maskdm_model_parameter_count(l.model); i++) {
        static float g[1 << 14];
        int64_t n = elements(l.model, i);

        MUST(maskdm_trainer_gradient(l.trainer, i, g, n));
        for (int64_t k = 0; k < n && strstr(maskdm_model_parameter_name(l.model, i), ".mid_block."); k++)
            squares += (double)g[k] * g[k];
    }
    MUST(maskdm_optimizer_step(l.optimizer));
    ck_assert_double_gt(squares, 0);
    ck_assert_double_eq_tol(maskdm_optimizer_grad_norm(l.optimizer), sqrt(squares), 1e-6 * sqrt(squares));
    MUST(maskdm_trainer_model(&after, l.trainer));
    for (int64_t i = 0; i < maskdm_model_parameter_count(l.model); i++) {
        static float x[1 << 14], y[1 << 14], g[1 << 14];
        int64_t n = elements(l.model, i);
        int mid = strstr(maskdm_model_parameter_name(l.model, i), ".mid_block.") != NULL;

        MUST(maskdm_model_get_parameter(l.model, MASKDM_WEIGHTS_ONLINE, i, x, n));
        MUST(maskdm_model_get_parameter(after, MASKDM_WEIGHTS_ONLINE, i, y, n));
        ck_assert_msg((memcmp(x, y, (size_t)n * sizeof *x) != 0) == mid, "%s",
                      maskdm_model_parameter_name(l.model, i));
        MUST(maskdm_trainer_gradient(l.trainer, i, g, n));
        for (int64_t k = 0; k < n; k++)
            ck_assert_float_eq(g[k], 0);
    }
    maskdm_model_release(&after);
    (void)end(&l);
}
END_TEST

/* Taken out, changed, and put back, as a sum over processes is. */
static double step_by_hand(struct loop *l, float factor)
{
    MUST(maskdm_trainer_draw(l->trainer, l->data, 0));
    MUST(maskdm_trainer_forward(l->trainer));
    MUST(maskdm_trainer_loss(l->trainer, NULL));
    MUST(maskdm_trainer_backward(l->trainer, NULL));
    for (int64_t i = 0; i < maskdm_model_parameter_count(l->model); i++) {
        static float g[1 << 14];
        int64_t n = elements(l->model, i);

        MUST(maskdm_trainer_gradient(l->trainer, i, g, n));
        for (int64_t k = 0; k < n; k++)
            g[k] *= factor;
        MUST(maskdm_trainer_set_gradient(l->trainer, i, g, n));
    }
    MUST(maskdm_optimizer_step(l->optimizer));
    MUST(maskdm_optimizer_update_ema(l->optimizer));
    return maskdm_optimizer_grad_norm(l->optimizer);
}

START_TEST(gradients_can_be_set)
{
    struct loop once = begin("lr=1e-3 warmup_steps=0"), twice = begin("lr=1e-3 warmup_steps=0");
    struct loop plain = begin("lr=1e-3 warmup_steps=0");
    const double norm = step_by_hand(&once, 1);
    float one = 1;

    ck_assert_double_eq(step_by_hand(&twice, 2), 2 * norm);
    MUST(maskdm_trainer_step(plain.trainer, plain.data));
    ck_assert_int_eq(maskdm_trainer_set_gradient(plain.trainer, 0, &one, 1), MASKDM_ESHAPE);
    ck_assert_int_eq(maskdm_trainer_set_gradient(plain.trainer, -1, &one, 1), MASKDM_EINVAL);
    ck_assert_uint_eq(end(&once), end(&plain));
    (void)end(&twice);
}
END_TEST

/* A state of one rate goes on under another, and as if it had always been so. */
START_TEST(a_state_goes_on_under_another_rate)
{
    const char path[] = "api_loop.state";
    static const char *const lr[] = {"lr"}, *const wrong[] = {"lr", "batch_size"};
    struct loop first = begin("lr=1e-3 warmup_steps=0"), slower = begin("lr=1e-4 warmup_steps=0");
    struct loop heavier = begin("lr=1e-4 warmup_steps=0 weight_decay=0.3");

    MUST(maskdm_trainer_step(first.trainer, first.data));
    MUST(maskdm_trainer_save(first.trainer, path));
    MUST(maskdm_optimizer_set_lr(first.optimizer, 1e-4));
    MUST(maskdm_trainer_step(first.trainer, first.data));
    ck_assert_int_eq(maskdm_trainer_load(slower.trainer, path), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "lr"));
    ck_assert_int_eq(maskdm_trainer_load_under(slower.trainer, path, wrong, 2), MASKDM_ENOTFOUND);
    ck_assert_str_eq(maskdm_last_error(), "neither the optimizer nor the average has an option \"batch_size\"");
    ck_assert_int_eq(maskdm_trainer_load_under(heavier.trainer, path, lr, 1), MASKDM_EINVAL);
    ck_assert_ptr_nonnull(strstr(maskdm_last_error(), "weight_decay"));
    MUST(maskdm_trainer_load_under(slower.trainer, path, lr, 1));
    MUST(maskdm_trainer_step(slower.trainer, slower.data));
    ck_assert_int_eq(maskdm_trainer_steps(slower.trainer), 2);
    ck_assert_uint_eq(end(&slower), end(&first));
    (void)end(&heavier);
    remove(path);
}
END_TEST

/* Rate and groups go into a state and come back, in place of what there was; nothing said is held as well. */
START_TEST(a_state_holds_what_the_host_set)
{
    const char path[] = "api_loop.host", bare[] = "api_loop.bare", options[] = "lr=1e-3 warmup_steps=0";
    static const char *const lr[] = {"lr"};
    struct loop first = begin(options), second = begin(options), third = begin(options);

    MUST(maskdm_trainer_save(first.trainer, bare));
    MUST(maskdm_optimizer_set_lr(first.optimizer, 5e-3));
    MUST(maskdm_optimizer_set_group(first.optimizer, "*.bias", 0.5, (double)NAN));
    MUST(maskdm_optimizer_set_group(first.optimizer, "*.mid_block.*", 0, 0.25));
    MUST(maskdm_trainer_step(first.trainer, first.data));
    MUST(maskdm_trainer_save(first.trainer, path));
    MUST(maskdm_trainer_step(first.trainer, first.data));
    MUST(maskdm_optimizer_set_group(second.optimizer, "*", 0, 0));
    MUST(maskdm_trainer_load(second.trainer, path));
    ck_assert_double_eq(maskdm_optimizer_lr(second.optimizer, 0), 5e-3);
    MUST(maskdm_trainer_step(second.trainer, second.data));
    MUST(maskdm_optimizer_set_lr(third.optimizer, 7e-3));
    MUST(maskdm_trainer_load_under(third.trainer, path, lr, 1));
    ck_assert_double_eq(maskdm_optimizer_lr(third.optimizer, 0), 7e-3);
    MUST(maskdm_trainer_load(third.trainer, bare));
    ck_assert_double_eq(maskdm_optimizer_lr(third.optimizer, 0), 1e-3);
    for (int s = 0; s < STEPS; s++)
        MUST(maskdm_trainer_step(third.trainer, third.data));
    ck_assert_uint_eq(end(&first), end(&second));
    ck_assert_uint_eq(end(&third), train(options, NULL, 1, 0));
    remove(path);
    remove(bare);
}
END_TEST

/* ---- what a loop sees ---- */

enum { VISIBLE = 8, PATCH = 2, OF_PATCH = PATCH * PATCH * RIG_CHANNELS, ACROSS = RIG_SIDE / PATCH };

START_TEST(views_of_a_batch)
{
    struct loop l = begin("");
    const int32_t *index = maskdm_trainer_index(l.trainer), *labels = maskdm_trainer_labels(l.trainer);
    const double *times = maskdm_trainer_times(l.trainer), *weights = maskdm_trainer_weights(l.trainer);
    const float *images, *noise, *target;
    int64_t count;

    MUST(maskdm_trainer_draw(l.trainer, l.data, 0));
    images = maskdm_trainer_view(l.trainer, "images", &count);
    ck_assert_int_eq(count, BATCH * RIG_VALUES);
    noise = maskdm_trainer_view(l.trainer, "noise", &count);
    ck_assert_int_eq(count, BATCH * RIG_VALUES);
    target = maskdm_trainer_view(l.trainer, "target", &count); /* of a network that predicts x0: the images */
    ck_assert_int_eq(count, BATCH * VISIBLE * OF_PATCH);
    ck_assert(images && noise && target);
    for (int b = 0; b < BATCH; b++) {
        ck_assert(times[b] >= 0 && times[b] < 20 && labels[b] == -1 && weights[b] == 1);
        for (int k = 0; k < VISIBLE; k++)
            for (int i = 0; i < OF_PATCH; i++) {
                int patch = index[b * VISIBLE + k], c = i % RIG_CHANNELS;
                int y = patch / ACROSS * PATCH + i / (PATCH * RIG_CHANNELS);
                int x = patch % ACROSS * PATCH + i / RIG_CHANNELS % PATCH;

                ck_assert_float_eq(target[(b * VISIBLE + k) * OF_PATCH + i],
                                   images[((b * RIG_SIDE + y) * RIG_SIDE + x) * RIG_CHANNELS + c]);
            }
    }
    ck_assert_ptr_null(maskdm_trainer_view(l.trainer, "input_gradient", &count));
    ck_assert_str_eq(maskdm_last_error(), "the input's gradient was not asked for");
    (void)end(&l);
}
END_TEST

/* Sum of w times the prediction of a batch in which one value of the images is moved; *input is where that stands. */
static double weighted(const struct loop *l, const float *w, const float *images, const float *noise, int at,
                       float by, double *input)
{
    static const double times[BATCH] = {1, 2, 3, 4};
    static float moved[BATCH * RIG_VALUES];
    int32_t index[BATCH * VISIBLE];
    const float *p;
    double sum = 0;
    int64_t n;

    for (int i = 0; i < BATCH * VISIBLE; i++)
        index[i] = 2 * (i % VISIBLE);
    memcpy(moved, images, sizeof moved);
    moved[at] += by;
    MUST(maskdm_trainer_set_batch(l->trainer, moved, NULL, times, noise, index));
    MUST(maskdm_trainer_forward(l->trainer));
    p = maskdm_trainer_view(l->trainer, "prediction", &n);
    for (int64_t i = 0; i < n; i++)
        sum += (double)w[i] * p[i];
    *input = maskdm_trainer_view(l->trainer, "input", NULL)[at];
    return sum;
}

/* Against differences; and what the network does not see has none. */
START_TEST(the_inputs_gradient)
{
    static float w[BATCH * VISIBLE * OF_PATCH], images[BATCH * RIG_VALUES], noise[BATCH * RIG_VALUES];
    static float g[BATCH * RIG_VALUES];
    struct loop l = begin(""), plain = begin("");
    double input;
    int64_t n;

    for (int i = 0; i < BATCH * VISIBLE * OF_PATCH; i++)
        w[i] = (float)(i * 37 % 101) / 101 - 0.5f;
    for (int i = 0; i < BATCH * RIG_VALUES; i++) {
        images[i] = (float)(i * 53 % 97) / 97 - 0.5f;
        noise[i] = (float)(i * 29 % 89) / 89 - 0.5f;
    }
    MUST(maskdm_trainer_step(l.trainer, l.data)); /* at first the last layer is zero, and so is all behind it */
    MUST(maskdm_trainer_step(l.trainer, l.data));
    MUST(maskdm_trainer_want_input_gradient(l.trainer));
    MUST(maskdm_trainer_want_input_gradient(l.trainer));
    ck_assert_int_eq(maskdm_trainer_forward(l.trainer), MASKDM_EINVAL); /* the micro-batch went */
    (void)weighted(&l, w, images, noise, 0, 0, &input);
    MUST(maskdm_trainer_backward(l.trainer, w));
    memcpy(g, maskdm_trainer_view(l.trainer, "input_gradient", &n), sizeof g);
    ck_assert_int_eq(n, BATCH * RIG_VALUES);
    for (int at = 0; at < BATCH * RIG_VALUES; at += 41) {
        const int patch = at / RIG_CHANNELS / RIG_SIDE % RIG_SIDE / PATCH * ACROSS +
                          at / RIG_CHANNELS % RIG_SIDE / PATCH;
        double low, high, below = weighted(&l, w, images, noise, at, -0.02f, &low);
        double above = weighted(&l, w, images, noise, at, 0.02f, &high);

        if (patch % 2)
            ck_assert_float_eq(g[at], 0);
        else
            ck_assert_double_eq_tol((above - below) / (high - low), g[at], 2e-3 + 0.02 * fabs(g[at]));
    }
    MUST(maskdm_trainer_zero_gradients(l.trainer));
    for (int i = 0; i < 2; i++)
        MUST(maskdm_trainer_step(plain.trainer, plain.data));
    MUST(maskdm_trainer_step(plain.trainer, plain.data));
    MUST(maskdm_trainer_step(l.trainer, l.data)); /* training is what it was */
    ck_assert_uint_eq(end(&l), end(&plain));
}
END_TEST

int main(void)
{
    const TTest *const test[] = {a_rate_of_ones_own, groups_of_parameters, groups_are_checked, what_is_frozen_stays,
                                 gradients_can_be_set, a_state_goes_on_under_another_rate,
                                 a_state_holds_what_the_host_set, views_of_a_batch, the_inputs_gradient};

    return rig_run("loop", test, sizeof test / sizeof *test);
}
