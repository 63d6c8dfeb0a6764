/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Averages by power functions and half-lives, their snapshots, and averages of other widths made of these: against
 * formulas in double, against averages that were kept all along, and what does not fit together.
 */
#include "tiny.h"

#include "base/alloc.h"
#include "os/file.h"
#include "run/run.h"
#include "train/average.h"

static char root[256], out_a[300], out_b[300], model[300];

static void setup(void)
{
    static int number;

    if (!*root)
        snprintf(root, sizeof root, "%s", tiny_folder());
    snprintf(out_a, sizeof out_a, "%s/a%d", root, ++number);
    snprintf(out_b, sizeof out_b, "%s/b%d", root, number);
    snprintf(model, sizeof model, "%s/m%d.safetensors", root, number);
}

static void open_with(struct tiny *t, const char *ema, const char *device)
{
    tiny_open_on(t, tiny_device(device), NULL, NULL, "lr=5e-3", ema, NULL);
}

static float *read_average(const struct tiny *t, int width)
{
    const maskdm_optimizer *o = t->optimizer;
    float *values = malloc(o->length * sizeof *values);

    OK(mdm_device_download(t->device, values, mdm_optimizer_average(o, width), o->length * sizeof *values));
    return values;
}

static float *read_block(const struct tiny *t)
{
    float *values = malloc(t->optimizer->length * sizeof *values);

    OK(mdm_device_download(t->device, values, t->optimizer->weights, t->optimizer->length * sizeof *values));
    return values;
}

/* ---- the averages ---- */

/* Each of two widths beside a sum in double of the weights after every step. */
START_TEST(power_functions)
{
    enum { STEPS = 9 };
    const double exponent[] = {16.97219860230345, 6.937203937601809};
    struct tiny t;
    double *want[2];
    size_t n;

    open_with(&t, "type=power std=0.05,0.1", "threads=2");
    n = t.optimizer->length;
    for (int k = 0; k < 2; k++)
        want[k] = calloc(n, sizeof(double));
    ck_assert_int_eq(maskdm_optimizer_widths(t.optimizer), 2);
    for (int s = 1; s <= STEPS; s++) {
        float *w;

        tiny_step(&t, 1);
        w = read_block(&t);
        for (int k = 0; k < 2; k++) {
            const double beta = pow(1 - 1.0 / s, exponent[k] + 1);

            ck_assert_double_eq_tol(maskdm_optimizer_decay(t.optimizer, k, s - 1), beta, 1e-12);
            for (size_t i = 0; i < n; i++)
                want[k][i] = beta * want[k][i] + (1 - beta) * w[i];
        }
        free(w);
    }
    for (int k = 0; k < 2; k++) {
        float *got = read_average(&t, k);

        for (size_t i = 0; i < n; i++)
            ck_assert_double_eq_tol(got[i], want[k][i], 1e-6);
        free(got);
        free(want[k]);
    }
    ck_assert(isnan(maskdm_optimizer_decay(t.optimizer, 2, 0)));
    tiny_close(&t);
}
END_TEST

START_TEST(half_lives)
{
    struct tiny t;

    open_with(&t, "type=halflife halflife=2.5 ramp=0.5", "threads=1");
    ck_assert_double_eq_tol(maskdm_optimizer_decay(t.optimizer, 0, 0), 0.25, 1e-12);
    ck_assert_double_eq_tol(maskdm_optimizer_decay(t.optimizer, 0, 3), pow(0.5, 0.5), 1e-12);
    ck_assert_double_eq_tol(maskdm_optimizer_decay(t.optimizer, 0, 100), pow(0.5, 1 / 2.5), 1e-12);
    tiny_close(&t);
    open_with(&t, "type=halflife halflife=2.5", "threads=1");
    ck_assert_double_eq_tol(maskdm_optimizer_decay(t.optimizer, 0, 0), pow(0.5, 1 / 2.5), 1e-12);
    tiny_step(&t, 2);
    tiny_close(&t);
}
END_TEST

