/* SPDX-License-Identifier: BSD-2-Clause
 *
 * AdamW, clipping, warm-up and EMA against the same formulas in double, on gradients that the test makes up.
 */
#include "tiny.h"

#include "text/text.h"
#include "train/trainer.h"

static double noise(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / (1 << 24) - 0.5;
}

/* A block of the optimizer's (free). */
static float *download(const maskdm_optimizer *o, const float *block)
{
    float *copy = malloc(o->length * sizeof *copy);

    OK(mdm_device_download(o->device, copy, block, o->length * sizeof *copy));
    return copy;
}

static float first_of(const maskdm_optimizer *o, const float *block)
{
    float value;

    OK(mdm_device_download(o->device, &value, block, sizeof value));
    return value;
}

static void put_gradient(const maskdm_optimizer *o, size_t i, float value)
{
    OK(mdm_device_upload(o->device, o->gradients + i, &value, sizeof value));
}

/* All gradients, noise times `scale`. */
static void draw_gradients(const maskdm_optimizer *o, unsigned *state, double scale)
{
    float *g = malloc(o->length * sizeof *g);

    for (size_t i = 0; i < o->length; i++)
        g[i] = (float)(noise(state) * scale);
    OK(mdm_device_upload(o->device, o->gradients, g, o->length * sizeof *g));
    free(g);
}

static void expect_same_blocks(const maskdm_optimizer *o, const float *a, const maskdm_optimizer *p, const float *b,
                               int same)
{
    float *x = download(o, a), *y = download(p, b);

    ck_assert_int_eq(memcmp(x, y, o->length * sizeof *x) == 0, same);
    free(x);
    free(y);
}

/* Steps of given gradients through the optimizer, in one pass or with the average apart. */
static void run(struct tiny *t, int steps, int fused)
{
    unsigned state = 5;

    for (int s = 0; s < steps; s++) {
        draw_gradients(t->optimizer, &state, (s + 1) * 0.01);
        if (fused) {
            OK(mdm_optimizer_step(t->optimizer, 1, 0));
            continue;
        }
        OK(maskdm_optimizer_step(t->optimizer));
        OK(maskdm_optimizer_update_ema(t->optimizer));
    }
}

static void open_with(struct tiny *t, const char *optimizer, const char *ema)
{
    tiny_open_on(t, tiny_device("threads=1"), NULL, NULL, optimizer, ema, NULL);
}

START_TEST(equals_the_formulas_in_double)
{
    const double lr = 2e-3, b1 = 0.9, b2 = 0.95, wd = 0.03, clip = 0.5;
    struct tiny t;
    unsigned state = 5;
    size_t n;
    double *w, *m, *v, *e;
    float *weights, *average, *gradients;

    open_with(&t, "lr=2e-3 beta1=0.9 beta2=0.95 weight_decay=0.03 warmup_steps=3 clip_norm=0.5",
              "decay=0.99 start=2 inv_gamma=1 power=0.75");
    n = t.optimizer->length;
    w = calloc(4 * n, sizeof *w);
    m = w + n;
    v = m + n;
    e = v + n;
    weights = download(t.optimizer, t.optimizer->weights);
    for (size_t i = 0; i < n; i++)
        w[i] = e[i] = weights[i];
    free(weights);
    run(&t, 12, 1);
    for (int s = 0; s < 12; s++) {
        double *g = calloc(n, sizeof *g), norm = 0, rate = lr * (s < 3 ? s / 3.0 : 1), decay, factor;

        for (size_t i = 0; i < n; i++) {
            g[i] = (float)(noise(&state) * ((s + 1) * 0.01));
            norm += g[i] * g[i];
        }
        norm = sqrt(norm);
        factor = clip / (norm + 1e-6) < 1 ? clip / (norm + 1e-6) : 1;
        decay = s <= 2 ? 0 : 1 - pow(1 + (s - 2), -0.75);
        decay = decay > 0.99 ? 0.99 : decay;
        for (size_t i = 0; i < n; i++) {
            double x = g[i] * factor;

            m[i] = b1 * m[i] + (1 - b1) * x;
            v[i] = b2 * v[i] + (1 - b2) * x * x;
            w[i] -= rate * wd * w[i];
            w[i] -= rate / (1 - pow(b1, s + 1)) * m[i] / (sqrt(v[i] / (1 - pow(b2, s + 1))) + 1e-8);
            e[i] = decay * e[i] + (1 - decay) * w[i];
        }
        if (s == 11)
            ck_assert_double_eq_tol(maskdm_optimizer_grad_norm(t.optimizer), norm, 1e-5 * norm);
        free(g);
    }
    weights = download(t.optimizer, t.optimizer->weights);
    average = download(t.optimizer, t.optimizer->ema);
    gradients = download(t.optimizer, t.optimizer->gradients);
    for (size_t i = 0; i < n; i++) {
        ck_assert_double_eq_tol(weights[i], w[i], 2e-6);
        ck_assert_double_eq_tol(average[i], e[i], 2e-6);
        ck_assert_float_eq(gradients[i], 0);
    }
    free(weights);
    free(average);
    free(gradients);
    ck_assert_int_eq(maskdm_optimizer_steps(t.optimizer), 12);
    free(w);
    tiny_close(&t);
}
END_TEST