/* In the step's pass or apart from it, and going on from a file: the bits are the same for every width. */
START_TEST(apart_and_resumed_to_the_byte)
{
    const char *ema = "type=power std=0.02,0.1,0.2";
    char state[320], single[320], parts[320];
    struct tiny a, b;

    setup();
    snprintf(state, sizeof state, "%s.state", model);
    snprintf(single, sizeof single, "%s.single", model);
    snprintf(parts, sizeof parts, "%s.parts", model);
    open_with(&a, ema, "threads=1");
    open_with(&b, ema, "threads=3");
    for (int s = 0; s < 5; s++) {
        tiny_step(&a, 1);
        if (s == 2)
            OK(maskdm_trainer_save(a.trainer, state));
    }
    OK(maskdm_trainer_save(a.trainer, single));
    OK(maskdm_trainer_load(b.trainer, state));
    for (int s = 0; s < 2; s++) {
        OK(maskdm_trainer_draw(b.trainer, b.data, 0));
        OK(maskdm_trainer_forward(b.trainer));
        OK(maskdm_trainer_loss(b.trainer, NULL));
        OK(maskdm_trainer_backward(b.trainer, NULL));
        OK(maskdm_optimizer_step(b.optimizer));
        OK(maskdm_optimizer_update_ema(b.optimizer));
    }
    for (int k = 0; k < 3; k++) {
        float *x = read_average(&a, k), *y = read_average(&b, k);

        ck_assert_mem_eq(x, y, a.optimizer->length * sizeof *x);
        free(x);
        free(y);
    }
    OK(maskdm_trainer_load(b.trainer, state));
    tiny_step(&b, 2);
    OK(maskdm_trainer_save(b.trainer, parts));
    ck_assert(tiny_same_files(single, parts));
    tiny_close(&b);
    open_with(&b, "type=power std=0.02,0.1", "threads=1");
    FAILS(MASKDM_EINVAL, "std 0.02,0.1,0.2, this one 0.02,0.1", maskdm_trainer_load(b.trainer, state));
    tiny_close(&a);
    tiny_close(&b);
    remove(state);
    remove(single);
    remove(parts);
}
END_TEST

/* ---- afterwards ---- */

/* A profile that is there is itself, and factors sum to 1. */
START_TEST(factors_of_profiles)
{
    const struct mdm_profile in[] = {{10, 0.05}, {10, 0.1}, {20, 0.05}, {20, 0.1}, {30, 0.05}, {30, 0.1}};
    const struct mdm_profile twice[] = {{10, 0.05}, {10, 0.05}};
    double x[6], off, sum = 0;

    OK(mdm_average_solve(in, 6, in[3], x, &off));
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq_tol(x[i], i == 3, 1e-9);
    ck_assert_double_lt(off, 1e-6);
    OK(mdm_average_solve(in, 6, (struct mdm_profile){30, 0.07}, x, &off));
    for (int i = 0; i < 6; i++)
        sum += x[i];
    ck_assert_double_eq_tol(sum, 1, 1e-12);
    ck_assert(off > 0 && off < 0.05);
    OK(mdm_average_solve(in, 1, (struct mdm_profile){10, 0.1}, x, &off));
    ck_assert_double_eq(x[0], 1);
    ck_assert_double_gt(off, 0.1); /* one alone is another */
    FAILS(MASKDM_EINVAL, "snapshots 0 and 1 are both of deviation 0.05 at 10",
          mdm_average_solve(twice, 2, in[0], x, NULL));
    FAILS(MASKDM_EINVAL, "deviation 0.29", mdm_average_solve(in, 6, (struct mdm_profile){30, 0.29}, x, NULL));
    FAILS(MASKDM_EINVAL, "-1 updates", mdm_average_solve(in, 6, (struct mdm_profile){-1, 0.1}, x, NULL));
    FAILS(MASKDM_EINVAL, "5000 snapshots are not from 1", mdm_average_solve(in, 5000, in[0], x, NULL));
    for (double std = 0.002; std < 0.28; std += 0.013)
        ck_assert_double_eq_tol(mdm_ema_deviation(maskdm_average_exponent(std)), std, 1e-14);
    ck_assert(isnan(maskdm_average_exponent(0.5)) && isnan(maskdm_average_exponent(NAN)));
}
END_TEST

/* ---- runs ---- */

static int train(const char *kind, const char *text, maskdm_control *control)
{
    maskdm_options *o = tiny_options(kind, text);
    int status = tiny_train(kind, o, control);

    maskdm_options_release(&o);
    return status;
}

static int run(const char *out, const char *more, maskdm_control *control)
{
    char text[1024];

    snprintf(
        text, sizeof text,
        "out=%s network=uvit image_size=8 patch_size=2 dim=16 depth=3 heads=2 mlp_ratio=2 mask=block mask_ratio=0.5 "
        "batch_size=8 seed=3 threads=1 lr=1e-2 log_every=1 %s",
        out, more);
    return train("pretrain", text, control);
}

static int average(const char *from, const char *to, const char *more)
{
    char text[1024];
    maskdm_options *o;
    maskdm_control *c;
    int status;

    snprintf(text, sizeof text, "run=%s out=%s %s", from, to, more);
    o = tiny_options("average", text);
    OK(maskdm_control_create(&c));
    maskdm_control_set_log(c, tiny_keep_line, NULL);
    *tiny_lines = '\0';
    status = maskdm_average(o, c);
    maskdm_control_release(&c);
    maskdm_options_release(&o);
    return status;
}

static float *load(const char *folder, const char *name, enum maskdm_weights which, size_t *n)
{
    maskdm_device *device = tiny_device("threads=1");
    maskdm_model *m;
    char path[640];
    float *flat;

    snprintf(path, sizeof path, *folder ? "%s/%s" : "%s%s", folder, name);
    OK(maskdm_model_load(&m, device, path));
    flat = tiny_flat(m, which);
    *n = (size_t)maskdm_model_parameter_elements(m);
    maskdm_model_release(&m);
    maskdm_device_release(&device);
    return flat;
}

/* An average made afterwards is the one that was kept all along, as near as the widths of the weights' way allow; and
 * one that was kept is itself. */
START_TEST(averages_of_other_widths)
{
    float *kept, *made, *online;
    size_t n;

    setup();
    OK(run(out_a, "steps=60 ema=power ema_std=0.05,0.1 snapshot_every=5 snapshot_dtype=f32", NULL));
    OK(run(out_b, "steps=60 ema=power ema_std=0.075", NULL));
    OK(average(out_a, model, "std=0.075"));
    ck_assert_msg(strstr(tiny_lines, "an average of deviation 0.075 up to step 60 from 24 snapshots, "), "%s",
                  tiny_lines);
    kept = load(out_b, "model.safetensors", MASKDM_WEIGHTS_EMA, &n);
    online = load(out_b, "model.safetensors", MASKDM_WEIGHTS_ONLINE, &n);
    made = load("", model, MASKDM_WEIGHTS_EMA, &n);
    ck_assert_double_lt(tiny_distance(made, kept, n), 0.02 * tiny_distance(online, kept, n));
    free(made);
    free(kept);
    OK(average(out_a, model, "std=0.05 step=30"));
    kept = load(out_a, "average-30-0.05.safetensors", MASKDM_WEIGHTS_EMA, &n);
    made = load("", model, MASKDM_WEIGHTS_EMA, &n);
    ck_assert_double_lt(tiny_distance(made, kept, n), 1e-6);
    free(made);
    free(kept);
    free(online);
}
END_TEST