START_TEST(average_in_one_pass_or_apart)
{
    struct tiny a, b;

    open_with(&a, "lr=1e-2", "start=3 every=2");
    open_with(&b, "lr=1e-2", "start=3 every=2");
    run(&a, 9, 1);
    run(&b, 9, 0);
    expect_same_blocks(a.optimizer, a.optimizer->weights, b.optimizer, b.optimizer->weights, 1);
    expect_same_blocks(a.optimizer, a.optimizer->ema, b.optimizer, b.optimizer->ema, 1);
    expect_same_blocks(a.optimizer, a.optimizer->ema, a.optimizer, a.optimizer->weights, 0);
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

START_TEST(ema_modes)
{
    const struct mdm_ema_rule rule = {
        .widths = 1, .decay = 0.99, .inv_gamma = 2, .power = 0.5, .start = 4, .every = 2};
    double decay;

    ck_assert_int_eq(mdm_ema_mode(&rule, 0, 0, &decay), 1);
    ck_assert_int_eq(mdm_ema_mode(&rule, 0, 1, &decay), 0);
    ck_assert_int_eq(mdm_ema_mode(&rule, 0, 4, &decay), 1);
    ck_assert_int_eq(mdm_ema_mode(&rule, 0, 5, &decay), 0);
    ck_assert_int_eq(mdm_ema_mode(&rule, 0, 10, &decay), 2);
    ck_assert_double_eq_tol(decay, 1 - 1 / sqrt(4), 1e-15);
    ck_assert_int_eq(mdm_ema_mode(&rule, 0, 1000000, &decay), 2);
    ck_assert_double_eq(decay, 0.99);
}
END_TEST

START_TEST(warm_up)
{
    struct tiny t;

    open_with(&t, "lr=0.5 warmup_steps=4", NULL);
    ck_assert_double_eq(maskdm_optimizer_lr(t.optimizer, 0), 0);
    ck_assert_double_eq(maskdm_optimizer_lr(t.optimizer, 1), 0.125);
    ck_assert_double_eq(maskdm_optimizer_lr(t.optimizer, 4), 0.5);
    ck_assert_double_eq(maskdm_optimizer_lr(t.optimizer, 4000), 0.5);
    ck_assert(isnan(mdm_trainer_progress(t.trainer).lr));
    for (int s = 0; s < 3; s++) { /* the rate of the step that was done */
        tiny_step(&t, 1);
        ck_assert_double_eq(mdm_trainer_progress(t.trainer).lr, 0.125 * s);
    }
    tiny_close(&t);
}
END_TEST

/* Clipping takes whatever a float holds, and torch's 1e-6 beside the norm shows where the norm is as small. */
START_TEST(clipping_at_both_ends)
{
    struct tiny t;

    open_with(&t, "lr=1e-3 beta1=0.9 clip_norm=1", NULL);
    for (size_t i = 0; i < t.optimizer->length; i++)
        put_gradient(t.optimizer, i, 1e20f);
    OK(maskdm_optimizer_step(t.optimizer));
    ck_assert_int_eq(t.optimizer->applied, 1);
    ck_assert_double_eq_tol(maskdm_optimizer_grad_norm(t.optimizer), 1e20 * sqrt((double)t.optimizer->length), 1e16);
    ck_assert_double_eq_tol(first_of(t.optimizer, t.optimizer->moment1), 0.1 / sqrt((double)t.optimizer->length),
                            1e-6);
    tiny_close(&t);
    open_with(&t, "lr=1e-3 beta1=0.9 clip_norm=1e-6", NULL);
    put_gradient(t.optimizer, 0, 1e-6f);
    OK(maskdm_optimizer_step(t.optimizer));
    ck_assert_double_eq_tol(first_of(t.optimizer, t.optimizer->moment1), 0.1 * 0.5e-6, 1e-12);
    tiny_close(&t);
}
END_TEST

START_TEST(average_begins_at_the_weights)
{
    struct tiny t;
    float *weights, *average;

    open_with(&t, NULL, NULL);
    weights = tiny_weights(&t, MASKDM_WEIGHTS_ONLINE);
    average = tiny_weights(&t, MASKDM_WEIGHTS_EMA);
    ck_assert_mem_eq(average, weights, tiny_bytes(&t));
    free(weights);
    free(average);
    tiny_close(&t);
    open_with(&t, NULL, "decay=0"); /* none, which is then not updated either */
    tiny_step(&t, 2);
    ck_assert_ptr_null(t.optimizer->ema);
    ck_assert_int_eq(t.optimizer->ema_updates, 0);
    tiny_close(&t);
}
END_TEST

START_TEST(gradient_that_is_not_finite)
{
    struct tiny t;
    float *before, *after, *ema;

    open_with(&t, "lr=1e-2", "start=1");
    run(&t, 3, 0);
    before = tiny_weights(&t, MASKDM_WEIGHTS_ONLINE);
    ema = tiny_weights(&t, MASKDM_WEIGHTS_EMA);
    put_gradient(t.optimizer, 11, INFINITY);
    OK(maskdm_optimizer_step(t.optimizer));
    OK(maskdm_optimizer_update_ema(t.optimizer));
    ck_assert_int_eq(maskdm_optimizer_steps(t.optimizer), 4);
    ck_assert(!isfinite(maskdm_optimizer_grad_norm(t.optimizer)));
    ck_assert_float_eq(first_of(t.optimizer, t.optimizer->gradients + 11), 0);
    ck_assert_int_eq(t.optimizer->applied, 3);
    ck_assert_int_eq(t.optimizer->ema_updates, 3);
    after = tiny_weights(&t, MASKDM_WEIGHTS_ONLINE);
    ck_assert_mem_eq(after, before, tiny_bytes(&t));
    free(after);
    after = tiny_weights(&t, MASKDM_WEIGHTS_EMA);
    ck_assert_mem_eq(after, ema, tiny_bytes(&t));
    free(after);
    free(before);
    free(ema);
    tiny_close(&t);
}
END_TEST

/* Adam's corrections count the updates that were applied, so a step that is skipped leaves no trace in the next. */
START_TEST(skipped_step_leaves_no_trace)
{
    struct tiny a, b;
    unsigned state[2] = {5, 5};

    open_with(&a, "lr=1e-2 warmup_steps=0", "start=1");
    open_with(&b, "lr=1e-2 warmup_steps=0", "start=1");
    for (int s = 0; s < 4; s++) {
        if (s == 1 || s == 3) {
            put_gradient(b.optimizer, 7, NAN);
            OK(maskdm_optimizer_step(b.optimizer));
            OK(maskdm_optimizer_update_ema(b.optimizer));
        }
        for (int k = 0; k < 2; k++) {
            maskdm_optimizer *o = k ? b.optimizer : a.optimizer;

            draw_gradients(o, &state[k], 0.01);
            OK(maskdm_optimizer_step(o));
            OK(maskdm_optimizer_update_ema(o));
        }
    }
    ck_assert_int_eq(maskdm_optimizer_steps(b.optimizer), 6);
    expect_same_blocks(b.optimizer, b.optimizer->weights, a.optimizer, a.optimizer->weights, 1);
    expect_same_blocks(b.optimizer, b.optimizer->ema, a.optimizer, a.optimizer->ema, 1);
    tiny_close(&a);
    tiny_close(&b);
}
END_TEST

START_TEST(bound_to_one_trainer)
{
    struct tiny t;
    maskdm_trainer *second;
    maskdm_optimizer *loose;

    open_with(&t, NULL, NULL);
    FAILS(MASKDM_EINVAL, "another trainer",
          maskdm_trainer_create(&second, t.model, NULL, t.optimizer, NULL, NULL));
    ck_assert_ptr_null(second);
    tiny_step(&t, 1);
    OK(maskdm_optimizer_create(&loose, NULL, NULL));
    FAILS(MASKDM_EINVAL, "not bound", maskdm_optimizer_step(loose));
    FAILS(MASKDM_EINVAL, "not bound", maskdm_optimizer_update_ema(loose));
    maskdm_optimizer_release(&loose);
    maskdm_trainer_release(&t.trainer);
    FAILS(MASKDM_EINVAL, "not bound", maskdm_optimizer_step(t.optimizer));
    ck_assert_int_eq(maskdm_optimizer_steps(t.optimizer), 1);
    tiny_close(&t);
}
END_TEST

/* What a host set goes into a state as text and comes back, whatever a pattern has; a broken text is refused. */
START_TEST(host_rules_as_text)
{
    static const char *const broken[] = {
        "", "[]", "{}", "{\"lr\": 1}", "{\"lr\": -1, \"groups\": []}", "{\"lr\": \"1\", \"groups\": []}",
        "{\"lr\": null, \"groups\": [[\"*\", null, 0]]}", "{\"lr\": null, \"groups\": [[\"*\", 1, -1]]}",
        "{\"lr\": null, \"groups\": [[\"*\", 1, 0, 0]]}", "{\"lr\": null, \"groups\": [[\"*\", 1]]}",
        "{\"lr\": null, \"groups\": [7]}", "{\"lr\": null, \"groups\": []} ,",
        "{\"lr\": null, \"groups\": [[1, 1, 1]]}",
        "{\"groups\": [], \"lr\": null}", "{\"lr\": null, \"groups\": [[\"*\", 1, 0]"};
    struct mdm_host_rules rules = {.lr = (double)NAN}, back;
    struct mdm_text text = {0};

    mdm_host_rules_write(&rules, &text);
    ck_assert_uint_eq(text.length, 0);
    OK(mdm_host_rules_read(&back, NULL));
    ck_assert(isnan(back.lr) && back.groups == 0);
    rules.lr = 0.1;
    OK(mdm_host_rules_add(&rules, "a\"\xff\n*", 1.0 / 3, (double)NAN));
    OK(mdm_host_rules_add(&rules, "", 0, 0.25));
    mdm_host_rules_write(&rules, &text);
    OK(mdm_text_ok(&text));
    OK(mdm_host_rules_read(&back, text.data));
    ck_assert_double_eq(back.lr, rules.lr);
    ck_assert_int_eq(back.groups, 2);
    ck_assert_str_eq(back.group[0].pattern, rules.group[0].pattern);
    ck_assert_double_eq(back.group[0].lr_factor, 1.0 / 3);
    ck_assert(isnan(back.group[0].weight_decay));
    ck_assert_str_eq(back.group[1].pattern, "");
    ck_assert_double_eq(back.group[1].weight_decay, 0.25);
    mdm_host_rules_free(&back);
    mdm_host_rules_free(&rules);
    mdm_text_free(&text);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        ck_assert_msg(mdm_host_rules_read(&back, broken[i]) == MASKDM_EFORMAT, "%s", broken[i]);
        ck_assert(back.groups == 0 && !back.group);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("optimizer");
    TCase *tests = tcase_create("optimizer");

    tcase_add_test(tests, equals_the_formulas_in_double);
    tcase_add_test(tests, average_in_one_pass_or_apart);
    tcase_add_test(tests, ema_modes);
    tcase_add_test(tests, warm_up);
    tcase_add_test(tests, clipping_at_both_ends);
    tcase_add_test(tests, average_begins_at_the_weights);
    tcase_add_test(tests, gradient_that_is_not_finite);
    tcase_add_test(tests, skipped_step_leaves_no_trace);
    tcase_add_test(tests, bound_to_one_trainer);
    tcase_add_test(tests, host_rules_as_text);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