/* A run that was stopped and resumed leaves the snapshots of one that was not, and none of a future that it had. */
START_TEST(snapshots_of_resumed_runs)
{
    static const char *const names[] = {"average-4-0.05.safetensors", "average-8-0.1.safetensors",
                                        "average-10-0.05.safetensors"};
    const char options[] = "ema=power snapshot_every=4 save_every=3 keep=9 ";
    char text[256], path[2][640];

    setup();
    snprintf(text, sizeof text, "%ssteps=10", options);
    OK(run(out_a, text, NULL));
    snprintf(text, sizeof text, "%ssteps=7", options);
    OK(run(out_b, text, NULL));
    ck_assert(tiny_exists(out_b, "average-7-0.05.safetensors"));
    snprintf(path[0], sizeof path[0], "%s/checkpoint-7.safetensors", out_b);
    remove(path[0]);
    snprintf(text, sizeof text, "%ssteps=10 resume=true", options);
    OK(run(out_b, text, NULL)); /* from step 6 */
    ck_assert(!tiny_exists(out_b, "average-7-0.05.safetensors"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path[0], sizeof path[0], "%s/%s", out_a, names[i]);
        snprintf(path[1], sizeof path[1], "%s/%s", out_b, names[i]);
        ck_assert_msg(tiny_same_files(path[0], path[1]), "%s", names[i]);
    }
}
END_TEST

START_TEST(what_is_refused)
{
    char path[1200];
    char *bytes, *at;
    size_t n;

    setup();
    FAILS(MASKDM_EINVAL,
          "snapshot_every 4 is for ema power, of whose snapshots other widths are made, not exponential",
          run(out_a, "steps=4 snapshot_every=4", NULL));
    ck_assert(!tiny_exists(out_a, ""));
    FAILS(MASKDM_EINVAL, "std has 0.1 twice", run(out_a, "steps=4 ema=power ema_std=0.1,0.1", NULL));
    OK(run(out_a, "steps=8 ema=power snapshot_every=4", NULL));
    FAILS(MASKDM_EINVAL, "no snapshot of step 6; the nearest are of steps 4 and 8",
          average(out_a, model, "std=0.07 step=6"));
    FAILS(MASKDM_EINVAL, "no snapshot of step 9; the nearest is of step 8", average(out_a, model, "std=0.07 step=9"));
    OK(run(out_b, "steps=1", NULL));
    snprintf(
        path, sizeof path,
        "init=%s/model.safetensors out=%s.lora batch_size=8 threads=1 steps=2 ema=power snapshot_every=1 lora_rank=2",
        out_b, out_b);
    FAILS(MASKDM_EINVAL, "snapshot_every is for runs that publish a model, not an adapter",
          train("finetune", path, NULL));
    FAILS(MASKDM_ENOTFOUND, "has no snapshots", average(out_b, model, "std=0.07"));
    ck_assert(access(model, F_OK) != 0);
    snprintf(path, sizeof path, "%s/average-4-0.1.safetensors", out_a);
    bytes = tiny_read(path, &n);
    at = strstr(bytes + 8, "\"maskdm.average.std\":\"0.1\"");
    ck_assert_ptr_nonnull(at);
    at[22] = '9';
    tiny_write(path, bytes, n);
    FAILS(MASKDM_EFORMAT, "a snapshot of deviation 9.1 at step 4", average(out_a, model, "std=0.07"));
    at[22] = '0';
    bytes[n - 3] ^= 1;
    tiny_write(path, bytes, n);
    FAILS(MASKDM_EFORMAT, "average-4-0.1.safetensors", average(out_a, model, "std=0.07"));
    tiny_write(path, bytes, n / 2);
    FAILS(MASKDM_EFORMAT, "average-4-0.1.safetensors", average(out_a, model, "std=0.07"));
    snprintf(path, sizeof path, "%s/model.safetensors", out_a);
    free(bytes);
    bytes = tiny_read(path, &n);
    snprintf(path, sizeof path, "%s/average-4-0.1.safetensors", out_a);
    tiny_write(path, bytes, n);
    FAILS(MASKDM_EFORMAT, "\"maskdm.average.std\" is missing", average(out_a, model, "std=0.07"));
    free(bytes);
    ck_assert(access(model, F_OK) != 0);
}
END_TEST

static long granted;

static int refuse(void *user, size_t bytes)
{
    (void)user;
    (void)bytes;
    return granted-- <= 0;
}

/* Whatever allocation is refused, nothing is left behind, and the next try makes the same file. */
START_TEST(refused_memory)
{
    const struct mdm_alloc_hook hook = {.refuse = refuse};
    char once[320];
    maskdm_options *o;
    long live;
    int status = MASKDM_ENOMEM;

    setup();
    OK(run(out_a, "steps=4 ema=power snapshot_every=2", NULL));
    snprintf(once, sizeof once, "%s.once", model);
    OK(average(out_a, once, "std=0.07"));
    o = tiny_options("average", "std=0.07");
    OK(maskdm_options_set(o, "run", out_a));
    OK(maskdm_options_set(o, "out", model));
    live = mdm_alloc_live();
    for (long n = 0; status == MASKDM_ENOMEM; n++) {
        granted = n;
        mdm_alloc_hook_set(&hook);
        status = maskdm_average(o, NULL);
        mdm_alloc_hook_set(NULL);
        ck_assert_int_eq(mdm_alloc_live(), live);
        ck_assert_int_eq(access(model, F_OK) == 0, status == MASKDM_OK);
    }
    OK(status);
    ck_assert(tiny_same_files(model, once));
    maskdm_options_release(&o);
}
END_TEST

/* A weight that float16 makes infinite is written as float32, with a word on it. */
START_TEST(weights_that_do_not_fit)
{
    const char *folder;
    const float large = 1e6f;
    struct tiny t;

    setup();
    folder = tiny_folder();
    open_with(&t, "type=power std=0.1", "threads=1");
    FAILS(MASKDM_EINVAL, "before its first update", maskdm_trainer_snapshot(t.trainer, folder, "F16"));
    tiny_step(&t, 1);
    OK(mdm_device_upload(t.device, t.optimizer->ema, &large, sizeof large));
    FAILS(MASKDM_EINVAL, "holds 1e+06", maskdm_trainer_snapshot(t.trainer, folder, "F16"));
    FAILS(MASKDM_ENOTFOUND, "not of \"F8\"", maskdm_trainer_snapshot(t.trainer, folder, "F8"));
    OK(maskdm_trainer_snapshot(t.trainer, folder, "F32"));
    ck_assert(tiny_exists(folder, "average-1-0.1.safetensors"));
    tiny_close(&t);
    open_with(&t, "start=2", "threads=1");
    FAILS(MASKDM_EINVAL, "of kind power, not exponential", maskdm_trainer_snapshot(t.trainer, folder, "F32"));
    tiny_close(&t);
}
END_TEST

/* Muon says in a run what it costs. */
START_TEST(costs_are_told)
{
    maskdm_control *c;

    setup();
    OK(maskdm_control_create(&c));
    maskdm_control_set_log(c, tiny_keep_line, NULL);
    *tiny_lines = '\0';
    OK(run(out_a, "steps=1 optimizer=muon", c));
    ck_assert_msg(strstr(tiny_lines, "muon moves 6656 of the 7772 parameters, 19 matrices, at 86."), "%s",
                  tiny_lines);
    ck_assert_msg(strstr(tiny_lines, " % of the products of a step of 8 images"), "%s", tiny_lines);
    maskdm_control_release(&c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("average");
    TCase *tests = tcase_create("average");

    tcase_add_test(tests, power_functions);
    tcase_add_test(tests, half_lives);
    tcase_add_test(tests, apart_and_resumed_to_the_byte);
    tcase_add_test(tests, factors_of_profiles);
    tcase_add_test(tests, averages_of_other_widths);
    tcase_add_test(tests, snapshots_of_resumed_runs);
    tcase_add_test(tests, what_is_refused);
    tcase_add_test(tests, refused_memory);
    tcase_add_test(tests, weights_that_do_not_fit);
    tcase_add_test(tests, costs_are_told);
    suite_add_tcase(suite, tests);
    return tiny_main(suite);
}
